"""Frame quality: the gate, hand speed, handedness, and diversity of the recorded frames."""
