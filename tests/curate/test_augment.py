import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.curate.augment import augment_batch, augment_image
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.measure.engine import Local
from aslkit.curate.pipeline import curate
from aslkit.datasets import parquet_store
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import Frame, decode_image, pixel_hash
from aslkit.vision.near_duplicate import joints_in_pixels


@pytest.fixture(scope="module")
def landmarker() -> Iterator[HandLandmarker]:
    with HandLandmarker() as opened:
        yield opened


def test_same_seed_gives_the_same_image(picture: Frame) -> None:
    first, again, other = (augment_image(picture, None, seed=seed)[0] for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()
    assert first.shape == picture.shape


def test_landmarks_move_with_the_image(picture: Frame, landmarker: HandLandmarker) -> None:
    hand = landmarker.find(picture)
    assert hand is not None
    height, width = picture.shape[:2]
    errors = []
    for seed in range(12):
        image, moved, _ = augment_image(picture, hand.landmarks, seed=seed)
        assert moved is not None
        if (again := landmarker.find(image)) is not None:
            pixels = [joints_in_pixels(points, width, height) for points in (moved, again.landmarks)]
            errors.append(float(np.linalg.norm(pixels[0] - pixels[1], axis=1).mean()))
    assert len(errors) >= 10
    assert np.median(errors) <= 2


def test_hand_is_not_flipped_and_hardly_rotated(picture: Frame, landmarker: HandLandmarker) -> None:
    hand = landmarker.find(picture)
    assert hand is not None
    palm = hand.landmarks[9, :2] - hand.landmarks[0, :2]
    for seed in range(40):
        _, moved, _ = augment_image(picture, hand.landmarks, seed=seed)
        assert moved is not None
        moved_palm = moved[9, :2] - moved[0, :2]
        cosine = float(palm @ moved_palm / np.linalg.norm(palm) / np.linalg.norm(moved_palm))
        assert np.degrees(np.arccos(min(cosine, 1))) < 25
        side, original_side = (np.cross(p[5, :2] - p[0, :2], p[17, :2] - p[0, :2]) for p in (moved, hand.landmarks))
        assert np.sign(side) == np.sign(original_side)


def test_copies_are_only_in_train_and_have_parents(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str]
) -> None:
    def build(name: str) -> list[dict[str, object]]:
        config = replace(settings, augment=2)
        checks = load_settings("checks", CheckConfig)
        result = curate(
            workspace, name=name, config=config, checks=checks, hold_out=["cleo"], engine=Local(processes=2)
        )
        rows: list[dict[str, object]] = parquet_store.read_dataset(result.folder).to_pylist()
        assert result.summary["augmented"] == 2 * result.summary["splits"]["train"]
        return rows

    rows = build("twice")
    originals = {row["sha256"]: row for row in rows if row["parent"] is None}
    copies = [row for row in rows if row["parent"] is not None]
    assert {row["split"] for row in copies} == {"train"}
    assert len(copies) == 2 * sum(row["split"] == "train" for row in originals.values())
    for row in copies:
        parent = originals[row["parent"]]
        image = row["image"]
        assert isinstance(image, dict)
        same = ("label", "signer", "session", "group", "handedness", "width", "height", "licence")
        assert [row[name] for name in same] == [parent[name] for name in same]
        assert row["sha256"] == pixel_hash(decode_image(image["bytes"])) != parent["sha256"]
        assert json.loads(str(row["augmentation"]))["applied"] is not None
    assert build("again") == rows


def test_copy_of_a_frame_without_a_hand_has_no_hand(workspace: Workspace) -> None:
    table = parquet_store.read_dataset(workspace.dataset("custom")).drop_columns(["split"]).slice(0, 1)
    row = table.to_pylist()[0] | {"landmarks": None, "hand_box": None, "handedness": None}
    batch = pa.RecordBatch.from_pylist([row], table.schema)
    copy = augment_batch(batch, copies=1, seed=0).to_pylist()[0]
    assert copy["landmarks"] is copy["hand_box"] is None


def test_landmarks_move_with_real_images(real_data: Path, landmarker: HandLandmarker) -> None:
    errors = []
    paths = sorted((real_data / "captures" / "house").glob("[ABLY]/*.jpg"))[::60]
    for seed, path in enumerate(paths):
        frame = decode_image(path.read_bytes())
        if (hand := landmarker.find(frame)) is None:
            continue
        image, moved, _ = augment_image(frame, hand.landmarks, seed=seed)
        again = landmarker.find(image)
        if again is None or moved is None:
            continue
        pixels = [joints_in_pixels(points, frame.shape[1], frame.shape[0]) for points in (moved, again.landmarks)]
        errors.append(float(np.linalg.norm(pixels[0] - pixels[1], axis=1).mean()))
    assert len(errors) > 10
    assert np.median(errors) <= 4  # the landmarker itself has an error of some 2 pixels on these images
