"""Opens frame sources: camera, network stream, video file, image folder or synthetic signer."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit import synthetic
from aslkit.core.errors import AslkitError
from aslkit.core.files import natural_key
from aslkit.video.network_stream import open_stream
from aslkit.video.source_frame import Frames, SourceFrame, SourceLost, live_frame, take_image
from aslkit.video.source_kind import source_kind
from aslkit.video.video_file import OnNote, open_video
from aslkit.vision.images import IMAGE_SUFFIXES, ImageError, decode_image, read_image_file

_SYNTHETIC_FPS: Final = 30.0

_MAX_DEPTH: Final = 4
"""Levels of subfolders that are searched, to name one with images."""

_MAX_CAMERA_NUMBER: Final = 2**31 - 1
"""OpenCV takes camera numbers as C int. No camera has this number, so larger ones fail in the same way."""


@dataclass(frozen=True, kw_only=True)
class CameraRequest:
    """Image size and frame rate to request from a camera, which may deliver something else."""

    width: int = 640
    height: int = 480
    fps: int = 30


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Which part of a source to read, and how.

    Attributes:
        mirrored: whether the source is mirrored, as a selfie. Its frames are unmirrored.
        start_s: skip the frames of a video before this time, seconds.
        end_s: end a video before this time, seconds; None for its end.
    """

    mirrored: bool = False
    start_s: float = 0.0
    end_s: float | None = None


_DEFAULT_CAMERA_REQUEST: Final = CameraRequest()

WHOLE_SOURCE: Final = ReadOptions()
"""Reads all frames as they are."""


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
    options: ReadOptions = WHOLE_SOURCE,
    on_note: OnNote = lambda note: None,
) -> Iterator[Iterator[SourceFrame]]:
    """Open a source, and close it at the end of the block.

    Args:
        source: camera number, stream URL, path of a video or image folder, or "synthetic"; see `normalise_source`.
        letter: letter that the synthetic signer shows. Other kinds ignore this and the next four arguments.
        signer: name of the synthetic signer, which determines the appearance.
        session: name of the synthetic session, which determines room and light.
        seed: random seed of the synthetic movements.
        interval_s: interval at which synthetic frames are rendered, seconds; at least 1/30 s.
        camera_request: image size and frame rate to request from a camera.
        options: which part of a video to read, and whether the source is mirrored.
        on_note: called if a video can only be read in part, or its times or its rotation are unknown.

    Yields:
        The frames, in order. Cameras, streams and the synthetic signer never end.

    Raises:
        InputError: the source does not exist, or no frame of a video is in the part to read.
        AslkitError: the source cannot be opened or read.
        SourceLost: raised while iterating, if a camera or stream stops delivering frames.
    """
    kind = source_kind(source)
    if kind == "synthetic":
        opened: AbstractContextManager[Frames] = nullcontext(
            _synthetic_frames(letter, signer, session, seed, interval_s)
        )
    elif kind == "folder":
        opened = nullcontext(_folder_frames(Path(source)))
    else:
        silence_opencv()
        if kind == "video":
            opened = open_video(Path(source), start_s=options.start_s, end_s=options.end_s, on_note=on_note)
        elif kind == "stream":
            opened = open_stream(source, fps=camera_request.fps)
        else:
            opened = _open_camera(source, camera_request)
    with opened as frames, closing(frames):
        yield (_unmirror(frame) for frame in frames) if options.mirrored else frames


def silence_opencv() -> None:
    """Stop OpenCV and FFmpeg from printing messages, which name neither the cause nor a remedy."""
    import cv2

    cv2.setLogLevel(0)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg would log every attempt to reconnect


def _unmirror(frame: SourceFrame) -> SourceFrame:
    return replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1]))


def _synthetic_frames(letter: str, signer: str, session: str, seed: int, interval_s: float) -> Frames:
    person = synthetic.Signer.draw(signer)
    room = synthetic.SyntheticSession.draw(person, session)
    fps = min(_SYNTHETIC_FPS, 1 / interval_s) if interval_s else _SYNTHETIC_FPS
    for index, frame in enumerate(synthetic.render_frames(letter, signer=person, session=room, seed=seed, fps=fps)):
        yield SourceFrame(image=frame.image, name=f"s{seed}-{index:06d}", time_s=index / fps, captured_at=None)


def _folder_frames(folder: Path) -> Frames:
    paths = _list_images(folder)
    if not paths:
        if subfolder := _find_image_folder(folder):
            raise AslkitError(f"The images of {folder} are in its subfolders. Give one, such as {subfolder}.")
        raise AslkitError(f"{folder} contains no images ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    for path in paths:
        try:
            image = decode_image(read_image_file(path))
        except ImageError as error:
            raise AslkitError(
                f"{path}: {error.message}. Remove it, or use `aslkit import`, which skips damaged images."
            ) from error
        yield SourceFrame(image=image, name=path.stem, time_s=None, captured_at=None)


def _list_images(folder: Path) -> list[Path]:
    images = (p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "." and p.is_file())
    return sorted(images, key=lambda p: natural_key(p.name))


def _find_image_folder(folder: Path, depth: int = 1) -> Path | None:
    """Return the first folder with images below a folder, to _MAX_DEPTH levels."""
    folders = sorted(
        (p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."), key=lambda p: natural_key(p.name)
    )
    if found := next((path for path in folders if _list_images(path)), None):
        return found
    deeper = (_find_image_folder(path, depth + 1) for path in folders if depth < _MAX_DEPTH)
    return next(filter(None, deeper), None)


@contextmanager
def _open_camera(number: str, request: CameraRequest) -> Iterator[Frames]:
    import cv2

    device = cv2.VideoCapture(min(int(number), _MAX_CAMERA_NUMBER))
    try:
        if not device.isOpened():
            raise AslkitError(
                f"Camera {number} cannot be opened. Check that it is connected and not used by another program "
                "(`aslkit capture --list-cameras`), or use --web with the camera of a browser, such as a phone's. "
                "--source also takes a video, a folder or 'synthetic'."
            )
        _configure_camera(device, request)
        yield _camera_frames(device, number)
    finally:
        # `Stream` opens the source again to reconnect, which fails while the camera is still open.
        device.release()


def _configure_camera(device: Any, request: CameraRequest) -> None:
    import cv2

    # Uncompressed images exceed the bandwidth of USB 2 at 30 fps above 640×480, so request MJPEG.
    device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    device.set(cv2.CAP_PROP_FRAME_WIDTH, request.width)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, request.height)
    device.set(cv2.CAP_PROP_FPS, request.fps)
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # read the newest frame instead of a queued one


def _camera_frames(device: Any, number: str) -> Frames:
    name, start, started = f"camera {number}", datetime.now(UTC), False
    while True:
        image = take_image(device.read, name)
        if image is None and not started:
            raise AslkitError(f"The {name} gives no image. Check that no other program uses it.")
        if image is None:
            raise SourceLost(f"The {name} sends no more frames. Frames stored so far are kept.")
        started = True
        yield live_frame(image, start)
