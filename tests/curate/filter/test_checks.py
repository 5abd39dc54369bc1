from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.curate.filter.checks import (
    CHECKS,
    OF_LETTERS,
    CheckConfig,
    CheckInput,
    dominant_hand_per_signer,
    run_checks,
)
from aslkit.curate.filter.label_issues import label_issue_scores
from aslkit.curate.filter.select import disable_checks, select_frames
from aslkit.curate.measure.measure import MEASURED_SCHEMA
from aslkit.formats.captures import CapturedFrame


@pytest.fixture
def config() -> CheckConfig:
    return load_settings("checks", CheckConfig)


GOOD: dict[str, Any] = {
    "content": "", "error": None, "width": 640, "height": 480, "sharpness": 100.0, "brightness": 0.5, "contrast": 0.2,
    "sha256": "", "phash": 0, "handedness": "right", "landmarks": [0.4, 0.5, 0.0] * 21, "hand_score": 0.9,
    "hand_box": [0.3, 0.3, 0.6, 0.6], "hands": 1, "size": 0.5, "blur_fine": 0.4, "blur_coarse": 0.4,
    "hand_brightness": 0.8, "glare": 0.0, "fine_hash": bytes(32), "hand_hash": bytes(32), "small": bytes(784),
}  # fmt: skip


def checked(
    *rows: dict[str, Any], sittings: list[str] | None = None, letters: list[str] | None = None
) -> CheckInput:  # fmt: skip
    described = pa.Table.from_pylist([GOOD | row for row in rows], MEASURED_SCHEMA)
    count = len(rows)
    return CheckInput(
        measurements=described,
        session=np.array(sittings or ["ada/one"] * count),
        dominant_hand=np.array(["right"] * count),
        label_issue=np.array([row.get("doubt", 0.0) for row in rows]),
        suggested=np.array(["B"] * count),
        letter=np.array(letters or ["ada/A"] * count),
    )


def without(config: CheckConfig, name: str) -> CheckConfig:
    values: Any = {name: "keep"}
    return replace(config, **values)


def found(frames: CheckInput, config: CheckConfig) -> set[tuple[int, str]]:
    """What is found of single frames."""
    every = {(f.index, f.check) for action in ("drop", "flag") for f in run_checks(frames, config, action)}
    return {(index, name) for index, name in every if name not in OF_LETTERS}


@pytest.mark.parametrize(
    ("name", "bad"),
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
        ("label_doubt", {"doubt": 0.91}),
    ],
)
def test_each_check_finds_its_fault_and_no_other(name: str, bad: dict[str, Any], config: CheckConfig) -> None:
    wrist_out = {"landmarks": [0.4, 1.09, 0.0] + [0.4, 0.5, 0.0] * 20}
    assert found(checked({}, bad, wrist_out), config) == {(1, name)}
    assert found(checked({}, bad), without(config, name)) == set()


def test_every_check_has_an_action_and_says_which_it_may_be(config: CheckConfig) -> None:
    for name in CHECKS:
        values: Any = {name: "delete"}
        with pytest.raises(InputError, match=rf"{name}.*drop, flag, keep"):
            replace(config, **values)


def test_a_soft_camera_is_not_dropped_but_its_worst_frames_are(config: CheckConfig) -> None:
    rng = np.random.default_rng(0)
    soft = [{"blur_fine": float(value)} for value in rng.normal(0.66, 0.02, 60)]
    frames = checked(*soft, {"blur_fine": 0.85}, {"blur_fine": 0.65}, sittings=["soft"] * 61 + ["other"])
    assert {index for index, name in found(frames, config) if name == "blurred"} == {60, 61}


def test_letters_with_few_frames_and_of_one_sitting(config: CheckConfig) -> None:
    letters = ["ada/A"] * 20 + ["ada/B"] * 19 + ["ben/A"] * 25
    sittings = ["ada/one"] * 10 + ["ada/two"] * 29 + ["ben/one"] * 25
    frames = checked(*[{}] * 64, letters=letters, sittings=sittings)
    of = {name: {f.index for f in run_checks(frames, config, "flag") if f.check == name} for name in OF_LETTERS}
    assert of == {"few_frames": set(range(20, 39)), "one_sitting": set(range(20, 64))}
    dropped = replace(config, few_frames="drop", fewest=25)
    assert {f.index for f in run_checks(frames, dropped, "drop") if f.check == "few_frames"} == set(range(39))


def test_a_dark_room_is_not_dropped(config: CheckConfig) -> None:
    night = [{"hand_brightness": 0.18 + 0.001 * n} for n in range(30)]
    assert found(checked(*night, {"hand_brightness": 0.05}), config) == {(30, "dark")}


def test_the_usual_hand() -> None:
    side = np.array(["left"] * 30 + ["right"] * 5 + ["right"] * 10 + [None] * 30, object)
    signer = np.array(["ada"] * 35 + ["ben"] * 40)
    usual = dominant_hand_per_signer(side, signer)
    assert set(usual[:35]) == {"left"}
    assert set(usual[35:]) == {""}  # ten frames tell nothing


def captured(count: int) -> list[CapturedFrame]:
    frame = CapturedFrame(path=Path("x.jpg"), signer="ada", session="one", letter="A")
    return [replace(frame, path=Path(f"{index}.jpg")) for index in range(count)]


def test_of_a_group_the_sharpest_stay(config: CheckConfig) -> None:
    blurs = [0.5, 0.3, 0.4, 0.2, 0.5, 0.7]
    seen = pa.Table.from_pylist([GOOD | {"blur_fine": blur} for blur in blurs], MEASURED_SCHEMA)
    group = np.array([7, 7, 7, 9, 9, 9])
    sieved = select_frames(captured(6), seen, group, config=config, keep_per_group=2, seed=0)
    assert sieved.kept.tolist() == [1, 2, 3, 4]
    assert {(f.index, f.check) for f in sieved.dropped} == {(0, "near_duplicate"), (5, "blurred")}
    assert "like ada/one/A/1.jpg" in next(f.detail for f in sieved.dropped if f.index == 0)
    everything = select_frames(captured(6), seen, group, config=config, keep_per_group=0, seed=0)
    assert everything.kept.tolist() == [0, 1, 2, 3, 4]


def test_what_was_dropped_is_restored_and_flagged(config: CheckConfig) -> None:
    again, keep = disable_checks(config, 1, ["blurred", "near-duplicate"])
    assert (again.blurred, again.dark, keep) == ("flag", config.dark, 0)
    with pytest.raises(InputError, match=r"'duplicate' cannot be restored.*near-duplicate"):
        disable_checks(config, 0, ["duplicate"])


def hands(letter: int, count: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float32]]:
    """One made-up hand shape with noise."""
    shape = np.random.default_rng(letter).normal(size=(21, 3))
    return (shape + rng.normal(0, 0.1, (count, 21, 3))).astype(np.float32)


def test_planted_labels_are_doubted_and_few_others(rng: np.random.Generator) -> None:
    label = np.repeat(np.arange(5), 60)
    points = np.concatenate([hands(letter, 60, rng) for letter in range(5)])
    given = label.copy()
    planted = rng.choice(300, 12, replace=False)
    given[planted] = (label[planted] + 1) % 5
    sure, said = label_issue_scores(points, given, np.arange(300), seed=0)
    assert set(np.flatnonzero(sure > 0.9)) == set(planted)
    assert (said[planted] == label[planted]).all()


def test_a_frame_is_not_judged_by_its_own_near_copies(rng: np.random.Generator) -> None:
    label = np.repeat(np.arange(4), 40)
    points = np.concatenate([hands(letter, 40, rng) for letter in range(4)])
    group = np.arange(160)
    given = label.copy()
    given[:10], group[:10] = 1, 0  # ten near-copies under a wrong letter would teach it to themselves
    points[:10] = points[0]
    sure, _ = label_issue_scores(points, given, group, seed=0)
    assert (sure[:10] > 0.9).all()


def test_too_little_to_doubt_anything(rng: np.random.Generator) -> None:
    sure, said = label_issue_scores(hands(0, 8, rng), np.zeros(8, np.int64), np.arange(8), seed=0)
    assert not sure.any()
    assert (said == 0).all()
