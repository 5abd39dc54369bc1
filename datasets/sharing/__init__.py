"""Upload datasets to a folder or object storage, and download them."""
