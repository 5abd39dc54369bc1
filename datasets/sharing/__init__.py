"""Upload and download datasets (S3, GCS, Hugging Face, HTTP), with checksums and resume."""
