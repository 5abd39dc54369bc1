"""Using a trained model on frames it has never seen."""
