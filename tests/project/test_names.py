"""Modules, classes and functions are named with the field's terms, and folders are small."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("aslkit", "capture", "curate", "datasets", "train", "live", "benchmarks", "tests")

RETIRED = frozenset(
    {
        "anew",
        "desk",
        "flattered",
        "flatters",
        "flattering",
        "gotten",
        "lane",
        "lay",
        "likest",
        "likewise",
        "misfound",
        "seat",
        "seated",
        "sieve",
        "sieved",
        "sitting",
        "strangers",
        "sureness",
        "whose",
    }
)
"""Metaphors and archaisms. CONTRIBUTING.md lists the terms to use."""

RETIRED_ALONE = frozenset(
    [
        "apart",
        "asked",
        "begun",
        "beside",
        "drawn",
        "kept",
        "made",
        "opened",
        "settled",
        "shown",
        "silence",
        "told",
        "tried",
        "whole",
    ]
)
"""Words that do not name anything by themselves."""

MAX_MODULES = 12


def python_files() -> Iterator[Path]:
    """Yield all modules of the repository, without following the links in aslkit/."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not any(parent.is_symlink() for parent in path.parents):
                yield path


def words(name: str) -> set[str]:
    """Return the words of a snake_case or CamelCase name in lower case."""
    return {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def names(path: Path) -> Iterator[str]:
    """Yield the names of a module, its classes and its functions."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def test_names_use_no_retired_word() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in python_files()
        for name in names(path)
        if words(name) & RETIRED or name.strip("_").lower() in RETIRED_ALONE
    ]
    assert found == [], "use the terms of CONTRIBUTING.md"


def test_words_of_snake_case_and_camel_case() -> None:
    assert words("_open_HTTPServer2") == {"open", "http", "server"}
    assert "sitting" in words("OneSitting")


def test_folders_are_small_and_state_their_job() -> None:
    for folder in {path.parent for path in python_files() if path.parts[len(ROOT.parts)] != "tests"}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MAX_MODULES, folder
        if (folder / "__init__.py").exists():
            assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))), folder
