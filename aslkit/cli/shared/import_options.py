"""The options of `aslkit import`: reads the folder, states licence and consent of each signer, and imports."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aslkit.cli.shared.ask_signer import note_private, state_details
from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace, validate_signer
from aslkit.formats.captures import SESSION_FILE, SessionInfo
from aslkit.formats.licences import PRIVATE
from aslkit.formats.signers import SignerDetails, save_signer

if TYPE_CHECKING:
    from aslkit.capture.import_images import ImportResult, SessionImages
    from aslkit.formats.image_folders.read_folder import ImageFolder


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Options of the command line; None if an option was not given."""

    folders: tuple[Path, ...]
    signer: str | None
    signer_from: str | None
    one_signer: bool
    session: str | None
    labels: dict[str, str] | None
    keep_split: bool
    licence: str | None
    consent: str | None
    mirrored: bool
    clip_fps: float
    workspace: Workspace


def import_with_options(options: ImportOptions) -> "tuple[ImportResult, ImageFolder]":
    """Import images and clips, and return the result and the folder that was read.

    Raises:
        InputError: the options conflict, or the folder has no labelled images, or it is unclear who signs.
    """
    from aslkit.capture.config import GateConfig
    from aslkit.capture.import_clips import ClipSettings
    from aslkit.capture.import_images import assign_sessions, import_sessions
    from aslkit.core.config import load_settings
    from aslkit.formats.image_folders.read_folder import read_image_folder

    if options.signer is not None and options.signer_from is not None:
        raise InputError("Give --signer, or --signer-from, which reads the signers from the paths, not both.")
    signer = None if options.signer is None else validate_signer(options.signer, synthetic=False)
    source = _only_folder(options.folders)
    found = read_image_folder(source, labels=options.labels, clips=True)
    if found.unused_labels:
        names = ", ".join(found.unused_labels)
        note = f"Note: --labels names {names}, but {source} has no images of a class with this name."
        click.secho(note, fg="yellow", err=True)
    groups = assign_sessions(
        found, source, signer=signer, one_signer=options.one_signer, signer_from=options.signer_from,
        session=options.session, keep_split=options.keep_split,
    )  # fmt: skip
    details = {name: _state_details(options, name, groups) for name in dict.fromkeys(group.signer for group in groups)}
    sessions = [(_create_info(options, group, details[group.signer]), group) for group in groups]
    clip_settings = ClipSettings(gate=load_settings("gate", GateConfig), fps=options.clip_fps)
    result = import_sessions(
        sessions, workspace=options.workspace, mirrored=options.mirrored, clip_settings=clip_settings
    )
    result.skipped = found.skipped + result.skipped
    for name, its_details in details.items():
        save_signer(options.workspace, name, its_details)
    if private := [name for name, its_details in details.items() if not its_details.has_chosen]:
        note_private(*private)
    return result, found


def _only_folder(folders: tuple[Path, ...]) -> Path:
    if len(folders) == 1:
        return folders[0]
    parent = folders[0].parent
    if any(folder.is_file() for folder in folders):
        raise InputError(f"Give the folder, not its files: aslkit import {shlex.quote(str(parent))} …")
    raise InputError(f"Give one folder, which contains the others: aslkit import {shlex.quote(str(parent))} …")


def _state_details(options: ImportOptions, signer: str, groups: "list[SessionImages]") -> SignerDetails:
    """Return the details of a signer; those that an earlier import of the same session stated are kept."""
    details = state_details(options.workspace, signer, licence=options.licence, consent=options.consent)
    paths = (options.workspace.captures / signer / group.session / SESSION_FILE for group in groups)
    before = [SessionInfo.load(path) for path in paths]
    return SignerDetails(
        licence=details.licence or next((info.licence for info in before if info.licence), PRIVATE),
        consent=details.consent or next((info.consent for info in before if info.consent), None),
        hand=details.hand,
    )


def _create_info(options: ImportOptions, group: "SessionImages", details: SignerDetails) -> SessionInfo:
    camera = group.session.removesuffix(f"-{group.split}") if group.split else group.session
    return SessionInfo(
        signer=group.signer, session=group.session, camera=f"import {camera}", licence=details.licence,
        consent=details.consent, split=group.split,
    )  # fmt: skip
