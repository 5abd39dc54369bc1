"""One recording session on disk: open, add a frame durably, resume after a crash, close."""
