"""Training data: features, samples, negative samples, synthetic signers, input checks."""
