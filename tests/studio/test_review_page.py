"""The part Review: routes, and Chromium with 500 planted doubts."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import cv2
import numpy as np
import pytest

from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.formats.reviews import load_decisions
from aslkit.vision.images import encode_jpeg, read_header
from tests.studio.clients import TestClient

expect = pytest.importorskip("playwright.sync_api").expect

RunServer = Callable[..., AbstractContextManager[Any]]

SIGNERS = ("ada", "ben")
LETTERS = "AEST"
FRAMES = 90
"""Of each signer and letter: 720 frames, of which DOUBTS are doubtful."""

DOUBTS = 500


def frame_keys() -> Iterator[str]:
    for signer in SIGNERS:
        for letter in LETTERS:
            yield from (f"{signer}/past/{letter}/20260102T0304{number:05d}Z.jpg" for number in range(FRAMES))


@pytest.fixture
def doubts(workspace: Workspace) -> list[str]:
    """Plants frames whose labels are doubtful, duplicates, and nothing else; returns the keys of the doubtful ones."""
    keys = list(frame_keys())
    for number, key in enumerate(keys):
        path = workspace.captures / key
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((60, 80, 3), 40 + number % 200, np.uint8)
        cv2.putText(image, f"{number}", (4, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
        path.write_bytes(encode_jpeg(image))
    doubtful = keys[:DOUBTS]
    folder = workspace.dataset("custom")
    folder.mkdir(parents=True)
    label_doubts = [_finding(key, "label-doubt", "looks like S (97% sure)") for key in doubtful[:-10]]
    parquet_store.write_findings(folder / parquet_store.FLAGGED_FILE, label_doubts)
    duplicates = [_finding(key, "duplicate", f"same pixels as {keys[0]}") for key in doubtful[-10:]]
    parquet_store.write_findings(folder / parquet_store.REJECTED_FILE, duplicates)
    return doubtful


def _finding(key: str, reason: str, detail: str) -> dict[str, str]:
    signer, session, letter, _ = key.split("/")
    values = {"path": key, "letter": letter, "signer": signer, "session": session}
    return values | {"reason": reason, "detail": detail}


def test_frames_are_listed_with_doubtful_ones_first(doubts: list[str], page: TestClient) -> None:
    listed = page.get("/api/review/frames").json()
    assert len(listed["frames"]) == len(list(frame_keys()))
    first = listed["frames"][0]
    reasons = [listed["reasons"][index] for index in first[4]]
    assert (reasons, first[5], first[6]) == (["label-doubt"], ["looks like S (97% sure)"], "S")
    assert [bool(frame[4]) for frame in listed["frames"]] == [True] * DOUBTS + [False] * (720 - DOUBTS)


def test_decisions_change_counts_and_can_be_undone(doubts: list[str], page: TestClient) -> None:
    decision = {"frames": doubts[:3], "action": "relabel", "letter": "S"}
    response = page.post("/api/review/decisions", json=decision).json()
    assert response["decisions"] == {key: ["relabel", "S"] for key in doubts[:3]}
    page.post("/api/review/decisions", json={"frames": doubts[3:5], "action": "drop"})
    state = page.get("/api/state").json()
    assert (state["review"]["doubtful"], state["review"]["decided"]) == (DOUBTS - 5, 5)
    ada = next(person for person in state["people"] if person["name"] == "ada")
    assert (ada["letters"]["A"], ada["letters"]["S"]) == (FRAMES - 5, FRAMES + 3)
    assert page.delete("/api/review/decisions/last").json()["changed"] == 2
    assert page.delete("/api/review/decisions/last").json() == {"changed": 3, "decisions": {}, "batch": None}
    assert page.delete("/api/review/decisions/last").json()["changed"] == 0


def test_undo_of_a_decision_does_not_take_back_a_later_one(doubts: list[str], page: TestClient) -> None:
    mine = page.post("/api/review/decisions", json={"frames": doubts[:1], "action": "drop"}).json()["batch"]
    page.post("/api/review/decisions", json={"frames": doubts[1:2], "action": "relabel", "letter": "S"})
    refused = page.delete(f"/api/review/decisions/last?batch={mine}")
    assert (refused.status_code, "decided since" in refused.json()["error"]) == (409, True)
    assert len(page.get("/api/review/decisions").json()["decisions"]) == 2
    page.delete("/api/review/decisions/last")
    assert page.delete(f"/api/review/decisions/last?batch={mine}").json()["decisions"] == {}


@pytest.mark.parametrize(
    "decision",
    [
        {"frames": ["nobody/one/A/x.jpg"], "action": "drop"},
        {"frames": ["ada/one/A/x.jpg"], "action": "explode"},
        {"frames": ["ada/one/A/x.jpg"], "action": "relabel"},
        {"frames": ["ada/one/A/x.jpg"], "action": "relabel", "letter": "J"},
        {"frames": ["ada/one/A/x.jpg"], "action": "drop", "letter": "A"},
        {"frames": ["../../etc/passwd"], "action": "drop"},
        {"frames": ["ada/one/J/x.jpg"], "action": "drop"},
        {"frames": [], "action": "drop"},
        {"frames": [3], "action": "drop"},
        {"action": "drop"},
    ],
)
def test_invalid_decisions_are_refused(page: TestClient, workspace: Workspace, decision: dict[str, Any]) -> None:
    response = page.post("/api/review/decisions", json=decision)
    assert (response.status_code, "error" in response.json()) == (422, True)
    assert not workspace.reviews.exists()


def test_image_sizes(doubts: list[str], page: TestClient) -> None:
    response = page.get(f"/api/review/image/{doubts[0]}")
    assert response.headers["content-type"] == "image/jpeg"
    assert read_header(response.content).width == 80  # not enlarged


@pytest.mark.parametrize(
    "key",
    [
        "ada/one/A/missing.jpg", "../../etc/passwd", "..%2f..%2fsigners.toml", "ada/one/session.json",
        "ada/../ada/A/x.jpg", "ada/one/A/..%2f..%2fsession.json", ".trash/one/A/x.jpg", "ada/.trash/A/x.jpg",
        "ada/one/J/x.jpg", "ada/one/A/x.txt", "ada/one/A/%00.jpg", "ada/one/A/" + "x" * 3000 + ".jpg", "ada/one/A",
        "", "a/b/c/d/e",
    ],
)  # fmt: skip
def test_image_path_never_leaves_the_captures(page: TestClient, key: str) -> None:
    assert page.get(f"/api/review/image/{key}").status_code == 404


def open_review(tab: Any, server: Any) -> None:
    tab.goto(server.addresses.url("127.0.0.1") + "#review")
    expect(tab.locator("#what")).to_contain_text("All frames (720)")


def test_review_500_doubts(run_server: RunServer, tab: Any, doubts: list[str], workspace: Workspace) -> None:
    with run_server(part="review") as (server, _):
        open_review(tab, server)
        expect(tab.locator("#shown-count")).to_have_text("500 frames")
        expect(tab.locator("#what")).to_contain_text("Doubtful, undecided (500)")
        cells = tab.locator(".cell:visible")
        expect(cells.first).to_have_accessible_name("A of ada. Label doubt: looks like S (97% sure)")
        assert cells.count() < 120  # of 500 frames, only those in view have elements
        # One by one: the next doubtful frame takes the place of each that is decided.
        tab.locator(".grid-list").focus()
        for key in "dkd":
            tab.keyboard.press(key)  # faster than the server responds
        expect(tab.locator("#shown-count")).to_have_text("497 frames")
        expect(tab.locator(".toast")).to_contain_text("Dropped")
        # Several: with Shift and the arrow keys, moved to the letter that they show.
        for _ in range(4):
            tab.keyboard.press("Shift+ArrowRight")
        expect(tab.locator(".review-bar p")).to_have_text("5 frames selected")
        tab.locator("#relabel").select_option("S")
        expect(tab.locator("#shown-count")).to_have_text("492 frames")
        tab.get_by_role("button", name="Undo").first.click()
        expect(tab.locator("#shown-count")).to_have_text("497 frames")
        # All of one person and letter.
        tab.locator("#person").select_option("ada")
        tab.locator("#letter-filter").select_option("E")
        expect(tab.locator("#shown-count")).to_have_text(f"{FRAMES} frames")
        tab.get_by_role("button", name="Select all").click()
        tab.locator("#keep").click()
        expect(tab.locator("#what")).to_contain_text(f"Doubtful, undecided ({497 - FRAMES})")
        # A duplicate is shown next to its original.
        tab.locator("#person").select_option("")
        tab.locator("#letter-filter").select_option("")
        tab.locator("#what").select_option("duplicate")
        expect(tab.locator("#shown-count")).to_have_text("10 frames")
        tab.locator(".cell:visible").first.dblclick()
        dialog = tab.get_by_role("dialog", name="Frame")
        expect(dialog.locator("img")).to_have_count(2)
        expect(dialog).to_contain_text(f"Original: {doubts[0]}")
        tab.keyboard.press("Escape")
        tab.reload()  # loses nothing
        expect(tab.locator("#what")).to_contain_text(f"Decided ({FRAMES + 3})")
    actions = [decision.action for decision in load_decisions(workspace).values()]
    assert (actions.count("drop"), actions.count("keep"), actions.count("relabel")) == (2, FRAMES + 1, 0)
    assert all((workspace.captures / key).exists() for key in frame_keys())  # captures never change
    assert all(json.loads(line)["decisions"] for line in workspace.reviews.read_text().splitlines())


def test_two_browsers_see_the_same_decisions(run_server: RunServer, tab: Any, browser: Any, doubts: list[str]) -> None:
    with run_server(part="review") as (server, _):
        open_review(tab, server)
        context = browser.new_context()
        other = context.new_page()
        open_review(other, server)
        tab.locator(".grid-list").focus()
        tab.keyboard.press("d")
        expect(other.locator("#shown-count")).to_have_text("499 frames")
        expect(other.locator("nav [aria-current]")).to_contain_text("499")
        other.locator("#undo-decision").click()
        expect(tab.locator("#shown-count")).to_have_text("500 frames")
        context.close()
