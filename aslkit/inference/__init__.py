"""Loads trained models and computes their predictions without TensorFlow."""
