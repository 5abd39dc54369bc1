"""Exams: prompts, score, stored frames, and protection of the frames against training."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import walk_captures
from aslkit.formats.image_folders.read_folder import read_image_folder
from aslkit.live.config import LiveConfig
from aslkit.live.exam.images import decode_images, select_images
from aslkit.live.exam.report_page import MAX_IMAGES
from aslkit.live.exam.result_folder import ExamFolder
from aslkit.live.exam.run import examine_frames, run_exam
from aslkit.live.exam.scoring import READY_S, SIGN_S, Exam, ExamScore, LetterResult, shuffle_letters
from aslkit.live.recogniser import Recognition
from aslkit.video.source_frame import SourceFrame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame, decode_image, encode_png, pixel_hash
from tests.live.factories import write_training_data


def test_shuffle_letters_repeats_each_letter_and_depends_on_seed() -> None:
    letters = shuffle_letters("ABCD", 3, np.random.default_rng(0))
    assert Counter(letters) == dict.fromkeys("ABCD", 3)
    assert letters == shuffle_letters("ABCD", 3, np.random.default_rng(0))
    assert letters != shuffle_letters("ABCD", 3, np.random.default_rng(1))


def test_exam_runs_through_all_phases() -> None:
    exam = Exam(prompts=("A", "B"), rest_s=2)
    states: list[tuple[str, str]] = []
    for step in range(200):
        now_s = step / 10
        letters: list[str] = []
        if exam.phase == "sign" and exam.letter == "A":
            letters = ["A"]
        if exam.phase == "rest" and exam.false_letters == 0:
            letters = ["X"]
        exam.process_frame(now_s, letters=letters, hand=True)
        if not states or states[-1] != (exam.phase, exam.letter):
            states.append((exam.phase, exam.letter))
    assert [phase for phase, _ in states] == ["ready", "sign", "ready", "sign", "rest", "done"]
    score = exam.score()
    assert [result.predicted for result in score.results] == ["A", None]
    assert score.results[1].duration_s == pytest.approx(SIGN_S, abs=0.15)
    assert (score.accuracy, score.false_letters, score.rest_s) == (0.5, 1, 2)
    assert READY_S > 0


def test_exam_is_consistent_for_other_threads() -> None:
    """The window reads phase and letter in another thread, also immediately before and after a result is added."""
    states: list[tuple[str, str]] = []

    class Results(list[LetterResult]):
        def append(self, result: LetterResult) -> None:
            states.append((exam.phase, exam.letter))
            super().append(result)
            states.append((exam.phase, exam.letter))

    exam = Exam(prompts=("A", "B"), rest_s=2, results=Results())
    for step in range(200):
        exam.process_frame(step / 10, letters=["A"] if exam.phase == "sign" else [], hand=True)
    assert states == [("ready", "A"), ("ready", "B"), ("rest", "none"), ("rest", "none")]
    exam.phase = "sign"  # a window may have read it before the last result was added
    assert exam.letter == "none"


def test_score_of_unfinished_exam_has_no_rest() -> None:
    exam = Exam(prompts=("A", "B"))
    exam.results.append(LetterResult(letter="A", predicted="A", duration_s=1.0))
    score = exam.score()
    assert (score.accuracy, score.false_letters) == (1.0, None)
    assert score.words_per_minute == pytest.approx(12)


def test_letter_table_distinguishes_wrong_rejected_and_no_hand() -> None:
    results = (
        LetterResult(letter="A", predicted="A"),
        LetterResult(letter="A", predicted="S"),
        LetterResult(letter="A", predicted=None),
        LetterResult(letter="A", predicted=None, hand_found=False),
    )
    row = ExamScore(results=results).letter_table()[0]
    assert row == {"letter": "A", "asked": 4, "right": 1, "refused": 1, "no_hand": 1, "taken_for": ["S"]}
    assert ExamScore(results=results).words_per_minute is None


class AlwaysA:
    """Predicts A for every frame."""

    def recognise(self, frame: Frame) -> Recognition:
        hand = Hand(landmarks=np.zeros((21, 3), np.float32), handedness="right", score=1)
        return Recognition(hand=hand, letter="A", probabilities=np.full(24, 1, np.float32), rejected=False)


@pytest.fixture
def exam_folder(tmp_path: Path) -> ExamFolder:
    workspace = Workspace(root=tmp_path)
    metadata = {"run": "run", "signer": "maria", "source": "camera 0", "seed": 0}
    folder = ExamFolder.new(workspace, name="run-maria", signer="maria", metadata=metadata)
    folder.store_frame(np.zeros((48, 64, 3), np.uint8), "A")
    folder.write_result(ExamScore(results=(LetterResult(letter="A", predicted="A", duration_s=1.0),)))
    return folder


def test_exam_folder_has_score_report_and_frames(exam_folder: ExamFolder) -> None:
    report = (exam_folder.path / "README.md").read_text()
    assert "Accuracy: **100.0%**\n" in report
    assert "- Prompts: 1\n" in report
    assert (exam_folder.path / "result.json").is_file()
    assert [path.parent.name for path in exam_folder.path.rglob("*.jpg")] == ["A"]
    workspace = Workspace(root=exam_folder.path.parents[1])
    second = ExamFolder.new(workspace, name="run-maria", signer="maria", metadata={})
    assert second.path != exam_folder.path


def test_page_shows_the_images_without_the_right_letter(tmp_path: Path) -> None:
    metadata = {"run": "run", "signer": "maria", "source": "photos"}
    folder = ExamFolder.new(Workspace(root=tmp_path), name="exam", signer="maria", metadata=metadata)
    predicted = ["A", "S", None, *["M"] * MAX_IMAGES]
    images = [folder.store_frame(np.full((48, 64, 3), 9, np.uint8), "A") for _ in predicted]
    folder.write_result(
        ExamScore(
            results=tuple(
                LetterResult(letter="A", predicted=each, image=image)
                for each, image in zip(predicted, images, strict=True)
            )
        )
    )
    page = (folder.path / "report.html").read_text()
    assert page.count("<img") == MAX_IMAGES
    assert "predicted as S" in page
    assert "rejected" in page
    assert "And 2 more in" in page
    assert images[0] not in page  # it was correct
    links = [link for link in re.findall(r'href="([^"]+)"', page) if link != "frames"]
    assert all((folder.path / link).is_file() for link in links)
    assert "prefers-color-scheme: dark" in page


def test_labelled_images_are_scored(tmp_path: Path) -> None:
    for name, value in (("A", 0), ("b", 1), ("none", 9)):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.png").write_bytes(encode_png(np.full((48, 64, 3), value, np.uint8)))
    selected = select_images(tmp_path, ("A", "B", "C"), 2, np.random.default_rng(0))
    assert Counter(letter for letter, _ in selected) == {"A": 2, "B": 2, "none": 2}
    stored: list[str] = []
    frames = ((letter, decode_image(path.read_bytes())) for letter, path in selected)

    def store(frame: Frame, letter: str) -> str:
        stored.append(letter)
        return ""

    score = examine_frames(AlwaysA(), frames, len(selected), store)
    assert (score.accuracy, score.false_letters, score.rest_frames) == (0.5, 2, 2)
    assert Counter(stored) == {"A": 2, "B": 2, "none": 2}
    with pytest.raises(InputError, match=r"no images of B\. It has images of: A"):
        select_images(tmp_path / "A", ("B",), 1, np.random.default_rng(0))


def test_images_of_other_layouts_are_selected(tmp_path: Path) -> None:
    for name in (
        "flat/A_test.png",
        "flat/nothing_test.png",
        "split/test/b/1.png",
        "split/train/A/1.png",
        "odd/0/1.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(encode_png(np.zeros((48, 64, 3), np.uint8)))
    rng = np.random.default_rng(0)
    assert Counter(letter for letter, _ in select_images(tmp_path / "flat", LETTERS, 2, rng)) == {"A": 1, "none": 1}
    messages: list[str] = []
    selected = select_images(tmp_path / "split", LETTERS, 2, rng, on_message=messages.append)
    assert selected == [("B", tmp_path / "split/test/b/1.png")]
    assert messages == [
        f"{tmp_path / 'split'} has the splits train, test. Only test is used. For another one, give its folder."
    ]
    assert [letter for letter, _ in select_images(tmp_path / "split/train", LETTERS, 2, rng)] == ["A"]
    assert [letter for letter, _ in select_images(tmp_path / "odd", LETTERS, 2, rng, {"0": "c"})] == ["C"]
    with pytest.raises(InputError, match="--labels 0=A"):
        select_images(tmp_path / "odd", LETTERS, 2, rng)


def test_unlabelled_images_show_the_given_letter(tmp_path: Path) -> None:
    for name in ("IMG_1.png", "IMG_2.png", ".hidden.png"):
        (tmp_path / name).write_bytes(encode_png(np.zeros((48, 64, 3), np.uint8)))
    (tmp_path / "notes.txt").write_text("Taken on Sunday")
    rng, messages = np.random.default_rng(0), list[str]()
    selected = select_images(tmp_path, ("C",), 5, rng, single_letter=True, on_message=messages.append)
    assert sorted(selected) == [("C", tmp_path / "IMG_1.png"), ("C", tmp_path / "IMG_2.png")]
    assert messages == [f"The images in {tmp_path} are not labelled. All 2 count as C."]
    with pytest.raises(InputError, match=r"contains images, but not their letters.* add it, such as --letter A"):
        select_images(tmp_path, LETTERS, 5, rng)


def test_mirrored_images_are_unmirrored(tmp_path: Path) -> None:
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, :32] = 255
    (tmp_path / "0.png").write_bytes(encode_png(frame))
    ((_, decoded),) = decode_images([("A", tmp_path / "0.png")], [], pytest.fail, mirrored=True)
    np.testing.assert_array_equal(decoded, frame[:, ::-1])


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Return a function that runs an exam with `AlwaysA`. "messages" in its result are the messages for the user."""
    monkeypatch.setattr("aslkit.live.exam.run.Recogniser", lambda run, **_: nullcontext(AlwaysA()))

    def run(source: object, signer: str = "maria", *, windowed: bool = False) -> dict[str, Any]:
        messages: list[str] = []
        metadata = {"run": "run", "signer": signer, "source": str(source)}
        result = run_exam(
            tmp_path,
            source=str(source),
            folder=ExamFolder.new(Workspace(root=tmp_path), name="run", signer=signer, metadata=metadata),
            prompts=("A",),
            letters=("A", "B"),
            times=5,
            rng=np.random.default_rng(0),
            config=load_settings("live", LiveConfig),
            rest_s=0,
            windowed=windowed,
            on_message=messages.append,
        )
        return result | {"messages": messages}

    return run


def test_clips_are_left_out_with_a_message(tmp_path: Path, examine: Callable[..., dict[str, Any]]) -> None:
    (tmp_path / "photos" / "J").mkdir(parents=True)
    (tmp_path / "photos" / "J" / "1.mp4").write_bytes(b"never opened")
    with pytest.raises(InputError, match=r"has only movements, J, which can only be tested at a camera\."):
        examine(tmp_path / "photos")
    (tmp_path / "photos" / "A").mkdir()
    (tmp_path / "photos" / "A" / "0.png").write_bytes(encode_png(np.zeros((48, 64, 3), np.uint8)))
    result = examine(tmp_path / "photos")
    assert "Skipped, because movements can only be tested at a camera: J" in result["messages"]
    assert result["asked"] == 1


def test_damaged_images_are_reported_and_hidden_files_ignored(
    tmp_path: Path, examine: Callable[..., dict[str, Any]]
) -> None:
    (tmp_path / "photos" / "A" / "more.png").mkdir(parents=True)
    (tmp_path / "photos" / "A" / "._0.png").write_bytes(b"")
    damaged, intact = tmp_path / "photos" / "A" / "1.png", tmp_path / "photos" / "A" / "0.png"
    damaged.write_bytes(b"no image")
    with pytest.raises(InputError, match=r"None of the images of letters in .* can be read"):
        examine(tmp_path / "photos")
    assert not (tmp_path / "exams").exists()
    intact.write_bytes(encode_png(np.zeros((48, 64, 3), np.uint8)))
    result = examine(tmp_path / "photos")
    assert (result["accuracy"], result["asked"], result["unreadable"]) == (1.0, 1, [str(damaged)])
    assert result["messages"][0] == "Skipped, because the folder has no images of them: B"
    assert result["not_in_folder"] == ["B"]
    assert len(result["messages"]) == 2
    assert result["messages"][1].startswith(f"{damaged}: not an image")


def test_exam_of_training_signer_is_marked_as_optimistic(
    tmp_path: Path, examine: Callable[..., dict[str, Any]]
) -> None:
    (tmp_path / "photos" / "A").mkdir(parents=True)
    (tmp_path / "photos" / "A" / "0.png").write_bytes(encode_png(np.zeros((48, 64, 3), np.uint8)))
    write_training_data(tmp_path, signers=["ben", "maria"])
    known, unseen = examine(tmp_path / "photos"), examine(tmp_path / "photos", "cleo")
    assert (known["known"], unseen["known"]) == (True, False)
    assert any("was trained on maria, so the score is optimistic" in line for line in known["messages"])
    assert not any("optimistic" in line for line in unseen["messages"])
    assert "so the score is optimistic" in (Path(known["folder"]) / "README.md").read_text()
    assert "optimistic" not in (Path(unseen["folder"]) / "README.md").read_text()


def test_exam_on_training_images_is_marked_as_optimistic(
    tmp_path: Path, examine: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos" / "A").mkdir(parents=True)
    images = [np.full((48, 64, 3), value, np.uint8) for value in (0, 90)]
    for number, image in enumerate(images):
        (tmp_path / "photos" / "A" / f"{number}.png").write_bytes(encode_png(image))
    hashes = frozenset({pixel_hash(images[0])})
    monkeypatch.setattr("aslkit.live.exam.run.read_training_hashes", lambda _: hashes)
    known = examine(tmp_path / "photos")
    assert known["training_images"] == 1
    assert any("was trained on 1 of the 2 images, so the score is optimistic" in line for line in known["messages"])
    for name in ("README.md", "report.html"):
        assert "trained on 1 of these images" in (Path(known["folder"]) / name).read_text(encoding="utf-8")
    hashes = frozenset()
    unseen = examine(tmp_path / "photos")
    assert unseen["training_images"] == 0
    assert not any("optimistic" in line for line in unseen["messages"])


def test_synthetic_source_renders_examined_signer(
    examine: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []

    def open_source(source: str, *, signer: str, **_: Any) -> Any:
        rendered.append(signer)
        return nullcontext(
            iter([SourceFrame(image=np.zeros((48, 64, 3), np.uint8), name="0", time_s=0, captured_at=None)])
        )

    monkeypatch.setattr("aslkit.live.exam.run.open_source", open_source)
    assert examine("synthetic", signer="synthetic-eve")["signer"] == rendered[0] == "synthetic-eve"


def test_missing_display_is_reported_before_model_is_loaded(
    examine: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aslkit.live.window.window.display_works", lambda: False)
    monkeypatch.setattr("aslkit.live.exam.run.Recogniser", lambda run, **_: pytest.fail("the model was loaded"))
    with pytest.raises(
        AslkitError, match=r"No display found .* Add --no-preview to show the prompts in the terminal\.$"
    ):
        examine("0", windowed=True)


def test_failed_exam_leaves_no_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["exam", "nowhere", "--source", str(tmp_path), "--workspace", str(tmp_path)])
    assert result.exit_code == 2
    assert "There is no run" in result.output
    (tmp_path / "runs" / "r" / "model").mkdir(parents=True)
    result = CliRunner().invoke(main, ["exam", "--source", str(tmp_path), "--workspace", str(tmp_path)])
    assert result.exit_code == 1
    assert "missing or damaged" in result.output
    assert not (tmp_path / "exams").exists()


def test_exam_frames_are_never_trained_on(exam_folder: ExamFolder, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    assert list(walk_captures(workspace.captures)) == []  # exams are not in the captures folder
    moved = workspace.captures / "maria" / "exam"
    moved.parent.mkdir(parents=True)
    exam_folder.session_folder.rename(moved)  # a user may move them there
    with pytest.raises(InputError, match="is an exam, which evaluates a recogniser"):
        list(walk_captures(workspace.captures))
    for folder in (moved, workspace.captures):
        with pytest.raises(InputError, match="must not be used for training"):
            read_image_folder(folder)


@pytest.mark.parametrize("command", ["exam", "live", "capture"])
def test_archive_of_images_is_explained(command: str, tmp_path: Path) -> None:
    archive = tmp_path / "my photos.zip"
    archive.write_bytes(b"PK")
    imported = CliRunner().invoke(main, ["import", str(archive), "--workspace", str(tmp_path)])
    result = CliRunner().invoke(main, [command, "--source", str(archive), "--workspace", str(tmp_path)])
    assert (result.exit_code, result.output) == (2, imported.output)
    assert "is an archive. Unpack it with" in result.output


@pytest.mark.parametrize(
    ("letters", "predicted"),
    [
        (["I", "J"], "J"),  # the hand shape before the movement is no answer
        (["J"], "J"),
        (["D"], "D"),
        (["I"], "I"),  # the movement was not recognised until the time was over
        ([], None),
    ],
)
def test_the_hand_shape_before_a_movement_is_no_answer(letters: list[str], predicted: str | None) -> None:
    exam = Exam(prompts=("J",), rest_s=0)
    exam.process_frame(0.0, letters=[], hand=True)
    exam.process_frame(READY_S, letters=[], hand=True)
    for number, letter in enumerate(letters):
        exam.process_frame(READY_S + 0.5 + number, letters=[letter], hand=True)
    exam.process_frame(READY_S + SIGN_S + 0.1, letters=[], hand=True)
    assert exam.results[0].predicted == predicted
