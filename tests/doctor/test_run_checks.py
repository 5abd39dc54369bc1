"""All checks together, their printed output, and the result on this machine."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from aslkit.doctor import render, run_checks
from aslkit.doctor.result import CheckStatus
from aslkit.doctor.run_checks import Check, CheckResult


def render_text(results: list[CheckResult], *, encoding: str = "utf-8") -> str:
    sink = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    render.print_results(results, Console(file=sink, width=80, color_system=None))
    sink.seek(0)
    return sink.read()


def make_result(**changes: object) -> CheckResult:
    values: dict[str, object] = {
        "name": "Java",
        "state": "missing",
        "detail": "not found",
        "needed_for": "Spark (extra [spark])",
        "remedy": "sudo apt-get install java",
        "required": False,
    }
    return CheckResult(**(values | changes))  # type: ignore[arg-type]


def test_run_checks_reports_exception_and_continues(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def explode(workspace: Path) -> CheckStatus:
        raise RuntimeError("device on fire")

    def fine(workspace: Path) -> CheckStatus:
        return CheckStatus(state="ok", detail="fine")

    broken = Check(name="Cameras", needed_for="recording", run=explode, required=True)
    monkeypatch.setattr(run_checks, "CHECKS", (broken, Check(name="Display", needed_for="windows", run=fine)))
    first, second = run_checks.run_checks(tmp_path)
    assert (first.state, first.required) == ("problem", True)
    assert first.detail == "the check failed: RuntimeError: device on fire"
    assert first.remedy
    assert second.state == "ok"


def test_print_results_shows_marks_and_complete_remedies() -> None:
    remedy = "pip uninstall -y opencv-python opencv-contrib-python && pip install --force-reinstall " + "x" * 90
    results = [
        make_result(name="Python", state="ok", detail="3.11.7", remedy=""),
        make_result(name="OpenCV", state="problem", detail="two of them, " * 12 + "end", remedy=remedy),
        make_result(),
    ]
    text = render_text(results)
    lines = text.splitlines()
    assert lines[0].split() == ["✓", "Python", "3.11.7"]
    assert any(line.startswith("! OpenCV") for line in lines)
    assert any(line.startswith("✗ Java") for line in lines)
    assert any(line.endswith(remedy) for line in lines), "a remedy stays on one line, so that it can be copied"
    assert "Spark (extra [spark])" in text, "square brackets are text, not rich markup"
    assert "…" not in text
    assert " ".join(text.split()).count("two of them") == 12
    assert all(len(line) <= 80 for line in lines if remedy not in line)


def test_print_results_uses_ascii_marks_on_ascii_terminal() -> None:
    text = render_text([make_result(name="Python", state="ok", remedy=""), make_result()], encoding="ascii")
    assert text.startswith("+ Python")
    assert "x Java" in text


@pytest.mark.parametrize(
    ("results", "summary"),
    [
        ([make_result(state="ok")], "All checks passed."),
        ([make_result()], "The base installation is complete. Not available: Java."),
        (
            [make_result(), make_result(name="OpenCV", required=True)],
            "Capture, curate and live may not work correctly. See OpenCV.",
        ),
    ],
)
def test_print_results_ends_with_summary_and_link(results: list[CheckResult], summary: str) -> None:
    *_, before, last = render_text(results).splitlines()
    assert summary == (last if results[0].state == "ok" else before)
    assert (render.PAGE in last) == (results[0].state != "ok")


def test_run_checks_on_this_machine(tmp_path: Path) -> None:
    """Everything that `./run setup` installs must be found."""
    results = {result.name: result for result in run_checks.run_checks(tmp_path)}
    assert list(results) == [check.name for check in run_checks.CHECKS]
    for name in ("Python", "Java", "C++ compiler", "OpenCV", "TensorFlow", "Horovod", "Spark", "MediaPipe hand models"):
        assert results[name].state == "ok", results[name]
    assert all(bool(result.remedy) == (result.state != "ok") for result in results.values())
    assert "✓ Python" in render_text(list(results.values()))


def test_run_checks_does_not_import_slow_packages(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from aslkit.doctor.run_checks import run_checks; "
        "run_checks(Path.cwd()); print(sorted({'tensorflow', 'horovod', 'pyspark', 'mediapipe'} & sys.modules.keys()))"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert completed.stdout.strip() == "[]", "importing these takes seconds"
