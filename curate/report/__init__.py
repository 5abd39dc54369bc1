"""The HTML report of a curated dataset: galleries, data leakage, pose outliers, what to record next."""
