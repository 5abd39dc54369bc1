"""Clips are prepared for sharing: one crop for each clip, and pseudonyms in their names."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.datasets import parquet_store
from aslkit.datasets.clips import load_clips
from aslkit.datasets.privacy import preparation
from aslkit.datasets.privacy.config import PrivacyConfig
from aslkit.datasets.privacy.face_detector import FaceBox
from aslkit.datasets.privacy.hand_crop import crop_box
from aslkit.datasets.privacy.prepare import prepare_for_sharing
from aslkit.datasets.privacy.pseudonyms import Pseudonyms
from aslkit.datasets.verify.run import verify_dataset
from aslkit.vision.images import Frame, decode_image, encode_png, measure_quality, perceptual_hash, pixel_hash
from tests.datasets import factories

WIDTH, HEIGHT = 400, 300
CROP, NAMES = PrivacyConfig(crop=True, crop_size=4096), PrivacyConfig(pseudonyms=True)


class FakeDetector:
    """Finds a face in the left half of every frame, and none in crops."""

    def find_faces(self, frame: Frame, landmarks: Any, *, min_score: float) -> list[FaceBox]:
        return [(0.1, 0.1, 0.5, 0.6)] if frame.shape[1] == WIDTH else []

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def fake_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "FaceDetector", FakeDetector)


def frame_row(signer: str, name: str, number: int, start: int, *, hand: bool = True) -> dict[str, Any]:
    """Return a frame of a clip in which the hand moves to the right."""
    image = factories.picture(start + number, width=WIDTH, height=HEIGHT)
    x = 0.3 + 0.1 * number
    joints = np.stack([x + np.arange(21) / 200, 0.6 - np.arange(21) / 200, np.zeros(21)], axis=1).astype(np.float32)
    quality = measure_quality(image)
    found = {
        "landmarks": joints.ravel().tolist(),
        "hand_box": [*joints[:, :2].min(axis=0).tolist(), *joints[:, :2].max(axis=0).tolist()],
    }
    pixels = {
        "image": {"bytes": encode_png(image), "path": f"{name}/{number}.png"},
        "width": WIDTH, "height": HEIGHT, "sharpness": quality.sharpness, "brightness": quality.brightness,
        "contrast": quality.contrast, "sha256": pixel_hash(image), "phash": perceptual_hash(image),
    }  # fmt: skip
    none = {"landmarks": None, "hand_box": None, "hand_score": None, "handedness": None}
    row = factories.row(start, signer, label=24, clip=name, time_ms=33 * number, group=start)
    return row | pixels | (found | {"hand_score": 0.75} if hand else none)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clip with a frame without a hand, and one without any hand."""
    moving = [frame_row("ada", "ada/one/J/at home", n, 1000, hand=n != 2) for n in range(5)]
    empty = [frame_row("ada", "ada/one/J/empty.ada", n, 3000, hand=False) for n in range(3)]
    rows = {"train": [*factories.rows_of("train", 6), *moving, *empty], "test": factories.rows_of("test", 4)}
    return factories.write(tmp_path / "moving", rows, group_rows=8)  # the clip is in two row groups


def rows_of_clips(folder: Path) -> list[dict[str, Any]]:
    return [row for row in parquet_store.read_dataset(folder).to_pylist() if row["clip"]]


def prepare(folder: Path, target: Path, config: PrivacyConfig, names: Pseudonyms | None = None) -> Path:
    prepare_for_sharing(folder, target, name="mine", config=config, names=names)
    return target


def kinds(folder: Path) -> set[str]:
    return {each.kind for each in verify_dataset(folder, processes=0).findings}


def test_clip_is_cropped_to_one_region(folder: Path, tmp_path: Path) -> None:
    before = {row["time_ms"]: row for row in rows_of_clips(folder) if row["clip"].endswith("home")}
    after = rows_of_clips(prepare(folder, tmp_path / "out", CROP))
    assert len(after) == 5
    boxes = np.array([row["hand_box"] for row in before.values() if row["hand_box"]])
    region = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    x0, y0, x1, y1 = crop_box(region, WIDTH, HEIGHT)
    for row in after:
        old = before[row["time_ms"]]
        assert (row["width"], row["height"]) == (x1 - x0, y1 - y0)
        crop, frame = decode_image(row["image"]["bytes"]), decode_image(old["image"]["bytes"])
        right = slice(WIDTH * 3 // 4 - x0, None)  # right of the face
        np.testing.assert_array_equal(crop[:, right], frame[y0:y1, x0:x1][:, right])
        if old["landmarks"] is None:
            assert row["landmarks"] is row["hand_box"] is None
            continue
        new = np.array(row["landmarks"]).reshape(21, 3) * (x1 - x0, y1 - y0, x1 - x0) + (x0, y0, 0)
        np.testing.assert_allclose(new, np.array(old["landmarks"]).reshape(21, 3) * (WIDTH, HEIGHT, WIDTH), atol=1e-3)


def test_hand_moves_in_the_crops_as_in_the_frames(folder: Path, tmp_path: Path) -> None:
    def wrist(folder: Path) -> Any:
        clip = next(clip for clip in load_clips(folder) if len(clip) == 5)
        x = clip.landmarks[:, 0, 0] * clip.width
        return x[np.isfinite(x)] - x[0]

    expected = wrist(folder)
    assert expected[-1] == pytest.approx(0.4 * WIDTH)
    np.testing.assert_allclose(wrist(prepare(folder, tmp_path / "out", CROP)), expected, atol=1e-3)


def test_faces_in_clips_are_pixelated_also_without_a_hand(folder: Path, tmp_path: Path) -> None:
    before = {row["time_ms"]: row for row in rows_of_clips(folder) if row["clip"].endswith("home")}
    after = rows_of_clips(prepare(folder, tmp_path / "out", CROP))
    boxes = np.array([row["hand_box"] for row in before.values() if row["hand_box"]])
    x0, y0, x1, y1 = crop_box([*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)], WIDTH, HEIGHT)
    for row in after:
        crop, frame = decode_image(row["image"]["bytes"]), decode_image(before[row["time_ms"]]["image"]["bytes"])
        face = (slice(0, int(0.5 * HEIGHT) - y0), slice(0, int(0.45 * WIDTH) - x0))
        changed = (crop[face] != frame[y0:y1, x0:x1][face]).any(axis=2).mean()
        assert changed > (0.9 if row["landmarks"] is None else 0.3)


def test_clip_without_a_hand_is_left_out_with_the_reason(folder: Path, tmp_path: Path) -> None:
    out = prepare(folder, tmp_path / "out", CROP)
    rejected = [row for row in parquet_store.read_rejected(out).to_pylist() if row["letter"] == "J"]
    assert [(row["path"], row["reason"]) for row in rejected] == [("ada/one/J/empty.ada", "no-hand")]
    summary = parquet_store.read_facts(out)["summary"]
    assert summary["clips"]["letters"] == {"J": 1, "Z": 0}
    assert summary["clips"]["rejected"] == {"no-hand": 1}
    assert kinds(out) == set()


def test_names_are_replaced_in_clips_and_paths(folder: Path, tmp_path: Path) -> None:
    names = Pseudonyms()
    out = prepare(folder, tmp_path / "out", NAMES, names)
    ada = names.signers["ada"]
    rows = rows_of_clips(out)
    assert {row["clip"] for row in rows} == {f"{ada}/session-1/J/000000", f"{ada}/session-1/J/000001"}
    before = {row["sha256"]: row for row in rows_of_clips(folder)}
    for row in rows:
        number = int(before[row["sha256"]]["image"]["path"].rpartition("/")[2].removesuffix(".png"))
        assert row["image"]["path"] == f"{row['clip']}/{number:06d}.png"
        assert row["time_ms"] == before[row["sha256"]]["time_ms"]
    assert not re.search(rb"\bada\b", b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file()))
    assert not any("ada" in row["clip"] or "home" in row["clip"] for row in rows)
    assert kinds(out) == set()


def test_names_of_rejected_clips_are_replaced(folder: Path, tmp_path: Path) -> None:
    finding = {"path": "ada/one/J/again", "letter": "J", "signer": "ada", "session": "one", "reason": "duplicate"}
    detail = {"detail": "same pixels as ada/one/J/at home"}
    parquet_store.write_findings(folder / parquet_store.REJECTED_FILE, [finding | detail])
    out = prepare(folder, tmp_path / "out", NAMES, Pseudonyms())
    row = parquet_store.read_rejected(out).to_pylist()[0]
    kept = next(row["clip"] for row in rows_of_clips(out) if row["landmarks"])
    assert row["detail"] == f"same pixels as {kept}"
    assert row["path"].startswith(kept.rpartition("/")[0] + "/")
    assert row["path"] != kept


def test_clips_without_images_keep_their_movement(folder: Path, tmp_path: Path) -> None:
    out = prepare(folder, tmp_path / "out", PrivacyConfig(landmarks_only=True))
    assert all(row["image"]["bytes"] is None for row in rows_of_clips(out))
    for one, other in zip(load_clips(folder), load_clips(out), strict=True):
        np.testing.assert_array_equal(one.landmarks, other.landmarks)
        np.testing.assert_array_equal(one.time_ms, other.time_ms)
    assert kinds(out) == set()


def test_version_1_is_prepared(tmp_path: Path) -> None:
    old = factories.to_version_1(factories.dataset(tmp_path / "old", train=12, validation=2, test=4))
    out = prepare(old, tmp_path / "out", PrivacyConfig(crop=True, pseudonyms=True), Pseudonyms())
    assert kinds(out) == set()
    assert rows_of_clips(out) == []
