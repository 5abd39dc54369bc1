"""Export a run to ONNX, TensorFlow Lite, SavedModel or a web page, with sample frames and measured fidelity."""
