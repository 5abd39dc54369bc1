"""A small dataset of four synthetic people, their true joints in place of found ones: no drawing, no MediaPipe."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from aslkit.core.letters import INDEX
from aslkit.datasets import parquet_store, schema
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import encode_png, perceptual_hash
from tests.train import published, steps

LETTERS = ("A", "B", "L", "Y")
SIGNERS = ("synthetic-ada", "synthetic-ben", "synthetic-cleo", "synthetic-dan")
FRAMES = 6


def _rows(signer: str, split_of: dict[str, str]) -> list[tuple[str, dict[str, object]]]:
    rows = []
    who = Signer.draw(signer)
    sitting = SyntheticSession.draw(who, "one")
    for letter in LETTERS:
        stream = render_frames(letter, signer=who, session=sitting, width=128, height=96, fps=1.0)
        for index in range(FRAMES):
            frame = next(stream)
            points = frame.joints
            box = [*points[:, :2].min(axis=0), *points[:, :2].max(axis=0)]
            # The last frame of each letter of the tested signer has no hand, as MediaPipe misses some.
            seen = not (split_of[signer] == "test" and index == FRAMES - 1)
            split = "validation" if split_of[signer] == "train" and index >= FRAMES - 2 else split_of[signer]
            row: dict[str, object] = {
                "image": {"bytes": encode_png(frame.image), "path": f"{signer}/one/{letter}/{index}.png"},
                "label": INDEX[letter],
                "signer": signer,
                "session": "one",
                "camera": "synthetic",
                "handedness": ("left" if who.left_handed else "right") if seen else None,
                "landmarks": points.ravel().tolist() if seen else None,
                "hand_score": 1.0 if seen else None,
                "hand_box": [float(side) for side in box] if seen else None,
                "width": 128,
                "height": 96,
                "sha256": f"{signer}{letter}{index}",
                "phash": perceptual_hash(frame.image),
                "group": SIGNERS.index(signer) * 1000 + INDEX[letter] * 10 + index,
            }
            rows.append((split, row))
    return rows


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder: three signers to train on, `synthetic-dan` to test on; one of his six frames has no hand."""
    folder = tmp_path_factory.mktemp("datasets") / "small"
    split_of = dict.fromkeys(SIGNERS, "train") | {"synthetic-dan": "test"}
    rows = [row for signer in SIGNERS for row in _rows(signer, split_of)]
    for name in schema.SPLITS:
        part = [{column: row.get(column) for column in schema.COLUMNS.names} for split, row in rows if split == name]
        table = pa.Table.from_pylist(part, schema.COLUMNS)
        parquet_store.write_split(folder, name, iter([table]), facts={"summary": {"split_by": "signer"}})
    return folder


@pytest.fixture(scope="session")
def sign_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder as of Sign Language MNIST: 24 letters, 4 photographs of each, 4 images of each of them."""
    folder = tmp_path_factory.mktemp("published")
    return published.write(folder / "sign-mnist", folder / "csv")


@pytest.fixture
def uncompiled() -> Iterator[None]:
    """See `steps.uncompiled`."""
    with steps.uncompiled():
        yield
