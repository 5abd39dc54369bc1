"""Whether a frame is kept: sharp, lit, hand visible, still, and different from frames already kept."""
