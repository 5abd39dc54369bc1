"""Merge datasets from several sources into one."""
