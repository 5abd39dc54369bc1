"""The options of `aslkit capture`: checks them, asks for licence and consent, and starts the recording."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.cli.shared.ask_signer import ask_licence, ask_name, can_prompt, note_private, state_details
from aslkit.cli.shared.option_conflicts import check_web_options
from aslkit.cli.shared.options import run_folder
from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import ALPHABET, MOTION_LETTERS, NO_LETTER
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, make_name, validate_name, validate_signer
from aslkit.formats.captures import SessionInfo
from aslkit.formats.licences import parse_licence
from aslkit.formats.recording_plan import PlannedLetter, load_plan, planned_letters
from aslkit.formats.signers import SignerDetails, load_signer, save_signer
from aslkit.video.source_kind import LIVE_KINDS, Kind, camera_name, source_kind

if TYPE_CHECKING:
    from aslkit.capture.session.lifecycle import RecordingResult

_CAPTURE_FLAGS: Final = ("goal", "clip_goal", "interval_s", "clip_fps", "format")
"""Settings of [capture] that have options."""

SYNTHETIC: Final = SignerDetails(licence="CC0-1.0", consent="Synthetic; shows no real person.")


@dataclass(frozen=True, kw_only=True)
class CaptureOptions:
    """Options of the command line; None if an option was not given."""

    letter: tuple[str, ...] | None
    letters: tuple[str, ...] | None
    source: str
    start_s: float | None
    end_s: float | None
    mirrored: bool
    signer: str | None
    session: str | None
    clips: bool
    goal: int | None
    clip_goal: int | None
    count: int | None
    plan: Path | None
    interval_s: float | None
    clip_fps: float | None
    format: str | None
    gate: bool | None
    preview: bool | None
    web: bool
    host: str
    port: int
    certificate: Path | None
    key: Path | None
    licence: str | None
    consent: str | None
    yes: bool
    config: Path | None
    workspace: Workspace
    as_json: bool

    @cached_property
    def kind(self) -> Kind:
        """Kind of the source."""
        return source_kind(self.source)

    @property
    def windowed(self) -> bool:
        """Whether to record in a window."""
        return self.preview if self.preview is not None else self.kind in LIVE_KINDS

    @property
    def synthetic(self) -> bool:
        """Whether the synthetic signer is recorded."""
        return not self.web and self.kind == "synthetic"

    @property
    def asks_name(self) -> bool:
        """Whether the signer is asked for a name."""
        return self.signer is None and not self.synthetic and not self.yes and can_prompt()

    @cached_property
    def signer_name(self) -> str:
        """Name of the signer. The user is asked once, if it was not given.

        Raises:
            InputError: the name is invalid, or it was not given and nobody can be asked.
        """
        if self.asks_name:
            return ask_name(self.workspace)
        if self.signer is None and not self.synthetic:
            raise InputError("Who is signing? Give the name with --signer, such as --signer maria.")
        return validate_signer(self.signer or f"{SYNTHETIC_PREFIX}ada", synthetic=self.synthetic)

    def check_times(self) -> None:
        """Check --start and --end.

        Raises:
            InputError: the source is not a video, or the end is not after the start.
        """
        if self.start_s is None and self.end_s is None:
            return
        if self.kind != "video":
            raise InputError(f"--start and --end require a video. {self.source} is not one.")
        if self.end_s is not None and self.end_s <= (self.start_s or 0.0):
            raise InputError("--end must be later than --start.")

    def session_name(self) -> str:
        """Return the name of the session.

        Raises:
            InputError: the name is invalid.
        """
        camera = "browser" if self.web else camera_name(self.source)
        default = "one" if self.synthetic else make_name(f"{datetime.now().astimezone():%Y-%m-%d} {camera}")
        return validate_name("session", self.session or default)

    @cached_property
    def planned(self) -> list[PlannedLetter]:
        """Entries of --plan for the signer; empty without --plan.

        Raises:
            InputError: the run does not exist, has no plan, or the plan has no letters for this signer.
        """
        if self.plan is None:
            return []
        is_run_name = (self.workspace.runs / self.plan).is_dir()
        run = self.plan if self.plan.is_file() and not is_run_name else run_folder(str(self.plan), self.workspace)
        planned = planned_letters(load_plan(run), self.signer_name)
        if not planned:
            raise InputError(
                f"The plan in {run} has no letters for {self.signer_name}. Give another --signer, or --letters."
            )
        return planned

    @property
    def clip_letters(self) -> tuple[str, ...]:
        """Letters that are recorded as clips. The page records no single frames of "none"."""
        return (*MOTION_LETTERS, NO_LETTER) if self.clips or self.web else MOTION_LETTERS

    def letters_to_record(self) -> tuple[str, ...]:
        """Return the letters to record, from --letter, --letters or --plan; in a window or browser, all by default.

        Raises:
            InputError: no letter is given, the options conflict, or the source cannot be used for these letters.
        """
        if self.letter and self.letters:
            raise InputError("Give --letter or --letters, not both.")
        if self.plan and (self.letter or self.letters):
            raise InputError("Give --plan, which selects the letters, or --letter or --letters, not both.")
        planned = tuple(entry.letter for entry in self.planned)
        letters = self.letter or self.letters or planned or self._default_letters()
        if self.clips and letters != (NO_LETTER,):
            raise InputError(
                "--clips requires --letter none: J and Z are always recorded as clips, and the other letters never."
            )
        if not letters:
            raise InputError(
                "No letter given. Give --letter A, or --letters A-Y to record all letters one after another."
            )
        if NO_LETTER in letters and not self.web and self.kind == "synthetic":
            raise InputError(
                "Negative samples cannot be recorded from the synthetic signer. Use a camera, or a video, such as "
                "--source clip.mp4."
            )
        if len(letters) > 1 and not self.web and not self.windowed and self.kind != "synthetic":
            raise InputError(
                "Recording several letters requires a window or --web, where you choose when to start the next letter. "
                f"Record one letter at a time, such as --letter {letters[0]}"
                + (", with its part of the video, such as --start 0:10 --end 0:25." if self.kind == "video" else ".")
            )
        return letters

    def _default_letters(self) -> tuple[str, ...]:
        if self.web:
            return (*ALPHABET, NO_LETTER)
        return ALPHABET if self.windowed and self.kind in LIVE_KINDS else ()


def record_with_options(options: CaptureOptions) -> "tuple[RecordingResult, CaptureConfig]":
    """Check the options, ask who signs and who may use the images, and record.

    A camera is opened before anything is asked, so that nobody answers questions for a camera that does not work.

    Returns:
        the result, and the settings.
    """
    check_web_options(web=options.web, unused=("source", "start_s", "end_s", "mirrored", "preview"))
    options.check_times()
    letters = options.letters_to_record()
    session = options.session_name()
    for entry in options.planned:
        click.echo(f"{entry.letter}: {entry.why}", err=True)
    count = options.count or max((entry.frames for entry in options.planned), default=None)
    flags = {name: getattr(options, name) for name in _CAPTURE_FLAGS}
    capture = load_settings("capture", CaptureConfig, file=options.config, flags=flags)
    gate = load_settings("gate", GateConfig, file=options.config, flags={"enabled": options.gate})
    create_info = partial(_create_session_info, options, session, capture)
    if options.web:
        return _record_in_studio(options, letters, count, create_info() if options.signer else None), capture
    from aslkit.capture.record import record
    from aslkit.capture.terminal import record_in_terminal
    from aslkit.capture.window.window import record_in_window
    from aslkit.video.sources import ReadOptions

    in_terminal = partial(record_in_terminal, on_message=_print_message)
    in_prompt = None if options.windowed or not can_prompt() else partial(ask_licence, proposed=capture.licence)
    result = record(
        letters, source=options.source, workspace=options.workspace,
        info=create_info if options.asks_name else create_info(), capture=capture, gate=gate,
        count=count, screen=record_in_window if options.windowed else in_terminal,
        paced=options.windowed and options.kind not in LIVE_KINDS, can_ask=options.windowed, ask_licence=in_prompt,
        clip_letters=options.clip_letters,
        options=ReadOptions(mirrored=options.mirrored, start_s=options.start_s or 0.0, end_s=options.end_s),
    )  # fmt: skip
    return result, capture


def _record_in_studio(
    options: CaptureOptions, letters: tuple[str, ...], count: int | None, info: SessionInfo | None
) -> "RecordingResult":
    """Open the studio at its part Record, and return the result of the last recording.

    Raises:
        AslkitError: nothing was recorded.
    """
    from aslkit.cli.shared.open_studio import open_studio
    from aslkit.studio.parts.recording import RecordingOptions
    from aslkit.studio.studio import StudioOptions

    if info is not None and info.licence is not None:
        details = load_signer(options.workspace, info.signer).state(licence=info.licence, consent=info.consent)
        save_signer(options.workspace, info.signer, details)
    recording = RecordingOptions(
        letters=letters, count=count, session=options.session, signer=info.signer if info else None
    )
    location = {name: getattr(options, name) for name in ("host", "port", "certificate", "key")}
    flags = {
        "capture": {name: getattr(options, name) for name in _CAPTURE_FLAGS},
        "gate": {"enabled": options.gate},
    }
    studio = open_studio(
        options.workspace, options.config, StudioOptions(part="record", recording=recording), location, flags=flags
    )
    if not studio.recording.results:
        raise AslkitError("Nothing was recorded.")
    return studio.recording.results[-1]


def _create_session_info(options: CaptureOptions, session: str, capture: CaptureConfig) -> SessionInfo:
    """Return the session, with the licence that the options, the signer's entry or the settings (--yes) state."""
    signer = options.signer_name
    if options.synthetic:
        details = SYNTHETIC.state(licence=options.licence, consent=options.consent)
    else:
        details = state_details(options.workspace, signer, licence=options.licence, consent=options.consent)
        if options.yes and not details.has_chosen:
            details = details.state(licence=parse_licence(capture.licence), consent=details.consent or capture.consent)
        if not (details.has_chosen or options.web or options.windowed or can_prompt()):
            note_private(signer)
    camera = "browser" if options.web else camera_name(options.source)
    licence = details.licence if details.has_chosen else None
    return SessionInfo(signer=signer, session=session, camera=camera, licence=licence, consent=details.consent)


def _print_message(text: str) -> None:
    click.echo(text, err=True)
