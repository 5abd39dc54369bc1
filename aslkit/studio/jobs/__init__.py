"""Long tasks of the studio, such as training: each runs in a process of its own, which outlives the server."""
