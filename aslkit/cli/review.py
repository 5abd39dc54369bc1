"""The command `aslkit review`."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.option_conflicts import reject_options
from aslkit.cli.shared.options import json_option, run_folder, workspace_option
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import INDEX, MOTION_LETTERS, NO_LETTER, parse_letter
from aslkit.core.workspace import Workspace, compose

if TYPE_CHECKING:
    from aslkit.curate.review_queue import ReviewFrame
    from aslkit.formats.reviews import Action

_FILTERS: Final = ("as_list", "every", "reason", "letter", "signer")
_QUIT: Final = ("", "q", "\x03", "\x04", "\x1b")
"""Keys that end the review: end of the input, q, Ctrl-C, Ctrl-D, Esc."""


@click.command()
@click.option(
    "--dataset", default="custom", show_default=True, help="Dataset with the findings to list.",
    shell_complete=completions.dataset,
)  # fmt: skip
@click.option("--run", help="Run with the mistakes to list.  [default: the newest run]", shell_complete=completions.run)
@click.option("--list", "as_list", is_flag=True, help="Only count the frames by reason.")
@click.option("--all", "every", is_flag=True, help="List also the frames without findings, and the decided ones.")
@click.option("--reason", metavar="REASON", help="Only frames with this reason, e.g. 'label-doubt'.")
@click.option("--letter", help="Only frames of this letter.", shell_complete=completions.letter)
@click.option("--signer", help="Only frames of this signer.", shell_complete=completions.signer)
@click.option("--keep", multiple=True, metavar="KEY", help="Keep this frame: it is good and its letter is right.")
@click.option("--drop", multiple=True, metavar="KEY", help="Drop this frame.")
@click.option("--relabel", multiple=True, metavar="KEY=LETTER", help="Give this frame another letter, or 'none'.")
@click.option("--reset", multiple=True, metavar="KEY", help="Forget the decision about this frame.")
@click.option("--undo", is_flag=True, help="Undo the last decisions: those of one command, or of one step in a page.")
@workspace_option
@json_option
def review(
    dataset: str,
    run: str | None,
    as_list: bool,
    every: bool,
    reason: str | None,
    letter: str | None,
    signer: str | None,
    keep: tuple[str, ...],
    drop: tuple[str, ...],
    relabel: tuple[str, ...],
    reset: tuple[str, ...],
    undo: bool,
    root: Path,
    as_json: bool,
) -> None:
    """Review doubtful frames in the terminal: keep, drop or relabel them.

    The frames that curation rejected or flagged, and the mistakes of the newest run, are shown one by one. `aslkit
    curate` applies the decisions; the captured images are never changed. KEY is SIGNER/SESSION/LETTER/NAME in captures,
    as --json lists it. --keep, --drop, --relabel and --reset can be given several times.

    \b
    Example:  aslkit review
              aslkit review --list
              aslkit review --reason label-doubt --signer maria
              aslkit review --drop maria/monday/A/1.jpg --relabel maria/monday/A/2.jpg=E
              aslkit review --undo
    """
    workspace = Workspace(root=root)
    if keep or drop or relabel or reset or undo:
        reject_options(_FILTERS, "cannot be combined with decisions")
        keys: dict[Action, tuple[str, ...]] = {"keep": keep, "drop": drop, "reset": reset}
        _decide(workspace, keys, relabel, undo=undo, dataset=dataset, as_json=as_json)
        return
    frames = _list_frames(workspace, dataset, run)
    chosen = _filter_frames(frames, every=every, reason=reason, letter=letter, signer=signer)
    if as_list or as_json or not _is_interactive():
        from aslkit.cli.output.review import print_review_list

        print_review_list(chosen, len(frames), every=every, as_json=as_json)
    else:
        _review_in_terminal(workspace, chosen, dataset)


def _is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _list_frames(workspace: Workspace, dataset: str, run: str | None) -> "list[ReviewFrame]":
    from aslkit.curate.review_queue import list_review_frames

    frames = list_review_frames(workspace, dataset=dataset, run=run_folder(run, workspace) if run else None)
    if not frames:
        raise AslkitError(
            f"No captures found in {workspace.captures}. Record some with `aslkit capture --letter A`, or import "
            "images with `aslkit import FOLDER --signer NAME`."
        )
    return frames


def _filter_frames(
    frames: "Sequence[ReviewFrame]", *, every: bool, reason: str | None, letter: str | None, signer: str | None
) -> "list[ReviewFrame]":
    from aslkit.curate.review_queue import list_reasons

    found = {each for frame in frames for each in frame.reasons}
    if reason is not None and reason not in (known := [*dict.fromkeys([*list_reasons(), *sorted(found)])]):
        raise InputError(f"{reason!r} is not a reason. Use one of: {', '.join(known)}.")
    signers = sorted({frame.signer for frame in frames})
    if signer is not None and compose(signer) not in signers:
        raise InputError(f"There is no signer {signer!r}. Signers: {', '.join(signers)}.")
    parsed = None if letter is None else parse_letter(letter)
    return [
        frame
        for frame in frames
        if (every or frame.doubtful)
        and (reason is None or reason in frame.reasons)
        and (parsed is None or frame.letter == parsed)
        and (signer is None or frame.signer == compose(signer))
    ]


def _decide(
    workspace: Workspace,
    keys: "dict[Action, tuple[str, ...]]",
    relabel: Sequence[str],
    *,
    undo: bool,
    dataset: str,
    as_json: bool,
) -> None:
    """Record the decisions of a script as one batch, or undo the last batch."""
    from aslkit.cli.output.review import print_decisions
    from aslkit.formats.captures import walk_captures
    from aslkit.formats.reviews import record_batch, undo_last_batch

    if undo:
        reject_options((*keys, "relabel"), "cannot be combined with --undo")
        print_decisions(Counter(), dataset=dataset, as_json=as_json, undone=undo_last_batch(workspace))
        return
    decisions: list[tuple[str, Action, str | None]] = [
        *((key, action, None) for action, frames in keys.items() for key in frames),
        *((key, "relabel", letter) for key, letter in map(_parse_relabel, relabel)),
    ]
    existing = {frame.key for frame in walk_captures(workspace.captures)}
    # A decision about a frame that is gone can still be forgotten.
    if missing := [key for key, action, _ in decisions if key not in existing and action != "reset"]:
        raise InputError(
            f"There is no frame {missing[0]!r} in {workspace.captures}. List all: `aslkit review --all --json`."
        )
    if twice := [key for key, count in Counter(key for key, _, _ in decisions).items() if count > 1]:
        raise InputError(f"{twice[0]!r} was given twice. Decide once about each frame.")
    record_batch(workspace, decisions)
    print_decisions(Counter(action for _, action, _ in decisions), dataset=dataset, as_json=as_json)


def _parse_relabel(text: str) -> tuple[str, str]:
    key, equals, letter = text.rpartition("=")
    if not equals or not key:
        raise InputError(f"--relabel {text!r} is not KEY=LETTER, such as maria/monday/A/1.jpg=E, or …=none.")
    return key, NO_LETTER if letter.strip().lower() == NO_LETTER else parse_letter(letter)


def _review_in_terminal(workspace: Workspace, frames: "list[ReviewFrame]", dataset: str) -> None:
    """Show the frames one by one until all are decided or the user quits; each decision is stored at once."""
    from aslkit.cli.output.review import print_decisions

    if not frames:
        click.echo("No frames to review. `aslkit review --list --all` counts all findings.")
        return
    session = _ReviewSession(workspace=workspace, frames=frames)
    try:
        session.run()
    except (KeyboardInterrupt, EOFError):
        click.echo()
    print_decisions(session.counts, dataset=dataset, as_json=False)


@dataclass(kw_only=True)
class _ReviewSession:
    """A review in the terminal.

    Attributes:
        workspace: workspace with the captures.
        frames: the frames to review.
        position: index of the current frame.
        counts: number of decisions by action that were not undone.
        made: the frames that were decided, with the actions.
    """

    workspace: Workspace
    frames: "list[ReviewFrame]"
    position: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    made: "list[tuple[str, Action]]" = field(default_factory=list)

    def run(self) -> None:
        """Show frames and read keys until the end."""
        from aslkit.cli.output.review import show_frame

        shown = -1
        while self.position < len(self.frames):
            if shown != self.position:
                frame, number = self.frames[self.position], self.position + 1
                show_frame(frame, self.workspace.captures, number=number, total=len(self.frames))
                shown = self.position
            key = click.getchar()
            if key in _QUIT:
                return
            self._press(key)

    def _press(self, key: str) -> None:
        from aslkit.cli.output.review import KEYS

        commands: dict[str, Callable[[], None]] = {
            "k": lambda: self._decide("keep"),
            "d": lambda: self._decide("drop"),
            "n": lambda: self._decide("relabel", NO_LETTER),
            "r": self._ask_letter,
            "u": self._undo,
            "s": self._skip,
            " ": self._skip,
        }
        if key in INDEX:
            self._decide("relabel", key)
        elif key in MOTION_LETTERS:
            click.echo(f"{key} is signed with a movement. Press n if the frame shows none of the 24 letters.")
        elif key in commands:
            commands[key]()
        else:
            click.echo(KEYS)

    def _decide(self, action: "Action", letter: str | None = None) -> None:
        from aslkit.formats.reviews import record_decisions

        frame = self.frames[self.position]
        record_decisions(self.workspace, [frame.key], action, letter=letter)
        self.made.append((frame.key, action))
        self.counts[action] += 1
        click.secho(f"→ {action}{f' {letter}' if letter else ''}\n", fg="green")
        self.position += 1

    def _ask_letter(self) -> None:
        click.echo("New letter, or - for none: ", nl=False)
        key = click.getchar()
        click.echo(key if key.isprintable() else "")
        if key == "-" or key.upper() in INDEX:
            self._decide("relabel", NO_LETTER if key == "-" else key.upper())
        elif key in ("\x03", "\x04", ""):
            raise KeyboardInterrupt
        else:
            click.echo("That is not one of the 24 letters. The frame was not changed.")

    def _skip(self) -> None:
        click.echo()
        self.position += 1

    def _undo(self) -> None:
        """Undo the last decision of this session, and show its frame again; earlier ones need --undo."""
        from aslkit.formats.reviews import undo_last_batch

        if not self.made:
            click.echo("Nothing to undo in this review. Earlier decisions: aslkit review --undo")
            return
        undone = undo_last_batch(self.workspace)
        key, action = self.made[-1]
        if key in undone:  # not if somebody decided in another window in the meantime
            self.made.pop()
            self.counts[action] -= 1
        click.secho(f"→ undone: {', '.join(undone)}\n", fg="green")
        indices = (index for index, frame in enumerate(self.frames) if frame.key in undone)
        self.position = next(indices, self.position)
