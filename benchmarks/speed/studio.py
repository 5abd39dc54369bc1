"""Speed of the studio's grid of frames in Chromium: time to the first screen, and frames per second while scrolling.

    ./run bench studio FOLDER

FOLDER is a workspace with recorded frames; it is not changed. The browser runs without a window, on the same machine as
the server. The list is scrolled from top to bottom by the mouse wheel and by dragging the scroll bar, and its beginning
at two screens per second, at which images can be seen. Frames of the display are dropped at 60 Hz.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
WINDOW = {"width": 1280, "height": 800}
FIRST_IMAGES = 20
SCROLL_S = 20.0
DROPPED_MS = 1.5 * 1000 / 60

FIRST_SCREEN = """async (count) => {
    const start = performance.now();
    location.hash = "review";
    const isDrawn = (image) => image.complete && image.naturalWidth;
    const drawn = () => [...document.querySelectorAll(".cell img")].filter(isDrawn).length;
    while (drawn() < count) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame); // the frame in which the last one is drawn
    return performance.now() - start;
}"""

WATCH_FRAMES = """() => {
    window.frameTimes = [];
    const watch = (time) => {
        window.frameTimes.push(time);
        window.watched = requestAnimationFrame(watch);
    };
    watch(performance.now());
}"""

VISIBLE_IMAGES = """() => {
    const { top, bottom } = document.querySelector(".grid-scroller").getBoundingClientRect();
    const cells = [...document.querySelectorAll(".cell:not([hidden]) img")].filter((image) => {
        const box = image.getBoundingClientRect();
        return box.bottom > top && box.top < bottom;
    });
    return cells.every((image) => image.complete && image.naturalWidth);
}"""


@contextmanager
def studio_url(folder: Path) -> Iterator[str]:
    """Run a studio as a process of its own, and yield its address."""
    command = [sys.executable, "-m", "aslkit", "studio", "--workspace", str(folder), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.search(r"http://\S+", line):
                    yield found[0]
                    return
            raise SystemExit("The studio has not started.")
        finally:
            process.terminate()


def open_page(browser: Any, url: str) -> Any:
    """Return a page that shows the part People, once the server has answered."""
    page = browser.new_page(viewport=WINDOW)
    page.goto(f"{url}#people")
    page.wait_for_selector("h1")
    return page


def first_screen(browser: Any, url: str) -> float:
    """Return the milliseconds from opening the part Review to its first images."""
    page = open_page(browser, url)
    elapsed_ms = float(page.evaluate(FIRST_SCREEN, FIRST_IMAGES))
    page.close()
    return elapsed_ms


def scroll_wheel(page: Any, height: float) -> None:
    """Turn the mouse wheel until the end of the list."""
    page.context.new_cdp_session(page).send(
        "Input.synthesizeScrollGesture",
        {"x": 640, "y": 400, "yDistance": -height, "speed": int(height / SCROLL_S), "gestureSourceType": "mouse"},
    )


def scroll_slowly(page: Any, height: float) -> None:
    """Turn the mouse wheel slowly at the beginning of the list."""
    screen = page.locator(".grid-scroller").bounding_box()["height"]
    scroll_wheel(page, 2 * screen * SCROLL_S)


def drag_scroll_bar(page: Any, height: float) -> None:
    """Drag the scroll bar to the end of the list."""
    box = page.locator(".grid-scroller").bounding_box()
    x, top, bottom = box["x"] + box["width"] - 6, box["y"] + 20, box["y"] + box["height"]  # the thumb is below an arrow
    page.mouse.move(x, top)
    page.mouse.down()
    started_s = time.perf_counter()
    while (share := (time.perf_counter() - started_s) / SCROLL_S) < 1:
        page.mouse.move(x, top + share * (bottom - top))
        time.sleep(1 / 120)
    page.mouse.up()


def frame_intervals(page: Any, scroll: Any) -> tuple[Any, float]:
    """Scroll from top to bottom. Return the milliseconds between frames, and those until all images are shown."""
    scroller = page.locator(".grid-scroller")
    scroller.evaluate("(element) => { element.scrollTop = 0; }")
    page.wait_for_timeout(1000)
    height = scroller.evaluate("(element) => element.scrollHeight - element.clientHeight")
    page.evaluate(WATCH_FRAMES)
    scroll(page, height)
    times = page.evaluate("cancelAnimationFrame(window.watched), window.frameTimes")
    ended_s = time.perf_counter()
    page.wait_for_function(VISIBLE_IMAGES)
    assert scroller.evaluate("(element) => element.scrollTop") > 0, "The list was not scrolled."
    return np.diff(times), (time.perf_counter() - ended_s) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("ASLKIT_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    with studio_url(options.folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-quic", "--disable-features=FluentScrollbar,OverlayScrollbar"],
            ignore_default_args=["--hide-scrollbars"],
        )
        cold_ms = first_screen(browser, url)
        warm_ms = float(np.median([first_screen(browser, url) for _ in range(3)]))
        print(f"first {FIRST_IMAGES} images: {cold_ms:.0f} ms after a start of the server, {warm_ms:.0f} ms after that")
        page = open_page(browser, url)
        page.evaluate(FIRST_SCREEN, FIRST_IMAGES)
        page.locator("#what").select_option("all")
        print(page.inner_text("#shown-count"))
        for name, scroll in (("wheel", scroll_wheel), ("scroll bar", drag_scroll_bar), ("slowly", scroll_slowly)):
            intervals, settled_ms = frame_intervals(page, scroll)
            fps = 1000 / np.percentile(intervals, (50, 95))
            dropped = np.round(intervals[intervals > DROPPED_MS] * 60 / 1000 - 1).sum()
            print(
                f"{name:10} {fps[0]:.0f} fps in the median, {fps[1]:.0f} at the 5th percentile, longest frame "
                f"{intervals.max():.0f} ms, {dropped:.0f} of {len(intervals) + dropped:.0f} frames dropped; "
                f"all images {settled_ms:.0f} ms after the end"
            )
        browser.close()


if __name__ == "__main__":
    main()
