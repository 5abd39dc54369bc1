"""`aslkit doctor`: checks of the machine, the packages and the camera, each with its fix."""
