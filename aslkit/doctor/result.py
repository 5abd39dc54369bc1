"""What a check of `aslkit doctor` may say."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "missing", "problem"]


@dataclass(frozen=True, kw_only=True)
class CheckStatus:
    """What one check saw: the state, what was found or is wrong, and what to do about it ("" when ok)."""

    state: State
    detail: str
    remedy: str = ""


def ok(detail: str) -> CheckStatus:
    """It is there, and as it should be."""
    return CheckStatus(state="ok", detail=detail)


def missing(detail: str, remedy: str) -> CheckStatus:
    """It is not there."""
    return CheckStatus(state="missing", detail=detail, remedy=remedy)


def problem(detail: str, remedy: str) -> CheckStatus:
    """It is there, and not as it should be."""
    return CheckStatus(state="problem", detail=detail, remedy=remedy)
