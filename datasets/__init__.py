"""Datasets: schema, storage, splits, cards, sharing and verification."""
