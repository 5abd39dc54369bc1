"""Movements on their way from the source to a clip: tracking in every frame, and cutting of long videos."""
