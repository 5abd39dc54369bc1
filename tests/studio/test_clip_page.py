"""Clips in the part Record, in Chromium with a fake camera: hold, sign, release."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.core.workspace import Workspace
from aslkit.formats.clips import CapturedClip, read_clip, walk_clips
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from tests.capture.clip_hands import PALM, hand_at

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

RunServer = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def analyze_frame() -> FrameAnalyzer:
    """Finds a hand that draws a circle in each second of the page's clock, so that any part of it is a movement."""

    def analyze(frame: Frame, time_s: float) -> FrameMetrics:
        angle = 2 * np.pi * time_s
        landmarks = hand_at(320 + PALM * np.cos(angle), 240 + PALM * np.sin(angle))
        return measure_frame(frame, [Hand(landmarks=landmarks, handedness="right", score=0.9)])

    return analyze


def open_page(tab: Any, url: str) -> None:
    tab.goto(url)
    expect(tab.locator("#verdict")).not_to_have_attribute("data-state", "wait", timeout=20_000)


def stored(workspace: Workspace) -> list[CapturedClip]:
    return [read_clip(folder) for folder in walk_clips(workspace.captures)]


def record_clip(tab: Any, hold_ms: int = 1000) -> None:
    tab.keyboard.down(" ")
    tab.wait_for_timeout(hold_ms)
    tab.keyboard.up(" ")
    expect(tab.locator("#verdict")).to_have_attribute("data-state", re.compile("good|bad"))


def test_hold_sign_release(run_server: RunServer, tab: Any, workspace: Workspace) -> None:
    with run_server(letters=("J", "Z", "none")) as (server, _):
        open_page(tab, server.url)
        expect(tab.locator("#verdict-text")).to_have_text(re.compile("sign J, release"))
        expect(tab.locator("#letter-image")).to_have_attribute("alt", "The hand shape of J and its movement")
        record_clip(tab)
        expect(tab.locator("#count")).to_have_text("1 of 20 clips")
        (clip,) = stored(workspace)
        assert clip.duration_s == pytest.approx(1.0, abs=0.3)
        intervals_ms = np.diff([frame.time_ms for frame in clip.frames])
        assert 1000 / np.median(intervals_ms) >= 10
        expect(tab.locator("#recent .clip")).to_have_count(1)
        assert tab.evaluate("document.querySelector('#recent img').decode().then(() => true)")


def test_short_clip_says_what_to_do(run_server: RunServer, tab: Any, workspace: Workspace) -> None:
    with run_server(letters="J") as (server, _):
        open_page(tab, server.url)
        record_clip(tab, 150)
        expect(tab.locator("#hint")).to_have_text("Too short. Keep holding until the movement has ended.")
        assert stored(workspace) == []


def test_clip_ends_by_itself_while_the_key_is_held(run_server: RunServer, tab: Any, workspace: Workspace) -> None:
    with run_server(letters="J") as (server, _):
        open_page(tab, server.url)
        tab.keyboard.down(" ")
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "true")
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false", timeout=6000)
        expect(tab.locator("#count-now")).to_have_text("1")
        for _ in range(8):  # as a key that repeats
            tab.keyboard.down(" ")
            tab.wait_for_timeout(50)
        tab.keyboard.up(" ")
        tab.wait_for_timeout(300)
        (clip,) = stored(workspace)
        assert 2.0 <= clip.duration_s <= 2.5


def test_burst_undo_put_back_and_delete(run_server: RunServer, tab: Any, workspace: Workspace) -> None:
    with run_server(letters="J") as (server, _):
        open_page(tab, server.url)
        tab.keyboard.press("b")
        expect(tab.locator("#count-now")).to_have_text("1", timeout=8000)
        tab.keyboard.press("u")
        expect(tab.locator(".toast")).to_contain_text("Removed 1 clip.")
        assert stored(workspace) == []
        tab.get_by_role("button", name="Put back").click()
        expect(tab.locator("#recent .clip")).to_have_count(1)
        assert len(stored(workspace)) == 1
        tab.get_by_role("button", name=re.compile("Delete clip .* of J")).click()
        expect(tab.locator("#recent .clip")).to_have_count(0)
        assert stored(workspace) == []


def test_negatives_name_a_movement_and_frames_still_work(run_server: RunServer, tab: Any, workspace: Workspace) -> None:
    with run_server(letters=("none", "A")) as (server, _):
        open_page(tab, server.url)
        expect(tab.locator("#letter")).to_have_text("no letter")
        expect(tab.locator("#verdict-text")).to_contain_text("Wave at the camera.")
        record_clip(tab)
        expect(tab.locator("#verdict-text")).to_contain_text("Move your hand into the image.", timeout=8000)
        tab.get_by_role("button", name=re.compile("^A, ")).click()
        tab.keyboard.down(" ")
        tab.wait_for_timeout(1200)
        tab.keyboard.up(" ")
        tab.get_by_role("button", name="Finish").click()
        expect(tab.locator("#summary-title")).to_have_text(re.compile(r"\d+ frames? and 1 clip of ada stored"))
        assert [clip.letter for clip in stored(workspace)] == ["none"]


def test_complete_letter_goes_on_to_the_next(run_server: RunServer, tab: Any, workspace: Workspace) -> None:
    with run_server(letters="JZ", clip_goal=1) as (server, _):
        open_page(tab, server.url)
        record_clip(tab)
        expect(tab.locator("#letter")).to_have_text("Z")


@pytest.mark.parametrize("size", [(1280, 800), (390, 844), (844, 390)])
def test_all_letters_fit(run_server: RunServer, tab: Any, size: tuple[int, int], tmp_path: Path) -> None:
    width, height = size
    tab.set_viewport_size({"width": width, "height": height})
    with run_server(letters=(*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "none")) as (server, _):
        open_page(tab, server.url)
        tab.locator("#letter-J").click()
        expect(tab.locator("#movement")).to_be_visible()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        too_wide = """[...document.querySelectorAll('#letters b')]
            .filter((each) => each.getBoundingClientRect().width > each.closest('button').clientWidth)
            .map((each) => each.textContent)"""
        assert tab.evaluate(too_wide) == []
        clipped = """[...document.querySelectorAll('.controls button, #letter-title b')]
            .filter((each) => each.offsetParent && each.scrollWidth > each.clientWidth + 1)
            .map((each) => each.textContent)"""
        assert tab.evaluate(clipped) == []
