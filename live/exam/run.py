"""Holding an exam: before a camera, or on a folder of photographs or a video whose letters are known."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.errors import InputError
from aslkit.core.files import natural_key
from aslkit.core.letters import NO_LETTER
from aslkit.core.progress import OnMessage, progress_bar
from aslkit.formats.run_metrics import read_training_signers
from aslkit.live.config import LiveConfig
from aslkit.live.exam.result_folder import ExamFolder
from aslkit.live.exam.scoring import Exam, ExamAnswer, ExamScore
from aslkit.live.frame_loop import FrameLoop, open_stream
from aslkit.live.reader import Reader, RecogniserProtocol
from aslkit.live.recogniser import Recogniser
from aslkit.live.speller import Event
from aslkit.video.sources import LIVE_KINDS, open_source, source_kind
from aslkit.vision.images import IMAGE_SUFFIXES, Frame, ImageError, decode_image, read_image_file

KEEP_EVERY_S: Final = 0.2
NO_DISPLAY: Final = "There is no display for the window. Add --no-preview to be asked in words."


def labelled_images(
    folder: Path, letters: tuple[str, ...], times: int, rng: np.random.Generator
) -> list[tuple[str, Path]]:
    """Photographs to ask about: `times` of each letter's folder, and of `none`, in random order.

    Raises:
        InputError: there is none of these letters.
    """
    found = []
    for letter in (*letters, NO_LETTER):
        for name in dict.fromkeys((letter, letter.lower())):
            inside = folder / name
            files = sorted(_images(inside), key=lambda path: natural_key(path.name)) if inside.is_dir() else []
            chosen = rng.permutation(len(files))[:times].tolist()
            found += [(letter, files[index]) for index in chosen]
            if files:
                break
    if not any(letter != NO_LETTER for letter, _ in found):
        raise InputError(f"{folder} holds no folder of a letter with photographs in it, such as {folder / letters[0]}.")
    return [found[index] for index in rng.permutation(len(found)).tolist()]


def _images(folder: Path) -> Iterator[Path]:
    """Its images, but none that is hidden, such as what a file manager leaves."""
    return (
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "." and path.is_file()
    )


def readable_images(
    chosen: list[tuple[str, Path]], unreadable: list[str], on_message: OnMessage
) -> Iterator[tuple[str, Frame]]:
    """Decode photographs of known letters; those that are damaged are left out, said and listed."""
    for letter, path in chosen:
        try:
            frame = decode_image(read_image_file(path))
        except ImageError as error:
            unreadable.append(str(path))
            on_message(f"{path}: {error.message}. It is left out.")
            continue
        yield letter, frame


def examine_frames(
    recogniser: RecogniserProtocol, frames: Iterator[tuple[str, Frame]], total: int, keep: Callable[[Frame, str], None]
) -> ExamScore:
    """Ask about frames whose letter is known, each judged alone by the model's own threshold."""
    answers, false, rests = [], 0, 0
    with progress_bar("Examining", total) as advance:
        for letter, frame in frames:
            seen = recogniser.recognise(frame)
            keep(frame, letter)
            said = None if seen.refused else seen.letter
            if letter == NO_LETTER:
                rests, false = rests + 1, false + (said is not None)
            else:
                answers.append(ExamAnswer(asked=letter, said=said, hand=seen.hand is not None))
            advance()
    measured = {"false_letters": false, "rests": rests} if rests else {}
    return ExamScore(answers=tuple(answers), **measured)


class LiveExam:
    """An exam before a camera: a sitting that follows a reader. Shown by `aslkit.live.exam.window`, or in words.

    Args:
        sitting: asks.
        keep: stores a frame under a letter.
    """

    def __init__(self, sitting: Exam, keep: Callable[[Frame, str], None]) -> None:
        self.sitting, self._keep = sitting, keep
        self._said: list[str] = []
        self._kept_s = -KEEP_EVERY_S

    def heard(self, event: Event) -> None:
        """A reader's event."""
        if event.kind == "letter" and event.letter is not None:
            self._said.append(event.letter)

    def after(self, reader: Reader, time_s: float) -> None:
        """A frame was read."""
        sitting, reading = self.sitting, reader.reading
        if sitting.phase in ("sign", "rest") and time_s - self._kept_s >= KEEP_EVERY_S and reading.frame is not None:
            self._keep(reading.frame, sitting.letter)
            self._kept_s = time_s
        before = sitting.phase
        said, self._said = self._said, []
        hand = reading.seen is not None and reading.seen.hand is not None
        sitting.see(time_s, said=said, hand=hand)
        if before != sitting.phase and sitting.phase == "sign":
            reader.reset()  # a letter held since before "now" counts from now on


def run_exam(
    run: Path,
    *,
    source: str,
    folder: ExamFolder,
    asked: tuple[str, ...],
    letters: tuple[str, ...],
    times: int,
    rng: np.random.Generator,
    config: LiveConfig,
    rest_s: float,
    windowed: bool,
    on_message: OnMessage,
) -> dict[str, Any]:
    """Hold an exam, and return its result as result.json has it.

    Args:
        run: the folder that `aslkit train` wrote.
        source: a camera or stream; a folder with a folder for each letter; or a video of one letter.
        folder: where score, report and frames go.
        asked: letters in order, for a camera.
        letters: which may be asked for; of a video, the one that it shows.
        times: how often each.
        rng: chooses photographs.
        config: the rule.
        rest_s: rest at the end, seconds.
        windowed: show a window; otherwise letters are asked for in words.
        on_message: tells the user what to do.

    Raises:
        InputError: no run, no such source, no letters in it, or none that can be read.
        AslkitError: the model is damaged, the source cannot be read, there is no display.
    """
    kind = source_kind(source)
    if windowed and kind in LIVE_KINDS:
        from aslkit.live.window.window import require_display

        require_display(NO_DISPLAY)
    with Recogniser(run) as recogniser:
        folder.about["known"] = folder.signer in read_training_signers(run)
        if folder.about["known"]:
            on_message(
                f"{run.name} has learned from {folder.signer}: the score flatters, and says nothing of strangers."
            )
        if kind in LIVE_KINDS:
            score = _at_camera(
                recogniser, source, config, Exam(asked=asked, rest_s=rest_s), folder, windowed=windowed, say=on_message
            )
        elif kind == "folder":
            score = _of_photographs(
                recogniser,
                Path(source),
                letters,
                labelled_images(Path(source), letters, times, rng),
                folder,
                on_message,
            )
        else:
            with open_source(source, letter=letters[0], signer=folder.signer, session="exam") as given:
                score = examine_frames(recogniser, _apart(given, letters[0], times), times, folder.keep)
        return folder.finish(score)


def _at_camera(
    recogniser: Recogniser,
    source: str,
    config: LiveConfig,
    sitting: Exam,
    folder: ExamFolder,
    *,
    windowed: bool,
    say: Callable[[str], None],
) -> ExamScore:
    exam = LiveExam(sitting, folder.keep)
    reader = Reader(recogniser=recogniser, contract=recogniser.contract, config=config, on_event=exam.heard)
    stream = open_stream(source, config, paced=False, patient=windowed)
    watching = FrameLoop(stream, reader, live=True, after=exam.after)
    try:
        _sit(sitting, reader, watching, windowed, say)
    finally:
        watching.close()  # waits: the last answer may just be being written down
    return sitting.score()


def _of_photographs(
    recogniser: RecogniserProtocol,
    source: Path,
    letters: tuple[str, ...],
    chosen: list[tuple[str, Path]],
    folder: ExamFolder,
    say: Callable[[str], None],
) -> ExamScore:
    _say_what_is_missing(letters, chosen, folder, say)
    unreadable = folder.about["unreadable"] = list[str]()
    score = examine_frames(recogniser, readable_images(chosen, unreadable, say), len(chosen), folder.keep)
    if not score.answers:
        raise InputError(f"No photograph of a letter in {source} can be read.")
    return score


def _say_what_is_missing(
    letters: tuple[str, ...], chosen: list[tuple[str, Path]], folder: ExamFolder, say: Callable[[str], None]
) -> None:
    there = {letter for letter, _ in chosen}
    missing = folder.about["not_in_folder"] = [letter for letter in letters if letter not in there]
    if missing:
        say(f"Not in the folder, so not asked: {' '.join(missing)}")


def _apart(given: Any, letter: str, times: int) -> Iterator[tuple[str, Frame]]:
    due_s = 0.0
    for frame in given:
        if frame.time_s is None or frame.time_s >= due_s:
            due_s = (frame.time_s or 0.0) + KEEP_EVERY_S
            yield letter, frame.image
            times -= 1
            if times <= 0:
                return


def _sit(sitting: Exam, reader: Reader, watching: FrameLoop, windowed: bool, on_message: OnMessage) -> None:
    try:
        if windowed:
            from aslkit.live.exam.window import show_exam

            show_exam(sitting, reader, watching)
            return
        before = None
        while sitting.phase != "done" and not watching.finished.wait(0.05):
            now = (sitting.phase, len(sitting.answers))
            if now != before:
                before = now
                on_message(prompt_text(sitting))
        watching.check()
    except KeyboardInterrupt:
        on_message("Ended early: what was asked until now is scored.")


def prompt_text(sitting: Exam) -> str:
    """What the signer is told."""
    if sitting.phase == "ready":
        return f"{len(sitting.answers) + 1} of {len(sitting.asked)}: get ready for {sitting.letter}"
    if sitting.phase == "sign":
        return f"Sign {sitting.letter} now"
    if sitting.phase == "rest":
        return f"Rest for {sitting.rest_s:g} s: hands as you like, but no letters"
    return "Done"
