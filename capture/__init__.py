"""Record labelled frames into WORKSPACE/captures/SIGNER/SESSION/LETTER/."""
