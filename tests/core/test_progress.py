"""Progress without a terminal."""

import pytest

from aslkit.core import progress


def _advance(steps: int) -> None:
    with progress.progress_bar("Measuring", 10) as advance:
        for _ in range(steps):
            advance()


def test_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _advance(5)
    assert capsys.readouterr() == ("", "")


def test_lines_within_progress_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 4.0, 11.0, 11.0, 15.0])  # the start; each step; the time of a printed line
    monkeypatch.setattr("aslkit.core.progress.time.monotonic", lambda: next(clock))
    with progress.progress_lines():
        _advance(3)
    assert capsys.readouterr() == ("", "Measuring …\nMeasuring: 20%\n")
    _advance(1)
    assert capsys.readouterr() == ("", "")
