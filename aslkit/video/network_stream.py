"""Reads network cameras: streams, and addresses that answer each request with one image."""

import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from aslkit.core.errors import AslkitError
from aslkit.video.source_frame import Frames, SourceLost, live_frame, take_image
from aslkit.video.source_kind import camera_name
from aslkit.vision.images import ImageError, decode_image

STREAM_TIMEOUT_MS: Final = 8_000
"""Time limit for opening a network stream, and for each of its frames. OpenCV's default is 30 s."""

_CAMERA_APPS: Final = "IP Webcam has its images at /video and /shot.jpg, DroidCam at /video."

_WEB_PAGE: Final = "A web page, such as one of YouTube, is not a video: download the video first, and give its path."

_MAX_IMAGE_BYTES: Final = 64 * 2**20


@contextmanager
def open_stream(url: str, *, fps: float) -> Iterator[Frames]:
    """Open a network stream, and close it at the end of the block.

    Args:
        url: rtsp://, http:// or another URL that FFmpeg reads, or of an image that the camera renews.
        fps: how often such an image is requested at most, per second.

    Yields:
        The frames, without end.

    Raises:
        AslkitError: raised while iterating, if the URL does not respond, or has no images.
        SourceLost: raised while iterating, if the stream stops delivering frames.
    """
    import cv2

    timeouts = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, STREAM_TIMEOUT_MS,
    ]  # fmt: skip
    device = cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)
    try:
        device.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        yield _stream_frames(device, url, fps)
    finally:
        # The source is opened again to reconnect, which fails while some cameras are still open.
        device.release()


def _stream_frames(device: Any, url: str, fps: float) -> Frames:
    import cv2

    started, frames, name, http = datetime.now(UTC), 0, camera_name(url), url.lower().startswith("http")
    if http and device.get(cv2.CAP_PROP_FRAME_COUNT) > 1:  # a camera has no last frame
        raise AslkitError(f"{_title(url)} is a video file, not a camera. Download it, and give its path.")
    while device.isOpened() and (image := take_image(device.read, name)) is not None:
        frames += 1
        yield live_frame(image, started)
    # FFmpeg reads a single image as a stream of one frame. Asked only now, since some cameras serve one viewer only.
    if frames <= 1 and http:
        device.release()
        yield from _requested_images(url, started, fps)
    if frames:
        raise SourceLost(f"The {name} sends no more frames. Frames stored so far are kept.")
    if http:
        raise AslkitError(f"{_title(url)} responds, but without images. Check the path of the URL. {_CAMERA_APPS}")
    raise _no_response(url)


def _no_response(url: str) -> AslkitError:
    parts = urlsplit(url)
    host = parts.hostname or ""
    # Cameras have an IP address, a port or a host name without a dot.
    is_web = parts.scheme in ("http", "https") and "." in host and not host[-1].isdecimal() and ":" not in parts.netloc
    advice = f" {_WEB_PAGE}" if is_web else ""
    return AslkitError(f"{_title(url)} does not respond. Check the URL, and that the camera is on.{advice}")


def _title(url: str) -> str:
    """Return the name of a stream, as the start of a sentence."""
    name = camera_name(url)
    return name[0].upper() + name[1:]


def _requested_images(url: str, started: datetime, fps: float) -> Frames:
    """Request a URL again and again, as long as it responds with an image.

    Raises:
        AslkitError: it does not respond, or with an error or a web page.
    """
    requested_s = time.monotonic()
    while (data := _request_image(url)) is not None:
        try:
            yield live_frame(decode_image(data), started)
        except ImageError as error:
            raise SourceLost(f"The {camera_name(url)} sends a damaged image: {error.message}.") from error
        time.sleep(max(0.0, requested_s + 1 / fps - time.monotonic()))
        requested_s = time.monotonic()


def _request_image(url: str) -> bytes | None:
    """Request a URL, and return the image that it responds with; None if it responds with something else.

    Raises:
        AslkitError: it does not respond, or with an error or a web page.
    """
    name = _title(url)
    try:
        with _open_url(url) as response:
            content_type = response.headers.get_content_type()
            data = response.read(_MAX_IMAGE_BYTES) if content_type.startswith("image/") else None
    except HTTPError as error:
        advice = (
            "Give user name and password in the URL: http://NAME:PASSWORD@HOST/."
            if error.code == HTTPStatus.UNAUTHORIZED
            else f"Check the path of the URL. {_CAMERA_APPS}"
        )
        raise AslkitError(f"{name} responds with error {error.code} ({error.reason}). {advice}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise _no_response(url) from error
    if content_type == "text/html":
        raise AslkitError(
            f"{name} is a web page, not a video. Download the video first, and give its path. Of a camera, give the "
            f"URL of the images. {_CAMERA_APPS}"
        )
    return data


def _open_url(url: str) -> HTTPResponse:
    """Request a URL, with the user name and the password that it contains."""
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    request = Request(urlunsplit(parts._replace(netloc=host)))
    if login:
        # Not sent on to a host that the camera redirects to.
        request.add_unredirected_header("Authorization", f"Basic {b64encode(unquote(login).encode()).decode()}")
    # Like FFmpeg, without checking certificates: those of cameras are self-signed.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    response: HTTPResponse = urlopen(request, timeout=STREAM_TIMEOUT_MS / 1000, context=context)
    return response
