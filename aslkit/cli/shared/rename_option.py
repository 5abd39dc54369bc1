"""The option --rename of `aslkit dataset merge`."""

from collections.abc import Sequence

from aslkit.core.errors import InputError
from aslkit.core.workspace import SYNTHETIC_PREFIX, compose, validate_signer


def parse_renames(dataset: str, renames: Sequence[str], datasets: Sequence[str]) -> dict[str, str]:
    """Return the new names of a dataset's signers from the values of --rename.

    Args:
        dataset: the dataset, as the user typed it.
        renames: the values of --rename.
        datasets: all datasets, as the user typed them.

    Raises:
        InputError: a value is not OLD=NEW, a name is invalid, or the dataset is unknown or ambiguous.
    """
    parsed = {}
    for text in renames:
        old, equals, new = text.rpartition("=")
        if not equals or not old:
            raise InputError(
                f"--rename {text!r} is not OLD=NEW, such as maria=maria-2, or theirs:maria=maria-2 for one dataset."
            )
        applies_to, old = _split_rename(text, old, datasets)
        if applies_to in (None, dataset):
            parsed[compose(old)] = validate_signer(new, synthetic=old.startswith(SYNTHETIC_PREFIX))
    return parsed


def _split_rename(text: str, old: str, datasets: Sequence[str]) -> tuple[str | None, str]:
    """Split DATASET:OLD into dataset and signer. The dataset is None if there is only OLD.

    DATASET can be what the user typed for the dataset, or its short name.
    """
    from aslkit.datasets.sharing.remote_storage import base_name
    from aslkit.datasets.sharing.retry import redact_url

    for to_name in (str, redact_url, base_name):
        found = {each for each in datasets if old.startswith(f"{to_name(each)}:")}
        if len(found) > 1:
            candidates = " or ".join(map(redact_url, sorted(found)))
            raise InputError(
                f"--rename {text!r} is ambiguous: it can refer to {candidates}. Write the dataset as in the arguments."
            )
        if found:
            return found.pop(), old.rpartition(":")[2]
    if ":" in old:
        raise InputError(
            f"--rename {text!r} refers to an unknown dataset. Datasets: {', '.join(map(redact_url, datasets))}."
        )
    return None, old
