"""All parts of the page: accessibility rules of axe-core, sizes from a small phone to a large screen, and keys."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.formats.reviews import load_decisions
from aslkit.formats.signers import SignerDetails, save_signer
from aslkit.vision.images import encode_jpeg

expect = pytest.importorskip("playwright.sync_api").expect
axe = pytest.importorskip("axe_playwright_python.base")

RunServer = Callable[..., AbstractContextManager[Any]]

PARTS = ("people", "record", "review", "train", "try", "share")
SIZES = [(320, 568), (360, 740), (390, 844), (844, 390), (768, 1024), (1280, 800), (1440, 900), (2560, 1440)]
LONG_NAME = "W" * 40 + "abcdefghijklmnopqrstuvwx"
"""64 characters, the longest name, that cannot be broken into lines."""

AXE_SCRIPT = Path(axe.AXE_FILE_PATH).read_text(encoding="utf-8")

RUN_AXE = """async () => {
    const { violations } = await axe.run(document, { rules: { "target-size": { enabled: true } } });
    return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0].html}`);
}"""

FIND_LAYOUT_ERRORS = """() => {
    const errors = [];
    const main = document.querySelector("main");
    // A phone widens the page to what does not fit, so that innerWidth exceeds the width of the screen.
    if (document.documentElement.scrollWidth > screen.width) errors.push("the page scrolls horizontally");
    if (main.scrollWidth > main.clientWidth) errors.push("the part scrolls horizontally");
    const least = matchMedia("(pointer: coarse)").matches ? 44 : 24;
    for (const element of document.querySelectorAll("button, select, summary, a, label:has(input)")) {
        const { width, height, left, right } = element.getBoundingClientRect();
        const inText = element.matches("p a, p > label");
        if (!element.checkVisibility() || element.matches(".skip") || inText) continue;
        const name = element.id || element.textContent.trim().slice(0, 30);
        if (Math.min(width, height) < least - 0.5) errors.push(`${name} is ${width.toFixed()}×${height.toFixed()}`);
        if (left < -1 || right > screen.width + 1) errors.push(`${name} is cut off`);
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        const text = texts.currentNode.data.trim();
        const size = parseFloat(getComputedStyle(element).fontSize); // 0: text that a symbol replaces
        if (text && element.checkVisibility() && size > 0 && size < 12) errors.push(`small text: ${text}`);
    }
    return errors;
}"""

FIND_UNLIKE_NAMES = """() => [...document.querySelectorAll("button, a, select, summary")].filter((element) => {
    const name = element.ariaLabel?.toLowerCase();
    const shown = element.innerText?.trim().toLowerCase();
    return name && shown && element.checkVisibility() && !name.includes(shown.split("\\n")[0]);
}).map((element) => `${element.innerText}: ${element.ariaLabel}`)"""

FIND_OVERLAPS = """(selectors) => {
    const boxes = selectors.map((selector) => [selector, document.querySelector(selector).getBoundingClientRect()]);
    return boxes.flatMap(([first, a], index) => boxes.slice(index + 1)
        .filter(([, b]) => Math.max(a.left, b.left) < Math.min(a.right, b.right) - 1)
        .filter(([, b]) => Math.max(a.top, b.top) < Math.min(a.bottom, b.bottom) - 1)
        .map(([second]) => `${first} and ${second}`));
}"""


@pytest.fixture
def planted(workspace: Workspace) -> list[str]:
    """Plants doubtful frames of two people, one with a long name and consent; returns their keys."""
    keys = [f"{name}/past/{letter}/{n:04}.jpg" for name in (LONG_NAME, "ada") for letter in "AB" for n in range(30)]
    for number, key in enumerate(keys):
        path = workspace.captures / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(np.full((60, 80, 3), 40 + number, np.uint8)))
    details = SignerDetails(licence="CC-BY-4.0", consent="Until the summer. " * 25, hand="left")
    save_signer(workspace, LONG_NAME, details)
    folder = workspace.dataset("custom")
    folder.mkdir(parents=True)
    finding = {"reason": "label-doubt", "detail": "looks like B (97% sure)"}
    doubts = [
        dict(zip(("signer", "session", "letter"), key.split("/"), strict=False), path=key) | finding for key in keys
    ]
    parquet_store.write_findings(folder / parquet_store.FLAGGED_FILE, doubts)
    return keys


@pytest.fixture
def url(run_server: RunServer, planted: list[str]) -> Iterator[str]:
    """Address of a studio with planted frames, in which ada records."""
    with run_server(letters="ABCDEFGHIKLMNOPQRSTUVWXY") as (server, _):
        yield server.addresses.url("127.0.0.1")


def open_context(browser: Any, size: tuple[int, int] = (1280, 800), **options: Any) -> Any:
    touch = min(size) < 800
    return browser.new_context(
        viewport=dict(zip(("width", "height"), size, strict=True)), has_touch=touch, is_mobile=touch, **options
    )


def open_part(page: Any, url: str, part: str) -> None:
    page.goto(f"{url}#{part}")
    expect(page.locator(f"main.{part} h1")).to_be_attached()
    ready = {"record": "#verdict:not([data-state=wait])", "review": ".cell.loaded", "share": ".downloads"}
    if part in ready:
        page.locator(ready[part]).first.wait_for()


def find_violations(page: Any) -> list[str]:
    page.evaluate(AXE_SCRIPT)
    return list(page.evaluate(RUN_AXE))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violations(url: str, browser: Any, scheme: str) -> None:
    context = open_context(browser, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    found = {}
    for part in PARTS:
        open_part(page, url, part)
        found[part] = find_violations(page)
        expect(page).to_have_title(re.compile(f"^(. – )?{part.title()} – aslkit studio$"))
    dialogs = {"people": "Add a person", "review": "Enlarge", "try": "Start an exam", "train": "Keys", "share": "Phone"}
    for part, button in dialogs.items():
        open_part(page, url, part)
        page.get_by_role("button", name=button).click()
        expect(page.locator("dialog[open]")).to_be_visible()
        found[f"dialog of {part}"] = find_violations(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    context.close()
    assert {name: violations for name, violations in found.items() if violations} == {}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_part_fits(url: str, browser: Any, size: tuple[int, int]) -> None:
    context = open_context(browser, size)
    page = context.new_page()
    errors = {}
    for part in PARTS:
        open_part(page, url, part)
        errors[part] = page.evaluate(FIND_LAYOUT_ERRORS)
    context.close()
    assert {part: found for part, found in errors.items() if found} == {}


def test_nothing_overlaps_on_a_phone_held_sideways(url: str, browser: Any) -> None:
    context = open_context(browser, (844, 390))
    page = context.new_page()
    open_part(page, url, "record")
    blocks = [".record-part .stage", ".who", ".letter", "#record", "#burst", "#undo", ".recent", ".alphabet"]
    assert page.evaluate(FIND_OVERLAPS, blocks) == []
    assert page.locator("#record").bounding_box()["x"] > page.locator("#picture").bounding_box()["width"]
    open_part(page, url, "try")
    assert page.evaluate(FIND_OVERLAPS, [".try-part .stage", ".choices-bar", ".readings", ".text-panel"]) == []
    context.close()


def test_messages_do_not_cover_the_controls_of_a_phone(url: str, browser: Any) -> None:
    context = open_context(browser, (390, 844))
    page = context.new_page()
    open_part(page, url, "record")
    page.locator("#undo").click()
    expect(page.locator(".toast")).to_have_text("Nothing to undo.")
    assert page.evaluate(FIND_OVERLAPS, [".toast", ".controls"]) == []
    context.close()


def test_names_contain_the_visible_text(url: str, browser: Any) -> None:
    context = open_context(browser)
    page = context.new_page()
    for part in PARTS:
        open_part(page, url, part)
        assert page.evaluate(FIND_UNLIKE_NAMES) == []
    context.close()


def test_single_keys_of_review_can_be_turned_off(url: str, tab: Any, workspace: Workspace) -> None:
    open_part(tab, url, "review")
    tab.get_by_role("button", name="Keys").click()
    tab.get_by_label("Use single keys as shortcuts").uncheck()
    tab.keyboard.press("Escape")
    tab.locator(".grid-list").focus()
    tab.keyboard.press("d")
    tab.keyboard.press("r")
    expect(tab.locator(".grid-list")).to_be_focused()
    tab.keyboard.press("Enter")
    tab.keyboard.press("d")
    expect(tab.get_by_role("dialog", name="Frame")).to_be_visible()
    assert load_decisions(workspace) == {}


def test_review_with_the_keyboard(url: str, tab: Any, planted: list[str], workspace: Workspace) -> None:
    open_part(tab, url, "review")
    grid = tab.locator(".grid-list")
    grid.focus()
    tab.locator("#what").select_option("all")
    grid.focus()
    tab.keyboard.press("d")  # moves on to the next frame
    expect(grid).to_have_attribute("aria-activedescendant", "cell-1")
    tab.keyboard.press("r")
    tab.keyboard.press("b")
    expect(grid).to_have_attribute("aria-activedescendant", "cell-2")
    expect(grid).to_be_focused()
    tab.keyboard.press("Enter")
    dialog = tab.get_by_role("dialog", name="Frame: A of W")
    expect(dialog).to_be_visible()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("k")
    expect(grid).to_have_attribute("aria-activedescendant", "cell-4")
    tab.keyboard.press("u")  # back to the frame that was kept
    expect(grid).to_have_attribute("aria-activedescendant", "cell-3")
    tab.keyboard.press("Escape")
    expect(grid).to_be_focused()
    tab.locator(".cell").nth(5).click(modifiers=["Control"])
    tab.locator(".cell").nth(8).click(modifiers=["Shift"])
    expect(tab.locator(".review-bar p")).to_have_text("4 frames selected")
    decisions = {key: (each.action, each.letter) for key, each in load_decisions(workspace).items()}
    assert decisions == {planted[0]: ("drop", None), planted[1]: ("relabel", "B")}


def test_phone_shows_frames_large_and_no_keys(url: str, browser: Any, workspace: Workspace) -> None:
    context = open_context(browser, (390, 844))
    page = context.new_page()
    open_part(page, url, "review")
    expect(page.locator("kbd:visible")).to_have_count(0)
    page.locator(".cell").nth(2).tap()
    expect(page.locator(".review-bar p")).to_have_text("1 frame selected")
    page.locator("#enlarge").tap()
    page.locator("#relabel-large").select_option("B")
    page.get_by_role("button", name="Close").tap()
    expect(page.locator("#shown-count")).to_have_text("119 frames")
    assert [each.letter for each in load_decisions(workspace).values()] == ["B"]
    context.close()
