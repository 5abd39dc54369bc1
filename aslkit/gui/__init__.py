"""The OpenCV window and its drawing functions."""
