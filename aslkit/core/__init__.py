"""Basics without images: errors, config files, paths, atomic writes, worker processes. Imports nothing of aslkit."""
