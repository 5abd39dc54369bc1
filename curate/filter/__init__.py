"""Which images are dropped or flagged, each with its reason: checks, exact duplicates, label issues (cleanlab)."""
