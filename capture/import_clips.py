"""Imports clips recorded elsewhere."""
