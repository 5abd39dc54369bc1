"""A small dataset of four synthetic signers with their true landmarks, so that tests do not need MediaPipe."""

from pathlib import Path

import pyarrow as pa

from aslkit.core.letters import INDEX
from aslkit.datasets import parquet_store, schema
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import encode_png, perceptual_hash

LETTERS = ("A", "B", "L", "Y")
SIGNERS = ("synthetic-ada", "synthetic-ben", "synthetic-cleo", "synthetic-dan")
FRAMES = 6


def _rows(signer: str, split_of: dict[str, str]) -> list[tuple[str, dict[str, object]]]:
    rows = []
    synthetic = Signer.draw(signer)
    session = SyntheticSession.draw(synthetic, "one")
    for letter in LETTERS:
        stream = render_frames(letter, signer=synthetic, session=session, width=128, height=96, fps=1.0)
        for index in range(FRAMES):
            frame = next(stream)
            points = frame.joints
            box = [*points[:, :2].min(axis=0), *points[:, :2].max(axis=0)]
            # The last frame of each letter of the test signer has no hand, as if MediaPipe had missed it.
            found = not (split_of[signer] == "test" and index == FRAMES - 1)
            split = "validation" if split_of[signer] == "train" and index >= FRAMES - 2 else split_of[signer]
            row: dict[str, object] = {
                "image": {"bytes": encode_png(frame.image), "path": f"{signer}/one/{letter}/{index}.png"},
                "label": INDEX[letter],
                "signer": signer,
                "session": "one",
                "camera": "synthetic",
                "handedness": ("left" if synthetic.left_handed else "right") if found else None,
                "landmarks": points.ravel().tolist() if found else None,
                "hand_score": 1.0 if found else None,
                "hand_box": [float(side) for side in box] if found else None,
                "width": 128,
                "height": 96,
                "sha256": f"{signer}{letter}{index}",
                "phash": perceptual_hash(frame.image),
                "group": SIGNERS.index(signer) * 1000 + INDEX[letter] * 10 + index,
            }
            rows.append((split, row))
    return rows


def write(folder: Path) -> Path:
    """Write the dataset: three training signers; test signer `synthetic-dan`, with no hand in every sixth frame."""
    split_of = dict.fromkeys(SIGNERS, "train") | {"synthetic-dan": "test"}
    rows = [row for signer in SIGNERS for row in _rows(signer, split_of)]
    for name in schema.SPLITS:
        part = [{column: row.get(column) for column in schema.COLUMNS.names} for split, row in rows if split == name]
        table = pa.Table.from_pylist(part, schema.COLUMNS)
        parquet_store.write_split(folder, name, iter([table]), facts={"summary": {"split_by": "signer"}})
    return folder
