"""Decisions of people about captured frames: WORKSPACE/reviews.jsonl.

The file is an append-only log with one line per batch, so that a crash never stores a part of a batch. The last
decision about a frame counts. Curation applies the decisions; the captures are never changed.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import lock_file, write_durably
from aslkit.core.letters import ALPHABET, NO_LETTER, RECORDABLE, parse_letter
from aslkit.core.workspace import Workspace, compose
from aslkit.formats.captures import walk_signer
from aslkit.formats.clips import walk_clips

Action = Literal["keep", "drop", "relabel", "reset"]
"""What people decide about a frame.

keep: the frame is good and its letter is right, which also restores a frame that curation rejected. drop: it is not
used. relabel: it shows another letter, or none. reset: forget the decision.
"""

_LOCK_FILE: Final = ".reviews.lock"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The current decision about a frame.

    Attributes:
        frame: `CapturedFrame.key`, SIGNER/SESSION/LETTER/NAME.
        action: see `Action`.
        letter: new letter, or "none"; only for "relabel".
        time: time of the decision, ISO 8601, UTC.
        batch: number of the batch, from 1. Decisions of a batch were made together, and are undone together.
        undoes: the batch that this batch undoes; None for a decision that a person made.
    """

    frame: str
    action: Action
    letter: str | None = None
    time: str
    batch: int
    undoes: int | None = None


class _Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Action and letter of a decision about a frame."""

    frame: str
    action: Action
    letter: str | None = None


class _Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the log. Unknown keys of later versions are ignored."""

    batch: int
    time: str
    undoes: int | None = None
    decisions: tuple[_Choice, ...]


@dataclass(frozen=True, kw_only=True)
class _Log:
    """The content of the log.

    Attributes:
        batches: the complete batches, in order.
        size: bytes of the complete batches. What follows was being written when a process ended.
        is_open: whether the last batch lacks its line break.
    """

    batches: list[_Batch]
    size: int
    is_open: bool


def load_decisions(workspace: Workspace) -> dict[str, Decision]:
    """Return the current decision about each frame, by key. Frames whose decision was reset are not included.

    Raises:
        AslkitError: a line of the file is damaged.
    """
    decisions: dict[str, Decision] = {}
    for batch in _read(workspace.reviews).batches:
        for each in batch.decisions:
            if each.action == "reset":
                decisions.pop(each.frame, None)
            else:
                decisions[each.frame] = Decision(
                    frame=each.frame, action=each.action, letter=each.letter,
                    time=batch.time, batch=batch.batch, undoes=batch.undoes,
                )  # fmt: skip
    return decisions


def record_decisions(
    workspace: Workspace,
    frames: Sequence[str],
    action: Action,
    *,
    letter: str | None = None,
    now: datetime | None = None,
) -> int:
    """Record the same decision about several frames as one batch. It is on disk when this returns.

    Args:
        workspace: workspace with the captures.
        frames: keys of the frames. Whether they exist is not checked.
        action: see `Action`.
        letter: new letter, or "none"; required for "relabel".
        now: time of the decision; default: the current time.

    Returns:
        The number of the batch.

    Raises:
        InputError: no frames, an invalid key, action or letter.
        AslkitError: the file is damaged, or another process does not release its lock.
    """
    return record_batch(workspace, [(frame, action, letter) for frame in frames], now=now)


def record_batch(
    workspace: Workspace, decisions: Sequence[tuple[str, Action, str | None]], *, now: datetime | None = None
) -> int:
    """Record different decisions as one batch: frame, action and letter of each. See `record_decisions`."""
    choices = {}
    for frame, action, letter in decisions:
        key = _parse_key(frame)
        choices[key] = _Choice(frame=key, action=action, letter=_parse_decision(action, letter))
    if not choices:
        raise InputError("No frames were given, so there is nothing to decide.")
    with lock_file(workspace.root / _LOCK_FILE, workspace.reviews):
        return _append(workspace.reviews, _read(workspace.reviews), tuple(choices.values()), now=now)


def undo_last_batch(workspace: Workspace, *, expected: int | None = None, now: datetime | None = None) -> list[str]:
    """Undo the last batch that is not undone yet, by a new batch with the decisions before it.

    Calling it several times goes further back. A batch that undoes another is not undone itself.

    Args:
        workspace: workspace with the captures.
        expected: number of the batch to undo; None for whichever is the last one.
        now: time of the new batch; default: the current time.

    Returns:
        Keys of the frames of the batch; empty if there is nothing to undo.

    Raises:
        AslkitError: see `record_decisions`; or the last batch is not the expected one.
    """
    with lock_file(workspace.root / _LOCK_FILE, workspace.reviews):
        log = _read(workspace.reviews)
        undone = {batch.undoes for batch in log.batches}
        made = [batch for batch in log.batches if batch.undoes is None and batch.batch not in undone]
        if expected is not None and (not made or made[-1].batch != expected):
            raise AslkitError("Somebody has decided since. Use Undo once more to take back the last decision.")
        if not made:
            return []
        # Every later batch is undone, so what these batches decided is what was valid before the last one.
        before = {each.frame: each for batch in made[:-1] for each in batch.decisions}
        frames = [each.frame for each in made[-1].decisions]
        choices = tuple(before.get(frame, _Choice(frame=frame, action="reset")) for frame in frames)
        _append(workspace.reviews, log, choices, undoes=made[-1].batch, now=now)
    return frames


def count_usable_letters(
    workspace: Workspace, signer: str, decisions: Mapping[str, Decision] | None = None
) -> Counter[str]:
    """Count the images of each letter that a signer has and that people did not drop, over all sessions.

    Like `captures.count_letters`, but relabelled images count for their new letter.

    Args:
        workspace: workspace with the captures.
        signer: name of the signer.
        decisions: as returned by `load_decisions`; None loads them.

    Raises:
        AslkitError: a line of the log is damaged.
    """
    prefix = f"{compose(signer)}/"
    decisions = load_decisions(workspace) if decisions is None else decisions
    decisions = {key: each for key, each in decisions.items() if key.startswith(prefix)}
    counts: Counter[str] = Counter()
    for frame in walk_signer(workspace.captures, signer):
        decision = decisions.get(frame.key) if decisions else None
        if decision is None or decision.action != "drop":
            counts[decision.letter if decision and decision.letter else frame.letter] += 1
    return counts


def count_usable_clips(
    workspace: Workspace, signer: str, decisions: Mapping[str, Decision] | None = None
) -> Counter[str]:
    """Count the clips of each letter that people did not drop, as `count_usable_letters` does for frames."""
    decisions = load_decisions(workspace) if decisions is None else decisions
    counts: Counter[str] = Counter()
    for folder in walk_clips(workspace.captures, signer=signer):
        session = folder.parents[1]
        decision = decisions.get(f"{compose(signer)}/{compose(session.name)}/{folder.parent.name}/{folder.name}")
        if decision is None or decision.action != "drop":
            counts[decision.letter if decision and decision.letter else folder.parent.name] += 1
    return counts


def _parse_decision(action: Action, letter: str | None) -> str | None:
    if action not in get_args(Action):
        raise InputError(f"{action!r} is not an action. Use one of: {', '.join(get_args(Action))}.")
    if action != "relabel":
        if letter is not None:
            raise InputError(f"A letter can only be given to relabel frames, not with {action!r}.")
        return None
    if letter is None:
        raise InputError(f"To relabel frames, give their new letter, or {NO_LETTER!r} if they show no letter.")
    return NO_LETTER if letter.strip().lower() == NO_LETTER else parse_letter(letter)


def _parse_key(key: str) -> str:
    """Return a key whose names are in composed form, as in `CapturedFrame.key`."""
    parts = key.split("/")
    if len(parts) != 4 or parts[2] not in ALPHABET or {"", ".", ".."} & {*parts}:
        raise InputError(f"{key!r} is not the key of a frame. Write SIGNER/SESSION/LETTER/NAME, as in captures.")
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{key!r} is not valid text. Use the key that `aslkit review --json` lists.") from error
    return "/".join((compose(parts[0]), compose(parts[1]), *parts[2:]))


_DECODER: Final = msgspec.json.Decoder(_Batch)


def _read(path: Path) -> _Log:
    data = path.read_bytes() if path.exists() else b""
    *lines, last = data.split(b"\n")
    batches: list[_Batch] = []
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                batches.append(_parse_line(line, batches))
        except (ValueError, RecursionError) as error:
            raise AslkitError(
                f"{path}, line {number} is damaged ({error}). Repair the line, or delete it to forget its decisions."
            ) from error
    try:
        # A last line without line break is complete if somebody edited the file.
        batches += [_parse_line(last, batches)] if last else []
    except (ValueError, RecursionError):
        # It was being written when a process ended. Nobody was told that it is stored.
        return _Log(batches=batches, size=len(data) - len(last), is_open=False)
    return _Log(batches=batches, size=len(data), is_open=bool(last))


def _parse_line(line: bytes, before: Sequence[_Batch]) -> _Batch:
    """Return the batch of a line, given the batches before it. Raise ValueError if it is not valid."""
    batch = _DECODER.decode(line)
    if batch.batch <= (before[-1].batch if before else 0):
        raise ValueError(f"batch {batch.batch} is not larger than the one before")
    for each in batch.decisions:
        if (each.letter is not None) != (each.action == "relabel"):
            raise ValueError(f"action {each.action!r} with letter {each.letter!r}")
        if each.letter is not None and each.letter not in RECORDABLE:
            raise ValueError(f"letter {each.letter!r:.20}")
    return batch


def _append(
    path: Path, log: _Log, choices: tuple[_Choice, ...], *, undoes: int | None = None, now: datetime | None
) -> int:
    """Append a batch atomically, and return its number: if the disk is full, nothing is appended."""
    number = log.batches[-1].batch + 1 if log.batches else 1
    time = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds")
    line = msgspec.json.encode(_Batch(batch=number, time=time, undoes=undoes, decisions=choices)) + b"\n"
    if not path.exists():
        write_durably(path, line)
        return number
    line = b"\n" * log.is_open + line
    # Unbuffered, so that an error occurs in write, and not when the file is closed.
    with path.open("ab", buffering=0) as file:
        file.truncate(log.size)  # an incomplete last line
        try:
            if file.write(line) != len(line):
                raise OSError(f"{path} could not be written")
            os.fsync(file.fileno())
        except OSError:
            file.truncate(log.size)
            raise
    return number
