"""Requests and responses of the part Try, with recognisers that read what the test says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.letters import LETTERS
from aslkit.live.recogniser import Recognition
from aslkit.studio.parts import reading
from aslkit.studio.studio import Studio
from aslkit.vision.images import encode_jpeg
from aslkit.vision.preprocess import PreprocessConfig
from aslkit.web.active_page import ActivePage
from tests.studio.clients import JPEG, TestClient, create_client, open_hand

IMAGE = encode_jpeg(np.full((48, 64, 3), 90, np.uint8))


class FakeRecogniser:
    """Reads the letter that is set for its run, or finds no hand."""

    letters: dict[str, str | None]

    def __init__(self, run: Path, **_: Any) -> None:
        self.run, self.contract = run.name, PreprocessConfig(kind="landmarks")

    def recognise(self, frame: Any) -> Recognition:
        letter = self.letters.get(self.run)
        probabilities = np.zeros(24, np.float32)
        if letter is None:
            return Recognition(hand=None, letter=None, probabilities=probabilities, rejected=True)
        probabilities[LETTERS.index(letter)] = 1
        return Recognition(hand=open_hand(), letter=letter, probabilities=probabilities, rejected=False)

    def __enter__(self) -> "FakeRecogniser":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class NoFinder:
    def close(self) -> None:
        pass


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """What each run reads, by its name; changed by the test."""
    values: dict[str, str | None] = {}
    monkeypatch.setattr(FakeRecogniser, "letters", values, raising=False)
    monkeypatch.setattr(reading, "Recogniser", FakeRecogniser)
    monkeypatch.setattr(reading, "SharedHandFinder", NoFinder)
    return values


@pytest.fixture
def page(studio: Studio, letters: dict[str, str | None]) -> Iterator[TestClient]:
    (studio.workspace.runs / "mine" / "model").mkdir(parents=True)
    with create_client(studio) as client:
        open_runs(client, "starter")
        yield client


def open_runs(client: TestClient, *runs: str, **values: object) -> dict[str, Any]:
    response = client.post("/api/reading", json={"runs": runs, **values})
    state: dict[str, Any] = response.json()
    client.headers["X-Page"] = state.get("page", "")
    return state


def send_frames(client: TestClient, studio: Studio, seconds: float) -> dict[str, Any]:
    """Send frames, 20 per second on the clock of the controller, and return the last response."""
    controller = studio.reading.controller
    response: dict[str, Any] = {}
    for _ in range(int(seconds * 20)):
        controller._start_s -= 0.05
        data = studio.reading.controller.process_frame(IMAGE)
        response = json.loads(json.dumps(data))
    return response


def test_frame_returns_reading(page: TestClient) -> None:
    response = page.post("/api/reading/frames", content=IMAGE, headers=JPEG)
    assert response.status_code == 200
    reading: dict[str, Any] = {
        "run": "starter", "letter": None, "top_letters": [], "progress": 0.0, "text": "", "landmarks": None,
        "box": None,
    }  # fmt: skip
    assert response.json() == {"readings": [reading], "exam": None}


def test_held_letters_become_text(page: TestClient, studio: Studio, letters: dict[str, str | None]) -> None:
    for letter in ("A", None, "B"):
        letters["starter"] = letter
        send_frames(page, studio, 0.8)
    assert page.post("/api/reading/keys", json={"key": "space"}).json() == {"runs": [{"run": "starter", "text": "AB "}]}
    assert page.post("/api/reading/keys", json={"key": "delete"}).json()["runs"][0]["text"] == "AB"


def test_clear_can_be_undone(page: TestClient, studio: Studio, letters: dict[str, str | None]) -> None:
    letters["starter"] = "A"
    send_frames(page, studio, 0.8)
    texts = [
        page.post("/api/reading/keys", json={"key": key}).json()["runs"][0]["text"] for key in ("clear", "undo", "undo")
    ]
    assert texts == ["", "A", "A"]


def test_two_runs_read_the_same_frames(page: TestClient, studio: Studio, letters: dict[str, str | None]) -> None:
    letters |= {"starter": "A", "mine": "S"}
    open_runs(page, "mine", "starter")
    readings = send_frames(page, studio, 0.8)["readings"]
    assert [(each["run"], each["text"]) for each in readings] == [("mine", "S"), ("starter", "A")]


def test_reload_keeps_the_text_and_a_later_visitor_does_not_get_it(
    page: TestClient, studio: Studio, letters: dict[str, str | None]
) -> None:
    letters["starter"] = "A"
    send_frames(page, studio, 0.8)
    assert open_runs(page, "starter")["runs"] == [{"run": "starter", "text": "A"}]
    with create_client(studio) as other:
        assert open_runs(other, "starter")["why"] == "elsewhere"
        del other.headers["X-Page"]
        assert open_runs(other, "starter", take_over=True)["runs"] == [{"run": "starter", "text": ""}]
    refused = page.post("/api/reading/frames", content=IMAGE, headers=JPEG)
    assert (refused.status_code, refused.json()["why"]) == (409, "elsewhere")
    assert studio.reading.last_text == "A"  # `aslkit live --web` prints it


@pytest.mark.parametrize(
    "runs",
    [[], ["a", "b", "c"], ["starter", "starter", "x"], ["nothing"], ["../runs/mine"], [".."], ["mine/model"], [""]],
)
def test_unknown_runs_are_refused(page: TestClient, runs: list[str]) -> None:
    assert page.post("/api/reading", json={"runs": runs}).status_code == 422


def test_invalid_requests_are_refused(page: TestClient) -> None:
    assert page.post("/api/reading/keys", json={"key": "explode"}).status_code == 422
    assert page.post("/api/reading/frames", content=b"no image", headers=JPEG).status_code == 422
    assert page.delete("/api/reading/exam").status_code == 409  # none was started
    for letters in ([], ["J"], ["a"], ["AB"]):
        assert page.post("/api/reading/exam", json={"signer": "ada", "letters": letters}).status_code == 422


def test_exam(page: TestClient, studio: Studio, letters: dict[str, str | None], workspace: Any) -> None:
    body = {"signer": "ada", "letters": ["A", "B"], "seed": 1}
    assert page.post("/api/reading/exam", json=body).json() == {"letters": ["A", "B"], "left_out": [], "known": False}
    for _ in range(2):
        exam = send_frames(page, studio, 3.2)["exam"]
        assert exam["phase"] == "sign"
        letters["starter"] = "A"  # right once, wrong once
        exam = send_frames(page, studio, 1)["exam"]
        letters["starter"] = None
    assert (exam["phase"], [predicted for _, predicted in exam["results"]]) == ("rest", ["A", "A"])
    assert send_frames(page, studio, 10.5)["exam"]["phase"] == "done"
    assert studio.reading.controller.readers["starter"].text.split() == ["A", "A"]
    result = page.delete("/api/reading/exam").json()
    assert studio.reading.controller.readers["starter"].text == ""  # as before the exam
    assert (result["accuracy"], result["asked"], result["false_letters"]) == (0.5, 2, 0)
    report = page.get(result["report"])
    assert "Exam" in report.text
    assert "script" not in report.headers["content-security-policy"]
    sessions = list(workspace.exams.glob("*/frames/ada/*/session.json"))
    assert [json.loads(path.read_text())["purpose"] for path in sessions] == ["exam"]


def test_frame_rate_is_limited(page: TestClient, studio: Studio) -> None:
    limited = ActivePage(30, taken_over_message="", clock=lambda: 0.0)  # a clock that stands still
    limited.page = studio.reading.active_page.page
    studio.reading.active_page = limited
    statuses = [page.post("/api/reading/frames", content=IMAGE, headers=JPEG).status_code for _ in range(40)]
    assert set(statuses) == {200, 429}
