"""The part Record in Chromium with a fake camera: user actions, and the files that they produce."""

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
from aslkit.formats.frame_index import FrameIndex
from aslkit.formats.signers import SignerDetails, load_signers, save_signer
from aslkit.studio.studio import Studio
from aslkit.vision.images import Frame, decode_image, read_image_file

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

GreyImage = npt.NDArray[np.float32]

RunServer = Callable[..., AbstractContextManager[Any]]

REFUSE_CAMERA = """
    const real = MediaDevices.prototype.getUserMedia;
    window.refuse = '%s';
    MediaDevices.prototype.getUserMedia = function (asked) {
      if (window.refuse) return Promise.reject(new DOMException('', window.refuse));
      return real.call(this, asked);
    };
"""

OBSERVE_RECORDING = """() => {
    const sign = document.getElementById('rec');
    const look = () => { if (!sign.hidden) document.body.dataset.observed = 'recording'; };
    new MutationObserver(look).observe(sign, { attributes: true });
}"""


def open_page(tab: Any, url: str, studio: Studio) -> Recording:
    """Open the part Record, wait for the first verdict, and return the recording."""
    tab.goto(url)
    return wait_for_verdict(tab, studio)


def wait_for_verdict(tab: Any, studio: Studio) -> Recording:
    """Wait for a verdict about a frame of the camera, and return the recording."""
    expect(tab.locator("#verdict")).not_to_have_attribute("data-state", "wait", timeout=20_000)
    return studio.recording.controller.recording


def wait_for_count(tab: Any, count: int) -> None:
    expect(tab.locator("#count-now")).to_have_text(re.compile(rf"^({'|'.join(map(str, range(count, count + 60)))})$"))


def shown_count(tab: Any) -> int:
    return int(tab.inner_text("#count-now"))


def record_frames(tab: Any, studio: Studio, count: int) -> int:
    """Hold the space bar until this many frames have been stored; return the new count."""
    before = shown_count(tab)
    tab.keyboard.down(" ")
    wait_for_count(tab, before + count)
    tab.keyboard.up(" ")
    expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
    return wait_for_stable_count(tab, studio)


def wait_for_stable_count(tab: Any, studio: Studio) -> int:
    """Return the count after all pending frames have been answered, which takes at most two more frames."""
    frames = studio.recording.controller.frame_rate.frames
    for _ in range(100):
        if studio.recording.controller.frame_rate.frames >= frames + 2:
            return shown_count(tab)
        tab.wait_for_timeout(50)
    raise AssertionError("the page sends no frames")


def indexed_files(recording: Recording) -> list[str]:
    """Return the files listed in frames.jsonl."""
    return sorted(FrameIndex.load(recording.session.folder).entries)


def files_on_disk(recording: Recording) -> list[str]:
    recording.flush()
    folder = recording.session.folder
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("[A-Z]/*.jpg"))


def read_video(camera_film: Path) -> list[GreyImage]:
    """Return the normalised frames of a video."""
    video = cv2.VideoCapture(str(camera_film))
    images = []
    while (read := video.read())[0]:
        images.append(normalise(np.asarray(read[1], np.uint8)))
    return images


def normalise(frame: Frame) -> GreyImage:
    """Return a small grey image with mean 0 and standard deviation 1, because the fake camera brightens the video."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    values = np.asarray(cv2.resize(grey, (160, 120), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray((values - values.mean()) / values.std(), np.float32)


def min_difference(image: GreyImage, images: list[GreyImage]) -> float:
    """Return the mean absolute difference to the most similar image."""
    return min(float(np.abs(image - other).mean()) for other in images)


def test_complete_recording_with_real_landmarker(run_server: RunServer, tab: Any, camera_film: Path) -> None:
    with run_server(analyze_frame=None, goal=400) as (server, studio):
        recording = open_page(tab, server.url, studio)
        assert record_frames(tab, studio, 4) >= 4
        tab.keyboard.press("n")
        expect(tab.locator("#letter")).to_have_text("B")
        record_frames(tab, studio, 3)
        tab.keyboard.press("n")
        expect(tab.locator("#letter")).to_have_text("C")
        kept = record_frames(tab, studio, 2)
        record_frames(tab, studio, 2)
        tab.keyboard.press("u")  # removes the second burst of C
        expect(tab.locator("#count-now")).to_have_text(str(kept))
        counts = dict(recording.counts)
        thumbnails = tab.locator("#recent li")
        expect(thumbnails).to_have_count(min(12, sum(counts.values())))
        tab.get_by_role("button", name=re.compile(r"Delete frame .* of C")).first.click()
        expect(tab.locator("#count-now")).to_have_text(str(kept - 1))
        tab.reload()  # during the recording
        expect(tab.locator("#count-now")).to_have_text(str(kept - 1))
        expect(tab.locator("#letter")).to_have_text("C")
        expect(tab.locator("#letter-A")).to_have_accessible_name(f"A, {counts['A']} of 400")
        expect(tab.locator("#verdict")).not_to_have_attribute("data-state", "wait")
        tab.locator("#finish").click()
        expect(tab.locator("#summary-title")).to_have_text(f"{recording.stored.total()} frames of ada stored")
        expect(tab.locator("#summary-letters")).to_contain_text(f"C {kept - 1}")
        tab.get_by_role("button", name="Record more").click()  # finishing is not the end
        assert wait_for_verdict(tab, studio).counts == recording.counts
    assert studio.recording.results[0].report["cameras"][0]["settings"]["width"] == 640
    files = files_on_disk(recording)
    assert files == indexed_files(recording)
    assert len(files) == recording.stored.total() == counts["A"] + counts["B"] + kept - 1
    images = read_video(camera_film)
    for file in files:
        stored = decode_image(read_image_file(recording.session.folder / file))
        assert stored.shape == (480, 640, 3)
        difference, mirrored_difference = (
            min_difference(normalise(each), images) for each in (stored, stored[:, ::-1])
        )
        assert difference < 0.1 < mirrored_difference, file


def test_page_reconnects_after_server_restart(run_server: RunServer, tab: Any, free_port: int) -> None:
    with run_server(port=free_port) as (server, studio):
        recording = open_page(tab, server.url, studio)
        stored = record_frames(tab, studio, 2)
        tab.keyboard.down(" ")
        wait_for_count(tab, stored + 1)
    expect(tab.locator("#notice-title")).to_have_text("The server does not respond")
    expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
    tab.keyboard.up(" ")
    with run_server(port=free_port) as (server, studio):
        expect(tab.locator("#notice")).to_be_hidden(timeout=20_000)
        recording = wait_for_verdict(tab, studio)
        before = len(files_on_disk(recording))
        assert before > stored
        expect(tab.locator("#count-now")).to_have_text(str(before))
        after = record_frames(tab, studio, 2)
    assert len(files_on_disk(recording)) == len(indexed_files(recording)) == after


def test_second_window_takes_over_and_first_resumes(run_server: RunServer, tab: Any) -> None:
    elsewhere = "Recording continues in another window"
    with run_server() as (server, studio):
        open_page(tab, server.url, studio)
        other = tab.context.new_page()
        other.goto(server.url)
        expect(other.locator("#notice-title")).to_have_text(elsewhere)  # the first window continues
        other.get_by_role("button", name="Record here").click()
        expect(other.locator("#notice")).to_be_hidden()
        expect(tab.locator("#notice-title")).to_have_text(elsewhere)
        tab.bring_to_front()
        tab.keyboard.press(" ")
        assert shown_count(tab) == 0
        tab.get_by_role("button", name="Record here").click()
        expect(tab.locator("#notice")).to_be_hidden()
        other.bring_to_front()
        expect(other.locator("#notice-title")).to_have_text(elsewhere)
        tab.bring_to_front()
        record_frames(tab, studio, 1)


def test_complete_letter_switches_to_next(run_server: RunServer, tab: Any) -> None:
    with run_server(goal=3, letters="AB") as (server, studio):
        recording = open_page(tab, server.url, studio)
        tab.keyboard.down(" ")  # held until released below
        expect(tab.locator("#letter-B")).to_have_accessible_name("B, 3 of 3, complete")
        expect(tab.locator("#hint")).to_contain_text("All letters are complete")
        tab.keyboard.up(" ")
        expect(tab.locator("#letter-C")).to_be_disabled()
    assert recording.stored == {"A": 3, "B": 3}


def test_countdown_before_letter_and_burst(run_server: RunServer, tab: Any) -> None:
    with run_server(countdown_s=1, burst_s=0.5) as (server, studio):
        recording = open_page(tab, server.url, studio)
        tab.evaluate(OBSERVE_RECORDING)  # polling by Playwright could miss the burst of 0.5 s
        tab.locator("#burst").click()
        expect(tab.locator("#countdown")).to_have_text("1")
        assert recording.stored.total() == 0
        expect(tab.locator("body")).to_have_attribute("data-observed", "recording", timeout=15_000)
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
        assert 1 <= wait_for_stable_count(tab, studio) <= 6
        record_frames(tab, studio, 1)  # no second countdown for the same letter
        tab.keyboard.press("n")
        tab.keyboard.down(" ")
        expect(tab.locator("#countdown")).to_have_text("1")
        tab.keyboard.up(" ")
        expect(tab.locator("#countdown")).to_be_hidden()
        assert recording.stored["B"] == 0


def test_press_shorter_than_the_countdown_says_so(run_server: RunServer, tab: Any) -> None:
    with run_server(countdown_s=30) as (server, studio):
        recording = open_page(tab, server.url, studio)
        tab.keyboard.down(" ")
        expect(tab.locator("#countdown")).to_be_visible()
        tab.keyboard.up(" ")
        expect(tab.locator("#hint")).to_have_text("Too short: keep holding until the countdown has ended.")
        assert files_on_disk(recording) == []


def test_new_signer_chooses_a_licence_when_the_camera_works(run_server: RunServer, tab: Any) -> None:
    tab.add_init_script(REFUSE_CAMERA % "NotAllowedError")
    with run_server(licence=None) as (server, studio):
        tab.goto(server.url)
        expect(tab.locator("#notice")).to_be_visible()
        assert not tab.locator("#licence").is_visible()
        tab.evaluate("window.refuse = ''")
        tab.locator("#notice-button").click()
        expect(tab.locator("#licence")).to_be_visible()
        expect(tab.locator("#licence")).to_contain_text("ada decides. If the person is under 18")
        tab.keyboard.press("Escape")  # does not skip the question
        expect(tab.locator("#licence")).to_be_visible()
        expect(tab.get_by_role("button", name="Only me")).to_be_focused()
        tab.get_by_role("button", name="CC-BY-4.0").click()
        expect(tab.locator("#licence")).to_be_hidden()
        expect(tab.locator("#verdict")).not_to_have_attribute("data-state", "wait", timeout=20_000)
        assert record_frames(tab, studio, 2) >= 2
        assert load_signers(studio.workspace)["ada"].licence == "CC-BY-4.0"


def test_question_about_other_hand(run_server: RunServer, tab: Any) -> None:
    with run_server(usual_hand="left") as (server, studio):
        tab.goto(server.url)
        dialog = tab.get_by_role("dialog", name="Is this your right hand?")
        expect(dialog).to_be_visible()
        expect(tab.locator("#question-yes")).to_be_focused()
        tab.keyboard.press(" ")  # presses the focused button and does not record
        expect(dialog).to_be_hidden()
        expect(tab.locator("#verdict")).to_have_attribute("data-state", "good")
        record_frames(tab, studio, 1)
        assert {entry.hand for entry in studio.recording.controller.recording.recent(9)} == {"right"}


@pytest.mark.parametrize(
    ("error", "title", "automatic"),
    [
        ("NotAllowedError", "Camera access is blocked", False),
        ("NotFoundError", "No camera was found", True),
        ("NotReadableError", "The camera is in use", True),
    ],
)
def test_camera_problem_is_shown(run_server: RunServer, tab: Any, error: str, title: str, automatic: bool) -> None:
    with run_server() as (server, _):
        tab.add_init_script(REFUSE_CAMERA % error)
        tab.goto(server.url)
        expect(tab.locator("#notice-title")).to_have_text(title)
        tab.evaluate("window.refuse = ''")
        if not automatic:
            tab.get_by_role("button", name="Try again").click()
        expect(tab.locator("#verdict")).to_have_attribute("data-state", "good")


def test_insecure_context_is_explained(run_server: RunServer, tab: Any) -> None:
    with run_server() as (server, _):
        tab.add_init_script("Object.defineProperty(navigator, 'mediaDevices', {get: () => undefined})")
        tab.goto(server.url)
        expect(tab.locator("#notice-text")).to_contain_text("https")


def test_camera_can_be_reconnected(run_server: RunServer, tab: Any) -> None:
    with run_server() as (server, studio):
        tab.add_init_script(REFUSE_CAMERA % "")
        open_page(tab, server.url, studio)
        tab.keyboard.down(" ")
        wait_for_count(tab, 1)
        tab.evaluate("""() => {
            window.refuse = 'NotFoundError';
            document.querySelector('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'));
        }""")
        expect(tab.locator("#notice-title")).to_have_text(re.compile("The camera was disconnected|No camera was found"))
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
        tab.keyboard.up(" ")
        tab.evaluate("window.refuse = ''")
        expect(tab.locator("#notice")).to_be_hidden()
        record_frames(tab, studio, 1)


def test_hidden_tab_stops_recording(run_server: RunServer, tab: Any) -> None:
    with run_server() as (server, studio):
        open_page(tab, server.url, studio)
        tab.locator("#record").focus()
        tab.keyboard.press("Enter")  # toggles recording
        wait_for_count(tab, 1)
        tab.evaluate("""() => {
            Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""")
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")


def test_full_disk_is_shown(run_server: RunServer, tab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with run_server() as (server, studio):
        recording = open_page(tab, server.url, studio)
        monkeypatch.setattr(recording.session, "add", raise_disk_full)
        tab.keyboard.down(" ")
        expect(tab.locator("#notice-title")).to_have_text("The disk is full")
        expect(tab.locator("#notice-text")).to_contain_text("Frames stored so far are safe")
        tab.keyboard.up(" ")
        tab.locator("#finish").click()
        expect(tab.locator(".problem")).to_contain_text("No space left on device")


def test_accessible_names_keyboard_focus_and_announcements(
    run_server: RunServer, tab: Any, changed_metrics: dict[str, Any]
) -> None:
    with run_server() as (server, studio):
        open_page(tab, server.url, studio)
        record_frames(tab, studio, 1)
        expect(tab.locator("#recent li")).not_to_have_count(0)
        unnamed = [
            each.get_attribute("id") for each in tab.locator("button:visible").all() if not _accessible_name(each)
        ]
        assert unnamed == []
        assert tab.locator("img:visible:not([alt])").count() == 0
        tab.evaluate("document.activeElement.blur()")
        focused_ids = []
        for _ in range(45):
            tab.keyboard.press("Tab")
            focused_ids.append(tab.evaluate("document.activeElement.id || document.activeElement.ariaLabel || ''"))
        assert {"finish", "record", "burst", "undo", "next", "previous", "letter-A", "letter-C"} <= set(focused_ids)
        assert any(each.startswith("Delete frame") for each in focused_ids)
        assert "letter-D" not in focused_ids  # not a letter of this recording
        outline = tab.evaluate("getComputedStyle(document.querySelector('#record')).outlineStyle")
        tab.locator("#undo").focus()
        tab.keyboard.press("Tab")
        focused = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert (outline, focused) == ("none", "solid")
        announcement = tab.locator("#announcement")
        expect(announcement).to_contain_text("Good")
        changed_metrics |= {"hands": 0, "hand": None}
        expect(announcement).to_have_text("No hand found. Hold it inside the image.")
        changed_metrics.clear()
        expect(announcement).to_contain_text("Good")


def _accessible_name(button: Any) -> str:
    found = re.search(r'button "([^"]+)"', button.aria_snapshot())
    return found.group(1) if found else ""


def test_keys_are_ignored_in_dialog_and_with_modifier(run_server: RunServer, tab: Any) -> None:
    with run_server() as (server, studio):
        recording = open_page(tab, server.url, studio)
        tab.keyboard.press("Control+b")
        tab.get_by_role("button", name="Keys").click()
        for key in ("n", "b", "u"):
            tab.keyboard.press(key)
        expect(tab.locator("#letter")).to_have_text("A")
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
    assert recording.stored.total() == 0


def test_single_keys_can_be_turned_off(run_server: RunServer, tab: Any) -> None:
    with run_server() as (server, studio):
        recording = open_page(tab, server.url, studio)
        tab.get_by_role("button", name="Keys").click()
        tab.get_by_label("Use single keys as shortcuts").uncheck()
        tab.get_by_role("button", name="Close").click()
        tab.evaluate("document.activeElement.blur()")  # the space bar would press the button again
        tab.keyboard.press("n")
        tab.keyboard.down(" ")
        tab.wait_for_timeout(300)
        tab.keyboard.up(" ")
        expect(tab.locator("#letter")).to_have_text("A")
        assert recording.stored.total() == 0
        expect(tab.locator("#record kbd")).to_be_hidden()
        tab.locator("#record").focus()
        tab.keyboard.press("Enter")  # on the button, keys work as ever
        wait_for_count(tab, 1)


def test_removed_frames_can_be_put_back(run_server: RunServer, tab: Any) -> None:
    with run_server() as (server, studio):
        recording = open_page(tab, server.url, studio)
        count = record_frames(tab, studio, 3)
        tab.keyboard.press("u")
        expect(tab.locator("#count-now")).to_have_text("0")
        tab.get_by_role("button", name="Put back").click()
        expect(tab.locator("#count-now")).to_have_text(str(count))
        assert len(files_on_disk(recording)) == len(indexed_files(recording)) == count


def test_switch_of_the_person(run_server: RunServer, tab: Any) -> None:
    with run_server() as (server, studio):
        save_signer(studio.workspace, "ben", SignerDetails(licence="private", consent="Only for me."))
        open_page(tab, server.url, studio)
        record_frames(tab, studio, 1)
        tab.locator("#signer").select_option("ben")
        expect(tab.locator("#count-now")).to_have_text("0")
        assert wait_for_verdict(tab, studio).session.info.signer == "ben"
        record_frames(tab, studio, 1)
        tab.reload()
        expect(tab.locator("#signer")).to_have_value("ben")
        assert [result.info.signer for result in studio.recording.results] == ["ada"]


def test_phone_layout_and_touch(run_server: RunServer, browser: Any) -> None:
    with run_server() as (server, studio):
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True, is_mobile=True
        )
        tab = context.new_page()
        recording = open_page(tab, server.url, studio)
        box = tab.locator("#record").bounding_box()
        assert min(box["width"], box["height"]) >= 88
        assert box["y"] + box["height"] <= 844
        touch = context.new_cdp_session(tab)
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        wait_for_count(tab, 2)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(tab.locator("#record")).to_have_attribute("aria-pressed", "false")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        normalise = [
            b for each in tab.locator("button:visible").all() if (b := each.bounding_box()) and b["height"] < 36
        ]
        assert normalise == []
        context.close()
    assert recording.stored["A"] >= 2


def test_https_with_token(run_server: RunServer, browser: Any) -> None:
    with run_server(host="0.0.0.0") as (server, studio):
        context = browser.new_context(ignore_https_errors=True)
        tab = context.new_page()
        home = f"https://127.0.0.1:{server.addresses.port}/"
        open_page(tab, f"{home}?token={server.addresses.token}#record", studio)
        expect(tab).to_have_url(f"{home}#record")  # the token is removed from the address bar
        record_frames(tab, studio, 1)
        tab.reload()
        expect(tab.locator("#verdict")).to_have_attribute("data-state", "good")
        tab.get_by_role("button", name="Phone").click()
        picture = np.frombuffer(tab.get_by_alt_text("QR code").screenshot(), np.uint8)
        scanned, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.imdecode(picture, cv2.IMREAD_GRAYSCALE))
        assert scanned == server.addresses.url(server.addresses.hosts[0])
        context.close()


def test_page_requests_own_server_only(run_server: RunServer, tab: Any) -> None:
    urls: list[str] = []
    console_messages: list[str] = []
    tab.on("request", lambda request: urls.append(request.url))
    tab.on("console", lambda message: console_messages.append(message.text))
    with run_server() as (server, studio):
        open_page(tab, server.url, studio)
        assert all(url.startswith(server.addresses.url("127.0.0.1")) for url in urls)
        assert [text for text in console_messages if "Content Security Policy" in text] == []
