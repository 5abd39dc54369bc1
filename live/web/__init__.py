"""Live in a browser: one page, served by this machine; the camera is the browser's, the model this machine's."""
