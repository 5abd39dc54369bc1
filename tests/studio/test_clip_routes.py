"""The routes of clips: frames that arrive one after another, and the decision when a clip is complete."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from aslkit.capture.web import clip_uploads
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.core.letters import ALPHABET
from aslkit.core.workspace import Workspace
from aslkit.formats.clips import CapturedClip, read_clip, walk_clips
from aslkit.studio.parts.people import list_people
from aslkit.studio.studio import Studio
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame, decode_image, encode_jpeg
from aslkit.web.active_page import ActivePage
from tests.capture.clip_hands import J_PATH, PALM, follow, hand_at
from tests.studio.clients import TestClient, create_client, join

FPS = 15.0
DURATION_S = 1.2


@pytest.fixture
def analyze_frame() -> FrameAnalyzer:
    """Finds a hand that draws a J in the first DURATION_S, and rests then."""

    def analyze(frame: Frame, time_s: float) -> FrameMetrics:
        share = np.clip((time_s % 100 - 0.1) / (DURATION_S - 0.2), 0, 1)
        x, y = follow(J_PATH, np.array([share]))[0] * PALM + (320, 240)
        hand = Hand(landmarks=hand_at(x, y), handedness="right", score=0.9)
        return replace(measure_frame(frame, [hand]), brightness=0.6)

    return analyze


@pytest.fixture
def studio(open_studio: Any) -> Iterator[Studio]:
    with open_studio(letters=("A", "J", "Z", "none")) as studio:
        clock = count(0, 0.5).__next__
        studio.recording.active_page = ActivePage(60, taken_over_message="In another window.", clock=clock)
        yield studio


@pytest.fixture
def page(studio: Studio) -> Iterator[TestClient]:
    with create_client(studio) as client:
        join(client)
        client.post("/api/recording/letter", json={"letter": "J"})
        yield client


@pytest.fixture
def send_clip(page: TestClient) -> Callable[..., Any]:
    """Sends the frames of a clip, and returns the response of the last request, which finishes it."""

    def send(
        clip: int = 1,
        *,
        letter: str = "J",
        frames: int = round(DURATION_S * FPS) + 1,
        finish: bool = True,
        **query: Any,
    ) -> Any:
        revision = page.get("/api/recording").json()["revision"]
        for number in range(frames):
            values = {
                "clip": clip,
                "letter": letter,
                "revision": revision,
                "taken_s": 100 * clip + number / FPS,
            } | query
            image = encode_jpeg(np.full((480, 640, 3), 60 + 3 * number, np.uint8))
            response = page.post(
                "/api/recording/clips/frames", params=values, content=image, headers={"Content-Type": "image/jpeg"}
            )
        return page.post("/api/recording/clips", json={"clip": clip}) if finish else response

    return send


def stored(workspace: Workspace) -> list[CapturedClip]:
    return [read_clip(folder) for folder in walk_clips(workspace.captures)]


def test_complete_clip_is_stored_with_its_times(send_clip: Any, workspace: Workspace, page: TestClient) -> None:
    result = send_clip().json()
    (clip,) = stored(workspace)
    assert result["stored"] == f"J/{clip.folder.name}"
    assert (result["reasons"], result["counts"]["J"], result["recent"]) == ([], 1, [result["stored"]])
    assert [frame.time_ms for frame in clip.frames] == [round(number / FPS * 1000) for number in range(19)]
    assert all(frame.hand == "right" for frame in clip.frames)
    thumbnail = page.get(f"/api/recording/frames/{result['stored']}")
    assert decode_image(thumbnail.content).mean() == pytest.approx(60 + 3 * 9, abs=3)  # the middle frame


def test_frames_are_stored_only_when_the_clip_is_complete(send_clip: Any, workspace: Workspace, studio: Studio) -> None:
    assert send_clip(1, finish=False).json() == {"frames": 19}
    assert stored(workspace) == []
    studio.recording.close("a crash of the page")
    assert stored(workspace) == []


def test_frames_may_arrive_in_any_order(page: TestClient, send_clip: Any, workspace: Workspace) -> None:
    for number in (3, 1, 2):
        send_clip(1, frames=1, finish=False, taken_s=100 + number / FPS)
    for number in range(4, 20):
        send_clip(1, frames=1, finish=False, taken_s=100 + number / FPS)
    assert page.post("/api/recording/clips", json={"clip": 1}).json()["stored"]
    assert [frame.time_ms for frame in stored(workspace)[0].frames[:3]] == [0, 67, 133]


def test_bad_clip_says_what_to_do(send_clip: Any, workspace: Workspace, page: TestClient) -> None:
    result = send_clip(frames=3).json()
    assert (result["stored"], result["reasons"]) == (None, ["too-short"])
    assert result["messages"] == ["Too short. Keep holding until the movement has ended."]
    summary = page.request("DELETE", "/api/recording").json()
    assert (summary["clips"], summary["rejected_clips"]) == ({}, {"Too short": 1})


def test_a_new_clip_replaces_one_that_was_not_finished(send_clip: Any, workspace: Workspace) -> None:
    send_clip(1, frames=5, finish=False)
    assert send_clip(2).json()["stored"]
    assert len(stored(workspace)[0].frames) == 19


def test_undo_put_back_and_delete(send_clip: Any, workspace: Workspace, page: TestClient) -> None:
    first, second = send_clip(1).json()["stored"], send_clip(2).json()["stored"]
    undone = page.post("/api/recording/undo").json()
    assert (undone["removed"], undone["removed_clips"], undone["recent"]) == (1, 1, [first])
    assert page.post("/api/recording/put-back").json()["counts"]["J"] == 2
    assert page.request("DELETE", f"/api/recording/frames/{first}").json()["recent"] == [second]
    assert [f"J/{clip.folder.name}" for clip in stored(workspace)] == [second]


def test_clip_that_began_before_another_letter_is_not_stored(
    page: TestClient, send_clip: Any, workspace: Workspace
) -> None:
    send_clip(1, finish=False)
    page.post("/api/recording/letter", json={"letter": "Z"})
    assert page.post("/api/recording/clips", json={"clip": 1}).json()["stored"] is None
    assert stored(workspace) == []


def test_negatives_are_recorded_as_clips(page: TestClient, send_clip: Any, workspace: Workspace) -> None:
    state = page.post("/api/recording/letter", json={"letter": "none"}).json()
    assert (state["alphabet"], state["clip_letters"]) == ([*ALPHABET, "none"], ["J", "Z", "none"])
    assert send_clip(letter="none").json()["counts"]["none"] == 1
    assert stored(workspace)[0].letter == "none"
    (ada,) = list_people(workspace)
    assert (ada.frames, ada.clips) == (0, {"none": 1})


def test_goals_are_those_of_frames_and_clips(page: TestClient) -> None:
    goals = page.get("/api/recording").json()["goals"]
    assert (goals["A"], goals["J"], goals["Z"]) == (40, 20, 20)


@pytest.mark.parametrize(
    ("query", "status"),
    [({"letter": "A"}, 422), ({"letter": "../J"}, 422), ({"clip": -1}, 422), ({"taken_s": "nan"}, 422)],
)
def test_invalid_frames_are_refused(send_clip: Any, query: dict[str, Any], status: int) -> None:
    assert send_clip(frames=1, finish=False, **query).status_code == status


def test_letter_that_is_not_recorded_is_refused(open_studio: Any) -> None:
    with open_studio(letters="A") as studio, create_client(studio) as client:
        join(client)
        values = {"clip": 1, "letter": "J", "taken_s": 1}
        image = encode_jpeg(np.zeros((48, 64, 3), np.uint8))
        headers = {"Content-Type": "image/jpeg"}
        response = client.post("/api/recording/clips/frames", params=values, content=image, headers=headers)
        assert response.status_code == 422
        assert "Clips of J are not being recorded." in response.text


def test_clip_without_frames_and_of_another_page_is_refused(page: TestClient, send_clip: Any) -> None:
    assert page.post("/api/recording/clips", json={"clip": 7}).status_code == 422
    send_clip(1, finish=False)
    assert page.post("/api/recording/clips", json={"clip": 2}).status_code == 422
    assert page.post("/api/recording/clips", json={"clip": 1}, headers={"X-Page": "other"}).status_code == 409


def test_memory_of_a_clip_is_limited(send_clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_uploads, "MAX_FRAMES", 5)
    assert send_clip(finish=False, frames=6).status_code == 413


@pytest.mark.parametrize("letter", ["J", "Z"])
def test_pictures_of_movements_have_an_arrow(page: TestClient, letter: str) -> None:
    with_arrow = decode_image(page.get(f"/letters/{letter}.png").content).astype(int)
    blue = (with_arrow[:, :, 0] - with_arrow[:, :, 2]) > 100
    assert 1000 < blue.sum() < 10_000
    without = decode_image(page.get("/letters/A.png").content).astype(int)
    assert ((without[:, :, 0] - without[:, :, 2]) > 100).sum() == 0
    assert page.get("/letters/none.png").status_code == 404
