"""Requests and responses of the part Try, with recognisers that read what the test says."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from aslkit.core.letters import ALPHABET
from aslkit.inference.starter import STARTER_RUN
from aslkit.studio.parts import reading
from aslkit.studio.studio import Studio
from aslkit.web.active_page import ActivePage
from tests.studio.clients import JPEG, TestClient, create_client
from tests.studio.fake_recogniser import IMAGE, Letters, send_frames, spell, use_fake_recognisers


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    """What each run reads, by its name; changed by the test."""
    return use_fake_recognisers(monkeypatch)


@pytest.fixture
def page(studio: Studio, letters: Letters) -> Iterator[TestClient]:
    shutil.copytree(STARTER_RUN, studio.workspace.runs / "mine")
    with create_client(studio) as client:
        open_runs(client, "starter")
        yield client


def open_runs(client: TestClient, *runs: str, **values: object) -> dict[str, Any]:
    response = client.post("/api/reading", json={"runs": runs, **values})
    state: dict[str, Any] = response.json()
    client.headers["X-Page"] = state.get("page", "")
    return state


def test_frame_returns_reading(page: TestClient) -> None:
    response = page.post("/api/reading/frames", content=IMAGE, headers=JPEG)
    assert response.status_code == 200
    reading: dict[str, Any] = {
        "run": "starter", "letter": None, "top_letters": [], "progress": 0.0, "text": "", "suggestion": None,
        "correction": None, "landmarks": None, "box": None,
    }  # fmt: skip
    assert response.json() == {"readings": [reading], "exam": None}


def test_held_letters_become_text(page: TestClient, studio: Studio, letters: Letters) -> None:
    for letter in ("A", None, "B"):
        letters["starter"] = letter
        send_frames(studio, 0.8)
    assert page.post("/api/reading/keys", json={"key": "space"}).json() == {"runs": [{"run": "starter", "text": "AB "}]}
    assert page.post("/api/reading/keys", json={"key": "delete"}).json()["runs"][0]["text"] == "AB"


def test_clear_can_be_undone(page: TestClient, studio: Studio, letters: Letters) -> None:
    letters["starter"] = "A"
    send_frames(studio, 0.8)
    texts = [
        page.post("/api/reading/keys", json={"key": key}).json()["runs"][0]["text"] for key in ("clear", "undo", "undo")
    ]
    assert texts == ["", "A", "A"]


def test_two_runs_read_the_same_frames(page: TestClient, studio: Studio, letters: Letters) -> None:
    letters |= {"starter": "A", "mine": "S"}
    open_runs(page, "mine", "starter")
    readings = send_frames(studio, 0.8)["readings"]
    assert [(each["run"], each["text"]) for each in readings] == [("mine", "S"), ("starter", "A")]


def test_reload_keeps_the_text_and_a_later_visitor_does_not_get_it(
    page: TestClient, studio: Studio, letters: Letters
) -> None:
    letters["starter"] = "A"
    send_frames(studio, 0.8)
    assert open_runs(page, "starter")["runs"] == [{"run": "starter", "text": "A", "letters": list(ALPHABET)}]
    with create_client(studio) as other:
        assert open_runs(other, "starter")["why"] == "elsewhere"
        del other.headers["X-Page"]
        assert open_runs(other, "starter", take_over=True)["runs"][0]["text"] == ""
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
    for letters in ([], ["a"], ["AB"], ["none"]):
        assert page.post("/api/reading/exam", json={"signer": "ada", "letters": letters}).status_code == 422


def test_exam(page: TestClient, studio: Studio, letters: Letters, workspace: Any) -> None:
    body = {"signer": "ada", "letters": ["A", "B"], "seed": 1}
    assert page.post("/api/reading/exam", json=body).json() == {"letters": ["A", "B"], "left_out": [], "known": False}
    for _ in range(2):
        exam = send_frames(studio, 3.2)["exam"]
        assert exam["phase"] == "sign"
        letters["starter"] = "A"  # right once, wrong once
        exam = send_frames(studio, 1)["exam"]
        letters["starter"] = None
    assert (exam["phase"], [predicted for _, predicted in exam["results"]]) == ("rest", ["A", "A"])
    assert send_frames(studio, 10.5)["exam"]["phase"] == "done"
    assert studio.reading.controller.readers["starter"].text.split() == ["A", "A"]
    result = page.delete("/api/reading/exam").json()
    assert studio.reading.controller.readers["starter"].text == ""  # as before the exam
    assert (result["accuracy"], result["asked"], result["false_letters"]) == (0.5, 2, 0)
    report = page.get(result["report"])
    assert "Exam" in report.text
    assert "script" not in report.headers["content-security-policy"]
    sessions = list(workspace.exams.glob("*/frames/ada/*/session.json"))
    assert [json.loads(path.read_text())["purpose"] for path in sessions] == ["exam"]


def press(page: TestClient, key: str) -> list[str]:
    """Press a key, and return the text of each run."""
    return [each["text"] for each in page.post("/api/reading/keys", json={"key": key}).json()["runs"]]


def read_words(studio: Studio, run: int = 0) -> tuple[str, str | None, dict[str, str] | None]:
    """Return text, suggestion and correction in the next frame."""
    reading = send_frames(studio, 0.05)["readings"][run]
    return reading["text"], reading["suggestion"], reading["correction"]


def test_corrected_word_can_be_undone(page: TestClient, studio: Studio, letters: Letters) -> None:
    spell(studio, letters, "TEACHFR")
    letters["starter"] = None
    assert press(page, "space") == ["TEACHER "]
    correction = {"read": "TEACHFR", "word": "TEACHER"}
    assert read_words(studio) == ("TEACHER ", None, correction)
    assert (
        page.post("/api/reading/frames", content=IMAGE, headers=JPEG).json()["readings"][0]["correction"] == correction
    )
    assert press(page, "undo") == ["TEACHFR "]
    assert read_words(studio) == ("TEACHFR ", None, None)


def test_suggestion_completes_the_word(page: TestClient, studio: Studio, letters: Letters) -> None:
    spell(studio, letters, "TEACH")
    text, suggestion, _ = read_words(studio)
    assert (text, suggestion) == ("TEACH", "TEACHING")
    assert press(page, "suggestion") == ["TEACHING "]
    assert press(page, "undo") == ["TEACH "]


def test_undo_of_a_correction_restores_no_cleared_text_of_the_other_run(
    page: TestClient, studio: Studio, letters: Letters
) -> None:
    open_runs(page, "starter", "mine")
    spell(studio, letters, "AB", "starter", "mine")
    press(page, "clear")
    for first, second in zip("TEACHFR", "KITCHEN", strict=True):
        letters |= {"starter": first, "mine": second}
        send_frames(studio, 0.8)
    letters |= {"starter": None, "mine": None}
    assert press(page, "space")[0] == "TEACHER "
    send_frames(studio, 0.05)
    assert press(page, "undo") == ["TEACHFR ", "KITCHEN "]


def test_words_can_be_turned_off_and_on(page: TestClient, studio: Studio, letters: Letters) -> None:
    spell(studio, letters, "TEACH")
    state = open_runs(page, "starter", words=False)
    assert (state["words"], state["runs"][0]["text"]) == (False, "TEACH")
    assert read_words(studio)[:2] == ("TEACH", None)
    spell(studio, letters, "FR")
    assert press(page, "space") == ["TEACHFR "]
    state = open_runs(page, "starter", words=None)
    assert (state["words"], state["runs"][0]["text"]) == (True, "TEACHFR ")
    spell(studio, letters, "WATE")
    assert read_words(studio)[1] == "WATER"


def test_exam_asks_for_drawn_letters(page: TestClient, studio: Studio, letters: Letters) -> None:
    body = {"signer": "ada", "letters": ["J", "Z"], "seed": 1}
    assert page.post("/api/reading/exam", json=body).json() == {"letters": ["J", "Z"], "left_out": [], "known": False}
    for _ in range(2):
        asked = send_frames(studio, 3.2)["exam"]["letter"]
        letters["starter"] = {"J": "I", "Z": "D"}[asked]
        assert send_frames(studio, 0.8)["exam"]["phase"] == "sign"  # the hand shape is no answer
        letters["starter"] = "J"
        exam = send_frames(studio, 0.1)["exam"]
    assert sorted(exam["results"]) == [["J", "J"], ["Z", "J"]]


def test_exam_leaves_out_drawn_letters_that_the_run_does_not_recognise(
    page: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "known_letters", lambda run: ("A", "B"))
    assert open_runs(page, "mine")["runs"][0]["letters"] == ["A", "B"]
    body: dict[str, Any] = {"signer": "ada", "letters": ["J"]}
    refused = page.post("/api/reading/exam", json=body)
    assert (refused.status_code, refused.json()["error"]) == (422, "mine does not recognise J, only A B.")
    assert page.post("/api/reading/exam", json=body | {"letters": ["J", "A"]}).json()["left_out"] == ["J"]


def test_frame_rate_is_limited(page: TestClient, studio: Studio) -> None:
    limited = ActivePage(30, taken_over_message="", clock=lambda: 0.0)  # a clock that stands still
    limited.page = studio.reading.active_page.page
    studio.reading.active_page = limited
    statuses = [page.post("/api/reading/frames", content=IMAGE, headers=JPEG).status_code for _ in range(40)]
    assert set(statuses) == {200, 429}
