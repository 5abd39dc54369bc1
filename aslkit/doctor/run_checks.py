"""`aslkit doctor`: what is there, what is missing, what each missing thing is needed for, and how to get it.

Each check looks at one thing and returns a verdict; CHECKS says in which order, and what each thing is needed for.
A check that raises becomes a problem with its reason, so the report is always complete.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.doctor import machine, packages
from aslkit.doctor.result import CheckStatus, State, problem


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one check found. `required`: the base install (capture, curate, live) needs it; `remedy` is "" when ok."""

    name: str
    state: State
    detail: str
    needed_for: str
    remedy: str
    required: bool


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing to look at: `look` gets the workspace. `required` as in Finding."""

    name: str
    needed_for: str
    look: Callable[[Path], CheckStatus]
    required: bool = False


def run_checks(workspace: Path) -> list[CheckResult]:
    """Run every check, in the order of CHECKS. `workspace` need not exist."""
    return [_examine(check, workspace) for check in CHECKS]


def _examine(check: Check, workspace: Path) -> CheckResult:
    try:
        verdict = check.look(workspace)
    except Exception as error:  # a broken machine is what this looks for: the reason is the finding
        verdict = problem(
            f"could not be checked: {type(error).__name__}: {error}",
            "mend what the reason names, then run aslkit doctor again",
        )
    return CheckResult(
        name=check.name,
        state=verdict.state,
        detail=verdict.detail,
        needed_for=check.needed_for,
        remedy=verdict.remedy,
        required=check.required,
    )


SPARK_USES: Final = "benchmark, --engine spark, training on several ranks (extra [spark])"

CHECKS: Final = (
    Check(name="Python", needed_for="everything", look=machine.check_python, required=True),
    Check(name="Java", needed_for=SPARK_USES, look=machine.check_java),
    Check(name="C++ compiler", needed_for="installing Horovod (extra [spark])", look=machine.check_compiler),
    Check(name="Cameras", needed_for="recording and recognising at the webcam", look=machine.check_cameras),
    Check(name="Display", needed_for="the windows of capture and live", look=machine.check_display),
    Check(name="OpenCV", needed_for="images, cameras and windows", look=packages.check_opencv, required=True),
    Check(name="TensorFlow", needed_for="training neural networks (extra [train])", look=packages.check_tensorflow),
    Check(name="Horovod", needed_for="training on several ranks (extra [spark])", look=packages.check_horovod),
    Check(name="Spark", needed_for=SPARK_USES, look=packages.check_spark),
    Check(name="MediaPipe hand models", needed_for="finding the hand", look=packages.check_hand_models, required=True),
    Check(name="Free disk", needed_for="captures, datasets and runs", look=machine.check_disk, required=True),
)
