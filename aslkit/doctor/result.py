"""The result of a check of `aslkit doctor`."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "missing", "problem"]


@dataclass(frozen=True, kw_only=True)
class CheckStatus:
    """The result of one check.

    Attributes:
        state: "ok", "missing" (not found) or "problem" (found, but not usable).
        detail: what was found, or what is wrong.
        remedy: what the user can do; "" if the state is "ok".
    """

    state: State
    detail: str
    remedy: str = ""


def ok(detail: str) -> CheckStatus:
    """Return the status of something that works."""
    return CheckStatus(state="ok", detail=detail)


def missing(detail: str, remedy: str) -> CheckStatus:
    """Return the status of something that was not found."""
    return CheckStatus(state="missing", detail=detail, remedy=remedy)


def problem(detail: str, remedy: str) -> CheckStatus:
    """Return the status of something that was found, but does not work."""
    return CheckStatus(state="problem", detail=detail, remedy=remedy)
