"""The `aslkit dataset` commands: inspect, verify, export, merge and share datasets."""
