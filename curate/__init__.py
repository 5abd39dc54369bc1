"""From captures to a clean, deduplicated, split Parquet dataset."""
