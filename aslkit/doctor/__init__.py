"""`aslkit doctor`: checks of this machine, its packages and its cameras, each with a remedy."""
