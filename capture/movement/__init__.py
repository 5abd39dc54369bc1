"""Movements on their way from the source to a clip: tracking in every frame, buffering, and cutting of long videos."""
