"""Train a recogniser and measure it on unseen signers."""
