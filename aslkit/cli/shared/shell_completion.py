"""What a shell may complete: the names of runs, datasets and signers that lie in the workspace, letters, settings.

Completion is asked for at each press of a key: only folders are listed, nothing is imported or written, and whatever
goes wrong means that nothing is offered.
"""

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from aslkit.core.letters import LETTERS, NO_LETTER
from aslkit.core.workspace import Workspace

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem[Any]]"]
Names = Callable[[Workspace], Iterable[str]]


def _offered(names: Names, *, otherwise: str = "plain") -> Complete:
    """Offer names that begin as what is typed; for a path, or where no name does, what the shell itself completes.

    Args:
        names: all there are, in the workspace that the command line names.
        otherwise: what else it may be: "file", "dir", or "plain" for nothing.
    """

    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> "list[CompletionItem[Any]]":
        try:
            known = sorted({name for name in names(_workspace(ctx)) if " " not in name})  # bash would not quote it
        except Exception:  # a word on the terminal in the middle of a line that is being typed helps nobody
            known = []
        given = ctx.params.get(param.name or "") if param.nargs == -1 or param.multiple else None
        found = [name for name in known if name.startswith(typed) and name not in (given or ())]
        if not found and otherwise != "plain":
            return [CompletionItem(typed, type=otherwise)]
        return [CompletionItem(name) for name in found]

    return complete


def _workspace(ctx: click.Context) -> Workspace:
    return Workspace(root=Path(ctx.params.get("root") or "data"))


def _folders(parent: Path) -> list[str]:
    return [path.name for path in parent.iterdir() if path.is_dir() and path.name[0] != "."] if parent.is_dir() else []


def _runs(workspace: Workspace) -> list[str]:
    return _folders(workspace.runs)


def _datasets(workspace: Workspace) -> list[str]:
    return _folders(workspace.root / "datasets")


def _signers(workspace: Workspace) -> list[str]:
    stated = tomllib.loads(workspace.signers.read_text(encoding="utf-8")) if workspace.signers.is_file() else {}
    return [*stated, *_folders(workspace.captures)]


def complete_from(*values: str, otherwise: str = "plain") -> Complete:
    """Offer these and no others."""
    return _offered(lambda _: values, otherwise=otherwise)


run: Final = _offered(_runs, otherwise="dir")
dataset: Final = _offered(_datasets, otherwise="file")
dataset_or_sign_mnist: Final = _offered(lambda workspace: [*_datasets(workspace), "sign-mnist"], otherwise="file")
signer: Final = _offered(_signers)
letter: Final = complete_from(*LETTERS)
recorded: Final = complete_from(*LETTERS, NO_LETTER)
letters: Final = complete_from("A-Y")
source: Final = complete_from("0", "synthetic", otherwise="file")
feature: Final = complete_from("auto", "hand28", "hand64", "landmarks", "pixels28", "pixels64")
architecture: Final = complete_from("cnn", "cnn-bn", "mlp")
recipe: Final = complete_from("benchmark", "reference", otherwise="file")
grid: Final = complete_from("reference-grid", otherwise="file")

hold_out_option: Final = click.option(
    "--hold-out",
    multiple=True,
    metavar="SIGNER",
    help="Test on this signer; may be given again.",
    shell_complete=signer,
)
dataset_argument: Final = click.argument("dataset", metavar="NAME|FOLDER", shell_complete=dataset)
