"""One recording session on disk: opening, recovery after a crash, storing and removing frames."""
