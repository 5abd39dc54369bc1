"""Measure landmarks, hashes and quality of every image, locally or on Spark; cache them; group near-duplicates."""
