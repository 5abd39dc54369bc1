"""What a run was made with, so that it can be made again. No name of a machine, a user or a path is in it."""

import os
import platform
import shlex
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from aslkit.formats.run_metrics import Environment

PACKAGES: Final = (
    "aslkit", "horovod", "keras", "mediapipe", "numpy", "opencv-python", "pyarrow", "pyspark", "scikit-learn",
    "tensorflow",
)  # fmt: skip


def describe_environment() -> Environment:
    """Python, system, processor cores, and the versions of what decides the outcome; null where not installed."""
    return Environment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count(),
        packages={name: _version(name) for name in PACKAGES},
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def reproduce_command(
    dataset: str, run: str, *, hold_out: Sequence[str] = (), cv: str | None = None, curve: bool = False
) -> str:
    """What to type beside the workspace `data` that holds the run, to make it again: its config.toml says the rest."""
    options = [*(f"--hold-out {shlex.quote(signer)}" for signer in hold_out), *([f"--cv {cv}"] if cv else [])]
    options += ["--curve"] if curve else []
    settings = shlex.quote(f"data/runs/{run}/config.toml")
    return " ".join(["aslkit train --dataset", shlex.quote(dataset), "--config", settings, *options])
