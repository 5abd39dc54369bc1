"""The recording plan: letters to record next, and why. Written by `aslkit train`, read by `aslkit capture --plan`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import INDEX

PLAN_FILE: Final = "record_next.json"

FRAMES_PER_LETTER: Final = 40
"""Planned frames per letter, about half a minute of recording."""

MIN_FRAMES: Final = 20
"""Minimum number of frames per letter and signer; with fewer, more are recommended."""

MAX_GROUP_SHARE: Final = 0.5
"""A signer's frames of a letter vary too little if one near-duplicate group holds at least this share of them."""


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
    frames: Annotated[int, msgspec.Meta(gt=0)]
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
        plan = msgspec.json.decode(path.read_bytes(), type=list[PlannedLetter])
        if unknown := [entry.letter for entry in plan if entry.letter not in INDEX]:
            raise ValueError(f"{unknown[0]!r} is not one of the 24 letters")
        return plan
    except FileNotFoundError as error:
        raise InputError(
            f"No recording plan found in {run}. `aslkit train` writes one; `aslkit runs` lists the runs."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Train again, or copy the whole run folder.") from error


def planned_letters(plan: list[PlannedLetter], signer: str) -> list[PlannedLetter]:
    """Return the entries for this signer or any signer, in order, each letter once."""
    letters: dict[str, PlannedLetter] = {}
    for entry in plan:
        if entry.signer in ("", signer):
            letters.setdefault(entry.letter, entry)
    return list(letters.values())
