"""Frames that were recorded without a letter (`aslkit capture --letter none`), as a feature takes them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aslkit.core.letters import NO_LETTER
from aslkit.formats.frame_index import FrameIndex, IndexEntry
from aslkit.vision.images import ImageError, decode_image, read_image_file
from aslkit.vision.preprocess import Array, PreprocessConfig, canonical_points, pixel_features


def load_recorded_negatives(captures: Path, contract: PreprocessConfig) -> dict[str, Array]:
    """What was recorded without a letter, of each signer; frames in which no hand was found are refused anyway.

    Args:
        captures: a workspace's.
        contract: of the feature.

    Returns:
        by signer, float32 (n, …) as `data.Samples.raw`; signers without such frames are not in it.
    """
    found: dict[str, list[Array]] = {}
    for folder in sorted(captures.glob(f"*/*/{NO_LETTER}")):
        session = folder.parent
        for entry in FrameIndex.load(session).entries.values():  # broken lines are not among them
            path = session / entry.file
            wanted = entry.letter == NO_LETTER and entry.landmarks is not None and path.is_file()
            if wanted and (raw := _raw(entry, path, contract)) is not None:
                found.setdefault(session.parent.name, []).append(raw)
    return {signer: np.stack(frames) for signer, frames in found.items()}


def negatives_of_signers(recorded: Mapping[str, Array], signers: set[str]) -> Array | None:
    """Those of some signers, one after the other; None where they have none."""
    parts = [frames for signer, frames in recorded.items() if signer in signers]
    return np.concatenate(parts) if parts else None


def _raw(entry: IndexEntry, path: Path, contract: PreprocessConfig) -> Array | None:
    points = np.array(entry.landmarks, np.float32).reshape(-1, 21, 3)
    left = entry.hand == "left"
    if contract.kind == "landmarks":
        size = {"widths": np.array([entry.width]), "heights": np.array([entry.height])}
        canonical = canonical_points(points, **size, left=np.array([left]), mirror_left=contract.mirror_left)
        return np.asarray(canonical[0], np.float32)
    try:
        frame = decode_image(read_image_file(path))
    except ImageError:
        return None
    box = np.concatenate([points[0, :, :2].min(axis=0), points[0, :, :2].max(axis=0)])
    return pixel_features(frame, box, left=left, contract=contract, landmarks=points[0])
