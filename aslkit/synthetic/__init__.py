"""A rendered 3-D hand that signs the 24 static letters.

Used by the demo, the tests and, unless `train.synthetic = false`, as extra training signers (ADR 16). All its signer
names begin with "synthetic-".
"""

from aslkit.synthetic.frames import render_frames, render_letter
from aslkit.synthetic.signer import FAULTS, Signer, SyntheticFrame, SyntheticSession

__all__ = ["FAULTS", "Signer", "SyntheticFrame", "SyntheticSession", "render_frames", "render_letter"]
