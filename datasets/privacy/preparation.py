"""The state of a preparation: its settings, its counts and its face detectors."""

from dataclasses import dataclass, field
from threading import local
from typing import Any

import numpy as np

from aslkit.datasets.privacy.config import PrivacyConfig, PrivacyReport
from aslkit.datasets.privacy.face_detector import FaceBox, FaceDetector
from aslkit.datasets.privacy.pseudonyms import NameMasker, Pseudonyms
from aslkit.vision.images import Frame


@dataclass(kw_only=True)
class Preparation:
    """The state of one preparation.

    Attributes:
        config: what the prepared dataset contains.
        names: pseudonyms, or None to keep the names.
        masker: replaces names in text.
        faces, pixelated, images: see `PrivacyReport`.
        copies: number of augmented copies.
        left_out: the rows that were dropped because no hand was detected.
        kept: label, signer, group, clip, split and path of the other rows, without augmented copies.
        new_hashes: pixel hashes of crops by those of the whole images, for the parents of augmented copies.
        clip_regions: for each clip, the box that contains all its hands; a clip without a hand has none. All frames of
            a clip are cropped to one region, so that the hand moves in the crops as in the frames.
    """

    config: PrivacyConfig
    names: Pseudonyms | None
    masker: NameMasker
    faces: int = 0
    pixelated: int = 0
    images: int = 0
    copies: int = 0
    left_out: list[dict[str, Any]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    new_hashes: dict[str, str] = field(default_factory=dict)
    clip_regions: dict[str, list[float]] = field(default_factory=dict)
    _detectors: list[FaceDetector] = field(default_factory=list)
    _thread_local: local = field(default_factory=local)

    @property
    def report(self) -> PrivacyReport:
        """The statistics so far."""
        return PrivacyReport(
            faces=self.faces, pixelated=self.pixelated, images=self.images, left_out=len(self.left_out)
        )

    def find_faces(self, frame: Frame, landmarks: list[float] | None, *, min_score: float) -> list[FaceBox]:
        """Return the faces in a frame. Each thread uses its own detector.

        Args:
            frame: BGR, uint8 (height, width, 3).
            landmarks: 63 values, as in a row; None without a hand.
            min_score: see `FaceDetector.find_faces`.
        """
        if not hasattr(self._thread_local, "detector"):
            self._thread_local.detector = FaceDetector()
            self._detectors.append(self._thread_local.detector)
        hand = None if landmarks is None else np.array(landmarks).reshape(21, 3)
        faces: list[FaceBox] = self._thread_local.detector.find_faces(frame, hand, min_score=min_score)
        return faces

    def close(self) -> None:
        """Close the detectors, when no thread uses them any more."""
        for detector in self._detectors:
            detector.close()
