"""An exam: asked for, scored, kept apart from what is trained on."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from aslkit.capture.import_images import import_folder
from aslkit.cli.main import main
from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.live.config import LiveConfig
from aslkit.live.exam.result_folder import ExamFolder
from aslkit.live.exam.run import examine_frames, labelled_images, run_exam
from aslkit.live.exam.scoring import READY_S, SIGN_S, Exam, ExamAnswer, ExamScore, letter_order
from aslkit.live.recogniser import Recognised
from aslkit.video.sources import SourceFrame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame, decode_image, encode_png


def test_each_letter_so_often_in_an_order_that_the_seed_decides() -> None:
    asked = letter_order("ABCD", 3, np.random.default_rng(0))
    assert Counter(asked) == dict.fromkeys("ABCD", 3)
    assert (
        asked == letter_order("ABCD", 3, np.random.default_rng(0)) != letter_order("ABCD", 3, np.random.default_rng(1))
    )


def test_a_whole_sitting() -> None:
    sitting = Exam(asked=("A", "B"), rest_s=2)
    seen: list[tuple[str, str]] = []
    for step in range(200):
        now_s = step / 10
        said: list[str] = []
        if sitting.phase == "sign" and sitting.letter == "A":
            said = ["A"]
        if sitting.phase == "rest" and sitting.false_letters == 0:
            said = ["X"]
        sitting.see(now_s, said=said, hand=True)
        if not seen or seen[-1] != (sitting.phase, sitting.letter):
            seen.append((sitting.phase, sitting.letter))
    assert [phase for phase, _ in seen] == ["ready", "sign", "ready", "sign", "rest", "done"]
    score = sitting.score()
    assert [each.said for each in score.answers] == ["A", None]
    assert score.answers[1].took_s == pytest.approx(SIGN_S, abs=0.15)
    assert (score.accuracy, score.false_letters, score.rest_s) == (0.5, 1, 2)
    assert READY_S > 0


def test_a_window_may_look_at_any_moment() -> None:
    """It does so in a thread of its own: also when an answer is there, and what follows is not yet, or is just now."""
    shown: list[tuple[str, str]] = []

    class Answers(list[ExamAnswer]):
        def append(self, answer: ExamAnswer) -> None:
            shown.append((sitting.phase, sitting.letter))
            super().append(answer)
            shown.append((sitting.phase, sitting.letter))

    sitting = Exam(asked=("A", "B"), rest_s=2, answers=Answers())
    for step in range(200):
        sitting.see(step / 10, said=["A"] if sitting.phase == "sign" else [], hand=True)
    assert shown == [("ready", "A"), ("ready", "B"), ("rest", "none"), ("rest", "none")]
    sitting.phase = "sign"  # as a window may have seen it before the last answer
    assert sitting.letter == "none"


def test_ended_early_it_scores_what_was_asked_and_claims_no_rest() -> None:
    sitting = Exam(asked=("A", "B"))
    sitting.answers.append(ExamAnswer(asked="A", said="A", took_s=1.0))
    score = sitting.score()
    assert (score.accuracy, score.false_letters) == (1.0, None)
    assert score.words_a_minute == pytest.approx(12)


def test_the_table_tells_wrong_refused_and_no_hand_apart() -> None:
    answers = (
        ExamAnswer(asked="A", said="A"), ExamAnswer(asked="A", said="S"), ExamAnswer(asked="A", said=None),
        ExamAnswer(asked="A", said=None, hand=False),
    )  # fmt: skip
    row = ExamScore(answers=answers).table()[0]
    assert row == {"letter": "A", "asked": 4, "right": 1, "refused": 1, "no_hand": 1, "taken_for": ["S"]}
    assert ExamScore(answers=answers).words_a_minute is None


class AlwaysA:
    """Says A, whatever it is shown."""

    def recognise(self, frame: Frame) -> Recognised:
        hand = Hand(landmarks=np.zeros((21, 3), np.float32), handedness="right", score=1)
        return Recognised(hand=hand, letter="A", probabilities=np.full(24, 1, np.float32), refused=False)


@pytest.fixture
def exam(tmp_path: Path) -> ExamFolder:
    workspace = Workspace(root=tmp_path)
    about = {"run": "run", "signer": "maria", "source": "camera 0", "seed": 0}
    folder = ExamFolder.new(workspace, name="run-maria", signer="maria", about=about)
    folder.keep(np.zeros((48, 64, 3), np.uint8), "A")
    folder.finish(ExamScore(answers=(ExamAnswer(asked="A", said="A", took_s=1.0),)))
    return folder


def test_score_report_and_frames_are_there(exam: ExamFolder) -> None:
    assert "**100.0%** of 1 letters right" in (exam.path / "README.md").read_text()
    assert (exam.path / "result.json").is_file()
    assert [path.parent.name for path in exam.path.rglob("*.jpg")] == ["A"]
    again = ExamFolder.new(Workspace(root=exam.path.parents[1]), name="run-maria", signer="maria", about={})
    assert again.path != exam.path


def test_a_labelled_folder_gives_a_score_without_a_camera(tmp_path: Path) -> None:
    for name, value in (("A", 0), ("b", 1), ("none", 9)):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.png").write_bytes(encode_png(np.full((48, 64, 3), value, np.uint8)))
    chosen = labelled_images(tmp_path, ("A", "B", "C"), 2, np.random.default_rng(0))
    assert Counter(letter for letter, _ in chosen) == {"A": 2, "B": 2, "none": 2}
    kept: list[str] = []
    frames = ((letter, decode_image(path.read_bytes())) for letter, path in chosen)
    score = examine_frames(AlwaysA(), frames, len(chosen), lambda frame, letter: kept.append(letter))
    assert (score.accuracy, score.false_letters, score.rests) == (0.5, 2, 2)
    assert Counter(kept) == {"A": 2, "B": 2, "none": 2}
    with pytest.raises(InputError, match="no folder of a letter"):
        labelled_images(tmp_path / "A", ("A",), 1, np.random.default_rng(0))


@pytest.fixture
def examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Holds an exam with a recogniser that says A, and tells what it said to the user under `said`."""
    monkeypatch.setattr("aslkit.live.exam.run.Recogniser", lambda run: nullcontext(AlwaysA()))

    def examined(source: object, signer: str = "maria", *, windowed: bool = False) -> dict[str, Any]:
        said: list[str] = []
        folder = ExamFolder.new(Workspace(root=tmp_path), name="run", signer=signer, about={"run": "run"})
        folder.about |= {"signer": signer, "source": str(source)}
        result = run_exam(
            tmp_path, source=str(source), folder=folder, asked=("A",), letters=("A", "B"), times=5,
            rng=np.random.default_rng(0), config=load_settings("live", LiveConfig), rest_s=0, windowed=windowed, on_message=said.append,
        )  # fmt: skip
        return result | {"said": said}

    return examined


def test_damaged_photographs_are_left_out_and_named_hidden_files_are_none(
    tmp_path: Path, examined: Callable[..., dict[str, Any]]
) -> None:
    (tmp_path / "photos" / "A" / "more.png").mkdir(parents=True)
    (tmp_path / "photos" / "A" / "._0.png").write_bytes(b"")
    damaged, whole = tmp_path / "photos" / "A" / "1.png", tmp_path / "photos" / "A" / "0.png"
    damaged.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"No photograph of a letter in .* can be read"):
        examined(tmp_path / "photos")
    assert not (tmp_path / "exams").exists()
    whole.write_bytes(encode_png(np.zeros((48, 64, 3), np.uint8)))
    result = examined(tmp_path / "photos")
    assert (result["accuracy"], result["asked"], result["unreadable"]) == (1.0, 1, [str(damaged)])
    assert result["said"][0] == "Not in the folder, so not asked: B"
    assert result["not_in_folder"] == ["B"]
    assert len(result["said"]) == 2
    assert result["said"][1].startswith(f"{damaged}: not an image")


def test_an_exam_of_somebody_trained_on_says_that_it_flatters(
    tmp_path: Path, examined: Callable[..., dict[str, Any]]
) -> None:
    (tmp_path / "photos" / "A").mkdir(parents=True)
    (tmp_path / "photos" / "A" / "0.png").write_bytes(encode_png(np.zeros((48, 64, 3), np.uint8)))
    (tmp_path / "metrics.json").write_text(json.dumps({"trained_on": {"signers": ["ben", "maria"]}}))
    known, stranger = examined(tmp_path / "photos"), examined(tmp_path / "photos", "cleo")
    assert (known["known"], stranger["known"]) == (True, False)
    assert any("has learned from maria: the score flatters" in line for line in known["said"])
    assert not any("flatters" in line for line in stranger["said"])
    assert "so the score flatters" in (Path(known["folder"]) / "README.md").read_text()
    assert "flatters" not in (Path(stranger["folder"]) / "README.md").read_text()


def test_the_signer_who_is_examined_is_the_one_who_is_drawn(
    examined: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def opened(source: str, *, signer: str, **_: Any) -> Any:
        drawn.append(signer)
        return nullcontext(
            iter([SourceFrame(image=np.zeros((48, 64, 3), np.uint8), name="0", time_s=0, captured_at=None)])
        )

    monkeypatch.setattr("aslkit.live.exam.run.open_source", opened)
    assert examined("synthetic", signer="synthetic-eve")["signer"] == drawn[0] == "synthetic-eve"


def test_without_a_display_it_does_not_begin_and_says_what_an_exam_has(
    examined: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aslkit.live.window.window.display_works", lambda: False)
    monkeypatch.setattr("aslkit.live.exam.run.Recogniser", lambda run: pytest.fail("the model was loaded"))
    with pytest.raises(AslkitError, match=r"no display for the window. Add --no-preview to be asked in words\.$"):
        examined("0", windowed=True)


def test_an_exam_that_could_not_begin_leaves_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["exam", "nowhere", "--source", str(tmp_path), "--workspace", str(tmp_path)])
    assert result.exit_code == 2
    assert "There is no run" in result.output
    (tmp_path / "runs" / "r" / "model").mkdir(parents=True)
    result = CliRunner().invoke(main, ["exam", "--source", str(tmp_path), "--workspace", str(tmp_path)])
    assert result.exit_code == 1
    assert "missing or damaged" in result.output
    assert not (tmp_path / "exams").exists()


def test_nothing_is_ever_trained_on_it(exam: ExamFolder, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    assert list(walk_captures(workspace.captures)) == []  # it does not lie with the captures
    moved = workspace.captures / "maria" / "exam"
    moved.parent.mkdir(parents=True)
    exam.session.rename(moved)  # somebody means well
    with pytest.raises(InputError, match="is an exam, which evaluates a recogniser"):
        list(walk_captures(workspace.captures))
    info = SessionInfo(signer="maria", session="two", camera="import")
    with pytest.raises(InputError, match="must not be used for training"):
        import_folder(moved, workspace=workspace, info=info, mirrored=False)
