"""Runs an exam: with a camera, or with labelled images or a video."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.errors import InputError
from aslkit.core.letters import NO_LETTER
from aslkit.core.progress import OnMessage, progress_bar
from aslkit.core.sanitize import format_count
from aslkit.formats.run_metrics import read_training_signers
from aslkit.live.config import LiveConfig
from aslkit.live.exam.images import decode_images, select_images
from aslkit.live.exam.result_folder import ExamFolder
from aslkit.live.exam.scoring import Exam, ExamScore, LetterResult, prompt_text
from aslkit.live.exam.training_images import read_training_hashes
from aslkit.live.frame_loop import FrameLoop, open_stream
from aslkit.live.reader import Reader, RecogniserProtocol
from aslkit.live.recogniser import Recogniser
from aslkit.live.speller import Event
from aslkit.video.source_frame import SourceFrame
from aslkit.video.source_kind import LIVE_KINDS, source_kind
from aslkit.video.sources import ReadOptions, open_source
from aslkit.vision.images import Frame, pixel_hash

FRAME_INTERVAL_S: Final = 0.2
"""Interval at which camera frames are stored, and at which a video is sampled."""

NO_DISPLAY: Final = "No display found for the window. Add --no-preview to show the prompts in the terminal."

_POLL_INTERVAL_S: Final = 0.05

_TIME_TOLERANCE_S: Final = 0.002
"""Tolerance when comparing frame times, because multiples of 1/fps are not exact in floating point."""

StoreFrame = Callable[[Frame, str], str]
"""Stores a frame, BGR, uint8 (height, width, 3), of a letter, and returns its path in the exam's folder."""


def examine_frames(
    recogniser: RecogniserProtocol, frames: Iterator[tuple[str, Frame]], total: int, store_frame: StoreFrame
) -> ExamScore:
    """Score frames of known letters. Each frame is predicted separately, with the model's own threshold.

    Args:
        recogniser: recognises the letter in a frame.
        frames: letter and frame, BGR, uint8 (height, width, 3).
        total: number of frames, for the progress bar.
        store_frame: stores a frame of a letter.
    """
    results, false_letters, rest_frames = [], 0, 0
    with progress_bar("Examining", total) as advance:
        for letter, frame in frames:
            recognition = recogniser.recognise(frame)
            image = store_frame(frame, letter)
            # The model's own threshold, because it was set for frames that are judged alone.
            predicted = None if recognition.rejected else recognition.letter
            if letter == NO_LETTER:
                rest_frames, false_letters = rest_frames + 1, false_letters + (predicted is not None)
            else:
                results.append(
                    LetterResult(
                        letter=letter, predicted=predicted, hand_found=recognition.hand is not None, image=image
                    )
                )
            advance()
    rest = {"false_letters": false_letters, "rest_frames": rest_frames} if rest_frames else {}
    return ExamScore(results=tuple(results), **rest)


class CameraExam:
    """Connects an exam to the events and frames of a reader.

    Args:
        exam: prompts for letters.
        store_frame: stores a frame of a letter.
    """

    def __init__(self, exam: Exam, store_frame: StoreFrame) -> None:
        self.exam, self._store_frame = exam, store_frame
        self._new_letters: list[str] = []
        self._stored_s, self._image = -FRAME_INTERVAL_S, ""

    def on_event(self, event: Event) -> None:
        """Remember an accepted letter until the frame is complete."""
        if event.kind == "letter" and event.letter is not None:
            self._new_letters.append(event.letter)

    def on_frame(self, reader: Reader, time_s: float) -> None:
        """Pass the accepted letters to the exam, and store the frame if it is due."""
        exam, reading = self.exam, reader.reading
        if exam.phase in ("sign", "rest") and time_s - self._stored_s >= FRAME_INTERVAL_S and reading.frame is not None:
            self._image = self._store_frame(reading.frame, exam.letter)
            self._stored_s = time_s
        previous_phase = exam.phase
        letters, self._new_letters = self._new_letters, []
        hand = reading.recognition is not None and reading.recognition.hand is not None
        exam.process_frame(time_s, letters=letters, hand=hand, image=self._image)
        if previous_phase != exam.phase:
            self._image = ""
        if previous_phase != exam.phase and exam.phase == "sign":
            reader.reset()  # a letter that is already held when the prompt appears must be accepted again


def run_exam(
    run: Path,
    *,
    source: str,
    folder: ExamFolder,
    prompts: tuple[str, ...],
    letters: tuple[str, ...],
    times: int,
    rng: np.random.Generator,
    config: LiveConfig,
    rest_s: float,
    windowed: bool,
    on_message: OnMessage,
    labels: Mapping[str, str] | None = None,
    single_letter: bool = False,
    mirrored: bool = False,
) -> dict[str, Any]:
    """Run an exam, and return the values of its result.json.

    Args:
        run: run folder, as written by `aslkit train`.
        source: a camera or stream; a folder of labelled images; or a video of one letter.
        folder: folder for score, report and frames.
        prompts: letters to prompt for, in order, if the source is a camera.
        letters: letters of the images to select; for a video, the letter that it shows.
        times: maximum number of images per letter, or of frames of a video.
        rng: selects images.
        config: settings of live recognition.
        rest_s: duration of the rest at the end, seconds.
        windowed: show the prompts of a camera exam in a window, otherwise in the terminal.
        on_message: called with each line that the user should read.
        labels: names of classes of images and the letters that they stand for; see `read_image_folder`.
        single_letter: whether unlabelled images show the only letter in `letters`.
        mirrored: whether the source is mirrored, as a selfie. Its frames are unmirrored.

    Raises:
        InputError: the run or the source does not exist, or the source has no readable image of the letters.
        AslkitError: the model is damaged, the source cannot be read, or there is no display.
    """
    kind = source_kind(source)
    if windowed and kind in LIVE_KINDS:
        from aslkit.live.window.window import require_display

        # Before the model is loaded and the camera is opened, which take seconds.
        require_display(NO_DISPLAY)
    with Recogniser(run, consecutive=kind != "folder") as recogniser:
        folder.metadata["known"] = folder.signer in read_training_signers(run)
        if folder.metadata["known"]:
            on_message(
                f"{run.name} was trained on {folder.signer}, so the score is optimistic. It says nothing about unseen "
                "signers."
            )
        if kind in LIVE_KINDS:
            exam = Exam(prompts=prompts, rest_s=rest_s)
            score = _examine_camera(
                recogniser, source, config, exam, folder, windowed=windowed, mirrored=mirrored, on_message=on_message
            )
        elif kind == "folder":
            selected = select_images(
                Path(source), letters, times, rng, labels, single_letter=single_letter, on_message=on_message
            )
            _report_missing_letters(letters, selected, folder, on_message)
            score = _examine_images(recogniser, run, selected, folder, mirrored=mirrored, on_message=on_message)
            if not score.results:
                raise InputError(f"None of the images of letters in {source} can be read.")
        else:
            score = _examine_video(recogniser, source, letters[0], times, folder, mirrored, on_message)
        return folder.write_result(score)


def _examine_video(
    recogniser: Recogniser,
    source: str,
    letter: str,
    times: int,
    folder: ExamFolder,
    mirrored: bool,
    on_message: OnMessage,
) -> ExamScore:
    options = ReadOptions(mirrored=mirrored)
    with open_source(
        source, letter=letter, signer=folder.signer, session="exam", on_note=on_message, options=options
    ) as video:
        return examine_frames(recogniser, _sample_video(video, letter, times), times, folder.store_frame)


def _examine_camera(
    recogniser: Recogniser,
    source: str,
    config: LiveConfig,
    exam: Exam,
    folder: ExamFolder,
    *,
    windowed: bool,
    mirrored: bool,
    on_message: OnMessage,
) -> ExamScore:
    camera_exam = CameraExam(exam, folder.store_frame)
    reader = Reader(
        recogniser=recogniser, contract=recogniser.contract, config=config, on_event=camera_exam.on_event,
        motion=recogniser.create_motion_reader(),
    )  # fmt: skip
    stream = open_stream(source, config, paced=False, wait_forever=windowed, mirrored=mirrored, on_message=on_message)
    frame_loop = FrameLoop(stream, reader, live=True, on_frame=camera_exam.on_frame)
    try:
        _show_prompts(exam, reader, frame_loop, windowed, on_message)
    finally:
        frame_loop.close()  # before the score is read, because the last result may still be being recorded
    return exam.score()


def _examine_images(
    recogniser: RecogniserProtocol,
    run: Path,
    selected: list[tuple[str, Path]],
    folder: ExamFolder,
    *,
    mirrored: bool,
    on_message: OnMessage,
) -> ExamScore:
    unreadable = folder.metadata["unreadable"] = list[str]()
    training_hashes, hashes = read_training_hashes(run), list[str]()

    def frames() -> Iterator[tuple[str, Frame]]:
        for letter, frame in decode_images(selected, unreadable, on_message, mirrored=mirrored):
            hashes.append(pixel_hash(frame))
            yield letter, frame

    score = examine_frames(recogniser, frames(), len(selected), folder.store_frame)
    known = folder.metadata["training_images"] = sum(each in training_hashes for each in hashes)
    if known:
        on_message(
            f"{run.name} was trained on {known:,} of the {format_count(len(hashes), 'image')}, so the score is "
            "optimistic."
        )
    return score


def _report_missing_letters(
    letters: tuple[str, ...], selected: list[tuple[str, Path]], folder: ExamFolder, on_message: OnMessage
) -> None:
    available = {letter for letter, _ in selected}
    missing = folder.metadata["not_in_folder"] = [letter for letter in letters if letter not in available]
    if missing:
        on_message(f"Skipped, because the folder has no images of them: {' '.join(missing)}")


def _sample_video(frames: Iterable[SourceFrame], letter: str, count: int) -> Iterator[tuple[str, Frame]]:
    """Yield up to `count` frames of a video with at least FRAME_INTERVAL_S between them, with the video's letter."""
    due_s = 0.0
    for frame in frames:
        if frame.time_s is None or frame.time_s >= due_s:
            due_s = (frame.time_s or 0.0) + FRAME_INTERVAL_S - _TIME_TOLERANCE_S
            yield letter, frame.image
            count -= 1
            if count <= 0:
                return


def _show_prompts(exam: Exam, reader: Reader, frame_loop: FrameLoop, windowed: bool, on_message: OnMessage) -> None:
    """Show the prompts until the exam is done, or the user stops it."""
    try:
        if windowed:
            from aslkit.live.exam.window import show_exam

            show_exam(exam, reader, frame_loop)
            return
        previous = None
        while exam.phase != "done" and not frame_loop.finished.wait(_POLL_INTERVAL_S):
            current = (exam.phase, len(exam.results))
            if current != previous:
                previous = current
                on_message(prompt_text(exam))
        frame_loop.check()
    except KeyboardInterrupt:
        on_message("Stopped early. The score covers the letters so far.")
