"""Drop or flag frames, each with a reason: checks, exact duplicates, label issues (cleanlab)."""
