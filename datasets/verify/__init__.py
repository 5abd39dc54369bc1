"""Verify an untrusted dataset: files, schema, rows and consistency. Files are read in isolated processes."""
