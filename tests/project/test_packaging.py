"""The wheel, the sdist and an editable install contain the whole package and nothing else."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ("capture", "configs", "curate", "datasets", "live", "train")


def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    return settings


def _list_packages() -> set[str]:
    """Return the import names of all packages in the tree."""
    found = set()
    for top in ("aslkit", *STAGES):
        for init in (ROOT / top).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT).parts
            found.add(".".join(parts if top == "aslkit" else ("aslkit", *parts)))
    return found


def test_package_list_matches_the_tree() -> None:
    settings = _settings()
    assert settings["packages"] == sorted(_list_packages())
    # setuptools resolves a sub-package by its longest prefix in package-dir, so only the top folders are listed.
    assert settings["package-dir"] == {"aslkit": "aslkit", **{f"aslkit.{stage}": stage for stage in STAGES}}


def test_links_for_type_checkers_exist() -> None:
    links = [ROOT / "aslkit" / stage for stage in STAGES]
    if not any(os.path.lexists(link) for link in links):
        assert (ROOT / "PKG-INFO").exists()  # an sdist has none
        return
    for link, stage in zip(links, STAGES, strict=True):
        # Windows checks symlinks out as plain files. Only type checkers need them.
        assert (link.readlink().as_posix() if link.is_symlink() else link.read_text()) == f"../{stage}"


def _build(*arguments: str | Path) -> None:
    uv = shutil.which("uv") or ROOT / ".tools/bin/uv"
    subprocess.run([uv, "build", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout, because a build leaves folders behind."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("aslkit", *STAGES, "benchmarks", "docs", "tests"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "CHANGELOG.md", "CONTRIBUTING.md", "run",
                 "uv.lock"):  # fmt: skip
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(copy: Path) -> Path:
    _build("--wheel", "--out-dir", copy / "dist", copy)
    return next((copy / "dist").glob("*.whl"))


def test_sdist_contains_the_tests_and_builds_the_same_wheel(copy: Path, wheel: Path) -> None:
    _build("--sdist", "--out-dir", copy / "sdist", copy)
    archive = next((copy / "sdist").glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")}
    assert (
        tests | {"run", "uv.lock", "docs/commands.md", "benchmarks/scaling/growth.py", "configs/default.toml"} <= names
    )
    _build("--wheel", "--out-dir", copy / "again", archive)
    again = next((copy / "again").glob("*.whl"))
    assert set(zipfile.ZipFile(again).namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_wheel_contains_only_aslkit(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"aslkit"}
    assert "aslkit/cli/main.py" in names
    for source in ("aslkit", *STAGES):
        for path in (ROOT / source).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = path.relative_to(ROOT).as_posix()
                assert (inside if source == "aslkit" else f"aslkit/{inside}") in names


def test_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """The unpacked wheel, first on the path, finds its modules and the default configuration."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import aslkit; "
        "assert aslkit.__file__.startswith(sys.argv[1]), aslkit.__file__; "
        "from aslkit.core.config import load_settings; from aslkit.train.config import TrainConfig; "
        "print(load_settings('train', TrainConfig).feature)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path / "site")], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == "both\n", done.stderr


def test_python_m_aslkit_runs_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "aslkit", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("aslkit, version ")
