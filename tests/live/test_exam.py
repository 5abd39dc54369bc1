"""An exam: asked for, scored, kept apart from what is trained on."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from aslkit.capture.importer import import_folder
from aslkit.captures import SessionInfo, walk
from aslkit.errors import InputError
from aslkit.live.exam import READY_S, SIGN_S, Answer, Score, Sitting, order
from aslkit.live.exam_folder import ExamFolder
from aslkit.workspace import Workspace


def test_each_letter_so_often_in_an_order_that_the_seed_decides() -> None:
    asked = order("ABCD", 3, np.random.default_rng(0))
    assert Counter(asked) == dict.fromkeys("ABCD", 3)
    assert asked == order("ABCD", 3, np.random.default_rng(0)) != order("ABCD", 3, np.random.default_rng(1))


def test_a_whole_sitting() -> None:
    sitting = Sitting(asked=("A", "B"), rest_s=2)
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


def test_ended_early_it_scores_what_was_asked_and_claims_no_rest() -> None:
    sitting = Sitting(asked=("A", "B"))
    sitting.answers.append(Answer(asked="A", said="A", took_s=1.0))
    score = sitting.score()
    assert (score.accuracy, score.false_letters) == (1.0, None)
    assert score.words_a_minute == pytest.approx(12)


def test_the_table_tells_wrong_refused_and_no_hand_apart() -> None:
    answers = (
        Answer(asked="A", said="A"), Answer(asked="A", said="S"), Answer(asked="A", said=None),
        Answer(asked="A", said=None, hand=False),
    )  # fmt: skip
    row = Score(answers=answers).table()[0]
    assert row == {"letter": "A", "asked": 4, "right": 1, "refused": 1, "no_hand": 1, "taken_for": ["S"]}
    assert Score(answers=answers).words_a_minute is None


@pytest.fixture
def exam(tmp_path: Path) -> ExamFolder:
    workspace = Workspace(root=tmp_path)
    about = {"run": "run", "signer": "maria", "source": "camera 0", "seed": 0}
    folder = ExamFolder.new(workspace, name="run-maria", signer="maria", about=about)
    folder.keep(np.zeros((48, 64, 3), np.uint8), "A")
    folder.finish(Score(answers=(Answer(asked="A", said="A", took_s=1.0),)))
    return folder


def test_score_report_and_frames_are_there(exam: ExamFolder) -> None:
    assert "**100.0%** of 1 letters right" in (exam.path / "README.md").read_text()
    assert (exam.path / "result.json").is_file()
    assert [path.parent.name for path in exam.path.rglob("*.jpg")] == ["A"]
    again = ExamFolder.new(Workspace(root=exam.path.parents[1]), name="run-maria", signer="maria", about={})
    assert again.path != exam.path


def test_nothing_is_ever_trained_on_it(exam: ExamFolder, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    assert list(walk(workspace.captures)) == []  # it does not lie with the captures
    moved = workspace.captures / "maria" / "exam"
    moved.parent.mkdir(parents=True)
    exam.session.rename(moved)  # somebody means well
    with pytest.raises(InputError, match="is an exam: it measures a recogniser"):
        list(walk(workspace.captures))
    info = SessionInfo(signer="maria", session="two", camera="import")
    with pytest.raises(InputError, match="none may be trained on it"):
        import_folder(moved, workspace=workspace, info=info, mirrored=False)
