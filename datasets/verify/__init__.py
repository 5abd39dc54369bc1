"""Validate an untrusted dataset: files, schema, rows, consistency; runs in an isolated process."""
