"""Export to CSV, image folders and WebDataset shards."""
