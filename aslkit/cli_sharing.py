"""`aslkit dataset merge`, `push` and `pull`: one dataset of several people's, and datasets that lie elsewhere."""
