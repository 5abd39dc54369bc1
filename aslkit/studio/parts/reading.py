"""The part Try: spelling and exams with one or two runs, by one page at a time."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any, Final

import numpy as np

from aslkit.core.errors import InputError
from aslkit.core.files import remove
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace, validate_signer
from aslkit.formats.run_metrics import read_training_signers
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN
from aslkit.live.config import LiveConfig
from aslkit.live.exam.known_letters import known_letters
from aslkit.live.exam.result_folder import REPORT_FILE, ExamFolder
from aslkit.live.exam.run import CameraExam
from aslkit.live.exam.scoring import Exam, shuffle_letters
from aslkit.live.reader import OnEvent, Reader
from aslkit.live.recogniser import Recogniser, SharedHandFinder
from aslkit.live.web.controller import ReadingController
from aslkit.live.words.lexicon import Lexicon, load_words
from aslkit.studio.parts.training import list_names
from aslkit.web.active_page import ActivePage
from aslkit.web.request_limits import RequestRefused

MAX_RUNS: Final = 2
"""Runs that can be tried side by side."""

EXAM_REST_S: Final = 10.0
"""Duration of the rest at the end of an exam, seconds; shorter than the command line's, because a person waits."""


class ReadingPart:
    """Opens runs and passes frames to them. Thread-safe.

    Args:
        workspace: workspace of the runs and exams.
        config: settings of live recognition.
        run: folder of a run that may be outside the workspace, as given on the command line; None for none.
        on_event: called with each event of the first run.

    Attributes:
        active_page: the page that may send frames.
        last_text: text that was spelled with the runs that were closed last.
    """

    def __init__(
        self,
        workspace: Workspace,
        config: LiveConfig,
        *,
        run: Path | None = None,
        on_event: OnEvent = lambda event: None,
    ) -> None:
        self._workspace, self._config, self._on_event = workspace, config, on_event
        self._extra_runs = {} if run is None else {run.name: run}
        self.last_text = ""
        self._lock = RLock()
        self._stack = ExitStack()
        self._letters: dict[str, tuple[str, ...]] = {}
        self._controller: ReadingController | None = None
        self._exam_folder: ExamFolder | None = None
        self.active_page = ActivePage(
            config.web_fps,
            taken_over_message="Spelling continues in another window. Continue here, or close this window.",
        )

    @property
    def controller(self) -> ReadingController:
        """Handles the frames of the page.

        Raises:
            RequestRefused: no run is open.
        """
        if self._controller is None:
            raise RequestRefused(409, "Choose a run first.", why="unknown")
        return self._controller

    def open(
        self, runs: Sequence[str], page: str | None, *, take_over: bool, words: bool | None = None
    ) -> dict[str, Any]:
        """Open one or two runs, and return the state with the page's identifier.

        The text is kept if the same page opens the same runs, as after a reload, or to turn words on or off. Nobody
        else sees it.

        Args:
            runs: names of runs of the workspace, or "starter".
            page: identifier that the page was given before; None if it is new.
            take_over: end what another page spells.
            words: suggest and correct words; None for as in the settings.

        Raises:
            RequestRefused: another page is spelling (409).
            InputError: no such run, too many, or the word file of the settings cannot be read.
            AslkitError: the model of a run is damaged, or the word list is missing.
        """
        folders = {name: self._find_run(name) for name in dict.fromkeys(runs)}
        if not 1 <= len(folders) <= MAX_RUNS:
            raise InputError(f"Choose one or two different runs, not {len(folders)}.")
        with self._lock:
            with self.active_page.claim_or_restore(page, take_over=take_over) as (token, returning):
                lexicon = load_words(self._config if words is None else replace(self._config, words=words))
                if not returning or tuple(self._letters) != tuple(folders) or self._controller is None:
                    self.close()
                    self._open_runs(folders, lexicon)
                elif lexicon is not self._controller.lexicon:
                    self._controller.set_lexicon(lexicon)
            return self._state(token)

    def _state(self, token: str) -> dict[str, Any]:
        config = self._config
        return {
            "runs": [each | {"letters": self._letters[each["run"]]} for each in self.controller.state()["runs"]],
            "words": self.controller.lexicon is not None,
            "page": token,
            "fps": config.web_fps,
            "camera": {"width": config.camera_width, "height": config.camera_height, "fps": config.camera_fps},
        }

    def _open_runs(self, folders: dict[str, Path], lexicon: Lexicon | None) -> None:
        with ExitStack() as stack:
            finder = SharedHandFinder()
            stack.callback(finder.close)
            readers = {}
            for number, (name, folder) in enumerate(folders.items()):
                recogniser = stack.enter_context(Recogniser(folder, hand_finder=finder))
                on_event = (lambda event: None) if number else self._on_event
                readers[name] = Reader(
                    recogniser=recogniser, contract=recogniser.contract, config=self._config, on_event=on_event,
                    motion=recogniser.create_motion_reader(), lexicon=lexicon,
                )  # fmt: skip
            self._letters = {name: known_letters(folder) or LETTERS for name, folder in folders.items()}
            self._controller = ReadingController(readers)
            stack.callback(self._controller.close)  # called first, before the recognisers are freed
            self._stack = stack.pop_all()

    def _find_run(self, name: str) -> Path:
        if name in self._extra_runs:
            return self._extra_runs[name]
        if name == STARTER_NAME:
            return STARTER_RUN
        folder = self._workspace.runs / name
        if name not in list_names(self._workspace.runs) or not (folder / "model").is_dir():
            raise InputError(f"There is no run {name!r} with a model. Choose another one.")
        return folder

    def start_exam(self, signer: str, letters: Sequence[str], times: int, *, seed: int) -> dict[str, Any]:
        """Start an exam of the first run.

        Args:
            signer: name of the person who signs.
            letters: letters to prompt; those that the run does not recognise are left out.
            times: how often each letter is prompted.
            seed: of the random order.

        Returns:
            The letters that are prompted, those that are left out, and whether the run was trained on the signer.

        Raises:
            InputError: the name is invalid, or the run recognises none of the letters.
        """
        signer = validate_signer(signer, synthetic=False)
        with self._lock:
            controller, (run_name, recognised) = self.controller, next(iter(self._letters.items()))
            run = self._find_run(run_name)
            known = [letter for letter in letters if letter in recognised]
            if not known:
                raise InputError(f"{run_name} does not recognise {' '.join(letters)}, only {' '.join(recognised)}.")
            metadata = {
                "run": run_name, "signer": signer, "source": "browser", "seed": seed, "times": times,
                "known": signer in read_training_signers(run),
            }  # fmt: skip
            self._exam_folder = folder = ExamFolder.new(
                self._workspace, name=f"{run_name}-{signer}", signer=signer, metadata=metadata
            )
            prompts = shuffle_letters(known, times, np.random.default_rng(seed))
            controller.start_exam(CameraExam(Exam(prompts=prompts, rest_s=EXAM_REST_S), folder.store_frame))
            left_out = [letter for letter in letters if letter not in recognised]
            return {"letters": known, "left_out": left_out, "known": metadata["known"]}

    def finish_exam(self) -> dict[str, Any]:
        """End the exam, also before its last prompt, and return its score and the path of its report.

        Raises:
            RequestRefused: there is no exam, it has no result yet, or the disk is full.
        """
        with self._lock:
            exam, folder = self.controller.exam, self._exam_folder
            if exam is None or folder is None:
                raise RequestRefused(409, "There is no exam.", why="unknown")
            if not exam.exam.results:
                self.controller.stop_exam()
                remove(folder.path)
                raise RequestRefused(409, "The exam ended before the first letter, so it has no result.", why="unknown")
            try:
                result = folder.write_result(exam.exam.score())
            except OSError as error:
                raise RequestRefused(
                    507, f"The result cannot be written ({error.strerror}). Free some space."
                ) from error
            self.controller.stop_exam()
            return result | {"report": f"/files/exams/{folder.path.name}/{REPORT_FILE}"}

    def close(self) -> None:
        """Free the runs."""
        with self._lock:
            if self._controller is not None:
                self.last_text = next(iter(self._controller.readers.values())).text
            self._stack.close()
            self._controller, self._letters, self._exam_folder = None, {}, None
