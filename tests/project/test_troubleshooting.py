"""docs/troubleshooting.md explains exactly the messages that doctor can print, word for word.

The messages are read from the source code: the first argument of each `missing(…)` and `problem(…)`, in which an
expression stands for any text.
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
    machine.CONNECT_CAMERA,
    packages.INSTALL_LIBRARIES,
    packages.REBUILD_HOROVOD,
]


def flat(text: str) -> str:
    return " ".join(text.split())


def section(name: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"{PAGE} has no heading {name!r}"
    return found[1]


def entries(text: str) -> list[str]:
    """Return the quoted messages, which are bold and code."""
    return [flat(entry) for entry in re.findall(r"\*\*`([^`]+)`\*\*", text)]


def pieces(node: ast.expr) -> list[str | None]:
    """Return the parts of a string expression. Constants are replaced by their value, other expressions by None."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return [piece for value in node.values for piece in pieces(value)]
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        value = {**vars(machine), **vars(packages)}.get(node.value.id)
        if node.format_spec is not None and isinstance(value, float):
            return [f"{value:.0f}"]
        return [None if value is None else str(value)]
    return [None]


def messages(check: object) -> Iterator[tuple[list[str | None], list[str | None]]]:
    """Yield detail and remedy of each status of a check that is not ok."""
    source = ast.parse(inspect.getsource(check))  # type: ignore[arg-type]
    called = [name for node in ast.walk(source) if isinstance(node, ast.Call) and (name := node.func)]
    for node in ast.walk(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("missing", "problem"):
            yield pieces(node.args[0]), pieces(node.args[1])
    for name in called:
        if isinstance(name, ast.Name) and name.id == "_open_first_camera":
            yield from messages(machine._open_first_camera)


def matches(words: list[str | None], entry: str) -> bool:
    return bool(re.fullmatch("".join(".+" if word is None else re.escape(word) for word in words), entry))


@pytest.mark.parametrize("check", run_checks.CHECKS, ids=lambda check: check.name)
def test_page_has_exactly_the_messages_of_each_check(check: run_checks.Check) -> None:
    text = section(check.name)
    assert flat(f"Needed for {check.needed_for}") in flat(text)
    found = list(messages(check.run))
    assert found
    for detail, remedy in found:
        assert any(matches(detail, entry) for entry in entries(text)), f"no entry for {detail}"
        for words in filter(None, remedy):
            assert flat(words) in flat(TEXT.replace("`", "")), f"the remedy {words!r} is missing"
    for entry in entries(text):
        assert any(matches(detail, entry) for detail, _ in found), f"doctor never prints {entry!r}"


def test_page_explains_failed_checks() -> None:
    (detail, remedy), *_ = messages(run_checks._run_check)
    assert any(matches(detail, entry) for entry in entries(TEXT.partition("### ")[0]))
    assert flat(str(remedy[0])) in flat(TEXT)


@pytest.mark.parametrize("remedy", REMEDIES)
def test_page_has_all_remedies(remedy: str) -> None:
    assert remedy in flat(TEXT).replace("`", "")


def test_list_of_remedies_is_complete() -> None:
    named = {
        name
        for module in (machine, packages)
        for name in vars(module)
        if name.startswith(("INSTALL_", "REBUILD_", "CONNECT_CAMERA"))
    }
    assert len(named) == 5


def test_page_explains_gate_messages() -> None:
    for words in REASON_MESSAGES.values():
        assert f"| {words} |" in TEXT
