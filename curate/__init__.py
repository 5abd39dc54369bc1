"""Turn captures into a clean, deduplicated Parquet dataset, split by signer.

`pipeline.curate` runs measure → filter → split → write → report.
"""
