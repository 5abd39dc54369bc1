"""What `--source` can be: tells the kinds of sources apart by their text, and names them."""

import re
from pathlib import Path
from typing import Final, Literal
from urllib.request import url2pathname

from aslkit.core.errors import InputError
from aslkit.vision.images import IMAGE_SUFFIXES

Kind = Literal["camera", "stream", "video", "folder", "synthetic"]
LIVE_KINDS: Final[frozenset[Kind]] = frozenset({"camera", "stream"})
"""Sources that deliver frames in real time, may disconnect and come back, and never end."""

_STREAM_URL: Final = re.compile(r"(rtsps?|https?|rtmp|udp)://[^\s/]+.*", re.IGNORECASE)

_HOST_WITHOUT_SCHEME: Final = re.compile(
    r"(\d{1,3}(\.\d{1,3}){3}(:\d+)?|(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+):\d+)(/\S*)?", re.IGNORECASE
)
"""An IPv4 address, or a host name with a port, as camera apps show them: 192.168.1.5:8080/video."""

_DEVICE_FILE: Final = re.compile(r"/dev/video(\d+)")


def normalise_source(text: str) -> str:
    """Return a source as the other functions of this package expect it.

    Blanks at the ends are removed, `~` and file:// become paths, a device file of Linux (/dev/video0, or a link to it
    such as those in /dev/v4l/by-id) becomes the camera's number, and a host without a scheme gets http://.

    Raises:
        InputError: a device file does not exist.
    """
    source = text.strip()
    if Path(text).exists() and not text.startswith("/dev/"):
        return text
    if source.lower().startswith("file://"):
        source = url2pathname(source[len("file://") :].removeprefix("localhost"))
    if source.startswith(("~/", "~\\")):
        source = str(Path(source).expanduser())
    if source.startswith(("/dev/video", "/dev/v4l/")):
        return _camera_number(Path(source))
    return f"http://{source}" if _HOST_WITHOUT_SCHEME.fullmatch(source) and not Path(source).exists() else source


def _camera_number(path: Path) -> str:
    device = _DEVICE_FILE.fullmatch(str(path.resolve()))
    if device is None or not path.exists():
        raise InputError(f"{path} is not a connected camera. List them with `aslkit capture --list-cameras`.")
    return device[1]


def source_kind(source: str) -> Kind:
    """Return the kind of a source: camera number, stream URL, path, or "synthetic".

    A file that is not an image counts as a video, whatever its suffix; opening it tells whether it is one.

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
        if path.suffix.lower() in IMAGE_SUFFIXES:
            raise InputError(f"{source} is an image, not a video. To read images, give their folder.")
        return "video"
    problem = "is neither a file nor a folder" if path.exists() else "does not exist"
    raise InputError(
        f"Source '{source}' {problem}. Give a camera number (0), a video, an image folder, "
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
