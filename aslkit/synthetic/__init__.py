"""A synthetic signer: a small 3-D hand that signs the 24 letters where there is no camera and no data.

Demo and tests run on it. It stands in for a person nowhere else: its signers' names all begin with "synthetic-".
"""

from aslkit.synthetic.frames import frames, letter_picture
from aslkit.synthetic.signer import FAULTS, Session, Signer, SyntheticFrame

__all__ = ["FAULTS", "Session", "Signer", "SyntheticFrame", "frames", "letter_picture"]
