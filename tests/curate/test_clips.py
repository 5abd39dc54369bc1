"""Clips of J and Z become rows of the dataset."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LABEL_INDEX
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.filter.clip_duplicates import join_groups_by_pixels
from aslkit.curate.measure.engine import Local
from aslkit.curate.pipeline import CurateResult, curate
from aslkit.curate.report.leakage import audit_dataset
from aslkit.datasets import parquet_store
from aslkit.datasets.clips import load_clips
from aslkit.datasets.verify.run import verify_dataset
from aslkit.formats.clips import CLIP_INDEX_FILE, clip_landmarks, read_clip
from aslkit.vision.images import decode_image, pixel_hash
from tests.curate.clip_factory import HEIGHT, WIDTH, add_clip

PEOPLE = ("ada", "ben", "cleo")


def run_curation(workspace: Workspace, settings: CurateConfig, **options: Any) -> CurateResult:
    checks = load_settings("checks", CheckConfig)
    return curate(workspace, name="custom", config=settings, checks=checks, engine=Local(processes=1), **options)


@pytest.fixture
def moving(workspace: Workspace) -> Workspace:
    """The workspace of three signers with stills, and two clips of each letter of each signer."""
    for number, signer in enumerate(PEOPLE):
        for letter in "JZ":
            for take in range(2):
                seed = 1 + 10 * number + 4 * "JZ".index(letter) + take
                add_clip(workspace, f"{signer}/two/{letter}/20260102T03040{take}000Z", seed=seed)
    return workspace


@pytest.fixture
def only_clips(tmp_path: Path) -> Workspace:
    workspace = Workspace(root=tmp_path / "clips")
    for number, signer in enumerate(PEOPLE):
        for take in range(2):
            add_clip(workspace, f"{signer}/one/J/{take}", seed=1 + 10 * number + take)
            add_clip(workspace, f"{signer}/one/Z/{take}", seed=5 + 10 * number + take)
    return workspace


def kinds(folder: Path) -> set[str]:
    return {finding.kind for finding in verify_dataset(folder, processes=0).findings}


def test_rows_are_those_of_the_captured_clips(moving: Workspace, settings: CurateConfig) -> None:
    result = run_curation(moving, settings)
    assert kinds(result.folder) <= {"unstated"}
    rows = [row for row in parquet_store.read_dataset(result.folder).to_pylist() if row["clip"]]
    assert len(rows) == 12 * 4
    for row in rows:
        folder = moving.captures / row["clip"]
        clip = read_clip(folder)
        frame = next(each for each in clip.frames if each.time_ms == row["time_ms"])
        assert row["image"]["path"] == f"{row['clip']}/{frame.file}"
        assert row["image"]["bytes"] == (folder / frame.file).read_bytes()
        pixels = decode_image(row["image"]["bytes"])
        assert row["sha256"] == pixel_hash(pixels)
        assert (row["width"], row["height"]) == (WIDTH, HEIGHT)
        assert row["label"] == LABEL_INDEX[clip.letter]
        assert (row["signer"], row["session"], row["camera"], row["licence"]) == (
            clip.signer, clip.session, "camera 0", "CC0-1.0",
        )  # fmt: skip
        assert row["sharpness"] > 0
        assert row["parent"] is row["augmentation"] is None
        second = int(folder.name[14]) * 1000 + frame.time_ms
        assert round(row["captured_at"].timestamp() * 1000) % 10_000 == second
        if frame.landmarks is None:
            assert row["landmarks"] is row["hand_box"] is row["handedness"] is row["hand_score"] is None
        else:
            assert row["handedness"] == frame.hand
            assert row["hand_score"] == pytest.approx(0.875)
            np.testing.assert_allclose(row["landmarks"], frame.landmarks, rtol=1e-6)
            points = np.array(row["landmarks"]).reshape(21, 3)[:, :2]
            np.testing.assert_allclose(row["hand_box"], [*points.min(axis=0), *points.max(axis=0)], rtol=1e-6)


def test_training_reads_what_was_recorded(moving: Workspace, settings: CurateConfig) -> None:
    clips = load_clips(run_curation(moving, settings).folder)
    assert len(clips) == 12
    for clip in clips:
        captured = read_clip(moving.captures / clip.name)
        assert clip.time_ms.tolist() == [frame.time_ms for frame in captured.frames]
        np.testing.assert_array_equal(clip.landmarks, clip_landmarks(captured.frames))


def test_each_clip_is_in_one_split_and_held_out_signers_in_test(moving: Workspace, settings: CurateConfig) -> None:
    result = run_curation(moving, settings, hold_out=["ben"])
    clips = load_clips(result.folder)  # raises if a clip is in two splits
    assert {clip.split for clip in clips if clip.signer == "ben"} == {"test"}
    assert {clip.split for clip in clips if clip.signer != "ben"} <= {"train", "validation"}
    table = parquet_store.read_dataset(result.folder, ["clip", "group"])
    groups = {(row["clip"], row["group"]) for row in table.to_pylist() if row["clip"]}
    assert len(groups) == len({clip for clip, _ in groups}) == len({group for _, group in groups}) == 12
    stills = {row["group"] for row in table.to_pylist() if row["clip"] is None}
    assert not stills & {group for _, group in groups}


def test_summary_counts_clips_by_letter_signer_and_split(moving: Workspace, settings: CurateConfig) -> None:
    without = Workspace(root=moving.root.parent / "without")
    shutil.copytree(moving.captures, without.captures, ignore=shutil.ignore_patterns("J", "Z", "two"))
    stills = run_curation(without, settings, hold_out=["ben"]).summary
    summary = run_curation(moving, settings, hold_out=["ben"]).summary
    clips = summary.pop("clips")
    assert clips["count"] == 12
    assert clips["letters"] == {"J": 6, "Z": 6}
    assert clips["signers"] == {signer: {"J": 2, "Z": 2} for signer in PEOPLE}
    assert clips["splits"]["test"] == {"J": 2, "Z": 2}
    assert sum(clips["frames"].values()) == 48
    assert clips["rejected"] == {}
    assert summary == stills  # the numbers of stills do not depend on clips


def test_clips_without_stills(only_clips: Workspace, settings: CurateConfig) -> None:
    result = run_curation(only_clips, settings)
    assert kinds(result.folder) <= {"unstated"}
    assert result.summary["frames"] == 0
    assert result.summary["clips"]["letters"] == {"J": 6, "Z": 6}
    assert not any("images" in note or "frames" in note for note in result.summary["notes"])
    assert {clip.split for clip in load_clips(result.folder)} >= {"train", "test"}
    assert run_curation(only_clips, settings).up_to_date
    report = (result.folder / "report.html").read_text()
    assert "12</b>" in report
    assert 'id="balance"' not in report


def test_report_shows_a_strip_of_each_signers_clips(moving: Workspace, settings: CurateConfig) -> None:
    report = (run_curation(moving, settings).folder / "report.html").read_text()
    for signer in PEOPLE:
        for letter in "JZ":
            assert f'alt="{letter} of {signer}, from the start to the end of the movement"' in report
    assert report.count("4 frames in 0.1 s") == 12


def test_clips_of_none_stay_in_captures(moving: Workspace, settings: CurateConfig) -> None:
    add_clip(moving, "ada/two/none/1", seed=90)
    result = run_curation(moving, settings)
    assert "none" not in {clip.name.split("/")[2] for clip in load_clips(result.folder)}
    assert parquet_store.read_rejected(result.folder).num_rows == 0


def rejected(result: CurateResult) -> dict[str, tuple[str, str]]:
    rows = parquet_store.read_rejected(result.folder).to_pylist()
    return {row["path"]: (row["reason"], row["detail"]) for row in rows}


def test_damaged_clips_are_rejected_with_the_reason(moving: Workspace, settings: CurateConfig) -> None:
    no_index, no_image, no_pixels = (
        moving.captures / f"{signer}/two/J/20260102T030400000Z" for signer in ("ada", "ben", "cleo")
    )
    (no_index / CLIP_INDEX_FILE).unlink()
    (no_image / "002.jpg").unlink()
    (no_pixels / "002.jpg").write_bytes(b"no image")
    result = run_curation(moving, settings)
    found = rejected(result)
    assert {key: reason for key, (reason, _) in found.items()} == {
        f"{signer}/two/J/20260102T030400000Z": "damaged-clip" for signer in PEOPLE
    }
    assert found["ada/two/J/20260102T030400000Z"][1] == "frames.jsonl: No such file or directory"
    assert "002.jpg is missing" in found["ben/two/J/20260102T030400000Z"][1]
    assert not any(str(moving.root) in detail for _, detail in found.values())
    assert "002.jpg cannot be decoded" in found["cleo/two/J/20260102T030400000Z"][1]
    assert len(load_clips(result.folder)) == 9
    assert result.summary["clips"]["rejected"] == {"damaged-clip": 3}
    assert result.summary["rejected"] == {}
    report = (result.folder / "report.html").read_text()
    assert "002.jpg is missing" in report
    assert kinds(result.folder) <= {"unstated"}


def test_equal_clips_are_dropped(moving: Workspace, settings: CurateConfig) -> None:
    add_clip(moving, "ada/three/J/again", seed=1)
    add_clip(moving, "ada/three/Z/twin", seed=70)
    add_clip(moving, "ben/three/J/twin", seed=70)
    result = run_curation(moving, settings)
    assert rejected(result) == {
        "ada/two/J/20260102T030400000Z": ("duplicate", "same pixels as ada/three/J/again"),
        "ada/three/Z/twin": ("conflicting-label", "same pixels as ben/three/J/twin"),
        "ben/three/J/twin": ("conflicting-label", "same pixels as ada/three/Z/twin"),
    }
    assert len(load_clips(result.folder)) == 12


def test_clips_that_share_frames_are_in_one_split(workspace: Workspace, settings: CurateConfig) -> None:
    """Clips cut from one video can overlap. Their last frames are equal, their first ones are not."""
    for number, signer in enumerate(PEOPLE):
        for take in range(3):
            add_clip(workspace, f"{signer}/two/J/{take}", seed=1 + 10 * number + take)
    overlapping = [workspace.captures / f"{signer}/two/J/0" for signer in PEOPLE]
    for folder in overlapping[1:]:
        shutil.copy(overlapping[0] / "003.jpg", folder / "003.jpg")
        shutil.copy(overlapping[0] / "001.jpg", folder.parent / "1" / "001.jpg")  # no hand: connects nothing
    result = run_curation(workspace, settings, hold_out=["ben"])
    clips = {clip.name: clip.split for clip in load_clips(result.folder)}
    assert {clips[f"{signer}/two/J/0"] for signer in PEOPLE} == {"train"}
    assert {clips[f"ben/two/J/{take}"] for take in (1, 2)} == {"test"}
    assert "pixels-in-two-splits" not in kinds(result.folder)


def test_groups_are_joined_by_pixels() -> None:
    stills, clips = join_groups_by_pixels(
        np.array([0, 1, 2]), ["a", "b", "c"], np.array([0, 0, 1, 1, 2]), ["b", "c", "x", None, "x"]
    )
    assert stills.tolist() == [0, 1, 1]
    assert clips[0] == clips[1] == 1
    assert clips[2] == clips[3] == clips[4]
    assert clips[2] not in (0, 1, 2)


def test_changed_clip_is_curated_again(moving: Workspace, settings: CurateConfig) -> None:
    run_curation(moving, settings)
    assert run_curation(moving, settings).up_to_date
    index = moving.captures / "ada/two/J/20260102T030400000Z" / CLIP_INDEX_FILE
    lines = [json.loads(line) for line in index.read_text().splitlines()]
    lines[-1]["time_ms"] += 1
    index.write_text("\n".join(map(json.dumps, lines)) + "\n")
    changed = run_curation(moving, settings)
    assert not changed.up_to_date
    clip = next(clip for clip in load_clips(changed.folder) if clip.name == "ada/two/J/20260102T030400000Z")
    assert clip.time_ms[-1] == 121
    shutil.rmtree(moving.captures / "ada/two/Z/20260102T030400000Z")
    fewer = run_curation(moving, settings)
    assert not fewer.up_to_date
    assert fewer.summary["clips"]["letters"] == {"J": 6, "Z": 5}


def test_synthetic_clips_are_left_out(moving: Workspace, settings: CurateConfig) -> None:
    add_clip(moving, "synthetic-zoe/one/J/1", seed=80)
    result = run_curation(moving, settings)
    assert "synthetic-zoe" not in {clip.signer for clip in load_clips(result.folder)}
    assert any("synthetic-zoe" in note for note in result.summary["notes"])
    assert "synthetic-zoe" in run_curation(moving, settings, with_synthetic=True).summary["clips"]["signers"]


def test_published_split_is_kept(moving: Workspace, settings: CurateConfig) -> None:
    for path in moving.captures.glob("*/*/session.json"):
        split = "test" if path.parents[1].name == "cleo" else "train"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"split": split}))
    clips = load_clips(run_curation(moving, settings).folder)
    assert {clip.split for clip in clips if clip.signer == "cleo"} == {"test"}
    assert "test" not in {clip.split for clip in clips if clip.signer != "cleo"}


def test_no_usable_clip_is_an_error(tmp_path: Path, settings: CurateConfig) -> None:
    workspace = Workspace(root=tmp_path)
    folder = add_clip(workspace, "ada/one/J/1", seed=1)
    (folder / "000.jpg").write_bytes(b"no image")
    with pytest.raises(AslkitError, match=r"No clip can be used\. The first one: 000\.jpg cannot be decoded"):
        run_curation(workspace, settings)
    (folder / CLIP_INDEX_FILE).write_text("{}")
    with pytest.raises(AslkitError, match=r"No usable captures found .* The clip ada/one/J/1 is damaged: "):
        run_curation(workspace, settings)


def test_only_stills_are_augmented(moving: Workspace, settings: CurateConfig) -> None:
    pytest.importorskip("albumentations")
    from dataclasses import replace

    result = run_curation(moving, replace(settings, augment=1))
    table = pq.read_table(parquet_store.list_files(result.folder)[0], columns=["parent", "clip"])
    copies = [row for row in table.to_pylist() if row["parent"]]
    assert copies
    assert {row["clip"] for row in copies} == {None}
    assert kinds(result.folder) <= {"unstated"}


def test_command_prints_clips(moving: Workspace, only_clips: Workspace) -> None:
    output = CliRunner().invoke(main, ["curate", "--workspace", str(moving.root), "--processes", "1"]).output
    assert re.search(r"ada +2 +2", output)
    assert re.search(r"in test +2 +2", output)
    assert "54 frames" in output
    result = CliRunner().invoke(main, ["curate", "--workspace", str(only_clips.root), "--processes", "1"])
    assert result.exit_code == 0, result.output
    assert "No images, only clips" in result.output
    assert "no hand was found" not in result.output


def test_audit_compares_only_stills(moving: Workspace, settings: CurateConfig) -> None:
    folder = run_curation(moving, settings).folder
    stills = parquet_store.read_dataset(folder, ["clip"]).column("clip").null_count
    audit = audit_dataset(folder, distance=4, seed=0)
    assert audit.own is not None
    assert audit.own.train + audit.own.test == stills
