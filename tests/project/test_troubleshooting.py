"""docs/troubleshooting.md has an entry for each thing that doctor can say, in doctor's words, and none for others.

What doctor can say is read from its source: the first argument of each `missing(…)` and `problem(…)`, in which an
expression may stand for anything.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.doctor import machine, packages, run_checks
from aslkit.doctor.render import PAGE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")

REMEDIES = [
    *machine.INSTALL_JAVA.values(),
    *machine.INSTALL_COMPILER.values(),
    machine.NO_CAMERA,
    packages.INSTALL_LIBRARIES,
    packages.INSTALL_TRAIN,
    packages.INSTALL_SPARK,
    packages.REBUILD_HOROVOD,
]


def flat(text: str) -> str:
    return " ".join(text.split())


def section(name: str) -> str:
    """What stands below a heading, up to the next."""
    found = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"{PAGE} has no heading {name!r}"
    return found[1]


def entries(text: str) -> list[str]:
    """What is said to be doctor's words: in bold and as code."""
    return [flat(entry) for entry in re.findall(r"\*\*`([^`]+)`\*\*", text)]


def pieces(node: ast.expr) -> list[str | None]:
    """Text of an expression, None for what differs; a constant of doctor's is its value."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return [piece for each in node.values for piece in pieces(each)]
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        value = {**vars(machine), **vars(packages)}.get(node.value.id)
        if node.format_spec is not None and isinstance(value, float):
            return [f"{value:.0f}"]
        return [None if value is None else str(value)]
    return [None]


def said(look: object) -> Iterator[tuple[list[str | None], list[str | None]]]:
    """Detail and remedy of each finding of a check that is not ok."""
    source = ast.parse(inspect.getsource(look))  # type: ignore[arg-type]
    called = [name for node in ast.walk(source) if isinstance(node, ast.Call) and (name := node.func)]
    for node in ast.walk(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("missing", "problem"):
            yield pieces(node.args[0]), pieces(node.args[1])
    for name in called:
        if isinstance(name, ast.Name) and name.id == "_open_first_camera":
            yield from said(machine._open_first_camera)


def matches(words: list[str | None], entry: str) -> bool:
    return bool(re.fullmatch("".join(".+" if word is None else re.escape(word) for word in words), entry))


@pytest.mark.parametrize("check", run_checks.CHECKS, ids=lambda check: check.name)
def test_each_finding_has_an_entry_in_the_same_words(check: run_checks.Check) -> None:
    text = section(check.name)
    assert flat(f"Needed for {check.needed_for}") in flat(text)
    findings = list(said(check.look))
    assert findings
    for detail, remedy in findings:
        assert any(matches(detail, entry) for entry in entries(text)), f"no entry for {detail}"
        for words in filter(None, remedy):
            assert flat(words) in flat(TEXT.replace("`", "")), f"the remedy {words!r} is not told"
    for entry in entries(text):
        assert any(matches(detail, entry) for detail, _ in findings), f"doctor does not say {entry!r}"


def test_a_check_that_fails_is_told_of() -> None:
    (detail, remedy), *_ = said(run_checks._examine)
    assert any(matches(detail, entry) for entry in entries(TEXT.partition("### ")[0]))
    assert flat(str(remedy[0])) in flat(TEXT)


@pytest.mark.parametrize("remedy", REMEDIES)
def test_remedies_are_in_the_same_words(remedy: str) -> None:
    assert remedy in flat(TEXT).replace("`", "")


def test_all_remedies_are_looked_for() -> None:
    named = {
        name
        for module in (machine, packages)
        for name in vars(module)
        if name.startswith(("INSTALL_", "REBUILD_", "NO_CAMERA"))
    }
    assert len(named) == 7


def test_what_the_gate_says_is_told() -> None:
    for words in REASON_MESSAGES.values():
        assert f"| {words} |" in TEXT
