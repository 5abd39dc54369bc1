"""Where frames come from: a camera, a video, a folder of images or a synthetic signer, all read the same way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

from aslkit import synthetic
from aslkit.captures import stamp
from aslkit.errors import AslkitError, InputError
from aslkit.files import natural_key
from aslkit.images import SUFFIXES, Frame, ImageError, decode, read_file

Kind = Literal["camera", "video", "folder", "synthetic"]
VIDEO_SUFFIXES: Final = frozenset({".avi", ".mp4", ".mov", ".mkv", ".webm", ".m4v", ".mjpg"})

_SYNTHETIC_FPS: Final = 30.0

_LAST_CAMERA: Final = 2**31 - 1
"""The highest number that OpenCV takes; there is none of that number either."""


@dataclass(frozen=True, kw_only=True)
class SourceFrame:
    """One frame as a source gives it.

    Attributes:
        image: BGR, uint8 (height, width, 3), unmirrored.
        name: what to call it, unique within the source.
        time_s: seconds since the source began; None where frames have no time, as in a folder.
        captured_at: the moment it was taken; None when unknown.
    """

    image: Frame
    name: str
    time_s: float | None
    captured_at: datetime | None


def kind_of(source: str) -> Kind:
    """Tell what a source is from how it is written: a number, a path or `synthetic`.

    Raises:
        InputError: nothing of that name.
    """
    if source.isdecimal():
        return "camera"
    if source == "synthetic":
        return "synthetic"
    path = Path(source)
    if path.is_dir():
        return "folder"
    if path.is_file():
        if path.suffix.lower() in VIDEO_SUFFIXES:
            return "video"
        raise InputError(
            f"{source} is not a video ({', '.join(sorted(VIDEO_SUFFIXES))}). For images give their folder."
        )
    raise InputError(
        f"There is no source {source!r}. Give a camera's number (0), a video, a folder of images, or 'synthetic'."
    )


@contextmanager
def opened(
    source: str, *, letter: str, signer: str, session: str, seed: int = 0, interval_s: float = 0.0
) -> Iterator[Iterator[SourceFrame]]:
    """Open a source and close it again.

    Args:
        source: a camera's number, the path of a video or of a folder of images, or `synthetic`.
        letter: what the synthetic signer shows; ignored by the other kinds, as are the next four.
        signer: who it is.
        session: which sitting.
        seed: where its chance begins.
        interval_s: how far apart its frames are needed: those between are not drawn. At least 1/30 s.

    Yields:
        The frames, in order. A camera's and the synthetic signer's never end.

    Raises:
        InputError: no such source.
        AslkitError: it is there and cannot be read.
    """
    kind = kind_of(source)
    if kind == "synthetic":
        yield _synthetic(letter, signer, session, seed, interval_s)
    elif kind == "folder":
        yield _folder(Path(source))
    else:
        device = _open_device(source, kind)
        try:
            yield _camera(device, source) if kind == "camera" else _video(device, source)
        finally:
            device.release()


def _synthetic(letter: str, signer: str, session: str, seed: int, interval_s: float) -> Iterator[SourceFrame]:
    who = synthetic.Signer.draw(signer)
    sitting = synthetic.Session.draw(who, session)
    fps = min(_SYNTHETIC_FPS, 1 / interval_s) if interval_s else _SYNTHETIC_FPS
    for index, frame in enumerate(synthetic.frames(letter, signer=who, session=sitting, seed=seed, fps=fps)):
        yield SourceFrame(image=frame.image, name=f"s{seed}-{index:06d}", time_s=index / fps, captured_at=None)


def _folder(folder: Path) -> Iterator[SourceFrame]:
    images = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != "." and p.is_file())
    paths = sorted(images, key=lambda p: natural_key(p.name))
    if not paths:
        raise AslkitError(f"{folder} holds no images ({', '.join(sorted(SUFFIXES))}).")
    for path in paths:
        try:
            image = decode(read_file(path))
        except ImageError as error:
            raise AslkitError(
                f"{path}: {error.message}. Remove it, or use `aslkit import`, which leaves it out."
            ) from error
        yield SourceFrame(image=image, name=path.stem, time_s=None, captured_at=None)


def _open_device(source: str, kind: Kind) -> Any:
    import cv2

    cv2.setLogLevel(0)  # its own messages name neither the cause nor the remedy
    device = cv2.VideoCapture(min(int(source), _LAST_CAMERA) if kind == "camera" else source)
    if device.isOpened():
        return device
    device.release()
    if kind == "camera":
        raise AslkitError(
            f"Camera {source} cannot be opened. Is it plugged in, and does no other program use it? "
            "`aslkit doctor` lists the cameras; --source also takes a video, a folder or 'synthetic'."
        )
    raise AslkitError(f"{source} cannot be read as a video. Try it in a player, or convert it to MP4 (H.264).")


def _camera(device: Any, source: str) -> Iterator[SourceFrame]:
    start = datetime.now(UTC)
    while True:
        there, image = device.read()
        if not there:
            raise AslkitError(f"Camera {source} gives no more frames. What was stored is kept; plug it in and go on.")
        now = datetime.now(UTC)
        yield SourceFrame(image=image, name=stamp(now), time_s=(now - start).total_seconds(), captured_at=now)


def _video(device: Any, source: str) -> Iterator[SourceFrame]:
    import cv2

    fps = device.get(cv2.CAP_PROP_FPS) or 30.0
    stem = Path(source).stem
    for index in count():
        there, image = device.read()
        if not there:
            return
        yield SourceFrame(image=image, name=f"{stem}-{index:06d}", time_s=index / fps, captured_at=None)
