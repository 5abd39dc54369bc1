"""What `aslkit capture` does with its many options: who, where from, where to, shown how."""

import sys
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import click

from aslkit.capture import signers
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.cli.output.stages import print_recording, warn_missing_licence
from aslkit.cli.shared.option_conflicts import check_web_options
from aslkit.cli.shared.options import login_name, run_folder
from aslkit.core.config import load
from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS, NO_LETTER
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, make_name, validate_name, validate_signer
from aslkit.formats.captures import SessionInfo
from aslkit.formats.recording_plan import PlannedLetter, letters_for, load_plan
from aslkit.video.sources import LIVE, Kind, camera_name, source_kind

SYNTHETIC: Final = signers.SignerDetails(licence="CC0-1.0", consent="Drawn; nobody is seen.")


@dataclass(frozen=True, kw_only=True)
class CaptureOptions:
    """As given on the command line; None where an option was not given."""

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
        """What the source is."""
        return source_kind(self.source)

    @property
    def windowed(self) -> bool:
        """Whether a window is shown."""
        return self.preview if self.preview is not None else self.kind in LIVE

    @cached_property
    def wanted(self) -> list[PlannedLetter]:
        """What --plan asks of the signer; nothing without a plan.

        Raises:
            InputError: no such run, it has no plan, or it asks nothing of this signer.
        """
        if self.plan is None:
            return []
        named = (self.workspace.runs / self.plan).is_dir()
        run = self.plan if self.plan.is_file() and not named else run_folder(str(self.plan), self.workspace)
        wanted = letters_for(load_plan(run), self.signer or login_name())
        if not wanted:
            raise InputError(
                f"The plan in {run} asks nothing of {self.signer or login_name()}. Give --signer, or --letters."
            )
        return wanted

    def asked_letters(self) -> tuple[str, ...]:
        """Which letters are to be recorded.

        Raises:
            InputError: none is named; or several are, where nobody could say which one is being signed.
        """
        if self.letter and self.letters:
            raise InputError("Give --letter or --letters, not both.")
        if self.plan and (self.letter or self.letters):
            raise InputError("Give --plan, which names the letters, or --letter or --letters, not both.")
        planned = tuple(each.letter for each in self.wanted)
        letters = self.letter or self.letters or planned or (LETTERS if self.web else ())
        if not letters:
            raise InputError("Which letter is signed? Give --letter A, or --letters A-Y to walk through all.")
        if NO_LETTER in letters and (self.web or self.kind == "synthetic"):
            raise InputError("Frames without a letter are recorded in a window, or from a video: --source clip.mp4.")
        if len(letters) > 1 and not self.web and not self.windowed and self.kind != "synthetic":
            raise InputError(
                "Several letters need a window or --web, where you say when the next one begins. "
                f"Record them one by one: --letter {letters[0]}."
            )
        return letters


def run_capture(options: CaptureOptions) -> None:
    """Record, and say what was recorded."""
    check_web_options(web=options.web, unused=("source", "preview"))
    letters = options.asked_letters()
    info = _session(options)
    for each in options.wanted:
        click.echo(f"{each.letter}: {each.why}", err=True)
    count = options.count or max((each.frames for each in options.wanted), default=None)
    given = {name: getattr(options, name) for name in ("goal", "interval_s", "format")}
    capture = load("capture", CaptureConfig, file=options.config, flags=given)
    gate = load("gate", GateConfig, file=options.config, flags={"enabled": options.gate})
    info = _stated(options, info, capture)
    if options.web:
        from aslkit.capture.web.record import record_in_browser

        recorded = record_in_browser(
            letters, workspace=options.workspace, info=info, capture=capture, gate=gate, count=count,
            host=options.host, port=options.port, certificate=options.certificate, key=options.key,
            on_message=_print_message,
        )  # fmt: skip
    else:
        from aslkit.capture.record import record, record_in_terminal
        from aslkit.capture.window.window import record_in_window

        recorded = record(
            letters, source=options.source, workspace=options.workspace, info=info, capture=capture, gate=gate,
            count=count, screen=record_in_window if options.windowed else partial(record_in_terminal, on_message=_print_message),
            paced=options.windowed and options.kind not in LIVE, ask=options.windowed,
        )  # fmt: skip
    print_recording(recorded, info, capture.goal, as_json=options.as_json)


def _session(options: CaptureOptions) -> SessionInfo:
    synthetic = not options.web and options.kind == "synthetic"
    name = options.signer or (f"{SYNTHETIC_PREFIX}ada" if synthetic else login_name())
    signer = validate_signer(name, synthetic=synthetic)
    camera = "browser" if options.web else camera_name(options.source)
    today = "one" if synthetic else make_name(f"{datetime.now().astimezone():%Y-%m-%d} {camera}")
    session = validate_name("session", options.session or today)
    return SessionInfo(
        signer=signer, session=session, camera=camera, licence=options.licence, consent=options.consent
    )  # fmt: skip


def _stated(options: CaptureOptions, info: SessionInfo, capture: CaptureConfig) -> SessionInfo:
    """Add what the signer has stated: now, before, or by --yes. Asked once, where there is somebody to ask."""
    workspace, signer = options.workspace, info.signer
    if signer.startswith(SYNTHETIC_PREFIX):
        stated = SYNTHETIC
    else:
        before = signers.load_signer(workspace, signer)
        stated = replace(before, licence=info.licence or before.licence, consent=info.consent or before.consent)
        proposed = signers.SignerDetails(licence=capture.licence, consent=capture.consent)
        if options.yes:
            stated = signers.ask_signer_details(stated, signer, ask=lambda _, answer: answer, proposed=proposed)
        elif sys.stdin.isatty() and sys.stderr.isatty():
            stated = signers.ask_signer_details(stated, signer, ask=_prompt, proposed=proposed)
        else:
            warn_missing_licence(signer, licence=stated.licence, consent=stated.consent)
        signers.save_signer(workspace, signer, stated)
    return replace(info, licence=info.licence or stated.licence, consent=info.consent or stated.consent)


def _prompt(question: str, proposed: str) -> str:
    return str(click.prompt(question, default=proposed, err=True))


def _print_message(text: str) -> None:
    click.echo(text, err=True)
