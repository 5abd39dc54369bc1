"""The environment and command that reproduce a run, without names of machines or users, and without paths."""

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aslkit.core.installation import find_version
from aslkit.formats.run_folder import Environment
from aslkit.train.engine.devices import CPU, prepare_device

WORKSPACE_PLACEHOLDER: Final = "WORKSPACE"
"""Stands for a workspace outside the current folder, whose path is not written into files that are shared."""

_DEFAULT_WORKSPACE: Final = "data"

PACKAGES: Final = (
    "aslkit", "horovod", "keras", "mediapipe", "numpy", "opencv-python", "pyarrow", "pyspark", "scikit-learn",
    "tensorflow",
)  # fmt: skip


def describe_environment() -> Environment:
    """Return the Python version, system, CPU cores, GPU, and versions of packages that affect results."""
    return Environment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count(),
        gpu=_describe_gpu(),
        packages={name: find_version(name) for name in PACKAGES},
    )


def _describe_gpu() -> str:
    """Return the name of the GPU and its precision; "" without one, or before the first use of TensorFlow."""
    if "tensorflow" not in sys.modules:
        return ""
    device = prepare_device()
    return "" if device == CPU else str(device)


def reproduce_command(
    dataset: Path,
    run: str,
    *,
    workspace: Path,
    hold_out: Sequence[str] = (),
    cv: str | None = None,
    curve: bool = False,
    quick: bool = False,
    ranks: int = 1,
) -> str:
    """Return the command that repeats a training run with its config.toml, if entered in the current folder.

    Args:
        dataset: folder of the dataset.
        run: name of the run.
        workspace: folder that contains the runs.
        hold_out: signers of the test set, if they were given.
        cv: unit of the cross-validation, if there was one.
        curve: whether a learning curve was measured.
        quick: whether comparisons were omitted.
        ranks: number of processes.
    """
    config = f"{_describe_path(workspace, WORKSPACE_PLACEHOLDER)}/runs/{run}/config.toml"
    words = [word for signer in hold_out for word in ("--hold-out", signer)]
    words += [*(["--cv", cv] if cv else []), *(["--curve"] if curve else []), *(["--quick"] if quick else [])]
    words += ["--ranks", str(ranks)] if ranks > 1 else []
    return format_command("train", "--config", config, *words, dataset=dataset, workspace=workspace)


def format_command(*words: str, dataset: Path, workspace: Path | None) -> str:
    """Return an aslkit command with --dataset, and with --workspace unless it is the default.

    Args:
        words: the command and its other arguments.
        dataset: folder of the dataset; its name is used if it is in the workspace.
        workspace: the workspace; None if the command does not depend on it.
    """
    name, options = dataset.name, list[str]()
    if workspace is None or dataset.resolve().parent != workspace.resolve() / "datasets":
        path = _describe_path(dataset, f"FOLDER/{name}")
        name = path if "/" in path else f"./{path}"
    if workspace is not None and (root := _describe_path(workspace, WORKSPACE_PLACEHOLDER)) != _DEFAULT_WORKSPACE:
        options = ["--workspace", root]
    return shlex.join(["aslkit", *words, "--dataset", name, *options])


def _describe_path(path: Path, placeholder: str) -> str:
    """Return a path relative to the current folder, or the placeholder if it is outside: runs are shared."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return placeholder
