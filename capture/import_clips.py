"""Imports clips recorded elsewhere: videos, which are cut into movements, and folders of the frames of one movement."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from aslkit.capture.config import GateConfig
from aslkit.capture.movement.clip_frame import (
    BrightnessMeter,
    TrackedFrame,
    main_hand,
    measure_clip,
    to_clip_lines,
)
from aslkit.capture.movement.hand_tracker import HandTracker
from aslkit.capture.movement.movement_cutter import MovementCutter
from aslkit.capture.quality.clip_gate import CLIP_REASON_MESSAGES, judge_clip
from aslkit.core.errors import AslkitError
from aslkit.core.files import natural_key
from aslkit.core.progress import progress_bar
from aslkit.core.workspace import make_name
from aslkit.formats.clips import (
    CLIP_INDEX_FILE,
    MAX_CLIP_FRAMES,
    MIN_CLIP_FRAMES,
    ClipFrame,
    read_clip,
    write_clip,
)
from aslkit.formats.image_folders.clip_folders import LabelledClip
from aslkit.video.sources import ReadOptions, open_source
from aslkit.vision.image_formats import is_image_file
from aslkit.vision.images import (
    Frame,
    ImageError,
    decode_image,
    encode_jpeg,
    normalize_image_file,
    read_image_file,
)

_JPEG_QUALITY: Final = 95
"""As frames are recorded by default."""


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """How clips are judged and stored.

    Attributes:
        gate: configuration of the quality gate.
        fps: frame rate of folders of frames without times.
    """

    gate: GateConfig = field(default_factory=GateConfig)
    fps: float = 30.0


@dataclass(frozen=True, kw_only=True)
class RejectedClip:
    """A movement that the quality gate rejected.

    Attributes:
        path: the video or folder.
        start_s: where in it the movement begins, seconds.
        reason: the first reason, see `quality.clip_gate`.
        message: what to do.
    """

    path: Path
    start_s: float
    reason: str
    message: str


@dataclass(kw_only=True)
class ClipImport:
    """The number of imported clips by letter, and what was not imported."""

    stored: Counter[str] = field(default_factory=Counter)
    already_imported: int = 0
    rejected: list[RejectedClip] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def import_clips(clips: Sequence[LabelledClip], session: Path, *, mirrored: bool, settings: ClipSettings) -> ClipImport:
    """Store the good ones of clips in a session. Those of an earlier import are recognised by their images.

    Args:
        clips: videos, and folders with frames.
        session: folder of the session.
        mirrored: whether the clips are mirrored; they are flipped before they are stored.
        settings: how clips are judged and stored.

    Raises:
        OSError: the disk is full.
    """
    result = ClipImport()
    if not clips:
        return result
    with ExitStack() as stack:
        tracker = stack.enter_context(HandTracker())
        advance = stack.enter_context(progress_bar("Importing clips", len(clips)))
        for clip in clips:
            tracker.forget()  # so that the landmarks of a clip are the same whatever is imported with it
            try:
                _import_clip(clip, session, tracker, mirrored, settings, result)
            except AslkitError as error:
                # The path is listed after the reason, so that clips with the same reason share a line.
                reason = error.message.removeprefix(f"{clip.path} ").removesuffix(".")
                result.skipped.append((clip.path, reason))
            advance()
    return result


def _import_clip(
    clip: LabelledClip, session: Path, tracker: HandTracker, mirrored: bool, settings: ClipSettings, result: ClipImport
) -> None:
    if clip.path.is_dir():
        movements = iter([_read_folder(clip.path, tracker, mirrored, settings.fps)])
    else:
        movements = _read_video(clip.path, tracker, mirrored)
    found = False
    for frames in movements:
        found = True
        reasons = judge_clip(measure_clip(frames), clip.letter, settings.gate)
        if reasons and (settings.gate.enabled or len(frames) < MIN_CLIP_FRAMES):
            result.rejected.append(
                RejectedClip(
                    path=clip.path,
                    start_s=frames[0].time_s,
                    reason=reasons[0],
                    message=CLIP_REASON_MESSAGES[reasons[0]],
                )
            )
        else:
            _store(session / clip.letter, frames, result)
    if not found:
        result.skipped.append((clip.path, "no movement found; the hand must rest before and after each"))


def _read_video(path: Path, tracker: HandTracker, mirrored: bool) -> Iterator[list[TrackedFrame]]:
    """Yield the movements of a video."""
    cutter, brightness = MovementCutter(whole_if_short=True), BrightnessMeter()
    options = ReadOptions(mirrored=mirrored)
    with open_source(str(path), letter="", signer="", session="", options=options) as frames:
        for frame in frames:
            assert frame.time_s is not None
            tracked = _track(
                frame.image, tracker, brightness, name=frame.name, time_s=frame.time_s,
                data=(encode_jpeg(frame.image, quality=_JPEG_QUALITY), ".jpg"),
            )  # fmt: skip
            yield from cutter.push(tracked)
    yield from cutter.finish()


def _read_folder(folder: Path, tracker: HandTracker, mirrored: bool, fps: float) -> list[TrackedFrame]:
    """Return the frames of one movement, with the times and landmarks of its frames.jsonl if it has one.

    Raises:
        AslkitError: an image or frames.jsonl is damaged, or there are too many images.
    """
    known: dict[str, ClipFrame] = {}
    if (folder / CLIP_INDEX_FILE).is_file():
        known = {frame.file: frame for frame in read_clip(folder).frames}
    paths = [folder / name for name in known] or sorted(
        (path for path in folder.iterdir() if path.name[0] != "." and is_image_file(path)),
        key=lambda path: natural_key(path.name),
    )
    if len(paths) > MAX_CLIP_FRAMES:
        raise AslkitError(f"has {len(paths):,} images, but a clip has {MAX_CLIP_FRAMES} at most")
    brightness, frames = BrightnessMeter(), []
    for number, path in enumerate(paths):
        data, image = _read_image(path, mirrored)
        time_s = known[path.name].time_ms / 1000 if known else number / fps
        # Landmarks of a mirrored clip are those of the other hand, so they are found again.
        before = known.get(path.name) if not mirrored else None
        frames.append(_track(image, tracker, brightness, name=folder.name, time_s=time_s, data=data, known=before))
    return frames


def _read_image(path: Path, mirrored: bool) -> tuple[tuple[bytes, str], Frame]:
    try:
        data = normalize_image_file(read_image_file(path), mirrored=mirrored)
        return data, decode_image(data[0])
    except ImageError as error:
        raise AslkitError(f"{path.name}: {error.message}") from error
    except OSError as error:
        raise AslkitError(f"{path.name} cannot be read ({error.strerror})") from error


def _track(
    image: Frame,
    tracker: HandTracker,
    brightness: BrightnessMeter,
    *,
    name: str,
    time_s: float,
    data: tuple[bytes, str],
    known: ClipFrame | None = None,
) -> TrackedFrame:
    hand = tracker.find(image) if known is None else known.to_hand()
    height, width = image.shape[:2]
    return TrackedFrame(
        name=name, data=data[0], suffix=data[1], time_s=time_s, width=width, height=height, hand=hand,
        brightness=brightness.measure(image, hand, time_s),
    )  # fmt: skip


def _store(folder: Path, frames: Sequence[TrackedFrame], result: ClipImport) -> None:
    hand = main_hand(frames)
    lines = to_clip_lines(frames, None if hand is None else hand.handedness)
    name = make_name(frames[0].name)
    for number in count(1):
        target = folder / (name if number == 1 else f"{name}-{number}")
        if not target.exists():
            write_clip(target, lines)
            result.stored[folder.name] += 1
            return
        # Compared by content, so that importing a folder again adds only what is new.
        if _has_images(target, [data for _, data in lines]):
            result.already_imported += 1
            return


def _has_images(clip: Path, images: Sequence[bytes]) -> bool:
    try:
        stored = read_clip(clip)
    except AslkitError:
        return False
    return len(stored.frames) == len(images) and all(
        (clip / frame.file).read_bytes() == image for frame, image in zip(stored.frames, images, strict=True)
    )
