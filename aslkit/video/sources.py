"""Opens frame sources: camera, network stream, video file, image folder or synthetic signer."""

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
LIVE_KINDS: Final[frozenset[Kind]] = frozenset({"camera", "stream"})
"""Sources that deliver frames in real time, may disconnect and come back, and never end."""

VIDEO_SUFFIXES: Final = frozenset({".avi", ".mp4", ".mov", ".mkv", ".webm", ".m4v", ".mjpg"})

_SYNTHETIC_FPS: Final = 30.0

_STREAM_URL: Final = re.compile(r"(rtsps?|https?|rtmp|udp)://[^\s/]+.*", re.IGNORECASE)

_STREAM_TIMEOUT_MS: Final = 8_000
"""Time limit for opening a network stream, and for each of its frames. OpenCV's default is 30 s."""

_MAX_CAMERA_NUMBER: Final = 2**31 - 1
"""OpenCV takes camera numbers as C int. No camera has this number, so larger ones fail in the same way."""


@dataclass(frozen=True, kw_only=True)
class SourceFrame:
    """A frame delivered by a source.

    Attributes:
        image: BGR, uint8 (height, width, 3), unmirrored.
        name: name of the frame, unique within the source.
        time_s: seconds since the start of the source; None for images of a folder.
        captured_at: time at which a camera took the frame; None if unknown.
    """

    image: Frame
    name: str
    time_s: float | None
    captured_at: datetime | None


class SourceLost(AslkitError):
    """A camera or stream stopped delivering frames; it may come back."""


@dataclass(frozen=True, kw_only=True)
class CameraRequest:
    """Image size and frame rate to request from a camera, which may deliver something else."""

    width: int = 640
    height: int = 480
    fps: int = 30


def source_kind(source: str) -> Kind:
    """Return the kind of a source: camera number, stream URL, path, or "synthetic".

    Raises:
        InputError: the source is none of these, or the path does not exist.
    """
    if not source:
        raise InputError("The source is empty. Give a camera number (0), a video, an image folder or a stream URL.")
    if source.isdecimal():
        return "camera"
    if source == "synthetic":
        return "synthetic"
    if _STREAM_URL.fullmatch(source):
        return "stream"
    path = Path(source)
    if path.is_dir():
        return "folder"
    if path.is_file():
        if path.suffix.lower() in VIDEO_SUFFIXES:
            return "video"
        raise InputError(
            f"{source} is not a video ({', '.join(sorted(VIDEO_SUFFIXES))}). To read images, give their folder."
        )
    raise InputError(
        f"Source {source!r} does not exist. Give a camera number (0), a video, an image folder, "
        "a stream URL (rtsp:// or http://), or 'synthetic'."
    )


def camera_name(source: str) -> str:
    """Return the name under which a source is stored in a session. A stream's password is removed."""
    kind = source_kind(source)
    if kind == "synthetic":
        return kind
    if kind == "stream":
        scheme, _, rest = source.partition("://")
        return f"{kind} {scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
    return f"{kind} {source if kind == 'camera' else Path(source).name}"


_DEFAULT_CAMERA_REQUEST: Final = CameraRequest()


@contextmanager
def open_source(
    source: str,
    *,
    letter: str,
    signer: str,
    session: str,
    seed: int = 0,
    interval_s: float = 0.0,
    camera_request: CameraRequest = _DEFAULT_CAMERA_REQUEST,
) -> Iterator[Iterator[SourceFrame]]:
    """Open a source, and close it at the end of the block.

    Args:
        source: camera number, stream URL, path of a video or image folder, or "synthetic".
        letter: letter that the synthetic signer shows. Other kinds ignore this and the next four arguments.
        signer: name of the synthetic signer, which determines the appearance.
        session: name of the synthetic session, which determines room and light.
        seed: random seed of the synthetic movements.
        interval_s: interval at which synthetic frames are rendered, seconds; at least 1/30 s.
        camera_request: image size and frame rate to request from a camera.

    Yields:
        The frames, in order. Cameras, streams and the synthetic signer never end.

    Raises:
        InputError: the source does not exist.
        AslkitError: the source cannot be opened or read.
        SourceLost: raised while iterating, if a camera or stream stops delivering frames.
    """
    kind = source_kind(source)
    if kind == "synthetic":
        yield _synthetic_frames(letter, signer, session, seed, interval_s)
    elif kind == "folder":
        yield _folder_frames(Path(source))
    else:
        device = _open_device(source, kind, camera_request)
        try:
            yield _live_frames(device, source) if kind in LIVE_KINDS else _video_frames(device, source)
        finally:
            # `Stream` opens the source again to reconnect, which fails while the camera is still open.
            device.release()


def _synthetic_frames(letter: str, signer: str, session: str, seed: int, interval_s: float) -> Iterator[SourceFrame]:
    person = synthetic.Signer.draw(signer)
    room = synthetic.SyntheticSession.draw(person, session)
    fps = min(_SYNTHETIC_FPS, 1 / interval_s) if interval_s else _SYNTHETIC_FPS
    for index, frame in enumerate(synthetic.render_frames(letter, signer=person, session=room, seed=seed, fps=fps)):
        yield SourceFrame(image=frame.image, name=f"s{seed}-{index:06d}", time_s=index / fps, captured_at=None)


def _folder_frames(folder: Path) -> Iterator[SourceFrame]:
    images = (p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "." and p.is_file())
    paths = sorted(images, key=lambda p: natural_key(p.name))
    if not paths:
        raise AslkitError(f"{folder} contains no images ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    for path in paths:
        try:
            image = decode_image(read_image_file(path))
        except ImageError as error:
            raise AslkitError(
                f"{path}: {error.message}. Remove it, or use `aslkit import`, which skips damaged images."
            ) from error
        yield SourceFrame(image=image, name=path.stem, time_s=None, captured_at=None)


def _open_device(source: str, kind: Kind, camera_request: CameraRequest) -> Any:
    import cv2

    cv2.setLogLevel(0)  # OpenCV's messages name neither the cause nor a remedy
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg would log every attempt to reconnect
    if kind == "stream":
        timeouts = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS,
        ]  # fmt: skip
        device = cv2.VideoCapture(source, cv2.CAP_FFMPEG, timeouts)
    else:
        device = cv2.VideoCapture(min(int(source), _MAX_CAMERA_NUMBER) if kind == "camera" else source)
    if device.isOpened():
        if kind == "camera":
            _configure_camera(device, camera_request)
        return device
    device.release()
    if kind == "camera":
        raise AslkitError(
            f"Camera {source} cannot be opened. Check that it is connected and not used by another program "
            "(`aslkit capture --list-cameras`), or use --web with the camera of a browser, such as a phone's. --source "
            "also takes a video, a folder or 'synthetic'."
        )
    if kind == "stream":
        raise AslkitError(f"{camera_name(source)} does not respond. Check the URL, and that the camera is on.")
    raise AslkitError(f"{source} cannot be read as a video. Try it in a video player, or convert it to MP4 (H.264).")


def _configure_camera(device: Any, request: CameraRequest) -> None:
    import cv2

    # Uncompressed images exceed the bandwidth of USB 2 at 30 fps above 640×480, so request MJPEG.
    device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    device.set(cv2.CAP_PROP_FRAME_WIDTH, request.width)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, request.height)
    device.set(cv2.CAP_PROP_FPS, request.fps)
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # read the newest frame instead of a queued one


def _live_frames(device: Any, source: str) -> Iterator[SourceFrame]:
    start, started = datetime.now(UTC), False
    while True:
        success, image = device.read()
        if not success and not started:
            raise AslkitError(f"The {camera_name(source)} gives no image. Check that no other program uses it.")
        if not success:
            raise SourceLost(f"The {camera_name(source)} sends no more frames. Frames stored so far are kept.")
        now, started = datetime.now(UTC), True
        yield SourceFrame(
            image=_to_bgr(image, source),
            name=frame_timestamp(now),
            time_s=(now - start).total_seconds(),
            captured_at=now,
        )


def _video_frames(device: Any, source: str) -> Iterator[SourceFrame]:
    import cv2

    # OpenCV returns 0 if the file states no frame rate.
    fps = device.get(cv2.CAP_PROP_FPS) or 30.0
    stem = Path(source).stem.lstrip(".") or "video"  # image names that start with a dot would be skipped as hidden
    for index in count():
        success, image = device.read()
        if not success:
            return
        yield SourceFrame(
            image=_to_bgr(image, source), name=f"{stem}-{index:06d}", time_s=index / fps, captured_at=None
        )


def _to_bgr(image: Any, source: str) -> Frame:
    """Convert an image to BGR. OpenCV delivers BGR, except for some infrared cameras, which stay greyscale.

    Raises:
        AslkitError: the image does not have 8 bits per channel.
    """
    import cv2

    channels = image.shape[2] if image.ndim == 3 else 1
    if image.dtype != np.uint8 or channels not in (1, 3, 4):
        raise AslkitError(
            f"{camera_name(source)} gives images with {channels} × {image.dtype} channels; 8-bit colour is required."
        )
    if channels == 3:
        return np.asarray(image, np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR), np.uint8)
