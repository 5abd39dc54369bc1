"""Prepare a dataset for sharing: pseudonyms, hand crops, a face check, and no image metadata."""
