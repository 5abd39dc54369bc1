"""`aslkit exam`: sign prompted letters and get a score."""
