"""What preprocessing makes of three drawn hands, kept in `preprocessed.npz`: models that were trained depend on it.

    .venv/bin/python -m tests.train.preprocessed

writes the file anew, which is right only together with a new version of the contract.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.features import get_feature
from aslkit.vision.preprocess import Array, canonical_points, landmark_features, pixel_features

FILE = Path(__file__).with_name("preprocessed.npz")


def made() -> dict[str, Array]:
    """Landmark features (3, 262), and crops (3, 28, 28, 1): as recorded, stretched, and of the hand cut out."""
    shown = []
    for letter, name in (("A", "synthetic-ada"), ("L", "synthetic-ben"), ("W", "synthetic-cleo")):
        who = Signer.draw(name)
        shown.append(
            next(render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), width=320, height=240))
        )
    joints = np.stack([frame.joints for frame in shown])
    left = np.array([False, True, False])
    sizes = {"widths": np.full(3, 320), "heights": np.full(3, 240)}
    points = canonical_points(joints, **sizes, left=left, mirror_left=True)
    found = {"landmarks": landmark_features(points)}
    plain, cut = get_feature("pixels28").contract, get_feature("hand28").contract
    for key, contract in {"plain": plain, "stretched": replace(plain, stretch=True), "cut": cut}.items():
        found[key] = np.stack(
            [
                pixel_features(
                    frame.image, _box(frame.joints), left=bool(side), contract=contract, landmarks=frame.joints
                )
                for frame, side in zip(shown, left, strict=True)
            ]
        )
    return found


def _box(joints: Array) -> Array:
    box: Array = np.concatenate([joints[:, :2].min(axis=0), joints[:, :2].max(axis=0)]).astype(np.float32)
    return box


if __name__ == "__main__":
    np.savez_compressed(FILE, **{key: values.astype(np.float16) for key, values in made().items()})
