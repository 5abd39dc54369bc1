"""From an empty workspace to a spelled word, without a terminal: in Chromium, with a camera that shows A, B and C."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from aslkit.capture.quality.letter_check import recognise_letter
from aslkit.capture.web.frame_analyzer import HandFrameAnalyzer
from aslkit.formats.run_metrics import RunMetrics, read_metrics
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.images import Frame

expect = pytest.importorskip("playwright.sync_api").expect

RunServer = Callable[..., AbstractContextManager[Any]]

FRAMES = 12
"""Of each letter; the studio asks for at least 10. The video shows each letter for four seconds."""


class LetterWatcher(HandFrameAnalyzer):
    """Also remembers which letter the camera shows, since the test has no eyes."""

    letter: str | None = None

    def __call__(self, frame: Frame, time_s: float) -> FrameMetrics:
        metrics = super().__call__(frame, time_s)
        height, width = frame.shape[:2]
        hand = metrics.hand
        self.letter = None if hand is None else recognise_letter(hand, width=width, height=height)
        return metrics


def wait_until(tab: Any, condition: Callable[[], bool], timeout_s: float = 40) -> None:
    for _ in range(int(timeout_s * 20)):
        if condition():
            return
        tab.wait_for_timeout(50)
    raise AssertionError("timeout")


def record_letter(tab: Any, watcher: LetterWatcher, letter: str) -> None:
    """Hold the space bar while the camera shows the letter, until there are enough frames."""
    tab.locator(f"#letter-{letter}").click()
    expect(tab.locator("#letter")).to_have_text(letter)

    def count() -> int:
        return int(tab.inner_text("#count-now"))

    for _ in range(4):  # a second pass of the video adds little, because its frames are known then
        wait_until(tab, lambda: watcher.letter == letter)
        tab.keyboard.down(" ")
        wait_until(tab, lambda: watcher.letter not in (letter, None) or count() >= FRAMES)
        tab.keyboard.up(" ")
        if count() >= FRAMES:
            return
    raise AssertionError(f"only {count()} frames of {letter}")


def test_from_an_empty_workspace_to_a_spelled_word(run_server: RunServer, tab: Any, workspace: Any) -> None:
    with (
        LetterWatcher() as watcher,
        run_server(licence=None, part="", signer=None, letters="ABC", analyze_frame=watcher) as (server, _),
    ):
        tab.goto(server.url)
        tab.get_by_role("button", name="Add a person").click()
        tab.get_by_label("Name or nickname").fill("Maria")
        tab.get_by_label("CC-BY-4.0").check()
        tab.get_by_label("Consent in the person's own words").fill("For our class.")
        tab.get_by_role("button", name="Add and record").click()
        expect(tab.locator("#verdict")).not_to_have_attribute("data-state", "wait", timeout=20_000)
        for letter in "ABC":
            record_letter(tab, watcher, letter)
        tab.get_by_role("button", name="Finish").click()
        expect(tab.locator("#summary-letters li")).to_have_count(3)
        tab.get_by_role("link", name="Train with them").click()
        tab.get_by_role("button", name="Train", exact=True).click()
        expect(tab.locator("#progress-title")).to_be_visible()
        result = tab.get_by_role("region", name="Result")
        expect(result).to_be_visible(timeout=60_000)
        # One person recorded, so the figure is not presented as one about others.
        expect(result).to_contain_text("This says nothing about other people")
        shown = float(re.findall(r"[\d.]+", result.locator(".figure b").inner_text())[0])
        result.get_by_role("link", name="Try it").click()
        expect(tab.locator("#run")).to_have_value("custom-both-mlp-1")
        expect(tab.locator("#text-0")).to_contain_text("ABC", timeout=45_000)
    metrics = read_metrics(workspace.runs / "custom-both-mlp-1")
    assert isinstance(metrics, RunMetrics)
    assert shown == pytest.approx(100 * (metrics.headline_accuracy or 0), abs=0.1)
    assert shown > 80
    assert metrics.trained_on.signers == ["Maria"]
