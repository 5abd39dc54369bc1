"""The page in a real Chromium, whose camera shows a film: what a signer does, and what lies on the disk afterwards."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aslkit.capture.session.recording import Recording
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.capture.web.serve import RecordingServer
from aslkit.formats.frame_index import FrameIndex
from aslkit.vision.images import Frame, decode_image, read_image_file

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

Grey = npt.NDArray[np.float32]

Running = Callable[..., AbstractContextManager[Any]]

REFUSES = """
    const real = MediaDevices.prototype.getUserMedia;
    window.refuse = '%s';
    MediaDevices.prototype.getUserMedia = function (asked) {
      if (window.refuse) return Promise.reject(new DOMException('', window.refuse));
      return real.call(this, asked);
    };
"""

SEES_RECORDING = """() => {
    const sign = document.getElementById('rec');
    const look = () => { if (!sign.hidden) document.body.dataset.seen = 'recording'; };
    new MutationObserver(look).observe(sign, { attributes: true });
}"""


def open_page(tab: Any, url: str) -> None:
    """Open the recorder, and wait until it judges frames."""
    tab.goto(url)
    expect(tab.locator("#verdict")).not_to_have_attribute("data-state", "wait", timeout=20_000)


def wait_for_count(tab: Any, count: int) -> None:
    expect(tab.locator("#count-now")).to_have_text(re.compile(rf"^({'|'.join(map(str, range(count, count + 60)))})$"))


def counted(tab: Any) -> int:
    return int(tab.inner_text("#count-now"))


def record(tab: Any, service: RecordingServer, more: int) -> int:
    """Hold the space bar until there are so many frames more; return how many there are then."""
    before = counted(tab)
    tab.keyboard.down(" ")
    wait_for_count(tab, before + more)
    tab.keyboard.up(" ")
    expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
    return settled_count(tab, service)


def settled_count(tab: Any, service: RecordingServer) -> int:
    """The count, once the answer to the last frame that was recorded is there: two frames later."""
    frames = service.desk.pace.frames
    for _ in range(100):
        if service.desk.pace.frames >= frames + 2:
            return counted(tab)
        tab.wait_for_timeout(50)
    raise AssertionError("the page sends no frames")


def listed(sitting: Recording) -> list[str]:
    """What frames.jsonl says is there."""
    return sorted(FrameIndex.load(sitting.session.folder).entries)


def on_disk(sitting: Recording) -> list[str]:
    sitting.flush()
    folder = sitting.session.folder
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("[A-Z]/*.jpg"))


def shown_in(film: Path) -> list[Grey]:
    """The film's pictures, small and grey."""
    video = cv2.VideoCapture(str(film))
    pictures = []
    while (read := video.read())[0]:
        pictures.append(small(np.asarray(read[1], np.uint8)))
    return pictures


def small(frame: Frame) -> Grey:
    """Small, grey, mean 0 and standard deviation 1: Chromium's false camera makes a film a little brighter."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    values = np.asarray(cv2.resize(grey, (160, 120), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray((values - values.mean()) / values.std(), np.float32)


def nearest(picture: Grey, pictures: list[Grey]) -> float:
    """Mean difference to the one that is nearest."""
    return min(float(np.abs(picture - other).mean()) for other in pictures)


def test_a_whole_sitting_with_the_real_landmarker(running: Running, tab: Any, film: Path) -> None:
    with running(look=None, goal=602) as (service, sitting, result):
        open_page(tab, service.url)
        assert record(tab, service, 4) >= 4
        tab.keyboard.press("n")
        expect(tab.locator("#letter")).to_have_text("B")
        record(tab, service, 3)
        tab.keyboard.press("n")
        expect(tab.locator("#letter")).to_have_text("C")
        kept = record(tab, service, 2)
        record(tab, service, 2)
        tab.keyboard.press("u")  # takes the second go of C away
        expect(tab.locator("#count-now")).to_have_text(str(kept))
        counts = dict(sitting.counts)
        thumbnails = tab.locator("#recent li")
        expect(thumbnails).to_have_count(min(12, sum(counts.values())))
        tab.get_by_role("button", name=re.compile(r"Delete frame .* of C")).first.click()
        expect(tab.locator("#count-now")).to_have_text(str(kept - 1))
        tab.reload()  # in the middle of it
        expect(tab.locator("#count-now")).to_have_text(str(kept - 1))
        expect(tab.locator("#letter")).to_have_text("C")
        expect(tab.locator("#letter-A")).to_have_accessible_name(f"A, {counts['A']} of 602")
        expect(tab.locator("#verdict")).not_to_have_attribute("data-state", "wait")
        tab.keyboard.press("q")
        tab.locator("#confirm-yes").click()
        expect(tab.locator("#balance-title")).to_have_text(f"Finished: {sitting.stored.total()} frames stored")
        expect(tab.locator("#balance-letters")).to_contain_text(f"C {kept - 1}")
        served = result.result(20)
    assert served.finished
    assert served.cameras[0]["settings"]["width"] == 640
    files = on_disk(sitting)
    assert files == listed(sitting)
    assert len(files) == sitting.stored.total() == counts["A"] + counts["B"] + kept - 1
    pictures = shown_in(film)
    for file in files:
        stored = decode_image(read_image_file(sitting.session.folder / file))
        assert stored.shape == (480, 640, 3)
        straight, mirrored = (nearest(small(each), pictures) for each in (stored, stored[:, ::-1]))
        assert straight < 0.1 < mirrored, file


def test_the_server_goes_and_comes_back(running: Running, look: FrameAnalyzer, tab: Any, free_port: int) -> None:
    with running(look=look, port=free_port) as (service, _, _):
        open_page(tab, service.url)
        stored = record(tab, service, 2)
        tab.keyboard.down(" ")
        wait_for_count(tab, stored + 1)
    expect(tab.locator("#notice-title")).to_have_text("The server does not answer")
    expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
    tab.keyboard.up(" ")
    with running(look=look, port=free_port) as (service, sitting, _):
        expect(tab.locator("#notice")).to_be_hidden(timeout=20_000)
        expect(tab.locator("#verdict")).to_have_attribute("data-state", "good")
        before = len(on_disk(sitting))
        assert before > stored
        expect(tab.locator("#count-now")).to_have_text(str(before))
        after = record(tab, service, 2)
    assert len(on_disk(sitting)) == len(listed(sitting)) == after


def test_a_second_window_takes_over_and_gives_back(running: Running, look: FrameAnalyzer, tab: Any) -> None:
    with running(look=look) as (service, _, _):
        open_page(tab, service.url)
        other = tab.context.new_page()
        open_page(other, service.url)
        expect(tab.locator("#notice-title")).to_have_text("This sitting goes on in another window")
        tab.bring_to_front()
        tab.keyboard.press(" ")
        assert counted(tab) == 0
        tab.get_by_role("button", name="Take it back").click()
        expect(tab.locator("#notice")).to_be_hidden()
        other.bring_to_front()
        expect(other.locator("#notice-title")).to_have_text("This sitting goes on in another window")
        tab.bring_to_front()
        record(tab, service, 1)


def test_a_letter_that_is_complete_gives_way_to_the_next(running: Running, look: FrameAnalyzer, tab: Any) -> None:
    with running(look=look, goal=3, letters="AB") as (service, sitting, _):
        open_page(tab, service.url)
        tab.keyboard.down(" ")  # and hold it
        expect(tab.locator("#letter-B")).to_have_accessible_name("B, 3 of 3, complete")
        expect(tab.locator("#nudge")).to_contain_text("All letters are complete")
        tab.keyboard.up(" ")
        expect(tab.locator("#letter-C")).to_be_disabled()
    assert sitting.stored == {"A": 3, "B": 3}


def test_the_countdown_comes_before_a_letter_and_before_a_burst(
    running: Running, look: FrameAnalyzer, tab: Any
) -> None:
    with running(look=look, countdown_s=1, burst_s=0.5) as (service, sitting, _):
        open_page(tab, service.url)
        tab.evaluate(SEES_RECORDING)  # Playwright looks twice a second at most, and may miss half a second
        tab.locator("#burst").click()
        expect(tab.locator("#countdown")).to_have_text("1")
        assert sitting.stored.total() == 0
        expect(tab.locator("body")).to_have_attribute("data-seen", "recording", timeout=15_000)
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
        assert 1 <= settled_count(tab, service) <= 6
        record(tab, service, 1)  # the letter has been counted down for
        tab.keyboard.press("n")
        tab.keyboard.down(" ")
        expect(tab.locator("#countdown")).to_have_text("1")
        tab.keyboard.up(" ")
        expect(tab.locator("#countdown")).to_be_hidden()
        assert sitting.stored["B"] == 0


def test_the_other_hand_is_asked_about(running: Running, look: FrameAnalyzer, tab: Any) -> None:
    with running(look=look, usual_hand="left") as (service, sitting, _):
        tab.goto(service.url)
        dialog = tab.get_by_role("dialog", name="Is this your right hand?")
        expect(dialog).to_be_visible()
        expect(tab.locator("#question-yes")).to_be_focused()
        tab.keyboard.press(" ")  # answers, and does not record
        expect(dialog).to_be_hidden()
        expect(tab.locator("#verdict")).to_have_attribute("data-state", "good")
        record(tab, service, 1)
    assert {entry.hand for entry in sitting.recent(9)} == {"right"}


@pytest.mark.parametrize(
    ("error", "title", "by_itself"),
    [
        ("NotAllowedError", "The camera is not allowed", False),
        ("NotFoundError", "No camera was found", True),
        ("NotReadableError", "The camera is in use", True),
    ],
)
def test_a_camera_that_does_not_open(
    running: Running, look: FrameAnalyzer, tab: Any, error: str, title: str, by_itself: bool
) -> None:
    with running(look=look) as (service, _, _):
        tab.add_init_script(REFUSES % error)
        tab.goto(service.url)
        expect(tab.locator("#notice-title")).to_have_text(title)
        tab.evaluate("window.refuse = ''")
        if not by_itself:
            tab.get_by_role("button", name="Try again").click()
        expect(tab.locator("#verdict")).to_have_attribute("data-state", "good")


def test_without_a_secure_context_there_is_no_camera(running: Running, look: FrameAnalyzer, tab: Any) -> None:
    with running(look=look) as (service, _, _):
        tab.add_init_script("Object.defineProperty(navigator, 'mediaDevices', {get: () => undefined})")
        tab.goto(service.url)
        expect(tab.locator("#notice-text")).to_contain_text("https")


def test_a_camera_that_is_unplugged_and_plugged_in(running: Running, look: FrameAnalyzer, tab: Any) -> None:
    with running(look=look) as (service, _, _):
        tab.add_init_script(REFUSES % "")
        open_page(tab, service.url)
        tab.keyboard.down(" ")
        wait_for_count(tab, 1)
        tab.evaluate("""() => {
            window.refuse = 'NotFoundError';
            document.querySelector('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'));
        }""")
        expect(tab.locator("#notice-title")).to_have_text(re.compile("The camera is gone|No camera was found"))
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
        tab.keyboard.up(" ")
        tab.evaluate("window.refuse = ''")
        expect(tab.locator("#notice")).to_be_hidden()
        record(tab, service, 1)


def test_a_hidden_tab_does_not_record(running: Running, look: FrameAnalyzer, tab: Any) -> None:
    with running(look=look) as (service, _, _):
        open_page(tab, service.url)
        tab.locator("#record").focus()
        tab.keyboard.press("Enter")  # starts, without holding
        wait_for_count(tab, 1)
        tab.evaluate("""() => {
            Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""")
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")


def test_a_full_disk_is_told(running: Running, look: FrameAnalyzer, tab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with running(look=look) as (service, sitting, result):
        open_page(tab, service.url)
        monkeypatch.setattr(sitting.session, "add", full)
        tab.keyboard.down(" ")
        expect(tab.locator("#notice-title")).to_have_text("The disk is full")
        expect(tab.locator("#notice-text")).to_contain_text("What was stored is safe")
        tab.keyboard.up(" ")
        tab.locator("#finish").click()
        tab.locator("#confirm-yes").click()
        expect(tab.locator("#balance-failure")).to_contain_text("No space left on device")
    assert result.result().failure is not None


def test_for_those_who_hear_the_page_and_use_the_keys(
    running: Running, look: FrameAnalyzer, tab: Any, seen: dict[str, Any]
) -> None:
    with running(look=look) as (service, _, _):
        open_page(tab, service.url)
        record(tab, service, 1)
        expect(tab.locator("#recent li")).not_to_have_count(0)
        unnamed = [each.get_attribute("id") for each in tab.locator("button:visible").all() if not _name(each)]
        assert unnamed == []
        assert tab.locator("img:visible:not([alt])").count() == 0
        tab.evaluate("document.activeElement.blur()")
        reached = []
        for _ in range(45):
            tab.keyboard.press("Tab")
            reached.append(tab.evaluate("document.activeElement.id || document.activeElement.ariaLabel || ''"))
        assert {"finish", "record", "burst", "undo", "next", "previous", "letter-A", "letter-C"} <= set(reached)
        assert any(each.startswith("Delete frame") for each in reached)
        assert "letter-D" not in reached  # not of this sitting
        outline = tab.evaluate("getComputedStyle(document.querySelector('#record')).outlineStyle")
        tab.locator("#undo").focus()
        tab.keyboard.press("Tab")
        focused = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert (outline, focused) == ("none", "solid")
        said = tab.locator("#said")
        expect(said).to_contain_text("Good")
        seen |= {"hands": 0, "hand": None}
        expect(said).to_have_text("No hand is seen. Hold it inside the picture.")
        seen.clear()
        expect(said).to_contain_text("Good")


def _name(button: Any) -> str:
    found = re.search(r'button "([^"]+)"', button.aria_snapshot())
    return found.group(1) if found else ""


def test_keys_do_nothing_while_something_else_has_them(running: Running, look: FrameAnalyzer, tab: Any) -> None:
    with running(look=look) as (service, sitting, _):
        open_page(tab, service.url)
        tab.keyboard.press("Control+b")
        tab.locator("#finish").click()
        for key in ("n", "b", " "):  # the space bar presses the dialog's button
            tab.keyboard.press(key)
        expect(tab.locator("#balance")).to_be_visible()
    assert sitting.stored.total() == 0


def test_a_telephone(running: Running, look: FrameAnalyzer, browser: Any) -> None:
    with running(look=look) as (service, sitting, _):
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True, is_mobile=True
        )
        tab = context.new_page()
        open_page(tab, service.url)
        box = tab.locator("#record").bounding_box()
        assert min(box["width"], box["height"]) >= 88
        assert box["y"] + box["height"] <= 844
        finger = context.new_cdp_session(tab)
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        wait_for_count(tab, 2)
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        small = [b for each in tab.locator("button:visible").all() if (b := each.bounding_box())["height"] < 36]
        assert small == []
        context.close()
    assert sitting.stored["A"] >= 2


def test_over_https_with_the_token(running: Running, look: FrameAnalyzer, browser: Any) -> None:
    with running(look=look, host="0.0.0.0") as (service, _, _):
        context = browser.new_context(ignore_https_errors=True)
        tab = context.new_page()
        home = f"https://127.0.0.1:{service.addresses.port}/"
        open_page(tab, f"{home}?token={service.addresses.token}")
        expect(tab).to_have_url(home)  # nobody reads the token over the signer's shoulder
        record(tab, service, 1)
        tab.reload()
        expect(tab.locator("#verdict")).to_have_attribute("data-state", "good")
        context.close()


def test_the_page_asks_nobody_else(running: Running, look: FrameAnalyzer, tab: Any) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    with running(look=look) as (service, _, _):
        open_page(tab, service.url)
        assert all(url.startswith(service.url) for url in asked)
        assert [text for text in complaints if "Content Security Policy" in text] == []
