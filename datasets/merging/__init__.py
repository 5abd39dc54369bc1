"""Merge datasets: match columns, find shared signers and duplicates, assign one split."""
