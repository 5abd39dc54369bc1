"""Negative samples: frames recorded without a letter (`aslkit capture --letter none`)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aslkit.core.letters import NO_LETTER
from aslkit.formats.frame_index import FrameIndex, IndexEntry
from aslkit.train.data.embedding_views import join_hands
from aslkit.vision.hand_embedding import embedding_features
from aslkit.vision.hand_region import region_around
from aslkit.vision.images import ImageError, decode_image, read_image_file
from aslkit.vision.preprocess import Array, PreprocessConfig, canonical_points, pixel_features


def load_recorded_negatives(captures: Path, contract: PreprocessConfig) -> dict[str, Array]:
    """Read the hands in frames that were recorded without a letter.

    Frames in which no hand was found are skipped: no model ever sees them.

    Args:
        captures: captures folder of a workspace.
        contract: preprocessing of the feature.

    Returns:
        The hands of each signer who has such frames, float32 (n, …) as in `Samples.hands`.
    """
    negatives: dict[str, list[Array]] = {}
    for folder in sorted(captures.glob(f"*/*/{NO_LETTER}")):
        session = folder.parent
        for entry in FrameIndex.load(session).entries.values():  # without the damaged lines of the index
            path = session / entry.file
            has_hand = entry.letter == NO_LETTER and entry.landmarks is not None and path.is_file()
            if has_hand and (hand := _read_hand(entry, path, contract)) is not None:
                negatives.setdefault(session.parent.name, []).append(hand)
    return {signer: np.stack(hands) for signer, hands in negatives.items()}


def negatives_of_signers(negatives: Mapping[str, Array], signers: set[str]) -> Array | None:
    """Return the negative samples of some signers in one array; None if they have none."""
    parts = [hands for signer, hands in negatives.items() if signer in signers]
    return np.concatenate(parts) if parts else None


def _read_hand(entry: IndexEntry, path: Path, contract: PreprocessConfig) -> Array | None:
    # (1, 21, 3), as `canonical_points` expects.
    points = np.array(entry.landmarks, np.float32).reshape(-1, 21, 3)
    left = entry.hand == "left"
    canonical = canonical_points(
        points, widths=np.array([entry.width]), heights=np.array([entry.height]), left=np.array([left]),
        mirror_left=contract.mirror_left,
    )  # fmt: skip
    if contract.kind == "landmarks":
        return np.asarray(canonical[0], np.float32)
    try:
        frame = decode_image(read_image_file(path))
    except ImageError:
        return None
    if contract.has_embedding:
        region = region_around(points[0], frame)
        embedding = embedding_features(frame, region, mirror=contract.mirror_left and left)
        return np.asarray(join_hands(canonical, embedding[None, None])[0])
    box = np.concatenate([points[0, :, :2].min(axis=0), points[0, :, :2].max(axis=0)])
    return pixel_features(frame, box, left=left, contract=contract, landmarks=points[0])
