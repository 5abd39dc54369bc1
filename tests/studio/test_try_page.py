"""Words, drawn letters and exams in the part Try, in Chromium with recognisers that read what the test says."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from aslkit.studio.parts import reading
from tests.studio.fake_recogniser import Letters, send_frames, spell, use_fake_recognisers

expect = pytest.importorskip("playwright.sync_api").expect

RunServer = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    """What each run reads, by its name; changed by the test."""
    return use_fake_recognisers(monkeypatch)


def open_try(tab: Any, url: str) -> None:
    tab.goto(url)
    expect(tab.locator("#reading-0 .status")).not_to_have_text("Starting…", timeout=20_000)


def test_correction_shows_what_was_read_and_can_be_undone(run_server: RunServer, tab: Any, letters: Letters) -> None:
    with run_server(part="try") as (server, studio):
        open_try(tab, server.url)
        spell(studio, letters, "TEACHFR")
        expect(tab.locator("#text-0")).to_have_text("TEACHFR")
        tab.keyboard.press(" ")
        expect(tab.locator("#text-0")).to_have_text("TEACHER ")
        expect(tab.locator("#words-0 p")).to_have_text("Read as TEACHFR, corrected to TEACHER.")
        expect(tab.locator("#announcement")).to_have_text("Read as TEACHFR, corrected to TEACHER.")
        spell(studio, letters, "A")
        expect(tab.locator("#text-0")).to_have_text("TEACHER A")
        expect(tab.locator("#words-0 p")).to_be_visible()
        tab.keyboard.press("u")
        expect(tab.locator("#text-0")).to_have_text("TEACHFR A")
        expect(tab.locator("#words-0 p")).to_have_count(0)


def test_undo_button_restores_what_was_read(run_server: RunServer, tab: Any, letters: Letters) -> None:
    with run_server(part="try") as (server, studio):
        open_try(tab, server.url)
        spell(studio, letters, "TEACHFR")
        tab.get_by_role("button", name="Space").click()
        tab.get_by_role("button", name="Undo").click()
        expect(tab.locator("#text-0")).to_have_text("TEACHFR ")
        expect(tab.locator(".text")).to_be_focused()  # the button is gone


def test_suggestion_is_taken_with_enter_or_its_button(run_server: RunServer, tab: Any, letters: Letters) -> None:
    with run_server(part="try") as (server, studio):
        open_try(tab, server.url)
        spell(studio, letters, "WATE")
        suggestion = tab.get_by_role("button", name="Take the suggestion WATER")
        expect(suggestion).to_be_visible()
        expect(tab.locator("#announcement")).to_have_text("E, suggestion WATER")
        tab.keyboard.press("Tab")  # moves the focus, and takes nothing
        expect(suggestion).to_be_visible()
        tab.locator(".text").focus()
        tab.keyboard.press("Enter")
        expect(tab.locator("#text-0")).to_have_text("WATER ")
        expect(tab.locator("#words-0 p")).to_have_text("Read as WATE, completed to WATER.")
        spell(studio, letters, "WATE")
        suggestion.click()
        expect(tab.locator("#text-0")).to_have_text("WATER WATER ")


def test_enter_presses_the_focused_button(run_server: RunServer, tab: Any, letters: Letters) -> None:
    with run_server(part="try") as (server, studio):
        open_try(tab, server.url)
        spell(studio, letters, "WATE")
        expect(tab.get_by_role("button", name="Take the suggestion")).to_be_visible()
        tab.get_by_role("button", name="Delete").focus()
        tab.keyboard.press("Enter")
        expect(tab.locator("#text-0")).to_have_text("WAT")


def test_words_are_turned_off_in_this_browser(run_server: RunServer, tab: Any, letters: Letters) -> None:
    with run_server(part="try") as (server, studio):
        open_try(tab, server.url)
        switch = tab.get_by_label("Correct words")
        expect(switch).to_be_checked()
        spell(studio, letters, "TEACHF")
        expect(tab.locator("#text-0")).to_have_text("TEACHF")
        switch.uncheck()
        expect(tab.locator("#words-0")).to_be_hidden()
        spell(studio, letters, "R")
        tab.get_by_role("button", name="Space").click()
        expect(tab.locator("#text-0")).to_have_text("TEACHFR ")
        tab.reload()
        expect(switch).not_to_be_checked()
        expect(tab.locator("#text-0")).to_have_text("TEACHFR ")
        switch.check()
        spell(studio, letters, "WATE")
        expect(tab.get_by_role("button", name="Take the suggestion WATER")).to_be_visible()


def test_message_about_a_cleared_text_ends_with_the_next_correction(
    run_server: RunServer, tab: Any, letters: Letters
) -> None:
    with run_server(part="try") as (server, studio):
        open_try(tab, server.url)
        spell(studio, letters, "AB")
        expect(tab.locator("#text-0")).to_have_text("AB")
        tab.keyboard.press("x")
        expect(tab.locator(".toast")).to_contain_text("Text cleared.")
        spell(studio, letters, "TEACHFR")
        tab.keyboard.press(" ")
        expect(tab.locator("#words-0 p")).to_be_visible()
        expect(tab.locator(".toast")).to_have_count(0)
        tab.keyboard.press("u")
        expect(tab.locator("#text-0")).to_have_text("TEACHFR ")
        tab.keyboard.press("u")
        expect(tab.locator("#text-0")).to_have_text("ABTEACHFR ")


@pytest.mark.parametrize(("known", "hint"), [("ABJZ", " Draw J and Z in the air; .*"), ("AB", "")])
def test_empty_text_explains_drawn_letters_if_the_model_knows_them(
    run_server: RunServer, tab: Any, letters: Letters, monkeypatch: pytest.MonkeyPatch, known: str, hint: str
) -> None:
    monkeypatch.setattr(reading, "known_letters", lambda run: tuple(known))
    with run_server(part="try") as (server, _):
        open_try(tab, server.url)
        expect(tab.locator("#text-0")).to_have_attribute(
            "data-hint", re.compile(f"^What you spell appears here\\.{hint}$")
        )
        tab.get_by_role("button", name="Start an exam").click()
        expect(tab.get_by_role("textbox", name="Letters")).to_have_value(known)


def test_exam_asks_to_draw(run_server: RunServer, tab: Any, letters: Letters) -> None:
    with run_server(part="try") as (server, studio):
        open_try(tab, server.url)
        tab.get_by_role("button", name="Start an exam").click()
        tab.get_by_label("Who signs?").fill("ada")
        tab.get_by_role("textbox", name="Letters").fill("J")
        tab.get_by_role("button", name="Start", exact=True).click()
        prompt = tab.locator("#exam-prompt b")
        expect(prompt).to_have_text("Get ready to draw J")
        send_frames(studio, 3.0)
        letters["starter"] = "J"  # in this frame, and a hand that shows no letter in the next ones
        expect(prompt).to_have_text(re.compile("^Draw J now|Rest"))
        expect(prompt).to_have_text(re.compile("^Rest"))
        send_frames(studio, 10.5)
        expect(tab.get_by_role("dialog")).to_contain_text("Every letter was read.")


def test_exam_names_letters_that_the_model_does_not_recognise(
    run_server: RunServer, tab: Any, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "known_letters", lambda run: ("A", "B"))
    with run_server(part="try") as (server, _):
        open_try(tab, server.url)
        tab.get_by_role("button", name="Start an exam").click()
        tab.get_by_label("Who signs?").fill("ada")
        tab.get_by_role("textbox", name="Letters").fill("AJZ")
        tab.get_by_role("button", name="Start", exact=True).click()
        expect(tab.locator(".toast")).to_have_text("Left out, because the model does not recognise them: J, Z")
