"""Prepare a dataset for publication: pseudonyms, hand crops, no faces, no metadata."""
