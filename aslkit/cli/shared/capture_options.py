"""The options of `aslkit capture`: checks them, asks for licence and consent, and starts the recording."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aslkit.capture import signers
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.signers import SignerDetails
from aslkit.cli.shared.option_conflicts import check_web_options
from aslkit.cli.shared.options import login_name, run_folder
from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS, NO_LETTER
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, make_name, validate_name, validate_signer
from aslkit.formats.captures import SessionInfo
from aslkit.formats.recording_plan import PlannedLetter, load_plan, planned_letters
from aslkit.video.sources import LIVE_KINDS, Kind, camera_name, source_kind

if TYPE_CHECKING:
    from aslkit.capture.session.lifecycle import RecordingResult

SYNTHETIC: Final = SignerDetails(licence="CC0-1.0", consent="Synthetic; shows no real person.")


@dataclass(frozen=True, kw_only=True)
class CaptureOptions:
    """Options of the command line; None if an option was not given."""

    letter: tuple[str, ...] | None
    letters: tuple[str, ...] | None
    source: str
    signer: str | None
    session: str | None
    goal: int | None
    count: int | None
    plan: Path | None
    interval_s: float | None
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
        signer = self.signer or login_name()
        planned = planned_letters(load_plan(run), signer)
        if not planned:
            raise InputError(f"The plan in {run} has no letters for {signer}. Give another --signer, or --letters.")
        return planned

    def letters_to_record(self) -> tuple[str, ...]:
        """Return the letters to record, from --letter, --letters or --plan; with --web, all by default.

        Raises:
            InputError: no letter is given, the options conflict, or the source cannot be used for these letters.
        """
        if self.letter and self.letters:
            raise InputError("Give --letter or --letters, not both.")
        if self.plan and (self.letter or self.letters):
            raise InputError("Give --plan, which selects the letters, or --letter or --letters, not both.")
        planned = tuple(entry.letter for entry in self.planned)
        letters = self.letter or self.letters or planned or (LETTERS if self.web else ())
        if not letters:
            raise InputError(
                "No letter given. Give --letter A, or --letters A-Y to record all letters one after another."
            )
        if NO_LETTER in letters and (self.web or self.kind == "synthetic"):
            raise InputError(
                "Negative samples can only be recorded in a window or from a video, such as --source clip.mp4."
            )
        if len(letters) > 1 and not self.web and not self.windowed and self.kind != "synthetic":
            raise InputError(
                "Recording several letters requires a window or --web, where you choose when to start the next letter. "
                f"Record one letter at a time, such as --letter {letters[0]}."
            )
        return letters


def record_with_options(
    options: CaptureOptions, *, on_missing_licence: Callable[[str, SignerDetails], None]
) -> "tuple[RecordingResult, SessionInfo, int]":
    """Check the options, ask for licence and consent, and record.

    Args:
        options: the options.
        on_missing_licence: called with the signer and the known details if the signer cannot be asked.

    Returns:
        the result, the session, and the goal in frames per letter.
    """
    check_web_options(web=options.web, unused=("source", "preview"))
    letters = options.letters_to_record()
    info = _create_session_info(options)
    for entry in options.planned:
        click.echo(f"{entry.letter}: {entry.why}", err=True)
    count = options.count or max((entry.frames for entry in options.planned), default=None)
    flags = {name: getattr(options, name) for name in ("goal", "interval_s", "format")}
    capture = load_settings("capture", CaptureConfig, file=options.config, flags=flags)
    gate = load_settings("gate", GateConfig, file=options.config, flags={"enabled": options.gate})
    info = _add_signer_details(options, info, capture, on_missing_licence)
    if options.web:
        from aslkit.capture.web.record import record_in_browser

        result = record_in_browser(
            letters, workspace=options.workspace, info=info, capture=capture, gate=gate, count=count,
            host=options.host, port=options.port, certificate=options.certificate, key=options.key,
            on_message=_print_message,
        )  # fmt: skip
    else:
        from aslkit.capture.record import record, record_in_terminal
        from aslkit.capture.window.window import record_in_window

        in_terminal = partial(record_in_terminal, on_message=_print_message)
        result = record(
            letters, source=options.source, workspace=options.workspace, info=info, capture=capture, gate=gate,
            count=count, screen=record_in_window if options.windowed else in_terminal,
            paced=options.windowed and options.kind not in LIVE_KINDS, can_ask=options.windowed,
        )  # fmt: skip
    return result, info, capture.goal


def _create_session_info(options: CaptureOptions) -> SessionInfo:
    synthetic = not options.web and options.kind == "synthetic"
    name = options.signer or (f"{SYNTHETIC_PREFIX}ada" if synthetic else login_name())
    signer = validate_signer(name, synthetic=synthetic)
    camera = "browser" if options.web else camera_name(options.source)
    default_name = "one" if synthetic else make_name(f"{datetime.now().astimezone():%Y-%m-%d} {camera}")
    session = validate_name("session", options.session or default_name)
    return SessionInfo(
        signer=signer, session=session, camera=camera, licence=options.licence, consent=options.consent
    )  # fmt: skip


def _add_signer_details(
    options: CaptureOptions,
    info: SessionInfo,
    capture: CaptureConfig,
    on_missing_licence: Callable[[str, SignerDetails], None],
) -> SessionInfo:
    """Complete licence and consent from the options, the stored details, the configuration (--yes) or by asking.

    The signer is only asked in a terminal, and only for values that are missing.
    """
    workspace, signer = options.workspace, info.signer
    if signer.startswith(SYNTHETIC_PREFIX):
        details = SYNTHETIC
    else:
        stored = signers.load_signer(workspace, signer)
        details = replace(stored, licence=info.licence or stored.licence, consent=info.consent or stored.consent)
        proposed = SignerDetails(licence=capture.licence, consent=capture.consent)
        if options.yes:
            details = signers.ask_signer_details(details, signer, ask=lambda _, answer: answer, proposed=proposed)
        elif sys.stdin.isatty() and sys.stderr.isatty():
            details = signers.ask_signer_details(details, signer, ask=_prompt, proposed=proposed)
        else:
            on_missing_licence(signer, details)
        signers.save_signer(workspace, signer, details)
    return replace(info, licence=info.licence or details.licence, consent=info.consent or details.consent)


def _prompt(question: str, proposed: str) -> str:
    return str(click.prompt(question, default=proposed, err=True))


def _print_message(text: str) -> None:
    click.echo(text, err=True)
