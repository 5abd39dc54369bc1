"""The preview while recording: it is trained on the person's frames, and touches nothing else."""

from typing import Any

import pytest

from aslkit.core.workspace import Workspace
from aslkit.formats.captures import count_letters
from aslkit.studio.parts import preview as module
from aslkit.studio.parts.preview import FIRST_AFTER_S, RecordingPreview
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.hand_landmarker import create_landmarker
from aslkit.vision.images import Frame
from tests.studio.clients import wait_until

SIGNER = "synthetic-ada"


def render_letter(letter: str) -> Frame:
    signer = Signer.draw(SIGNER)
    frame: Frame = next(render_frames(letter, signer=signer, session=SyntheticSession.draw(signer, "two"))).image
    return frame


def test_preview_reads_after_a_minute_of_recording(recorded: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MIN_NEW_FRAMES", 20)
    times = [0.0]
    preview = RecordingPreview(
        recorded, SIGNER, lambda: dict(count_letters(recorded.captures, SIGNER)), clock=lambda: times[0]
    )
    frame = render_letter("B")
    with create_landmarker() as landmarker:
        hand = landmarker.find(frame)
    assert hand is not None
    for time_s in (0.0, FIRST_AFTER_S - 1):
        times[0] = time_s
        preview.frame_stored()
        assert not preview._runner.is_running()
        assert preview.read(frame, hand) is None
    times[0] = FIRST_AFTER_S + 1
    preview.frame_stored()

    def read() -> dict[str, Any] | None:
        times[0] += 2
        return preview.read(frame, hand)

    reading = wait_until(read)
    assert reading["letter"] == "B"
    assert reading["probability"] > 0.5
    assert preview.read(frame, None) is None
    # No dataset, run or job of the user.
    assert not recorded.datasets.exists()
    assert not recorded.runs.exists()
    assert not (recorded.root / "jobs").exists()
    assert count_letters(recorded.captures, SIGNER) == {"A": 10, "B": 10}
    preview.close()
    assert not (recorded.root / "cache" / "preview").exists()
    assert count_letters(recorded.captures, SIGNER) == {"A": 10, "B": 10}  # only the link to them was removed


def test_one_letter_is_not_enough(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MIN_NEW_FRAMES", 0)
    times = iter((0.0, FIRST_AFTER_S + 1))
    preview = RecordingPreview(workspace, SIGNER, lambda: {"A": 500, "B": 3}, clock=times.__next__)
    preview.frame_stored()
    preview.frame_stored()
    assert not preview._runner.is_running()
