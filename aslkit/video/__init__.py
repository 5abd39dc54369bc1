"""Frames from a camera, a file or the synthetic signer, each with its time; the newest frame wins."""
