"""Train networks on a dataset: architectures, initial weights, balanced training data."""
