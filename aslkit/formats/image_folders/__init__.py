"""Folders of labelled images that people bring: which letter, person and split each image belongs to."""
