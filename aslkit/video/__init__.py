"""Frames from a camera, network stream, video file, image folder or synthetic signer."""
