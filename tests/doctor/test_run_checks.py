"""`aslkit doctor` as a whole: each check has its say, and what is printed of it; and this machine."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from aslkit.doctor import render, run_checks
from aslkit.doctor.result import CheckStatus
from aslkit.doctor.run_checks import Check, CheckResult


def printed(findings: list[CheckResult], *, encoding: str = "utf-8") -> str:
    sink = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    render.print_results(findings, Console(file=sink, width=80, color_system=None))
    sink.seek(0)
    return sink.read()


def finding(**changed: object) -> CheckResult:
    values: dict[str, object] = {
        "name": "Java",
        "state": "missing",
        "detail": "not there",
        "needed_for": "Spark (extra [spark])",
        "remedy": "sudo apt-get install java",
        "required": False,
    }
    return CheckResult(**(values | changed))  # type: ignore[arg-type]


def test_a_check_that_raises_is_a_problem_and_stops_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def explode(workspace: Path) -> CheckStatus:
        raise RuntimeError("device on fire")

    def fine(workspace: Path) -> CheckStatus:
        return CheckStatus(state="ok", detail="fine")

    broken = Check(name="Cameras", needed_for="recording", look=explode, required=True)
    monkeypatch.setattr(run_checks, "CHECKS", (broken, Check(name="Display", needed_for="windows", look=fine)))
    first, second = run_checks.run_checks(tmp_path)
    assert (first.state, first.required) == ("problem", True)
    assert first.detail == "could not be checked: RuntimeError: device on fire"
    assert first.remedy
    assert second.state == "ok"


def test_render_shows_marks_and_remedies_in_full() -> None:
    remedy = "pip uninstall -y opencv-python opencv-contrib-python && pip install --force-reinstall " + "x" * 90
    findings = [
        finding(name="Python", state="ok", detail="3.11.7", remedy=""),
        finding(name="OpenCV", state="problem", detail="two of them, " * 12 + "end", remedy=remedy),
        finding(),
    ]
    text = printed(findings)
    lines = text.splitlines()
    assert lines[0].split() == ["✓", "Python", "3.11.7"]
    assert any(line.startswith("! OpenCV") for line in lines)
    assert any(line.startswith("✗ Java") for line in lines)
    assert any(line.endswith(remedy) for line in lines), "a remedy stays on one line, to be copied in one piece"
    assert "Spark (extra [spark])" in text, "square brackets are text, not markup"
    assert "…" not in text
    assert " ".join(text.split()).count("two of them") == 12
    assert all(len(line) <= 80 for line in lines if remedy not in line)


def test_render_on_an_ascii_terminal() -> None:
    text = printed([finding(name="Python", state="ok", remedy=""), finding()], encoding="ascii")
    assert text.startswith("+ Python")
    assert "x Java" in text


@pytest.mark.parametrize(
    ("findings", "last_line"),
    [
        ([finding(state="ok")], "Everything is there."),
        ([finding()], "The base install is complete. Not everything else is: see Java."),
        (
            [finding(), finding(name="OpenCV", required=True)],
            "Capture, curate and live may not work as they should: see OpenCV.",
        ),
    ],
)
def test_render_ends_with_what_works_and_where_to_read_on(findings: list[CheckResult], last_line: str) -> None:
    *_, before, last = printed(findings).splitlines()
    assert last_line == (last if findings[0].state == "ok" else before)
    assert (render.PAGE in last) == (findings[0].state != "ok")


def test_this_machine(tmp_path: Path) -> None:
    """The real environment, as `./run setup` leaves it: everything it installs is there."""
    found = {finding.name: finding for finding in run_checks.run_checks(tmp_path)}
    assert list(found) == [check.name for check in run_checks.CHECKS]
    for name in ("Python", "Java", "C++ compiler", "OpenCV", "TensorFlow", "Horovod", "Spark", "MediaPipe hand models"):
        assert found[name].state == "ok", found[name]
    assert all(bool(finding.remedy) == (finding.state != "ok") for finding in found.values())
    assert "✓ Python" in printed(list(found.values()))


def test_tensorflow_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from aslkit.doctor.run_checks import examine; "
        "examine(Path.cwd()); print(sorted({'tensorflow', 'horovod', 'pyspark', 'mediapipe'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]", "importing these takes seconds"
