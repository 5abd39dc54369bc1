from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.core.letters import INDEX
from aslkit.curate.filter.checks import (
    CHECKS,
    LETTER_CHECKS,
    CheckConfig,
    CheckInput,
    dominant_hand_per_signer,
    run_checks,
)
from aslkit.curate.filter.label_issues import MIN_CONFIDENCE, label_issue_scores
from aslkit.curate.filter.select import disable_checks, select_frames
from aslkit.curate.measure.measure import MEASURED_SCHEMA
from aslkit.formats.captures import CapturedFrame
from tests.curate.factories import synthetic_hands


@pytest.fixture
def config() -> CheckConfig:
    return load_settings("checks", CheckConfig)


GOOD: dict[str, Any] = {
    "content": "", "error": None, "width": 640, "height": 480, "sharpness": 100.0, "brightness": 0.5, "contrast": 0.2,
    "sha256": "", "phash": 0, "handedness": "right", "landmarks": [0.4, 0.5, 0.0] * 21, "hand_score": 0.9,
    "hand_box": [0.3, 0.3, 0.6, 0.6], "hands": 1, "size": 0.5, "blur_fine": 0.4, "blur_coarse": 0.4,
    "hand_brightness": 0.8, "glare": 0.0, "small": bytes(784),
}  # fmt: skip


def make_input(
    *rows: dict[str, Any], sessions: list[str] | None = None, letters: list[str] | None = None
) -> CheckInput:
    """Return frames that differ from GOOD in the given columns; "label_issue" is the score of the label."""
    measurements = pa.Table.from_pylist(
        [GOOD | {key: row[key] for key in row if key != "label_issue"} for row in rows], MEASURED_SCHEMA
    )
    count = len(rows)
    return CheckInput(
        measurements=measurements,
        session=np.array(sessions or ["ada/one"] * count),
        dominant_hand=np.array(["right"] * count),
        label_issue=np.array([row.get("label_issue", 0.0) for row in rows]),
        suggested=np.array(["B"] * count),
        letter=np.array(letters or ["ada/A"] * count),
    )


def disable(config: CheckConfig, name: str) -> CheckConfig:
    values: Any = {name: "keep"}
    return replace(config, **values)


def find_faults(frames: CheckInput, config: CheckConfig) -> set[tuple[int, str]]:
    """Return index and check of the findings about single frames."""
    findings = {(f.index, f.check) for action in ("drop", "flag") for f in run_checks(frames, config, action)}
    return {(index, name) for index, name in findings if name not in LETTER_CHECKS}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("small_image", {"width": 27}),
        ("blurred", {"blur_fine": 0.64}),
        ("blurred", {"blur_coarse": 0.62}),
        ("dark", {"hand_brightness": 0.21}),
        ("bright", {"glare": 0.26}),
        ("low_contrast", {"contrast": 0.03}),
        ("no_hand", {"landmarks": None, "hand_box": None, "handedness": None, "hands": 0, "size": 0.0}),
        ("two_hands", {"hands": 2}),
        ("cut_off", {"landmarks": [0.4, 0.5, 0.0] * 20 + [1.01, 0.5, 0.0]}),
        ("cut_off", {"landmarks": [0.4, 1.11, 0.0] + [0.4, 0.5, 0.0] * 20}),
        ("tiny_hand", {"size": 0.14}),
        ("wrong_hand", {"handedness": "left"}),
        ("label_doubt", {"label_issue": 0.91}),
    ],
)
def test_each_check_finds_only_its_own_fault(name: str, fault: dict[str, Any], config: CheckConfig) -> None:
    wrist_outside = {"landmarks": [0.4, 1.09, 0.0] + [0.4, 0.5, 0.0] * 20}
    assert find_faults(make_input({}, fault, wrist_outside), config) == {(1, name)}
    assert find_faults(make_input({}, fault), disable(config, name)) == set()


def test_invalid_action_of_a_check_is_an_error() -> None:
    for name in CHECKS:
        with pytest.raises(InputError, match=rf"{name.replace('_', '-')}.*drop, flag, keep"):
            load_settings("checks", CheckConfig, flags={name: "delete"})


def test_blur_limit_is_relative_to_the_session(config: CheckConfig) -> None:
    rng = np.random.default_rng(0)
    soft_camera = [{"blur_fine": float(value)} for value in rng.normal(0.66, 0.02, 60)]
    frames = make_input(*soft_camera, {"blur_fine": 0.85}, {"blur_fine": 0.65}, sessions=["soft"] * 61 + ["other"])
    assert {index for index, name in find_faults(frames, config) if name == "blurred"} == {60, 61}


def test_letters_with_few_frames_or_one_session(config: CheckConfig) -> None:
    letters = ["ada/A"] * 20 + ["ada/B"] * 19 + ["ben/A"] * 25
    sessions = ["ada/one"] * 10 + ["ada/two"] * 29 + ["ben/one"] * 25
    frames = make_input(*[{}] * 64, letters=letters, sessions=sessions)
    flagged = {name: {f.index for f in run_checks(frames, config, "flag") if f.check == name} for name in LETTER_CHECKS}
    assert flagged == {"few_frames": set(range(20, 39)), "one_sitting": set(range(20, 64))}
    dropped = replace(config, few_frames="drop", fewest=25)
    assert {f.index for f in run_checks(frames, dropped, "drop") if f.check == "few_frames"} == set(range(39))


def test_darkness_limit_is_relative_to_the_session(config: CheckConfig) -> None:
    night = [{"hand_brightness": 0.18 + 0.001 * n} for n in range(30)]
    assert find_faults(make_input(*night, {"hand_brightness": 0.05}), config) == {(30, "dark")}


def test_dominant_hand_needs_enough_frames() -> None:
    handedness = np.array(["left"] * 30 + ["right"] * 5 + ["right"] * 10 + [None] * 30, object)
    signer = np.array(["ada"] * 35 + ["ben"] * 40)
    dominant = dominant_hand_per_signer(handedness, signer)
    assert set(dominant[:35]) == {"left"}
    assert set(dominant[35:]) == {""}  # ten frames are too few


def make_frames(count: int) -> list[CapturedFrame]:
    frame = CapturedFrame(path=Path("x.jpg"), signer="ada", session="one", letter="A")
    return [replace(frame, path=Path(f"{index}.jpg")) for index in range(count)]


def test_sharpest_frames_of_a_group_are_kept(config: CheckConfig) -> None:
    blurs = [0.5, 0.3, 0.4, 0.2, 0.5, 0.7]
    measurements = pa.Table.from_pylist([GOOD | {"blur_fine": blur} for blur in blurs], MEASURED_SCHEMA)
    group = np.array([7, 7, 7, 9, 9, 9])
    selection = select_frames(make_frames(6), measurements, group, config=config, keep_per_group=2)
    assert selection.kept.tolist() == [1, 2, 3, 4]
    assert {(f.index, f.check) for f in selection.dropped} == {(0, "near_duplicate"), (5, "blurred")}
    assert "like ada/one/A/1.jpg" in next(f.detail for f in selection.dropped if f.index == 0)
    all_frames = select_frames(make_frames(6), measurements, group, config=config, keep_per_group=0)
    assert all_frames.kept.tolist() == [0, 1, 2, 3, 4]


def test_restored_checks_flag_instead_of_dropping(config: CheckConfig) -> None:
    restored, keep_per_group = disable_checks(config, 1, ["blurred", "near-duplicate"])
    assert (restored.blurred, restored.dark, keep_per_group) == ("flag", config.dark, 0)
    with pytest.raises(InputError, match=r"'duplicate' cannot be restored.*near-duplicate"):
        disable_checks(config, 0, ["duplicate"])


def test_planted_label_errors_are_found() -> None:
    points, label = synthetic_hands("BLY", step=8)
    given = np.where((label == INDEX["L"]) & (np.arange(len(label)) % 6 == 0), INDEX["Y"], label)
    confidence, suggested = label_issue_scores(points, given)
    assert (confidence[given != label] > 0.5).mean() > 0.6  # cleanlab prefers precision to recall
    assert (confidence[given == label] > 0.5).mean() < 0.1
    assert (suggested == label).mean() > 0.9


@pytest.mark.parametrize("count", [9, 40])
def test_wrong_labels_are_found_in_few_frames_and_in_a_single_letter(count: int) -> None:
    """Without other letters, or with fewer than ten frames of each, cleanlab has nothing to compare with."""
    points, label = synthetic_hands("BLY", step=8)
    rows = np.flatnonzero(label == INDEX["L"])[:count]
    assert not label_issue_scores(points[rows], label[rows])[0].any()
    confidence, suggested = label_issue_scores(points[rows], np.full(len(rows), INDEX["B"]))
    assert (confidence >= MIN_CONFIDENCE).mean() > 0.8
    assert (suggested == INDEX["L"]).all()


def test_frames_that_people_kept_are_neither_dropped_nor_flagged(config: CheckConfig) -> None:
    blurs = [0.3, 0.5, 0.4, 0.9]
    measurements = pa.Table.from_pylist([GOOD | {"blur_fine": blur} for blur in blurs], MEASURED_SCHEMA)
    group, kept = np.array([7, 7, 7, 7]), np.array([False, True, False, True])
    selection = select_frames(make_frames(4), measurements, group, config=config, keep_per_group=1, confirmed=kept)
    assert selection.kept.tolist() == [1, 3]
    assert {f.detail for f in selection.dropped} == {"like ada/one/A/1.jpg, which was kept in review"}
    assert {f.index for f in selection.flagged} == set()
