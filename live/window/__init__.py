"""The live window: state, drawing, keys."""
