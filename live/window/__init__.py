"""The window of `aslkit live`: its content, drawing and keys."""
