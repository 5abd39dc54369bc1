import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from aslkit.capture.import_images import import_folder
from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import INDEX, LETTERS
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.measure import table as measure_table
from aslkit.curate.measure.engine import Local
from aslkit.curate.pipeline import CurateResult, curate
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.merging.merge import MergeConfig, MergeInput, merge_datasets
from aslkit.datasets.privacy.prepare import PrivacyConfig
from aslkit.datasets.sharing.download import download_dataset
from aslkit.datasets.sharing.push import stage_upload, upload_staged
from aslkit.datasets.sign_mnist import read_csv
from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist
from aslkit.datasets.sign_mnist.read_csv import SIDE, SignMnistImages
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.vision.images import Frame, decode_image, encode_jpeg, encode_png, pixel_hash


def again(workspace: Workspace, settings: CurateConfig, **options: Any) -> CurateResult:
    checks = options.pop("checks", load_settings("checks", CheckConfig))
    name = options.pop("name", "custom")
    return curate(workspace, name=name, config=settings, checks=checks, engine=Local(processes=1), **options)


def files(folder: Path) -> dict[str, str]:
    """Every file under a folder and the hash of its content."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def paths(workspace: Workspace) -> list[str]:
    """Of the frames in the dataset."""
    table = parquet_store.read_dataset(workspace.dataset("custom"), ["image.path"])
    return [row["image"]["path"] for row in table.to_pylist()]


def put(workspace: Workspace, key: str, data: bytes) -> Path:
    path = workspace.captures / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_every_frame_is_in_the_dataset_as_it_was_recorded(curated: Workspace) -> None:
    table = parquet_store.read_dataset(curated.dataset("custom"))
    captured = {frame.key: frame for frame in walk_captures(curated.captures)}
    rows = table.to_pylist()
    assert sorted(row["image"]["path"] for row in rows) == sorted(captured)
    for row in rows:
        frame = captured[row["image"]["path"]]
        assert row["image"]["bytes"] == frame.path.read_bytes()
        assert (row["signer"], row["session"], LETTERS[row["label"]]) == (frame.signer, frame.session, frame.letter)
        assert (row["camera"], row["licence"], row["consent"]) == ("camera 0", "CC0-1.0", None)
        assert (row["captured_at"] is not None) == (frame.signer == "ada")
        pixels = decode_image(row["image"]["bytes"])
        assert (row["height"], row["width"]) == pixels.shape[:2]
        assert row["sha256"] == pixel_hash(pixels)
        assert row["parent"] is row["augmentation"] is None


def test_one_person_under_two_names_is_told(workspace: Workspace, settings: CurateConfig) -> None:
    before = again(workspace, settings).summary["notes"]
    for frame in list(walk_captures(workspace.captures)):
        if frame.signer == "ben":
            brighter = cv2.convertScaleAbs(decode_image(frame.path.read_bytes()), alpha=1.05)
            put(workspace, f"maria/one/{frame.letter}/{frame.path.name}", encode_jpeg(brighter, quality=80))
    SessionInfo(signer="maria", session="one", camera="camera 0", licence="CC0-1.0").save(workspace.captures)
    (note,) = set(again(workspace, settings).summary["notes"]) - set(before)
    assert note.startswith("100% of the frames of ben are near-duplicates of frames of maria.")


def test_the_test_is_on_somebody_unseen_and_hands_are_found(curated: Workspace) -> None:
    rows = parquet_store.read_dataset(curated.dataset("custom"), ["signer", "split", "group", "landmarks"]).to_pylist()
    tested = {row["signer"] for row in rows if row["split"] == "test"}
    trained = {row["signer"] for row in rows if row["split"] != "test"}
    assert len(tested) == 1
    assert len(trained) == 2
    assert not tested & trained
    assert sum(row["landmarks"] is not None for row in rows) >= 0.9 * len(rows)


def test_frames_of_a_split_are_in_the_order_they_were_taken(curated: Workspace) -> None:
    order = {frame.key: index for index, frame in enumerate(walk_captures(curated.captures))}
    for path in parquet_store.list_files(curated.dataset("custom")):
        places = [order[image["path"]] for image in pq.read_table(path)["image"].to_pylist()]
        assert places == sorted(places)


def test_nothing_new_is_nothing_to_do(workspace: Workspace, settings: CurateConfig, looked_at: list[str]) -> None:
    before = files(workspace.root)
    result = again(workspace, settings)
    assert (result.up_to_date, result.looked_at, looked_at) == (True, 0, [])
    assert files(workspace.root) == before
    assert result.summary == parquet_store.read_facts(workspace.dataset("custom"))["summary"]


def test_one_new_frame_is_the_only_one_looked_at(
    workspace: Workspace, settings: CurateConfig, looked_at: list[str], picture: Frame
) -> None:
    put(workspace, "ben/one/A/99.jpg", encode_jpeg(picture[:-2]))
    result = again(workspace, settings)
    assert (result.up_to_date, result.looked_at, len(looked_at)) == (False, 1, 1)
    assert "ben/one/A/99.jpg" in paths(workspace)


def test_the_same_input_gives_the_same_bytes(
    curated: Workspace, tmp_path: Path, settings: CurateConfig, looked_at: list[str]
) -> None:
    """With another number of processes, without what was known, in another place."""
    shutil.copytree(curated.captures, tmp_path / "other" / "captures")
    other = Workspace(root=tmp_path / "other")
    assert again(other, settings).looked_at == 54
    assert files(other.dataset("custom")) == files(curated.dataset("custom"))


@pytest.mark.parametrize("change", ["licence", "removed", "renamed", "hold_out", "seed", "damaged", "lost"])
def test_what_a_dataset_depends_on_makes_it_anew(
    workspace: Workspace, settings: CurateConfig, looked_at: list[str], change: str
) -> None:
    folder, options = workspace.dataset("custom"), dict[str, Any]()
    before = files(folder)
    frame = workspace.captures / "ben" / "one" / "A" / "8.jpg"
    match change:
        case "licence":
            SessionInfo(signer="ben", session="one", camera="camera 0", licence="MIT").save(workspace.captures)
        case "removed":
            frame.unlink()
        case "renamed":
            frame.rename(frame.with_name("7.jpg"))
        case "hold_out":
            held = parquet_store.read_facts(folder)["summary"]["held_out"]
            options = {"hold_out": [next(name for name in ("ada", "ben") if name not in held)]}
        case "seed":
            settings = replace(settings, seed=1)
        case "damaged":
            path = parquet_store.list_files(folder)[-1]
            path.write_bytes(path.read_bytes()[:-100])
        case "lost":
            parquet_store.list_files(folder)[-1].unlink()
    assert not again(workspace, settings, **options).up_to_date
    assert looked_at == []
    assert (files(folder) == before) == (change in ("damaged", "lost"))


def test_what_is_not_taken_is_listed_with_its_reason(
    workspace: Workspace, settings: CurateConfig, looked_at: list[str], picture: Frame
) -> None:
    first = (workspace.captures / "ada" / "one" / "A" / "20260102T030405000Z.jpg").read_bytes()
    put(workspace, "ada/one/A/z-copy.png", encode_png(decode_image(first)))
    put(workspace, "ben/one/A/z-empty.jpg", b"")
    put(workspace, "ben/one/A/z-cut.jpg", encode_jpeg(picture)[:-500])
    put(workspace, "cleo/one/A/z.jpg", encode_jpeg(picture[::-1]))
    put(workspace, "cleo/one/B/z.jpg", encode_jpeg(picture[::-1]))
    before = files(workspace.captures)
    result = again(workspace, settings)
    rejected = parquet_store.read_rejected(workspace.dataset("custom")).to_pylist()
    assert {row["path"]: (row["reason"], row["detail"]) for row in rejected} == {
        "ada/one/A/z-copy.png": ("duplicate", "same pixels as ada/one/A/20260102T030405000Z.jpg"),
        "ben/one/A/z-empty.jpg": ("unreadable", "empty file"),
        "ben/one/A/z-cut.jpg": ("unreadable", "damaged or cut short"),
        "cleo/one/A/z.jpg": ("conflicting-label", "same pixels as cleo/one/B/z.jpg"),
        "cleo/one/B/z.jpg": ("conflicting-label", "same pixels as cleo/one/A/z.jpg"),
    }
    assert result.summary["rejected"] == {"conflicting-label": 2, "duplicate": 1, "unreadable": 2}
    everything = sorted(paths(workspace) + [row["path"] for row in rejected])
    assert everything == sorted(frame.key for frame in walk_captures(workspace.captures))
    assert files(workspace.captures) == before


def test_frames_of_a_folder_made_by_hand_carry_no_traces_into_the_dataset(
    workspace: Workspace, settings: CurateConfig, looked_at: list[str], picture: Frame
) -> None:
    path = put(workspace, "dora/by hand/A/1.jpg", b"")
    exif = Image.Exif()
    exif[0x013B] = "SECRET"
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])).save(path, exif=exif, quality=95)
    again(workspace, settings)
    row = next(
        row for row in parquet_store.read_dataset(workspace.dataset("custom")).to_pylist() if row["signer"] == "dora"
    )
    assert b"SECRET" not in row["image"]["bytes"]
    frame = decode_image(row["image"]["bytes"])
    assert frame.shape == (240, 180, 3)
    assert (row["sha256"], row["width"], row["camera"]) == (pixel_hash(frame), 180, "unknown")


def test_synthetic_signers_are_left_out_beside_real_ones(
    workspace: Workspace, settings: CurateConfig, looked_at: list[str]
) -> None:
    shutil.copytree(workspace.captures / "ben", workspace.captures / "synthetic-ben")
    for path in (workspace.captures / "synthetic-ben").rglob("*.jpg"):
        path.write_bytes(encode_jpeg(decode_image(path.read_bytes())[1:]))
    summary = again(workspace, settings).summary
    assert sorted(summary["signers"]) == ["ada", "ben", "cleo"]
    assert any("synthetic-ben" in note for note in summary["notes"])
    assert looked_at == []
    assert "synthetic-ben" in again(workspace, settings, with_synthetic=True).summary["signers"]
    for name in ("ada", "ben", "cleo"):
        shutil.rmtree(workspace.captures / name)
    assert sorted(again(workspace, settings).summary["signers"]) == ["synthetic-ben"]


def test_no_captures_says_what_to_do(tmp_path: Path, settings: CurateConfig) -> None:
    with pytest.raises(AslkitError, match=r"no captures.*aslkit capture.*aslkit import.*aslkit demo"):
        again(Workspace(root=tmp_path), settings)


def test_not_one_readable_image(tmp_path: Path, settings: CurateConfig, looked_at: list[str]) -> None:
    put(Workspace(root=tmp_path), "ada/one/A/1.jpg", b"x")
    with pytest.raises(AslkitError, match=r"None of the 1 captured images.*ada/one/A/1\.jpg: not an image"):
        again(Workspace(root=tmp_path), settings)
    assert not (tmp_path / "datasets" / "custom").exists()


@pytest.mark.parametrize(
    ("hold_out", "words"),
    [(["maria"], "No signer 'maria' to hold out. Known signers: ada, ben, cleo"), (["cleo", "ada", "ben"], "no signer")],
)
def test_a_wrong_hold_out_is_told_before_any_image_is_looked_at(
    curated: Workspace, tmp_path: Path, settings: CurateConfig, looked_at: list[str], hold_out: list[str], words: str
) -> None:
    shutil.copytree(curated.captures, tmp_path / "captures")
    with pytest.raises(InputError, match=words):
        again(Workspace(root=tmp_path), settings, hold_out=hold_out)
    assert looked_at == []


def test_one_person_and_one_frame(tmp_path: Path, settings: CurateConfig, looked_at: list[str], picture: Frame) -> None:
    workspace = Workspace(root=tmp_path)
    put(workspace, "ada/one/Y/1.jpg", encode_jpeg(picture))
    summary = again(workspace, settings).summary
    assert summary["splits"] == {"train": 1, "validation": 0, "test": 0}
    assert summary["split_by"] == "block"
    assert any("Only one signer" in note for note in summary["notes"])
    assert any("hold any out for test or validation" in note for note in summary["notes"])


def test_a_folder_by_hand_with_a_name_that_cannot_be(workspace: Workspace, settings: CurateConfig) -> None:
    (workspace.captures / "ada").rename(workspace.captures / "<b>ada")
    with pytest.raises(InputError, match="<b>ada"):
        again(workspace, settings)


def test_a_failure_leaves_the_old_dataset(
    workspace: Workspace, settings: CurateConfig, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(workspace.root)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet_store, "write_findings", fails)
    with pytest.raises(OSError, match="No space"):
        again(workspace, settings, rebuild=True)
    assert files(workspace.root) == before


def test_what_is_no_dataset_is_not_overwritten(workspace: Workspace, settings: CurateConfig) -> None:
    thesis = workspace.root / "datasets" / "mine" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(AslkitError, match="already contains other files"):
        again(workspace, settings, name="mine")
    assert thesis.read_text() == "years of work"


def test_a_merge_is_not_overwritten(workspace: Workspace, settings: CurateConfig) -> None:
    config = MergeConfig(test_share=0.2, validation_share=0.15, seed=0)
    given = MergeInput(name="custom", folder=workspace.dataset("custom"), renames={})
    merge_datasets([given], workspace.dataset("ours"), config)
    before = files(workspace.dataset("ours"))
    with pytest.raises(InputError, match="is a merge of several datasets"):
        again(workspace, settings, name="ours")
    assert files(workspace.dataset("ours")) == before


def test_what_was_pulled_is_not_overwritten(workspace: Workspace, settings: CurateConfig) -> None:
    folder, _ = stage_upload(workspace.dataset("custom"), workspace, PrivacyConfig(landmarks_only=True))
    upload_staged(folder, str(workspace.root / "club"))
    download_dataset(f"file://{workspace.root / 'club'}", workspace.dataset("theirs"))
    before = files(workspace.dataset("theirs"))
    with pytest.raises(InputError, match=r"theirs is a downloaded dataset\. Choose another name with --dataset"):
        again(workspace, settings, name="theirs", rebuild=True)
    assert files(workspace.dataset("theirs")) == before
    assert again(workspace, settings).up_to_date  # one's own, though pushed, is


def test_what_was_got_is_not_overwritten(
    workspace: Workspace, settings: CurateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = {"train": SignMnistImages(pixels=np.zeros((1, SIDE, SIDE), np.uint8), labels=np.zeros(1, np.int64))}
    monkeypatch.setattr(read_csv, "read_sign_mnist", lambda *_, **__: images)
    fetch_sign_mnist(workspace.dataset("sign-mnist"), source=workspace.root, partial=True)
    before = files(workspace.dataset("sign-mnist"))
    with pytest.raises(InputError, match="is a dataset created by `aslkit dataset get sign-mnist`"):
        again(workspace, settings, name="sign-mnist")
    assert files(workspace.dataset("sign-mnist")) == before


def test_large_images_are_written_in_small_parts(
    workspace: Workspace, settings: CurateConfig, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = parquet_store.read_dataset(workspace.dataset("custom"))
    monkeypatch.setattr(measure_table, "_MOST_BYTES", 20_000)
    again(workspace, settings, rebuild=True)
    assert parquet_store.read_dataset(workspace.dataset("custom")).equals(before)
    assert pq.ParquetFile(parquet_store.list_files(workspace.dataset("custom"))[0]).num_row_groups > 3


def test_real_photographs(real_data: Path, tmp_path: Path, settings: CurateConfig, looked_at: list[str]) -> None:
    workspace = Workspace(root=tmp_path / "workspace")
    for signer in ("house", "longhong", "rahman"):
        source = tmp_path / signer
        for index, letter in enumerate(LETTERS):
            photos = sorted((real_data / "captures" / signer / letter).iterdir())
            (source / letter).mkdir(parents=True)
            shutil.copy(photos[(37 * index) % len(photos)], source / letter)
        info = SessionInfo(signer=signer, session="photos", camera="import photos")
        import_folder(source, workspace=workspace, info=info, mirrored=False)
    summary = again(workspace, settings).summary
    assert summary["frames"] == len(list(walk_captures(workspace.captures))) == 72
    assert summary["coverage"] >= 0.95
    rows = parquet_store.read_dataset(workspace.dataset("custom"), ["signer", "label", "handedness"]).to_pylist()
    assert {row["label"] for row in rows} == set(INDEX.values())
    for signer, hand in {"house": "right", "longhong": "left", "rahman": "right"}.items():
        found = [row["handedness"] for row in rows if row["signer"] == signer and row["handedness"]]
        assert found.count(hand) >= 0.9 * len(found), signer
    assert parquet_store.read_dataset(workspace.dataset("custom")).schema.names == [*schema.COLUMNS.names, "split"]
