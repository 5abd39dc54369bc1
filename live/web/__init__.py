"""Live recognition on a web page: the browser provides the camera, this machine runs the model."""
