"""Export datasets to CSV files, image folders and WebDataset shards."""
