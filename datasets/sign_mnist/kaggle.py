"""Fetching a dataset from Kaggle, and saying in words what may be in the way."""

from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError

SIGN_MNIST: Final = "datamunge/sign-language-mnist"

_BY_HAND: Final = (
    "Or download it by hand from https://www.kaggle.com/datasets/{} and say where it lies: "
    "aslkit dataset get sign-mnist --from archive.zip"
)
_WHY: Final = {
    401: "Kaggle wants to know who you are. Make a token at https://www.kaggle.com/settings and put it into "
    "~/.kaggle/kaggle.json.",
    403: "Kaggle does not allow it: perhaps its terms are to be accepted on the page of the dataset first, or your "
    "token in ~/.kaggle/kaggle.json is no longer valid.",
    404: "Kaggle has no dataset of this name any more.",
    429: "Kaggle has had too many requests from here. Wait a while.",
}


def download_from_kaggle(slug: str) -> Path:
    """Download a dataset, or find it where an earlier download put it; returns its folder.

    Raises:
        AslkitError: kagglehub is not installed, there is no network, or Kaggle refuses.
    """
    by_hand = _BY_HAND.format(slug)
    try:
        import kagglehub  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise AslkitError(
            f"Fetching from Kaggle needs kagglehub. Install it: pip install 'aslkit[remote]'. {by_hand}"
        ) from error
    try:
        return Path(kagglehub.dataset_download(slug))
    except Exception as error:  # it lets through what its HTTP library, its cache and its archive reader raise
        raise AslkitError(f"{_explained(error)} {by_hand}") from error


def _explained(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in _WHY:
        return _WHY[status]
    if isinstance(error, ConnectionError) or "connection" in type(error).__name__.lower():
        return "Kaggle cannot be reached: is there a network?"
    first = next(iter(str(error).splitlines()), "")[:200]
    return f"Kaggle gave no dataset ({type(error).__name__}: {first})."
