"""Speed of the recorder with a camera of 30 frames per second, including gate, window and disk.

Usage: ./run bench capture [VIDEO]    frames of VIDEO; without it, of a synthetic signer

Prints for each size the frames per second delivered by the camera, tracked, drawn and judged (target: 10), and the
number that MediaPipe alone tracks, as an upper bound.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.record import SourceRecording
from aslkit.capture.session.lifecycle import RecordingLifecycle
from aslkit.capture.window.view import draw_view
from aslkit.capture.window.window import WindowController
from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.video.source_frame import SourceFrame
from aslkit.video.stream import Stream
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import Frame

FPS = 30.0
SECONDS = 20.0
FRAMES = 240
SIZES = ((640, 480), (1280, 720))


def pictures(video: str | None) -> list[Frame]:
    """Return frames of a video or of a synthetic signer, to be repeated."""
    if video is None:
        who = Signer.draw("synthetic-ada")
        stream = render_frames("B", signer=who, session=SyntheticSession.draw(who, "one"))
        return [each.image for each in islice(stream, FRAMES)]
    device, found = cv2.VideoCapture(video), []
    while len(found) < FRAMES:
        there, image = device.read()
        if not there:
            break
        found.append(image)
    return found


def played(images: Sequence[Frame]) -> Iterator[SourceFrame]:
    """Yield frames like a USB camera for SECONDS; each is decoded from JPEG when it is needed."""
    coded = [cv2.imencode(".jpg", image)[1] for image in images]
    for index, data in enumerate(islice(cycle(coded), int(FPS * SECONDS))):
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        yield SourceFrame(image=image, name=f"{index:06d}", time_s=index / FPS, captured_at=None)


def floor(images: Sequence[Frame]) -> float:
    """Return the frames per second that MediaPipe alone tracks."""
    with HandLandmarker(tracking=True, second_try=False) as landmarker:
        landmarker.find(images[0])
        start = time.perf_counter()
        for image in images:
            landmarker.find(image)
        return len(images) / (time.perf_counter() - start)


def recorded(images: Sequence[Frame], folder: Path) -> dict[str, float]:
    """Record as the window does, without a screen."""

    @contextmanager
    def open_frames() -> Iterator[Iterator[SourceFrame]]:
        yield played(images)

    info = SessionInfo(signer="synthetic-ada", session="one", camera="benchmark")
    capture = load_settings("capture", CaptureConfig, flags={"countdown_s": 0, "goal": 602})
    gate = load_settings("gate", GateConfig)
    lifecycle = RecordingLifecycle(
        workspace=Workspace(root=folder), info=info, capture=capture, gate=gate, count=None, can_ask=True
    )
    with lifecycle.open_recording(["B"]) as recording:
        stream = Stream(open_frames, live=True, paced=True)
        source = SourceRecording(
            recording, open_stream=lambda _: stream, stream=stream, reopen_per_letter=False, live=True
        )
        controller, drawn, last = WindowController(source), 0, None
        start = time.perf_counter()
        while controller.end_reason is None:
            controller.handle_key(ord(" "))  # space bar held down
            controller.update()
            shown = source.pipeline.newest
            if shown is not None and shown is not last:
                draw_view(controller.view())
                drawn, last = drawn + 1, shown
            time.sleep(0.005)
        took = time.perf_counter() - start
        source.close()
        counts = source.frame_statistics()
        judged = sum(recording.stored.values()) + sum(Counter(recording.rejected).values())
        followed = counts["seen"] - source.pipeline.untracked
        p50, p95 = counts["fps"]["p50"], counts["fps"]["p95"]
    per_s = {"seen": counts["seen"], "followed": followed, "drawn": drawn, "judged": judged}
    stored = float(sum(recording.stored.values()))
    return {key: value / took for key, value in per_s.items()} | {"p50": p50, "p95": p95, "stored": stored}


def main() -> None:
    """Print a row for each size."""
    images = pictures(sys.argv[1] if len(sys.argv) > 1 else None)
    print("| size | camera fps p50 / p95 | tracked per second | drawn | judged | stored in total | MediaPipe alone |")
    print("|---|---|---|---|---|---|---|")
    for size in SIZES:
        sized = [np.asarray(cv2.resize(image, size), np.uint8) for image in images]
        alone = floor(sized)
        with tempfile.TemporaryDirectory() as folder:
            r = recorded(sized, Path(folder))
        print(
            f"| {size[0]}×{size[1]} | {r['p50']:.1f} / {r['p95']:.1f} | {r['followed']:.1f} | {r['drawn']:.1f} "
            f"| {r['judged']:.1f} | {r['stored']:.0f} | {alone:.0f} |"
        )


if __name__ == "__main__":
    main()
