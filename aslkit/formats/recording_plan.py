"""The recording plan: letters to record next, and why. Written by `aslkit train`, read by `aslkit capture --plan`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import INDEX

PLAN_FILE: Final = "record_next.json"

FRAMES_PER_LETTER: Final = 40
"""Planned frames per letter, about half a minute of recording."""


@dataclass(frozen=True, kw_only=True)
class PlannedLetter:
    """A letter to record.

    Attributes:
        letter: the letter.
        signer: name of the signer; empty for any signer, preferably a new one.
        frames: number of frames. `aslkit capture` records the largest number in the plan of every letter.
        why: short reason.
    """

    letter: str
    signer: str
    frames: int
    why: str


def load_plan(run: Path) -> list[PlannedLetter]:
    """Read the plan of a training run.

    Args:
        run: run folder, or path of the plan.

    Raises:
        InputError: the run has no plan.
        AslkitError: the plan is damaged.
    """
    path = run / PLAN_FILE if run.is_dir() else run
    try:
        plan = [PlannedLetter(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
        if all(entry.letter in INDEX and isinstance(entry.why, str) for entry in plan):
            if all(type(entry.frames) is int and entry.frames > 0 for entry in plan):
                return plan
            raise ValueError("frames must be whole numbers above 0")
        raise ValueError("a letter is not one of the 24")
    except FileNotFoundError as error:
        raise InputError(
            f"No recording plan found in {run}. `aslkit train` writes one; `aslkit runs` lists the runs."
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Train again, or copy the whole run folder.") from error


def planned_letters(plan: list[PlannedLetter], signer: str) -> list[PlannedLetter]:
    """Return the entries for this signer or any signer, in order, each letter once."""
    letters: dict[str, PlannedLetter] = {}
    for entry in plan:
        if entry.signer in ("", signer):
            letters.setdefault(entry.letter, entry)
    return list(letters.values())
