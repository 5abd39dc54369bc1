"""Expected results of preprocessing three synthetic hands, stored in `preprocessed.npz`.

    .venv/bin/python -m tests.train.preprocessed

overwrites the file. This requires a new version of the preprocessing contract, because existing models depend on it.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.features import get_feature
from aslkit.vision.preprocess import Array, canonical_points, landmark_features, pixel_features

FILE = Path(__file__).with_name("preprocessed.npz")


def preprocess_hands() -> dict[str, Array]:
    """Return landmark features (3, 262), and crops (3, 28, 28, 1): plain, stretched, and with the hand cut out."""
    frames = []
    for letter, name in (("A", "synthetic-ada"), ("L", "synthetic-ben"), ("W", "synthetic-cleo")):
        signer = Signer.draw(name)
        session = SyntheticSession.draw(signer, "one")
        frames.append(next(render_frames(letter, signer=signer, session=session, width=320, height=240)))
    joints = np.stack([frame.joints for frame in frames])
    left = np.array([False, True, False])
    sizes = {"widths": np.full(3, 320), "heights": np.full(3, 240)}
    points = canonical_points(joints, **sizes, left=left, mirror_left=True)
    inputs = {"landmarks": landmark_features(points)}
    plain, cut = get_feature("pixels28").contract, get_feature("hand28").contract
    for key, contract in {"plain": plain, "stretched": replace(plain, stretch=True), "cut": cut}.items():
        inputs[key] = np.stack(
            [
                pixel_features(
                    frame.image, _box(frame.joints), left=bool(side), contract=contract, landmarks=frame.joints
                )
                for frame, side in zip(frames, left, strict=True)
            ]
        )
    return inputs


def _box(joints: Array) -> Array:
    box: Array = np.concatenate([joints[:, :2].min(axis=0), joints[:, :2].max(axis=0)]).astype(np.float32)
    return box


def synthetic_hands(letter: str, count: int) -> Array:
    """Return hands of a synthetic signer, float32 (count, 21, 3), as from `canonical_points`."""
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    stream = render_frames(letter, signer=signer, session=session, width=128, height=96)
    joints = np.stack([next(stream).joints for _ in range(count)])
    size = np.full(count, 128), np.full(count, 96)
    left = np.full(count, signer.left_handed)
    return canonical_points(joints, widths=size[0], heights=size[1], left=left, mirror_left=True)


if __name__ == "__main__":
    np.savez_compressed(FILE, **{key: values.astype(np.float16) for key, values in preprocess_hands().items()})
