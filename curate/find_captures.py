"""Find the captured frames to curate, their sessions, and the images that cannot be used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, validate_name
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.report.notes import describe_misplaced
from aslkit.formats.captures import SESSION_FILE, CapturedFrame, SessionInfo, unopenable_files, walk_captures
from aslkit.formats.image_folders.misplaced_images import misplaced_images
from aslkit.formats.signers import SignerDetails, load_signers

_NOT_A_FILE: Final = "no file: a link that leads nowhere, a pipe or a folder"

Sessions = dict[tuple[str, str], SessionInfo]
"""Sessions by the names of signer and session."""


def find_frames(workspace: Workspace, with_synthetic: bool) -> tuple[list[CapturedFrame], list[str]]:
    """Return the frames to curate, and the synthetic signers that are left out."""
    frames = list(walk_captures(workspace.captures))
    if not frames:
        misplaced = list(misplaced_images(workspace.captures))
        raise AslkitError(
            f"No {'usable ' if misplaced else ''}captures found in {workspace.captures}. "
            + (f"{describe_misplaced(misplaced)} " if misplaced else "")
            + "Record some with `aslkit capture --letter A`, import images with `aslkit import FOLDER --signer NAME`, "
            "or try `aslkit demo`."
        )
    signers = sorted({validate_name("signer", frame.signer) for frame in frames})
    synthetic = [signer for signer in signers if signer.startswith(SYNTHETIC_PREFIX)]
    if with_synthetic or len(synthetic) == len(signers):
        return frames, []
    return [frame for frame in frames if frame.signer not in synthetic], synthetic


def find_unused(captures: Path) -> list[Rejection]:
    """Return the images in captures that cannot be read because of what or where they are."""
    return [
        *(Rejection(frame=frame, reason="unreadable", detail=_NOT_A_FILE) for frame in unopenable_files(captures)),
        *(Rejection(frame=frame, reason="misplaced", detail=frame.advice) for frame in misplaced_images(captures)),
    ]


def load_sessions(workspace: Workspace, frames: Sequence[CapturedFrame]) -> Sessions:
    """Return the sessions of the frames, with the current licence and consent of their signers."""
    folders = {(frame.signer, validate_name("session", frame.session)): frame.path.parents[1] for frame in frames}
    sessions = {name: SessionInfo.load(folders[name] / SESSION_FILE) for name in sorted(folders)}
    details = load_signers(workspace)
    return {name: details.get(name[0], SignerDetails()).update_session(info) for name, info in sessions.items()}
