"""The HTML report of a curation: galleries, leakage between splits, outlier poses, what to record next."""
