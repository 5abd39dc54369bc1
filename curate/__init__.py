"""Turn captures into a clean, deduplicated Parquet dataset, split by signer.

`pipeline.curate` runs decisions of people → measure → filter → split → write → report.
"""
