"""A plan: which letters to record next and why. Training writes it into a run's folder, recording walks it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import INDEX

PLAN_FILE: Final = "record_next.json"

FRAMES: Final = 40
"""To record of a letter: half a minute of movement."""


@dataclass(frozen=True, kw_only=True)
class PlannedLetter:
    """A letter to record.

    Attributes:
        letter: which.
        signer: whose; empty where anybody's helps, somebody new most.
        frames: how many; recording takes as many of each letter as the plan asks of any.
        why: in a few words.
    """

    letter: str
    signer: str
    frames: int
    why: str


def load_plan(run: Path) -> list[PlannedLetter]:
    """Read the plan of a run.

    Args:
        run: its folder, or the plan itself.

    Raises:
        InputError: there is none.
        AslkitError: it is damaged.
    """
    path = run / PLAN_FILE if run.is_dir() else run
    try:
        found = [PlannedLetter(**each) for each in json.loads(path.read_text(encoding="utf-8"))]
        if all(each.letter in INDEX and isinstance(each.why, str) for each in found):
            if all(type(each.frames) is int and each.frames > 0 for each in found):
                return found
            raise ValueError("frames must be whole numbers above 0")
        raise ValueError("a letter is none of the 24")
    except FileNotFoundError as error:
        raise InputError(
            f"There is no plan in {run}. `aslkit train` makes one; `aslkit runs` lists the runs."
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Train again, or copy the whole run folder.") from error


def letters_for(wanted: list[PlannedLetter], signer: str) -> list[PlannedLetter]:
    """What this signer should record, in order, each letter once: what is asked of them, and of anybody."""
    found: dict[str, PlannedLetter] = {}
    for each in wanted:
        if each.signer in ("", signer):
            found.setdefault(each.letter, each)
    return list(found.values())
