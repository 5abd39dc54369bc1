"""The recording window: controller, drawing and shutter."""
