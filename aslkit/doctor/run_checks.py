"""Runs the checks of `aslkit doctor`: what is installed, what is missing, what needs it, and how to install it.

A check that raises an exception is reported as a problem, so that the report is always complete.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.doctor import machine, packages
from aslkit.doctor.result import CheckStatus, State, problem


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result of a check, and what the checked item is needed for.

    Attributes:
        name: what was checked.
        state: "ok", "missing" or "problem".
        detail: what was found, or what is wrong.
        needed_for: what needs it.
        remedy: what the user can do; "" if the state is "ok".
        required: whether the base installation (capture, curate, live) needs it.
    """

    name: str
    state: State
    detail: str
    needed_for: str
    remedy: str
    required: bool


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check.

    Attributes:
        name: what is checked.
        needed_for: what needs it.
        run: checks it, given the workspace folder, which may not exist yet.
        required: whether the base installation (capture, curate, live) needs it.
    """

    name: str
    needed_for: str
    run: Callable[[Path], CheckStatus]
    required: bool = False


def run_checks(workspace: Path) -> list[CheckResult]:
    """Run all checks, in the order of CHECKS. The workspace folder may not exist yet."""
    return [_run_check(check, workspace) for check in CHECKS]


def _run_check(check: Check, workspace: Path) -> CheckResult:
    try:
        status = check.run(workspace)
    except Exception as error:  # doctor is run on broken machines, where a check can fail in any way
        status = problem(
            f"the check failed: {type(error).__name__}: {error}",
            "fix the reported cause, then run aslkit doctor again",
        )
    return CheckResult(
        name=check.name,
        state=status.state,
        detail=status.detail,
        needed_for=check.needed_for,
        remedy=status.remedy,
        required=check.required,
    )


SPARK_USES: Final = "benchmark, --engine spark, training on several ranks (extra [spark])"

CHECKS: Final = (
    Check(name="Python", needed_for="everything", run=machine.check_python, required=True),
    Check(name="Java", needed_for=SPARK_USES, run=machine.check_java),
    Check(name="C++ compiler", needed_for="installing Horovod (extra [spark])", run=machine.check_compiler),
    Check(name="Cameras", needed_for="recording and recognition with a webcam", run=machine.check_cameras),
    Check(name="Display", needed_for="the windows of capture and live", run=machine.check_display),
    Check(name="OpenCV", needed_for="images, cameras and windows", run=packages.check_opencv, required=True),
    Check(name="HEIC", needed_for="photographs of iPhones (extra [heic])", run=packages.check_heic),
    Check(name="TensorFlow", needed_for="training neural networks (extra [train])", run=packages.check_tensorflow),
    Check(name="GPU", needed_for="faster training of networks on pixels", run=machine.check_gpu),
    Check(name="Horovod", needed_for="training on several ranks (extra [spark])", run=packages.check_horovod),
    Check(name="Spark", needed_for=SPARK_USES, run=packages.check_spark),
    Check(name="MediaPipe hand models", needed_for="hand detection", run=packages.check_hand_models, required=True),
    Check(name="Free disk", needed_for="captures, datasets and runs", run=machine.check_disk, required=True),
)
