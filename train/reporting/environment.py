"""The environment and command that reproduce a run, without names of machines or users, and without paths."""

import os
import platform
import shlex
from collections.abc import Sequence
from typing import Final

from aslkit.core.installation import find_version
from aslkit.formats.environment import Environment

PACKAGES: Final = (
    "aslkit", "horovod", "keras", "mediapipe", "numpy", "opencv-python", "pyarrow", "pyspark", "scikit-learn",
    "tensorflow",
)  # fmt: skip


def describe_environment() -> Environment:
    """Return the Python version, system, CPU cores, and versions of packages that affect results; None if missing."""
    return Environment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count(),
        packages={name: find_version(name) for name in PACKAGES},
    )


def reproduce_command(
    dataset: str, run: str, *, hold_out: Sequence[str] = (), cv: str | None = None, curve: bool = False
) -> str:
    """Return the command that repeats a run with its config.toml, for a workspace `data` in the current folder.

    Args:
        dataset: name of the dataset.
        run: name of the run.
        hold_out: signers of the test set, if they were given.
        cv: unit of the cross-validation, if there was one.
        curve: whether a learning curve was measured.
    """
    options = [*(f"--hold-out {shlex.quote(signer)}" for signer in hold_out), *([f"--cv {cv}"] if cv else [])]
    options += ["--curve"] if curve else []
    config = shlex.quote(f"data/runs/{run}/config.toml")
    return " ".join(["aslkit train --dataset", shlex.quote(dataset), "--config", config, *options])
