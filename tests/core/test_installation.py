"""Commands that install what is missing, and that start aslkit."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from aslkit.core import installation
from aslkit.core.errors import AslkitError


def _outside_checkout(monkeypatch: pytest.MonkeyPatch, *, pip: bool) -> None:
    monkeypatch.setattr(installation, "find_checkout", lambda: None)
    monkeypatch.setattr(installation, "find_version", {"pip": "26.2"}.get if pip else lambda name: None)


def test_checkout_installs_extras_with_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a checkout").mkdir()
    monkeypatch.setattr(installation, "find_checkout", lambda: tmp_path / "a checkout")
    monkeypatch.chdir(tmp_path / "a checkout")
    assert installation.install_extra_command("train") == "./run setup"
    monkeypatch.chdir(tmp_path)
    assert installation.install_extra_command("train") == f"'{tmp_path}/a checkout/run' setup"


def test_extra_is_installed_by_the_names_of_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index may not have aslkit."""
    _outside_checkout(monkeypatch, pip=True)
    command = installation.install_extra_command("spark")
    assert command.startswith(f"{installation.BUILD_HOROVOD} {sys.executable} -m pip install ")
    assert "aslkit" not in command.replace(sys.executable, "")
    for part in ("'keras<4,>=3.15'", "tensorflow", "horovod==0.28.1", "'pyspark<5,>=4'"):
        assert part in command


def test_environment_without_pip_is_changed_with_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    _outside_checkout(monkeypatch, pip=False)
    assert installation.install_command("a>=1") == f"uv pip install --python {sys.executable} 'a>=1'"
    assert installation.uninstall_command("a") == f"uv pip uninstall --python {sys.executable} a"


def test_missing_module_is_reported_with_its_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    installation.require_modules("json", extra="train", purpose="Training")
    with pytest.raises(AslkitError, match=r"^Training needs no_such_module, which is not installed\. Install it"):
        installation.require_modules("json", "no_such_module", extra="train", purpose="Training")


def test_command_starts_this_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = Path(sys.prefix) / "bin" / "aslkit"
    monkeypatch.setenv("PATH", str(script.parent))
    monkeypatch.delenv(installation.COMMAND_VARIABLE)
    assert installation.aslkit_command() == "aslkit"
    (tmp_path / "aslkit").write_text("#!/bin/sh\n")
    (tmp_path / "aslkit").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))  # another aslkit comes first
    assert installation.aslkit_command() == str(script)
    help_text = subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    assert help_text.startswith("Usage: aslkit")
    monkeypatch.setenv(installation.COMMAND_VARIABLE, "./run aslkit")
    assert installation.aslkit_command() == "./run aslkit"


def test_either_build_of_tensorflow_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name != "tensorflow-cpu":
            raise PackageNotFoundError(name)
        return "2.18.1"

    monkeypatch.setattr("aslkit.core.installation.metadata.version", version)
    assert installation.find_version("tensorflow") == "2.18.1"
    assert installation.find_version("keras") is None
