"""The command `aslkit review`: lists, decisions of scripts, and the review in a terminal."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from aslkit.cli import review
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.formats.reviews import load_decisions, record_decisions
from aslkit.vision.images import Frame, encode_jpeg
from tests.cli.test_main import aslkit, failed

KEYS = ["ada/one/A/1.jpg", "ada/one/A/2.jpg", "ben/one/B/1.jpg"]
Decisions = dict[str, tuple[str, str | None]]


@pytest.fixture
def root(tmp_path: Path, picture: Frame) -> Path:
    """A workspace with three doubtful frames, in the order of KEYS, and another frame."""
    workspace = Workspace(root=tmp_path)
    for key in (*KEYS, "ben/one/B/2.jpg"):
        (workspace.captures / key).parent.mkdir(parents=True, exist_ok=True)
        (workspace.captures / key).write_bytes(encode_jpeg(picture))
    folder = workspace.dataset("custom")
    folder.mkdir(parents=True)
    rows = [
        {"path": KEYS[0], "reason": "label-doubt", "detail": "looks like E (95% sure)"},
        {"path": KEYS[1], "reason": "blurred", "detail": "blur 0.9"},
        {"path": KEYS[1], "reason": "one-sitting", "detail": "in ada/one only"},
        {"path": KEYS[2], "reason": "cut-off", "detail": "3.0%"},
    ]
    parquet_store.write_findings(folder / "rejected.parquet", [row for row in rows if row["reason"] == "blurred"])
    parquet_store.write_findings(folder / "flagged.parquet", [row for row in rows if row["reason"] != "blurred"])
    return tmp_path


def decisions(root: Path) -> Decisions:
    found = load_decisions(Workspace(root=root))
    return {key: (each.action, each.letter) for key, each in found.items()}


def listed(root: Path, *options: str) -> list[str]:
    return [frame["key"] for frame in json.loads(aslkit("review", "--json", *options, workspace=root).stdout)["frames"]]


def test_without_terminal_frames_are_counted_by_reason(root: Path) -> None:
    output = aslkit("review", workspace=root).output
    assert [line.split()[:2] for line in output.splitlines() if line.split()[1:2] == ["1"]] == [
        ["label-doubt", "1"], ["blurred", "1"], ["cut-off", "1"],
    ]  # fmt: skip
    assert "3 frames to review, of 4 captured." in output
    assert "one-sitting" in aslkit("review", "--list", "--all", workspace=root).output


def test_json_lists_frames_that_filters_choose(root: Path) -> None:
    assert listed(root) == KEYS
    assert listed(root, "--all") == [*KEYS, "ben/one/B/2.jpg"]
    assert listed(root, "--reason", "blurred") == [KEYS[1]]
    assert listed(root, "--signer", "ben") == [KEYS[2]]
    assert listed(root, "--letter", "a") == KEYS[:2]
    record_decisions(Workspace(root=root), KEYS[:1], "keep")
    assert listed(root) == KEYS[1:]
    first = json.loads(aslkit("review", "--json", "--all", workspace=root).stdout)["frames"][2]
    assert (first["key"], first["decision"]["action"], first["doubtful"]) == (KEYS[0], "keep", False)


def test_scripts_decide_and_undo(root: Path) -> None:
    output = aslkit(
        "review", "--keep", KEYS[0], "--drop", KEYS[1], "--relabel", f"{KEYS[2]}=e",
        "--relabel", "ben/one/B/2.jpg=none", workspace=root,
    ).output  # fmt: skip
    assert "Stored: kept 1, dropped 1, relabelled 2." in output
    expected: Decisions = {KEYS[0]: ("keep", None), KEYS[1]: ("drop", None), KEYS[2]: ("relabel", "E")}
    assert decisions(root) == expected | {"ben/one/B/2.jpg": ("relabel", "none")}
    aslkit("review", "--reset", KEYS[1], "--reset", "ben/one/B/2.jpg", workspace=root)
    assert decisions(root) == {key: value for key, value in expected.items() if key != KEYS[1]}
    undone = json.loads(aslkit("review", "--undo", "--json", workspace=root).stdout)["undone"]
    assert undone == [KEYS[1], "ben/one/B/2.jpg"]
    assert "Undone: the last decision about 4 frames." in aslkit("review", "--undo", workspace=root).output
    assert decisions(root) == {}
    assert "Nothing was changed." in aslkit("review", "--undo", workspace=root).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--keep", "ada/one/A/9.jpg"], "There is no frame 'ada/one/A/9.jpg'"),
        (["--reset", "ada"], "Write SIGNER/SESSION/LETTER/NAME"),
        (["--relabel", KEYS[0]], "is not KEY=LETTER"),
        (["--relabel", f"{KEYS[0]}=J"], "signed with a movement"),
        (["--drop", KEYS[0], "--relabel", f"{KEYS[1]}=?"], "is not a letter"),
        (["--drop", KEYS[0], "--keep", KEYS[0]], "was given twice"),
        (["--undo", "--keep", KEYS[0]], "--keep cannot be combined with --undo"),
        (["--list", "--keep", KEYS[0]], "--list cannot be combined with decisions"),
        (["--reason", "ugly"], "'ugly' is not a reason. Use one of: label-doubt, mistake, "),
        (["--letter", "Z"], "signed with a movement"),
        (["--signer", "zoe"], "There is no signer 'zoe'. Signers: ada, ben."),
        (["--run", "none"], "There is no run 'none'"),
    ],
)
def test_wrong_input_decides_nothing(arguments: list[str], message: str, root: Path) -> None:
    assert message in failed(aslkit("review", *arguments, workspace=root), 2)
    assert decisions(root) == {}


def test_empty_workspace_and_damaged_log(root: Path, tmp_path: Path) -> None:
    assert "No captures found" in failed(aslkit("review", workspace=tmp_path / "none"), 1)
    (root / "reviews.jsonl").write_text("x\n")
    assert "reviews.jsonl, line 1 is damaged" in failed(aslkit("review", workspace=root), 1)


@pytest.fixture
def press(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that reviews in a terminal, pressing keys, and returns the output."""
    monkeypatch.setattr(review, "_is_interactive", lambda: True)

    def press_keys(keys: str, *options: str) -> str:
        pressed: Iterator[str] = iter(keys)

        def next_key(echo: bool = False) -> str:
            key = next(pressed, "")
            if key == "\x03":
                raise KeyboardInterrupt
            return key

        monkeypatch.setattr(click, "getchar", next_key)
        result = aslkit("review", *options, workspace=root)
        assert result.exit_code == 0
        return result.output

    return press_keys


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("kdn", {KEYS[0]: ("keep", None), KEYS[1]: ("drop", None), KEYS[2]: ("relabel", "none")}),
        ("ErsK", {KEYS[0]: ("relabel", "E"), KEYS[1]: ("relabel", "S"), KEYS[2]: ("relabel", "K")}),
        ("r-r1 q", {KEYS[0]: ("relabel", "none")}),  # 1 is no letter, and asks again
        ("skuk", {KEYS[1]: ("keep", None)}),
        ("kduuk", {KEYS[0]: ("keep", None)}),
        ("uJ?x", {}),
        ("k\x03", {KEYS[0]: ("keep", None)}),
        ("kr\x03", {KEYS[0]: ("keep", None)}),
    ],
)
def test_keys_decide(keys: str, expected: Decisions, press: Callable[..., str], root: Path) -> None:
    press(keys)
    assert decisions(root) == expected


def test_terminal_shows_reasons_and_ends_with_a_summary(press: Callable[..., str], root: Path) -> None:
    output = press("kdq", "--signer", "ada")
    assert "1 of 2: A of ada, session one, 1.jpg" in output
    assert "label-doubt: looks like E (95% sure)" in output
    assert "If it is E, press E." in output
    assert "It is rejected; keep restores it" in output
    assert "Stored: kept 1, dropped 1." in output
    assert "No frames to review." in press("", "--signer", "ada")


def test_undo_keeps_decisions_of_earlier_reviews(press: Callable[..., str], root: Path) -> None:
    press("dq")
    assert "Nothing to undo in this review" in press("uq")
    assert decisions(root) == {KEYS[0]: ("drop", None)}


def test_image_is_shown_in_a_terminal_with_colours(
    press: Callable[..., str], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aslkit.cli.output import review as output
    from aslkit.datasets.contact_sheet.terminal import COLOURS

    colours: Any = COLOURS["truecolor"]
    monkeypatch.setattr(output, "detect_colours", lambda: colours)
    assert "▀" in press("q")
    (root / "captures" / KEYS[0]).write_bytes(b"damaged")
    assert "▀" not in press("q")
