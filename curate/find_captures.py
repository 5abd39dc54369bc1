"""Find the captured frames and clips to curate, their sessions, and the images that cannot be used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.core.letters import CLIP_LETTERS, MOTION_LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, validate_name
from aslkit.curate.filter.clip_duplicates import DAMAGED_CLIP, clip_folder_frame
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.report.notes import describe_misplaced
from aslkit.formats.captures import SESSION_FILE, CapturedFrame, SessionInfo, unopenable_files, walk_captures
from aslkit.formats.clips import CLIP_INDEX_FILE, CapturedClip, read_clip, walk_clips
from aslkit.formats.image_folders.misplaced_images import MisplacedImage, misplaced_images
from aslkit.formats.signers import SignerDetails, load_signers

_NOT_A_FILE: Final = "no file: a link that leads nowhere, a pipe or a folder"

Sessions = dict[tuple[str, str], SessionInfo]
"""Sessions by the names of signer and session."""


@dataclass(frozen=True, kw_only=True)
class FoundCaptures:
    """What the captures contain for a dataset.

    Attributes:
        frames: the frames to curate.
        clips: the clips of J and Z to curate. Clips of "none" stay in captures, from where training reads them.
        damaged: one entry for each clip that cannot be read.
        left_out: the synthetic signers that are left out.
    """

    frames: list[CapturedFrame]
    clips: list[CapturedClip]
    damaged: list[Rejection]
    left_out: list[str]

    @property
    def signers(self) -> set[str]:
        """Names of the signers."""
        return {frame.signer for frame in self.frames} | {clip.signer for clip in self.clips}


def find_captures(workspace: Workspace, with_synthetic: bool) -> FoundCaptures:
    """Find the frames and clips to curate. Synthetic signers are left out if there are real ones.

    Raises:
        AslkitError: there is nothing to curate.
        InputError: the name of a signer is invalid.
    """
    frames = list(walk_captures(workspace.captures))
    clips, damaged = _read_clips(workspace.captures)
    if not frames and not clips:
        raise AslkitError(_describe_nothing_found(workspace.captures, damaged))
    names = {frame.signer for frame in frames} | {clip.signer for clip in clips}
    signers = sorted(validate_name("signer", name) for name in names)
    synthetic = [signer for signer in signers if signer.startswith(SYNTHETIC_PREFIX)]
    if with_synthetic or len(synthetic) == len(signers):
        synthetic = []
    return FoundCaptures(
        frames=[frame for frame in frames if frame.signer not in synthetic],
        clips=[clip for clip in clips if clip.signer not in synthetic],
        damaged=[each for each in damaged if each.frame.signer not in synthetic],
        left_out=synthetic,
    )


def _read_clips(captures: Path) -> tuple[list[CapturedClip], list[Rejection]]:
    """Return the clips of J and Z, and an entry for each that cannot be read."""
    clips, damaged = list[CapturedClip](), list[Rejection]()
    for folder in walk_clips(captures):
        if folder.parent.name not in MOTION_LETTERS:
            continue
        try:
            clips.append(read_clip(folder))
        except AslkitError as error:
            damaged.append(
                Rejection(frame=clip_folder_frame(folder), reason=DAMAGED_CLIP, detail=_describe_damage(error))
            )
    return clips, damaged


def _describe_damage(error: AslkitError) -> str:
    """Return why a clip cannot be read, without the path of the workspace, which a dataset does not contain."""
    cause = error.__cause__
    return f"{CLIP_INDEX_FILE}: {cause.strerror}" if isinstance(cause, OSError) else str(cause)[:200]


def _describe_nothing_found(captures: Path, damaged: Sequence[Rejection]) -> str:
    misplaced = list(_misplaced_images(captures))
    return (
        f"No {'usable ' if misplaced or damaged else ''}captures found in {captures}. "
        + (f"{describe_misplaced(misplaced)} " if misplaced else "")
        + (f"The clip {damaged[0].frame.key} is damaged: {damaged[0].detail}. " if damaged else "")
        + "Record some with `aslkit capture --letter A`, import images with `aslkit import FOLDER --signer NAME`, "
        "or try `aslkit demo`."
    )


def _misplaced_images(captures: Path) -> Iterator[MisplacedImage]:
    """Yield the images outside of the folders of letters and clips."""
    for image in misplaced_images(captures):
        folders = image.location.split("/")[:-1]
        if len(folders) != 4 or folders[2] not in CLIP_LETTERS:
            yield image


def find_unused(captures: Path) -> list[Rejection]:
    """Return the images in captures that cannot be read because of what or where they are."""
    return [
        *(Rejection(frame=frame, reason="unreadable", detail=_NOT_A_FILE) for frame in unopenable_files(captures)),
        *(Rejection(frame=frame, reason="misplaced", detail=frame.advice) for frame in _misplaced_images(captures)),
    ]


def load_sessions(workspace: Workspace, captures: FoundCaptures) -> Sessions:
    """Return the sessions of frames and clips, with the current licence and consent of their signers."""
    folders = {(frame.signer, frame.session): frame.path.parents[1] for frame in captures.frames}
    folders |= {(clip.signer, clip.session): clip.folder.parents[1] for clip in captures.clips}
    for _, session in folders:
        validate_name("session", session)
    sessions = {name: SessionInfo.load(folders[name] / SESSION_FILE) for name in sorted(folders)}
    details = load_signers(workspace)
    return {name: details.get(name[0], SignerDetails()).update_session(info) for name, info in sessions.items()}
