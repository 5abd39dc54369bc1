"""Running a trained network without TensorFlow, and reading its file."""
