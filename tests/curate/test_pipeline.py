import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from aslkit.capture.import_images import SessionImages, import_sessions
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
from aslkit.datasets.privacy.config import PrivacyConfig
from aslkit.datasets.sharing.download import download_dataset
from aslkit.datasets.sharing.push import stage_upload, upload_staged
from aslkit.datasets.sign_mnist import read_csv
from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist
from aslkit.datasets.sign_mnist.parse_csv import SIDE
from aslkit.datasets.sign_mnist.read_csv import SignMnistImages
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.formats.image_folders.read_folder import read_image_folder
from aslkit.formats.signers import SignerDetails, save_signer
from aslkit.vision.images import Frame, decode_image, encode_jpeg, encode_png, pixel_hash


def run_curation(workspace: Workspace, settings: CurateConfig, **options: Any) -> CurateResult:
    checks = options.pop("checks", load_settings("checks", CheckConfig))
    name = options.pop("name", "custom")
    return curate(workspace, name=name, config=settings, checks=checks, engine=Local(processes=1), **options)


def hash_files(folder: Path) -> dict[str, str]:
    """Return the hash of every file in a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def list_frames(workspace: Workspace) -> list[str]:
    """Return the keys of the frames in the dataset."""
    table = parquet_store.read_dataset(workspace.dataset("custom"), ["image.path"])
    return [row["image"]["path"] for row in table.to_pylist()]


def add_file(workspace: Workspace, key: str, data: bytes) -> Path:
    path = workspace.captures / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_dataset_has_every_frame_unchanged(curated: Workspace) -> None:
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


def test_images_in_wrong_folders_are_rejected(workspace: Workspace, settings: CurateConfig) -> None:
    data = next(walk_captures(workspace.captures)).path.read_bytes()
    for key in ("maria/A/1.jpg", "jon/monday/a/1.jpg"):
        add_file(workspace, key, data)
    result = run_curation(workspace, settings)
    rows = {row["path"]: row for row in parquet_store.read_rejected(result.folder).to_pylist()}
    assert {key: row["reason"] for key, row in rows.items()} == dict.fromkeys(
        ("jon/monday/a/1.jpg", "maria/A/1.jpg"), "misplaced"
    )
    assert rows["maria/A/1.jpg"]["detail"].endswith("expected maria/SESSION/A/1.jpg")
    assert any("2 images below captures cannot be used" in note for note in result.summary["notes"])
    shutil.rmtree(workspace.captures)
    add_file(workspace, "maria/A/1.jpg", data)
    with pytest.raises(AslkitError, match=r"1 image below captures .* expected maria/SESSION/A/1\.jpg"):
        run_curation(workspace, settings)


def test_same_images_under_two_names_are_reported(workspace: Workspace, settings: CurateConfig) -> None:
    for frame in list(walk_captures(workspace.captures)):
        if frame.signer == "ada":
            add_file(workspace, f"zoe/one/{frame.letter}/{frame.path.name}", frame.path.read_bytes())
    notes = run_curation(workspace, settings).summary["notes"]
    assert any("images of zoe have the same pixels as images of ada, and were rejected" in note for note in notes)


def keep_split(workspace: Workspace, parts: dict[str, str]) -> None:
    """Mark all sessions as imported with a split, given the split of each signer."""
    for path in workspace.captures.glob("*/*/session.json"):
        values = json.loads(path.read_text())
        path.write_text(json.dumps(values | {"split": parts[path.parent.parent.name]}))


def test_published_split_is_kept(workspace: Workspace, settings: CurateConfig) -> None:
    signers = sorted({frame.signer for frame in walk_captures(workspace.captures)})
    parts = {name: "test" if name == signers[0] else "train" for name in signers}
    keep_split(workspace, parts)
    result = run_curation(workspace, settings)
    assert result.summary["held_out"] == [signers[0]]
    rows = parquet_store.read_dataset(result.folder, ["signer"]).to_pylist()
    assert {(row["signer"], row["split"]) for row in rows if row["split"] == "test"} == {(signers[0], "test")}
    held_out = run_curation(workspace, settings, hold_out=[signers[1]])
    assert held_out.summary["held_out"] == [signers[1]]


def test_copies_in_a_published_split_are_moved_to_train(workspace: Workspace, settings: CurateConfig) -> None:
    frames = {frame: frame.path.read_bytes() for frame in walk_captures(workspace.captures) if frame.signer == "ada"}
    shutil.rmtree(workspace.captures)
    for number, (frame, data) in enumerate(frames.items()):
        add_file(workspace, f"ada/one/{frame.letter}/{frame.path.name}", data)
        if number < 4:
            mirrored = np.ascontiguousarray(decode_image(data)[:, ::-1])
            add_file(workspace, f"ada/two/{frame.letter}/{frame.path.name}", encode_jpeg(mirrored))
    for session, part in (("one", "train"), ("two", "test")):
        info = SessionInfo(signer="ada", session=session, camera="import s", licence="CC0-1.0", split=part)  # type: ignore[arg-type]
        info.save(workspace.captures)
    result = run_curation(workspace, settings)
    assert result.summary["splits"]["test"] == 0
    notes = " ".join(result.summary["notes"])
    assert "The published split leaks: 4 of 4 test images" in notes
    assert "The published test split shows signers who also appear in train: ada." in notes


def test_note_about_one_person_under_two_names(workspace: Workspace, settings: CurateConfig) -> None:
    before = run_curation(workspace, settings).summary["notes"]
    for frame in list(walk_captures(workspace.captures)):
        if frame.signer == "ben":
            brighter = cv2.convertScaleAbs(decode_image(frame.path.read_bytes()), alpha=1.05)
            add_file(workspace, f"maria/one/{frame.letter}/{frame.path.name}", encode_jpeg(brighter, quality=80))
    SessionInfo(signer="maria", session="one", camera="camera 0", licence="CC0-1.0").save(workspace.captures)
    (note,) = set(run_curation(workspace, settings).summary["notes"]) - set(before)
    assert note.startswith("100% of the frames of ben are near-duplicates of frames of maria.")


def test_test_signer_is_unseen_and_hands_are_found(curated: Workspace) -> None:
    rows = parquet_store.read_dataset(curated.dataset("custom"), ["signer", "split", "group", "landmarks"]).to_pylist()
    tested = {row["signer"] for row in rows if row["split"] == "test"}
    trained = {row["signer"] for row in rows if row["split"] != "test"}
    assert len(tested) == 1
    assert len(trained) == 2
    assert not tested & trained
    assert sum(row["landmarks"] is not None for row in rows) >= 0.9 * len(rows)


def test_frames_of_a_split_are_in_capture_order(curated: Workspace) -> None:
    order = {frame.key: index for index, frame in enumerate(walk_captures(curated.captures))}
    for path in parquet_store.list_files(curated.dataset("custom")):
        places = [order[image["path"]] for image in pq.read_table(path)["image"].to_pylist()]
        assert places == sorted(places)


def test_up_to_date_dataset_is_not_rebuilt(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str]
) -> None:
    before = hash_files(workspace.root)
    result = run_curation(workspace, settings)
    assert (result.up_to_date, result.measured, measured_files) == (True, 0, [])
    assert hash_files(workspace.root) == before
    assert result.summary == parquet_store.read_facts(workspace.dataset("custom"))["summary"]


def test_only_new_frames_are_measured(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str], picture: Frame
) -> None:
    add_file(workspace, "ben/one/A/99.jpg", encode_jpeg(picture[:-2]))
    result = run_curation(workspace, settings)
    assert (result.up_to_date, result.measured, len(measured_files)) == (False, 1, 1)
    assert "ben/one/A/99.jpg" in list_frames(workspace)


def test_rebuild_measures_all_images_again(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str]
) -> None:
    before = hash_files(workspace.dataset("custom"))
    assert run_curation(workspace, settings, rebuild=True).measured == len(measured_files) == 54
    assert hash_files(workspace.dataset("custom")) == before
    add_file(workspace, "ben/one/A/99.jpg", b"no image")
    assert run_curation(workspace, settings).measured == 1


def test_same_input_gives_the_same_bytes(
    curated: Workspace, tmp_path: Path, settings: CurateConfig, measured_files: list[str]
) -> None:
    """Independent of the number of processes, the cache and the location of the workspace."""
    shutil.copytree(curated.captures, tmp_path / "other" / "captures")
    other = Workspace(root=tmp_path / "other")
    assert run_curation(other, settings).measured == 54
    assert hash_files(other.dataset("custom")) == hash_files(curated.dataset("custom"))


def test_rows_have_the_current_licence_of_their_signer(workspace: Workspace, settings: CurateConfig) -> None:
    before = hash_files(workspace.captures)
    save_signer(workspace, "ben", SignerDetails(licence="private", consent="Only for me."))
    assert not run_curation(workspace, settings).up_to_date
    rows = parquet_store.read_dataset(workspace.dataset("custom"), ["signer", "licence", "consent"]).to_pylist()
    assert {(row["signer"], row["licence"], row["consent"]) for row in rows} == {
        ("ada", "CC0-1.0", None), ("ben", "private", "Only for me."), ("cleo", "CC0-1.0", None),
    }  # fmt: skip
    assert hash_files(workspace.captures) == before
    assert run_curation(workspace, settings).up_to_date


@pytest.mark.parametrize("change", ["licence", "removed", "renamed", "hold_out", "seed", "damaged", "lost"])
def test_dataset_is_rebuilt_after_a_change(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str], change: str
) -> None:
    folder, options = workspace.dataset("custom"), dict[str, Any]()
    before = hash_files(folder)
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
    assert not run_curation(workspace, settings, **options).up_to_date
    assert measured_files == []
    assert (hash_files(folder) == before) == (change in ("damaged", "lost"))


def test_rejected_frames_are_listed_with_their_reason(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str], picture: Frame
) -> None:
    first = (workspace.captures / "ada" / "one" / "A" / "20260102T030405000Z.jpg").read_bytes()
    add_file(workspace, "ada/one/A/z-copy.png", encode_png(decode_image(first)))
    add_file(workspace, "ben/one/A/z-empty.jpg", b"")
    add_file(workspace, "ben/one/A/z-truncated.jpg", encode_jpeg(picture)[:-500])
    add_file(workspace, "cleo/one/A/z.jpg", encode_jpeg(picture[::-1]))
    add_file(workspace, "cleo/one/B/z.jpg", encode_jpeg(picture[::-1]))
    before = hash_files(workspace.captures)
    result = run_curation(workspace, settings)
    rejected = parquet_store.read_rejected(workspace.dataset("custom")).to_pylist()
    assert {row["path"]: (row["reason"], row["detail"]) for row in rejected} == {
        "ada/one/A/z-copy.png": ("duplicate", "same pixels as ada/one/A/20260102T030405000Z.jpg"),
        "ben/one/A/z-empty.jpg": ("unreadable", "empty file"),
        "ben/one/A/z-truncated.jpg": ("unreadable", "damaged or cut short"),
        "cleo/one/A/z.jpg": ("conflicting-label", "same pixels as cleo/one/B/z.jpg"),
        "cleo/one/B/z.jpg": ("conflicting-label", "same pixels as cleo/one/A/z.jpg"),
    }
    assert result.summary["rejected"] == {"conflicting-label": 2, "duplicate": 1, "unreadable": 2}
    keys = sorted(list_frames(workspace) + [row["path"] for row in rejected])
    assert keys == sorted(frame.key for frame in walk_captures(workspace.captures))
    assert hash_files(workspace.captures) == before


def test_metadata_of_manually_added_images_is_removed(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str], picture: Frame
) -> None:
    path = add_file(workspace, "dora/by hand/A/1.jpg", b"")
    exif = Image.Exif()
    exif[0x013B] = "SECRET"
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])).save(path, exif=exif, quality=95)
    run_curation(workspace, settings)
    row = next(
        row for row in parquet_store.read_dataset(workspace.dataset("custom")).to_pylist() if row["signer"] == "dora"
    )
    assert b"SECRET" not in row["image"]["bytes"]
    frame = decode_image(row["image"]["bytes"])
    assert frame.shape == (240, 180, 3)
    assert (row["sha256"], row["width"], row["camera"]) == (pixel_hash(frame), 180, "unknown")


def test_synthetic_signers_are_left_out_next_to_real_ones(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str]
) -> None:
    shutil.copytree(workspace.captures / "ben", workspace.captures / "synthetic-ben")
    for path in (workspace.captures / "synthetic-ben").rglob("*.jpg"):
        path.write_bytes(encode_jpeg(decode_image(path.read_bytes())[1:]))
    summary = run_curation(workspace, settings).summary
    assert sorted(summary["signers"]) == ["ada", "ben", "cleo"]
    assert any("synthetic-ben" in note for note in summary["notes"])
    assert measured_files == []
    assert "synthetic-ben" in run_curation(workspace, settings, with_synthetic=True).summary["signers"]
    for name in ("ada", "ben", "cleo"):
        shutil.rmtree(workspace.captures / name)
    assert sorted(run_curation(workspace, settings).summary["signers"]) == ["synthetic-ben"]


def test_error_without_captures_names_the_commands(tmp_path: Path, settings: CurateConfig) -> None:
    with pytest.raises(AslkitError, match=r"No captures.*aslkit capture.*aslkit import.*aslkit demo"):
        run_curation(Workspace(root=tmp_path), settings)


def test_error_without_readable_images(tmp_path: Path, settings: CurateConfig, measured_files: list[str]) -> None:
    add_file(Workspace(root=tmp_path), "ada/one/A/1.jpg", b"x")
    with pytest.raises(AslkitError, match=r"None of the 1 captured images.*ada/one/A/1\.jpg: not an image"):
        run_curation(Workspace(root=tmp_path), settings)
    assert not (tmp_path / "datasets" / "custom").exists()


@pytest.mark.parametrize(
    ("hold_out", "message"),
    [
        (["maria"], "No signer 'maria' to hold out. Known signers: ada, ben, cleo"),
        (["cleo", "ada", "ben"], "no signer"),
    ],
)
def test_invalid_hold_out_is_an_error_before_measuring(
    curated: Workspace,
    tmp_path: Path,
    settings: CurateConfig,
    measured_files: list[str],
    hold_out: list[str],
    message: str,
) -> None:
    shutil.copytree(curated.captures, tmp_path / "captures")
    with pytest.raises(InputError, match=message):
        run_curation(Workspace(root=tmp_path), settings, hold_out=hold_out)
    assert measured_files == []


def test_single_frame_of_a_single_signer(
    tmp_path: Path, settings: CurateConfig, measured_files: list[str], picture: Frame
) -> None:
    workspace = Workspace(root=tmp_path)
    add_file(workspace, "ada/one/Y/1.jpg", encode_jpeg(picture))
    summary = run_curation(workspace, settings).summary
    assert summary["splits"] == {"train": 1, "validation": 0, "test": 0}
    assert summary["split_by"] == "block"
    assert any("Only one signer" in note for note in summary["notes"])
    assert any("hold any out for test or validation" in note for note in summary["notes"])


def test_invalid_name_of_a_manually_added_folder(workspace: Workspace, settings: CurateConfig) -> None:
    (workspace.captures / "ada").rename(workspace.captures / "<b>ada")
    with pytest.raises(InputError, match="<b>ada"):
        run_curation(workspace, settings)


def test_failure_leaves_the_old_dataset_unchanged(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hash_files(workspace.root)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet_store, "write_findings", fail)
    with pytest.raises(OSError, match="No space"):
        run_curation(workspace, settings, rebuild=True)
    assert hash_files(workspace.root) == before


def test_folder_with_other_files_is_not_overwritten(workspace: Workspace, settings: CurateConfig) -> None:
    thesis = workspace.root / "datasets" / "mine" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(AslkitError, match="already contains other files"):
        run_curation(workspace, settings, name="mine")
    assert thesis.read_text() == "years of work"


def test_merged_dataset_is_not_overwritten(workspace: Workspace, settings: CurateConfig) -> None:
    config = MergeConfig(test_share=0.2, validation_share=0.15, seed=0)
    source = MergeInput(name="custom", folder=workspace.dataset("custom"), renames={})
    merge_datasets([source], workspace.dataset("ours"), config)
    before = hash_files(workspace.dataset("ours"))
    with pytest.raises(InputError, match="is a merge of several datasets"):
        run_curation(workspace, settings, name="ours")
    assert hash_files(workspace.dataset("ours")) == before


def test_downloaded_dataset_is_not_overwritten(workspace: Workspace, settings: CurateConfig) -> None:
    folder, _ = stage_upload(workspace.dataset("custom"), workspace, PrivacyConfig(landmarks_only=True))
    upload_staged(folder, str(workspace.root / "club"))
    download_dataset(f"file://{workspace.root / 'club'}", workspace.dataset("theirs"))
    before = hash_files(workspace.dataset("theirs"))
    with pytest.raises(InputError, match=r"theirs is a downloaded dataset\. Choose another name with --dataset"):
        run_curation(workspace, settings, name="theirs", rebuild=True)
    assert hash_files(workspace.dataset("theirs")) == before
    assert run_curation(workspace, settings).up_to_date  # a pushed dataset can be curated again


def test_fetched_dataset_is_not_overwritten(
    workspace: Workspace, settings: CurateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = {"train": SignMnistImages(pixels=np.zeros((1, SIDE, SIDE), np.uint8), labels=np.zeros(1, np.int64))}
    monkeypatch.setattr(read_csv, "read_sign_mnist", lambda *_, **__: images)
    fetch_sign_mnist(workspace.dataset("sign-mnist"), source=workspace.root, partial=True)
    before = hash_files(workspace.dataset("sign-mnist"))
    with pytest.raises(InputError, match="is a dataset created by `aslkit dataset get sign-mnist`"):
        run_curation(workspace, settings, name="sign-mnist")
    assert hash_files(workspace.dataset("sign-mnist")) == before


def test_large_images_are_written_in_small_row_groups(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = parquet_store.read_dataset(workspace.dataset("custom"))
    monkeypatch.setattr(measure_table, "_MAX_IMAGE_BYTES", 20_000)
    run_curation(workspace, settings, rebuild=True)
    assert parquet_store.read_dataset(workspace.dataset("custom")).equals(before)
    assert pq.ParquetFile(parquet_store.list_files(workspace.dataset("custom"))[0]).num_row_groups > 3


def test_real_photographs(real_data: Path, tmp_path: Path, settings: CurateConfig, measured_files: list[str]) -> None:
    workspace = Workspace(root=tmp_path / "workspace")
    for signer in ("house", "longhong", "rahman"):
        source = tmp_path / signer
        for index, letter in enumerate(LETTERS):
            photos = sorted((real_data / "captures" / signer / letter).iterdir())
            (source / letter).mkdir(parents=True)
            shutil.copy(photos[(37 * index) % len(photos)], source / letter)
        info = SessionInfo(signer=signer, session="photos", camera="import photos")
        images = SessionImages(signer=signer, session="photos", split=None, images=read_image_folder(source).images)
        import_sessions([(info, images)], workspace=workspace, mirrored=False)
    summary = run_curation(workspace, settings).summary
    assert summary["frames"] == len(list(walk_captures(workspace.captures))) == 72
    assert summary["coverage"] >= 0.95
    rows = parquet_store.read_dataset(workspace.dataset("custom"), ["signer", "label", "handedness"]).to_pylist()
    assert {row["label"] for row in rows} == set(INDEX.values())
    for signer, hand in {"house": "right", "longhong": "left", "rahman": "right"}.items():
        found = [row["handedness"] for row in rows if row["signer"] == signer and row["handedness"]]
        assert found.count(hand) >= 0.9 * len(found), signer
    assert parquet_store.read_dataset(workspace.dataset("custom")).schema.names == [*schema.COLUMNS.names, "split"]


def test_published_split_of_some_sessions_is_not_used(workspace: Workspace, settings: CurateConfig) -> None:
    signers = sorted({frame.signer for frame in walk_captures(workspace.captures)})
    keep_split(workspace, {name: "test" if name == signers[0] else "train" for name in signers})
    path = next(workspace.captures.glob(f"{signers[1]}/*/session.json"))
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "split"}))
    notes = " ".join(run_curation(workspace, settings).summary["notes"])
    assert f"is not used, because session {signers[1]}/{path.parent.name} has none" in notes
