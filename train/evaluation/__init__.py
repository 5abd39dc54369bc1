"""Metrics on held-out signers: accuracy, calibration, rejection, confusions, cross-validation, learning curve."""
