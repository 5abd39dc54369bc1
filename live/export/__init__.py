"""Exports a run to ONNX, TensorFlow Lite, SavedModel or a web page, and measures what the conversion changes."""
