"""`aslkit exam`: prompts the signer for letters, and scores the predictions of a model."""
