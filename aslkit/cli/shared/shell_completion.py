"""Values that a shell can complete: runs, datasets and signers of the workspace, letters, settings.

The shell asks at every press of Tab, so this only lists folders, imports nothing heavy, and offers nothing if anything
fails.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from aslkit.core.letters import ALPHABET, LETTERS, NO_LETTER
from aslkit.core.workspace import Workspace, compose

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem[Any]]"]
ListNames = Callable[[Workspace], Iterable[str]]


def _complete_names(list_names: ListNames, *, otherwise: str = "plain") -> Complete:
    """Return a completion that offers matching names or, if there are none, what the shell itself completes.

    Args:
        list_names: returns all names in the workspace of the command line.
        otherwise: what else the value can be: "file", "dir", or "plain" for nothing.
    """

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[Any]]":
        try:
            names = sorted({name for name in list_names(_workspace(ctx)) if " " not in name})  # bash would not quote it
        except Exception:  # an error message would be printed into the line that the user is typing
            names = []
        given = ctx.params.get(param.name or "") if param.nargs == -1 or param.multiple else None
        found = [name for name in names if name.startswith(incomplete) and name not in (given or ())]
        if not found and otherwise != "plain":
            return [CompletionItem(incomplete, type=otherwise)]
        return [CompletionItem(name) for name in found]

    return complete


def complete_from(*values: str, otherwise: str = "plain") -> Complete:
    """Return a completion that offers the given values."""
    return _complete_names(lambda _: values, otherwise=otherwise)


def _workspace(ctx: click.Context) -> Workspace:
    return Workspace(root=Path(ctx.params.get("root") or "data"))


def _list_folders(parent: Path) -> list[str]:
    return [path.name for path in parent.iterdir() if path.is_dir() and path.name[0] != "."] if parent.is_dir() else []


def _list_runs(workspace: Workspace) -> list[str]:
    return _list_folders(workspace.runs)


def _list_datasets(workspace: Workspace) -> list[str]:
    return _list_folders(workspace.root / "datasets")


def _list_signers(workspace: Workspace) -> list[str]:
    import msgspec

    details = msgspec.toml.decode(workspace.signers.read_bytes()) if workspace.signers.is_file() else {}
    return [*details, *_list_folders(workspace.captures)]


run: Final = _complete_names(_list_runs, otherwise="dir")
dataset: Final = _complete_names(_list_datasets, otherwise="file")
dataset_or_sign_mnist: Final = _complete_names(
    lambda workspace: [*_list_datasets(workspace), "sign-mnist"], otherwise="file"
)
signer: Final = _complete_names(_list_signers)
letter: Final = complete_from(*LETTERS)
letter_or_none: Final = complete_from(*ALPHABET, NO_LETTER)
letters: Final = complete_from("A-Y")
letters_to_record: Final = complete_from("A-Y", "A-Z", "J,Z")
feature: Final = complete_from("auto", "both", "embedding", "hand28", "hand64", "landmarks", "pixels28", "pixels64")
architecture: Final = complete_from("auto", "cnn", "cnn-bn", "mlp", "mlp-384")
recipe: Final = complete_from("benchmark", "reference", otherwise="file")
grid: Final = complete_from("reference-grid", otherwise="file")

hold_out_option: Final = click.option(
    "--hold-out",
    multiple=True,
    metavar="SIGNER",
    callback=lambda ctx, param, names: tuple(map(compose, names)),
    help="Test on this signer. Can be given several times.",
    shell_complete=signer,
)
dataset_argument: Final = click.argument("dataset", metavar="NAME|FOLDER", shell_complete=dataset)
