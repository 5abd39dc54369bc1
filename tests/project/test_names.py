"""Names of modules, classes and functions use the field's terms: words that were retired do not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("aslkit", "capture", "curate", "datasets", "train", "live", "benchmarks", "tests")

RETIRED = frozenset(
    "anew apart asked begun beside desk drawn flattered flatters flattering gotten lane lay likest likewise misfound "
    "seat seated settled sieve sieved silence sitting strangers sureness told tried trying whose".split()
)
"""Metaphors, archaisms and bare participles, each with a standard term in CONTRIBUTING.md."""

MAX_MODULES = 12


def python_files() -> Iterator[Path]:
    """All modules of the repository; the links in aslkit/ lead to the same files again."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not any(parent.is_symlink() for parent in path.parents):
                yield path


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, lower case."""
    return {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def names(path: Path) -> Iterator[str]:
    """The names that a module gives: its own, and those of its classes and functions."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def test_names_use_no_retired_word() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}": sorted(words(name) & RETIRED)
        for path in python_files()
        for name in names(path)
        if words(name) & RETIRED
    }
    assert found == {}, "use the terms of CONTRIBUTING.md"


def test_words_are_found_in_both_styles() -> None:
    assert words("_open_HTTPServer2") == {"open", "http", "server"}
    assert "sitting" in words("OneSitting")


def test_folders_are_small_and_state_their_job() -> None:
    for folder in {path.parent for path in python_files() if path.parts[len(ROOT.parts)] != "tests"}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MAX_MODULES, folder
        if (folder / "__init__.py").exists():
            assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))), folder
