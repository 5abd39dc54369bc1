"""Where frames come from: camera, stream on the network, video, folder of images or synthetic signer, read alike."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from aslkit import synthetic
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import natural_key
from aslkit.formats.captures import frame_timestamp
from aslkit.vision.images import IMAGE_SUFFIXES, Frame, ImageError, decode_image, read_image_file

Kind = Literal["camera", "stream", "video", "folder", "synthetic"]
LIVE: Final[frozenset[Kind]] = frozenset({"camera", "stream"})
"""These go on whether anybody looks or not, may fail for a while and come back, and end only with the recording."""

VIDEO_SUFFIXES: Final = frozenset({".avi", ".mp4", ".mov", ".mkv", ".webm", ".m4v", ".mjpg"})

_SYNTHETIC_FPS: Final = 30.0

_STREAM: Final = re.compile(r"(rtsps?|https?|rtmp|udp)://[^\s/]+.*", re.IGNORECASE)

_PATIENCE_MS: Final = 8_000
"""So long a stream on the network may take to answer, and from one frame to the next."""

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


class SourceLost(AslkitError):
    """A camera or stream that gave frames gives none any more; it may come back."""


@dataclass(frozen=True, kw_only=True)
class SourceRequest:
    """What a camera is asked for; it may give something else: see the frames themselves."""

    width: int = 640
    height: int = 480
    fps: int = 30


def source_kind(source: str) -> Kind:
    """Tell what a source is from how it is written: a number, an address, a path or `synthetic`.

    Raises:
        InputError: nothing of that name.
    """
    if not source:
        raise InputError("The source is empty. Give a camera's number (0), a video, a folder of images or an address.")
    if source.isdecimal():
        return "camera"
    if source == "synthetic":
        return "synthetic"
    if _STREAM.fullmatch(source):
        return "stream"
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
        f"There is no source {source!r}. Give a camera's number (0), a video, a folder of images, "
        "an address (rtsp:// or http://), or 'synthetic'."
    )


def camera_name(source: str) -> str:
    """What to call the device a source is in a session: a stream's password is left out."""
    kind = source_kind(source)
    if kind == "synthetic":
        return kind
    if kind == "stream":
        scheme, _, rest = source.partition("://")
        return f"{kind} {scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
    return f"{kind} {source if kind == 'camera' else Path(source).name}"


_AS_USUAL: Final = SourceRequest()


@contextmanager
def open_source(
    source: str,
    *,
    letter: str,
    signer: str,
    session: str,
    seed: int = 0,
    interval_s: float = 0.0,
    wanted: SourceRequest = _AS_USUAL,
) -> Iterator[Iterator[SourceFrame]]:
    """Open a source and close it again.

    Args:
        source: a camera's number, a stream's address, the path of a video or of a folder of images, or `synthetic`.
        letter: what the synthetic signer shows; ignored by the other kinds, as are the next four.
        signer: who it is.
        session: which sitting.
        seed: where its chance begins.
        interval_s: how far apart its frames are needed: those between are not drawn. At least 1/30 s.
        wanted: what a camera is asked for.

    Yields:
        The frames, in order. Those of a camera, a stream and the synthetic signer never end.

    Raises:
        InputError: no such source.
        AslkitError: it is there and cannot be read.
        SourceLost: while frames are taken, from a camera or a stream that gives no more.
    """
    kind = source_kind(source)
    if kind == "synthetic":
        yield _synthetic(letter, signer, session, seed, interval_s)
    elif kind == "folder":
        yield _folder(Path(source))
    else:
        device = _open_device(source, kind, wanted)
        try:
            yield _live(device, source) if kind in LIVE else _video(device, source)
        finally:
            device.release()


def _synthetic(letter: str, signer: str, session: str, seed: int, interval_s: float) -> Iterator[SourceFrame]:
    who = synthetic.Signer.draw(signer)
    sitting = synthetic.SyntheticSession.draw(who, session)
    fps = min(_SYNTHETIC_FPS, 1 / interval_s) if interval_s else _SYNTHETIC_FPS
    for index, frame in enumerate(synthetic.render_frames(letter, signer=who, session=sitting, seed=seed, fps=fps)):
        yield SourceFrame(image=frame.image, name=f"s{seed}-{index:06d}", time_s=index / fps, captured_at=None)


def _folder(folder: Path) -> Iterator[SourceFrame]:
    images = (p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "." and p.is_file())
    paths = sorted(images, key=lambda p: natural_key(p.name))
    if not paths:
        raise AslkitError(f"{folder} holds no images ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    for path in paths:
        try:
            image = decode_image(read_image_file(path))
        except ImageError as error:
            raise AslkitError(
                f"{path}: {error.message}. Remove it, or use `aslkit import`, which leaves it out."
            ) from error
        yield SourceFrame(image=image, name=path.stem, time_s=None, captured_at=None)


def _open_device(source: str, kind: Kind, wanted: SourceRequest) -> Any:
    import cv2

    cv2.setLogLevel(0)  # its own messages name neither the cause nor the remedy
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # likewise, once a second while a stream is away
    if kind == "stream":  # without a limit, OpenCV waits 30 s for one that does not answer
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _PATIENCE_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _PATIENCE_MS]
        device = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    else:
        device = cv2.VideoCapture(min(int(source), _LAST_CAMERA) if kind == "camera" else source)
    if device.isOpened():
        if kind == "camera":
            _ask(device, wanted)
        return device
    device.release()
    if kind == "camera":
        raise AslkitError(
            f"Camera {source} cannot be opened. Is it plugged in, and does no other program use it? "
            "`aslkit capture --list-cameras` lists them; --source also takes a video, a folder or 'synthetic'."
        )
    if kind == "stream":
        raise AslkitError(f"{camera_name(source)} does not answer. Is the address right, and the camera on?")
    raise AslkitError(f"{source} cannot be read as a video. Try it in a player, or convert it to MP4 (H.264).")


def _ask(device: Any, wanted: SourceRequest) -> None:
    import cv2

    device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))  # uncompressed, USB 2 carries 30 fps of no more
    device.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height)
    device.set(cv2.CAP_PROP_FPS, wanted.fps)
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not one of some time ago


def _live(device: Any, source: str) -> Iterator[SourceFrame]:
    start, gave = datetime.now(UTC), False
    while True:
        there, image = device.read()
        if not there and not gave:
            raise AslkitError(f"The {camera_name(source)} gives no picture. Does another program use it?")
        if not there:
            raise SourceLost(f"The {camera_name(source)} gives no more frames. What was stored is kept.")
        now, gave = datetime.now(UTC), True
        yield SourceFrame(
            image=_bgr(image, source), name=frame_timestamp(now), time_s=(now - start).total_seconds(), captured_at=now
        )


def _video(device: Any, source: str) -> Iterator[SourceFrame]:
    import cv2

    fps = device.get(cv2.CAP_PROP_FPS) or 30.0
    stem = Path(source).stem.lstrip(".") or "video"  # a hidden image would not be found again
    for index in count():
        there, image = device.read()
        if not there:
            return
        yield SourceFrame(image=_bgr(image, source), name=f"{stem}-{index:06d}", time_s=index / fps, captured_at=None)


def _bgr(image: Any, source: str) -> Frame:
    """What OpenCV gives nearly always; some infrared cameras give grey pictures all the same.

    Raises:
        AslkitError: it is no picture with 8 bits a colour.
    """
    import cv2

    channels = image.shape[2] if image.ndim == 3 else 1
    if image.dtype != np.uint8 or channels not in (1, 3, 4):
        raise AslkitError(
            f"{camera_name(source)} gives pictures with {channels} × {image.dtype}; 8-bit colour is wanted."
        )
    if channels == 3:
        return np.asarray(image, np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR), np.uint8)
