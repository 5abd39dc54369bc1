"""Walks through the studio in Chromium: prints the time of each step, and takes the pictures of the documentation.

    ./run bench walkthrough [--pictures docs/pictures] [--frames FOLDER]

The steps are those of docs/tutorial-studio.md, in a workspace of its own. The camera shows the synthetic signer, so the
pictures show nobody. The times are those of a script, which needs no time to read, to sign or to decide.
"""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import encode_jpeg

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
LETTERS = "ABCLY"
WORD = "CLAY"
PICTURED_LETTER = "B"
"""Letter of the exam that its picture shows."""

PEOPLE = {"Maria": "synthetic-ada", "Jon": "synthetic-cleo"}
WIDTH, HEIGHT = 960, 720
FRAMES = 90
"""Of each letter. They are played forwards and backwards."""
MOVEMENT_FPS, PLAYED_FPS = 2.0, 8
OTHER_Y = "Y2"
"""Another film of Y."""
WRONG_FRAMES = 8
"""So many frames of C show a Y, so that there is something to review."""

GOAL = 40
RECORDING_S = 90
TRAINING_MS = 300_000
MAX_PICTURE_BYTES = 200_000

NEXT_FRAME = """(before) => {
    const dialog = document.querySelector("#frame-dialog");
    return !dialog.open || dialog.querySelector(".large").innerHTML !== before;
}"""

CAMERA = f"""(() => {{
    const canvas = Object.assign(document.createElement("canvas"), {{ width: {WIDTH}, height: {HEIGHT} }});
    let images = [];
    let number = 0;
    const films = {{}};
    window.loadFilm = (name) => films[name] ??= Promise.all([...Array({FRAMES}).keys()].map(async (index) => {{
        const image = new Image();
        image.src = `/film/${{name}}/${{index}}.jpg`;
        await image.decode();
        return image;
    }}));
    window.playFilm = async (name) => {{
        const loaded = await window.loadFilm(name);
        images = loaded.concat(loaded.slice(1, -1).reverse());
        number = 0;
    }};
    window.pauseFilm = () => {{ images = images.slice(number % images.length).slice(0, 1); }};
    setInterval(() => {{
        if (images.length) canvas.getContext("2d").drawImage(images[number++ % images.length], 0, 0);
    }}, {1000 // PLAYED_FPS});
    MediaDevices.prototype.getUserMedia = async () => canvas.captureStream({PLAYED_FPS * 2});
}})()"""


def quiet_session(signer: Signer) -> SyntheticSession:
    """Return a session with little noise, which would make pictures of the page large."""
    session = SyntheticSession.draw(signer, "one")
    return replace(session, camera=replace(session.camera, noise=0.3, jpeg_quality=95))


def render_film(folder: Path, signer_name: str, letter: str) -> None:
    """Write the frames of a letter to FOLDER/SIGNER-LETTER, unless they exist."""
    target = folder / f"{signer_name}-{letter}"
    if target.is_dir():
        return
    letter, seed = letter[0], len(letter) - 1
    signer = Signer.draw(signer_name)
    session = quiet_session(signer)
    stream = render_frames(
        letter, signer=signer, session=session, seed=seed, width=WIDTH, height=HEIGHT, fps=MOVEMENT_FPS
    )
    frames = [encode_jpeg(frame.image) for frame in islice(stream, FRAMES)]
    target.mkdir(parents=True)
    for number, jpeg in enumerate(frames):
        (target / f"{number}.jpg").write_bytes(jpeg)


class Clock:
    """Prints how long each step takes."""

    def __init__(self) -> None:
        self._start_s = time.perf_counter()

    def restart(self) -> None:
        """Leave out the time since the step before."""
        self._start_s = time.perf_counter()

    def step(self, title: str) -> None:
        """Print the time since the step before."""
        now_s = time.perf_counter()
        print(f"{now_s - self._start_s:7.1f} s  {title}", flush=True)
        self._start_s = now_s


class Walkthrough:
    """A browser tab that shows the studio.

    Args:
        tab: the tab.
        pictures: folder that pictures are written to; None takes none.
    """

    def __init__(self, tab: Any, pictures: Path | None) -> None:
        self.tab, self._pictures = tab, pictures

    def picture(self, name: str, *, height: int | None = None) -> None:
        """Take a picture of the window, with at most MAX_PICTURE_BYTES; in a window of another height if given."""
        if self._pictures is None:
            return
        window = self.tab.viewport_size
        if height is not None:
            self.tab.set_viewport_size(window | {"height": height})
            self.tab.wait_for_timeout(300)
        image = Image.open(io.BytesIO(self.tab.screenshot())).convert("RGB")
        self.tab.set_viewport_size(window)
        path = self._pictures / f"{name}.png"
        image.save(path, optimize=True)
        for colours in (256, 160, 100):
            if path.stat().st_size > MAX_PICTURE_BYTES:
                image.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)

    def open_part(self, name: str) -> None:
        """Click on a part in the navigation."""
        self.tab.locator(f"#parts a[href='#{name}']").click()
        self.tab.locator(f"main.{name}").wait_for()

    def add_person(self, name: str) -> None:
        """Add a person, who then records."""
        tab = self.tab
        tab.get_by_role("button", name="Add a person").click()
        tab.get_by_label("Name or nickname").fill(name)
        tab.get_by_label("CC-BY-4.0").check()
        tab.get_by_label("Consent in the person's own words").fill("Our class may show my hand.")
        tab.get_by_role("button", name="Add and record").click()
        tab.locator("#verdict").wait_for()

    def record(self, signer_name: str, letter: str, *, wrong: str = "", picture: bool = False) -> None:
        """Hold the space bar until the letter is complete."""
        tab = self.tab
        tab.locator(f"#letter-{letter}").click()
        self.play(signer_name, wrong or letter)
        tab.keyboard.down(" ")
        deadline_s = time.perf_counter() + RECORDING_S
        while "complete" not in (tab.locator(f"#letter-{letter}").get_attribute("class") or ""):
            count = int(tab.inner_text("#count-now"))
            if wrong and count >= WRONG_FRAMES:
                self.play(signer_name, letter)
                wrong = ""
            if picture and count >= GOAL * 0.6 and tab.locator("#verdict").get_attribute("data-state") == "rec":
                self.pause()
                self.picture("studio")
                self.play(signer_name, letter)
                picture = False
            if time.perf_counter() > deadline_s:
                print(f"only {count} frames of {letter}")
                break
            tab.wait_for_timeout(40)
        tab.keyboard.up(" ")

    def play(self, signer_name: str, letter: str) -> None:
        """Let the camera show a letter."""
        self.tab.evaluate("(film) => playFilm(film)", f"{signer_name}-{letter}")

    def load(self, signer_name: str, letters: tuple[str, ...]) -> None:
        """Load films, so that they can be shown without delay."""
        names = ["empty", *(f"{signer_name}-{letter}" for letter in letters)]
        self.tab.evaluate("(names) => Promise.all(names.map(loadFilm))", names)

    def pause(self) -> None:
        """Stop the movement, so that a picture shows the landmarks where the hand is."""
        self.tab.evaluate("pauseFilm()")
        self.tab.wait_for_timeout(250)

    def train(self, picture: str = "") -> None:
        """Train, and wait for the result."""
        tab = self.tab
        tab.get_by_role("button", name="Train", exact=True).click()
        tab.locator("#progress-title").wait_for()
        tab.locator("#progress-title").wait_for(state="detached", timeout=TRAINING_MS)
        assert tab.locator(".job.failed").count() == 0, tab.locator(".job.failed").inner_text()
        tab.get_by_role("region", name="Result").wait_for()
        print("         ", tab.locator(".result .figure").first.inner_text().replace("\n", " "))
        if picture:
            self.picture(picture, height=720)

    def review(self) -> None:
        """Drop or move all doubtful frames."""
        tab = self.tab
        self.open_part("review")
        tab.locator(".cell.loaded").first.wait_for()
        tab.wait_for_timeout(800)
        print("         ", tab.locator("#what option").first.inner_text())
        tab.get_by_role("button", name="Select all").click()
        self.picture("studio-review", height=560)
        tab.get_by_role("button", name="Clear selection").click()
        tab.locator("#enlarge").click()
        tab.locator("#frame-dialog[open] img").first.wait_for()
        while tab.locator("#frame-dialog[open]").count():
            suggested = tab.locator("#frame-dialog").get_by_role("button", name=re.compile("^Move to [A-Z]$"))
            before = tab.locator("#frame-dialog .large").inner_html()
            if suggested.count():
                suggested.click()
            else:
                tab.keyboard.press("k")
            tab.wait_for_function(NEXT_FRAME, arg=before)
            tab.wait_for_timeout(60)

    def spell(self, signer_name: str, word: str) -> None:
        """Hold the letters of a word one after the other."""
        tab = self.tab
        for number, letter in enumerate(word, 1):
            self.play(signer_name, letter)
            tab.wait_for_function(
                "(count) => document.querySelector('#text-0').textContent.length >= count", arg=number, timeout=30_000
            )
        self.pause()
        self.picture("studio-try")

    def take_exam(self, signer_name: str, person: str) -> None:
        """Sign every letter of an exam when it is prompted."""
        tab = self.tab
        tab.locator("#start-exam").click()
        tab.get_by_label("Who signs?").fill(person)
        tab.get_by_label("Letters", exact=True).fill(LETTERS)  # the films show no movement of J and Z
        tab.get_by_role("button", name="Start", exact=True).click()
        tab.locator("#exam-dialog").wait_for(state="hidden")
        tab.locator("#exam-prompt b").wait_for()
        shown, pictured = "", False
        while not tab.locator("#exam-dialog[open]").count():
            found = re.search(r"\b([A-Y])( now)?$", tab.locator("#exam-prompt b").text_content() or "")
            if found and found[1] != shown:
                shown = found[1]
                self.play(signer_name, shown)
            recognised = "This is" in tab.locator("#reading-0 .status").inner_text()
            if found and found[2] and shown == PICTURED_LETTER and recognised and not pictured:
                self.pause()
                self.picture("studio-exam")
                pictured = True
            if tab.locator("#exam-prompt").is_visible() and "Rest" in tab.locator("#exam-prompt").inner_text():
                tab.evaluate("playFilm('empty')")
            tab.wait_for_timeout(60)
        print("         ", tab.locator("#exam-dialog .figure").inner_text().replace("\n", " "))
        tab.get_by_role("button", name="Close", exact=True).click()

    def share(self) -> None:
        """Export the web page of the newest model, and prepare the recordings."""
        tab = self.tab
        self.open_part("share")
        tab.get_by_role("button", name="Create Web page").click()
        tab.get_by_role("link", name="Open the page").wait_for(timeout=TRAINING_MS)


@contextmanager
def studio_url(workspace: Path) -> Iterator[str]:
    """Run a studio as a process of its own, and yield its address."""
    command = [sys.executable, "-m", "aslkit", "studio", "--workspace", str(workspace), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        finally:
            process.terminate()


def serve_frames(frames: Path) -> Any:
    """Return a handler of requests that answers /film/NAME/NUMBER.jpg with a rendered frame."""

    def handle(route: Any) -> None:
        name, file = route.request.url.rsplit("/", 2)[1:]
        route.fulfill(path=frames / name / file, content_type="image/jpeg")

    return handle


def take_phone_picture(browser: Any, url: str, frames: Path, pictures: Path | None) -> None:
    """Take a picture of the part Record on a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    context.add_init_script(CAMERA)
    context.route("**/film/**", serve_frames(frames))
    phone = Walkthrough(context.new_page(), pictures)
    phone.tab.goto(f"{url}#record")
    phone.tab.get_by_role("button", name="Jon").click()
    phone.tab.wait_for_function("() => document.querySelector('#letter')?.textContent")
    phone.tab.locator("#letter-L").click()
    phone.play(PEOPLE["Jon"], "L")
    phone.tab.locator("#verdict[data-state='good']").wait_for()
    phone.tab.evaluate(
        "() => { for (const each of document.querySelectorAll('html, body, main, main *')) each.scrollTop = 0; }"
    )
    phone.tab.wait_for_timeout(1000)
    phone.pause()
    phone.picture("studio-phone")
    context.close()


def walk(browser: Any, workspace: Path, frames: Path, pictures: Path | None) -> None:
    """Do all steps of the tutorial."""
    clock = Clock()
    with studio_url(workspace) as url:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(30_000)
        context.add_init_script(CAMERA)
        context.route("**/film/**", serve_frames(frames))
        tab = context.new_page()
        page = Walkthrough(tab, pictures)
        tab.goto(url)
        tab.get_by_role("button", name="Add a person").wait_for()
        clock.step("Start aslkit studio, until the page is shown")
        for index, (person, signer_name) in enumerate(PEOPLE.items()):
            page.open_part("people")
            page.load(signer_name, (*LETTERS, OTHER_Y))
            clock.restart()
            page.add_person(person)
            page.play(signer_name, LETTERS[0])
            tab.locator("#verdict[data-state='good']").wait_for()
            clock.step(f"Add {person}, until the camera is shown")
            for letter in LETTERS:
                wrong = OTHER_Y if letter == "C" and not index else ""
                page.record(signer_name, letter, wrong=wrong, picture=letter == "L" and not index)
            clock.step(f"Record {len(LETTERS)} letters of {person}")
            tab.get_by_role("button", name="Finish").click()
            tab.locator("#summary-title").wait_for()
            page.open_part("train")
            page.train("studio-result" if index else "studio-result-one")
            clock.step("Train")
            if index:
                continue
            page.review()
            clock.step("Review the doubtful frames")
            page.open_part("train")
            page.train()
            clock.step("Train again")
            page.open_part("try")
            page.spell(signer_name, WORD)
            clock.step("Spell a word of four letters")
            page.load(PEOPLE["Jon"], (*LETTERS,))
            clock.restart()
            page.take_exam(PEOPLE["Jon"], "Jon")
            clock.step("Exam of another person, five letters")
        page.open_part("people")
        page.picture("studio-people", height=490)
        page.share()
        clock.step("Share: create the web page")
        tab.get_by_role("button", name="Prepare", exact=True).click()
        tab.get_by_role("link", name="Download", exact=True).wait_for(timeout=TRAINING_MS)
        clock.step("Share: prepare the recordings")
        page.picture("studio-share")
        take_phone_picture(browser, url, frames, pictures)
        context.close()


def main() -> None:
    """Render the frames, and walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="write the pictures to this folder")
    parser.add_argument("--frames", type=Path, help="keep the rendered frames in this folder")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("ASLKIT_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        frames = options.frames or Path(folder) / "frames"
        films = [(frames, signer, letter) for signer in PEOPLE.values() for letter in (*LETTERS, OTHER_Y)]
        with ProcessPoolExecutor() as pool:
            list(pool.map(render_film, *zip(*films, strict=True)))
        empty = frames / "empty"
        if not empty.is_dir():
            signer = Signer.draw(PEOPLE["Jon"])
            session = quiet_session(signer)
            stream = render_frames("A", signer=signer, session=session, width=WIDTH, height=HEIGHT, fault="no-hand")
            jpegs = [encode_jpeg(frame.image) for frame in islice(stream, 3)]
            empty.mkdir()
            for number in range(FRAMES):
                (empty / f"{number}.jpg").write_bytes(jpegs[number % 3])
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-quic"])
        walk(browser, Path(folder) / "workspace", frames, options.pictures)
        browser.close()


if __name__ == "__main__":
    main()
