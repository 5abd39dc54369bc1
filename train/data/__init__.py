"""From Parquet rows to arrays: features, negative samples, synthetic signers, input checks."""
