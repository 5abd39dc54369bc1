"""The recording window: state, drawing, keys and shutter."""
