"""Landmarks, hashes and quality of every image, in local processes or on Spark, cached; groups of near-duplicates."""
