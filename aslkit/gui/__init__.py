"""An OpenCV window and what is drawn in it."""
