"""Architectures and the training loop: batches, early stopping, checkpoints, initial weights."""
