"""How aslkit is installed, and the commands that start it or install what it lacks, so that they work as printed."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError

ALTERNATIVES: Final = {"tensorflow": ("tensorflow", "tensorflow-cpu")}
"""Distributions that install the same package."""

BUILD_HOROVOD: Final = "HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITH_GLOO=1 HOROVOD_WITHOUT_MPI=1"
"""Environment variables with which Horovod is compiled against the installed TensorFlow."""

COMMAND_VARIABLE: Final = "ASLKIT_COMMAND"
"""Environment variable set by `./run`: how it starts aslkit."""


def find_version(distribution: str) -> str | None:
    """Return the version of a distribution, or None. Does not import it, because TensorFlow takes seconds to import."""
    for name in ALTERNATIVES.get(distribution, (distribution,)):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def aslkit_command() -> str:
    """Return what starts this installation in the user's shell: "aslkit", its full path, or "./run aslkit"."""
    if command := os.environ.get(COMMAND_VARIABLE):
        return command
    script = Path(sys.prefix) / "bin" / "aslkit"
    found = shutil.which("aslkit")
    if not script.exists() or (found and Path(found).resolve() == script.resolve()):
        return "aslkit"
    return shlex.quote(str(script))


def install_command(*requirements: str, options: str = "") -> str:
    """Return the shell command that installs requirements into this environment, with pip, or with uv without pip.

    Args:
        requirements: such as "keras>=3.15,<4".
        options: of pip install, such as "--no-deps".
    """
    return " ".join([_pip("install"), *([options] if options else []), *map(shlex.quote, requirements)])


def uninstall_command(*distributions: str) -> str:
    """Return the shell command that uninstalls distributions from this environment, without asking."""
    return " ".join([_pip("uninstall"), *(["-y"] if find_version("pip") else []), *distributions])  # uv does not ask


def install_extra_command(extra: str) -> str:
    """Return the shell command that installs an extra of aslkit.

    In a checkout, `./run setup` installs all of them. Otherwise the packages are named: an index may not have aslkit.

    Args:
        extra: "train", "augment", "export", "heic", "remote" or "spark".
    """
    if checkout := find_checkout():
        run = checkout / "run"
        return "./run setup" if checkout == Path.cwd() else f"{shlex.quote(str(run))} setup"
    command = install_command(*_list_requirements(extra))
    return f"{BUILD_HOROVOD} {command} --no-build-isolation" if extra == "spark" else command


def require_modules(*modules: str, extra: str, purpose: str) -> None:
    """Raise an error if modules of an extra are not installed, before work that would be lost.

    Args:
        modules: names of the modules. They are not imported.
        extra: the extra that contains them.
        purpose: what needs them, such as "training".

    Raises:
        AslkitError: a module is not installed. The message says how to install it.
    """
    if missing := [name for name in modules if find_spec(name) is None]:
        raise missing_module(missing[0], extra=extra, purpose=purpose)


def missing_module(module: str | None, *, extra: str, purpose: str) -> AslkitError:
    """Return the error for a module of an extra that is not installed; see `require_modules`."""
    command = install_extra_command(extra)
    return AslkitError(f"{purpose} needs {module}, which is not installed. Install it with: {command}")


def find_checkout() -> Path | None:
    """Return the folder of the checkout whose `./run` created this environment, or None."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "run").is_file() and Path(sys.prefix).resolve() == checkout / ".venv":
        return checkout
    return None


def _pip(action: str) -> str:
    """Return the command of pip for this environment; of uv if pip is missing, as in environments that uv creates."""
    python = shlex.quote(sys.executable)
    return f"{python} -m pip {action}" if find_version("pip") else f"uv pip {action} --python {python}"


def _list_requirements(extra: str) -> Iterator[str]:
    """Yield the requirements of an extra on this platform, and of the extras that it includes."""
    from packaging.requirements import Requirement

    for line in metadata.requires("aslkit") or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            continue  # a dependency of aslkit itself
        if not requirement.marker.evaluate({"extra": extra}):
            continue
        if requirement.name == "aslkit":
            for included in sorted(requirement.extras):
                yield from _list_requirements(included)
        else:
            yield f"{requirement.name}{requirement.specifier}"
