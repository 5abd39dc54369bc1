"""Download a dataset from Kaggle, with helpful error messages."""

from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.core.installation import missing_module

SIGN_MNIST: Final = "datamunge/sign-language-mnist"

_MANUAL_DOWNLOAD: Final = (
    "Or download it manually from https://www.kaggle.com/datasets/{} and pass the file: "
    "aslkit dataset get sign-mnist --from archive.zip"
)
_STATUS_MESSAGES: Final = {
    401: "Kaggle requires authentication. Create a token at https://www.kaggle.com/settings and save it as "
    "~/.kaggle/kaggle.json.",
    403: "Kaggle does not allow the download. You may have to accept the terms on the dataset's page first, or the "
    "token in ~/.kaggle/kaggle.json is no longer valid.",
    404: "Kaggle no longer has a dataset with this name.",
    429: "Kaggle received too many requests from this machine. Wait a while and try again.",
}


def download_from_kaggle(slug: str) -> Path:
    """Download a dataset, unless an earlier download is cached, and return its folder.

    Args:
        slug: OWNER/NAME of the dataset on Kaggle.

    Raises:
        AslkitError: kagglehub is not installed, or the download failed.
    """
    manual_download = _MANUAL_DOWNLOAD.format(slug)
    try:
        import kagglehub  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        missing = missing_module("kagglehub", extra="remote", purpose="Downloading from Kaggle")
        raise AslkitError(f"{missing.message}. {manual_download}") from error
    try:
        return Path(kagglehub.dataset_download(slug))
    except Exception as error:  # kagglehub does not wrap the exceptions of its HTTP, cache and archive code
        raise AslkitError(f"{_explain(error)} {manual_download}") from error


def _explain(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in _STATUS_MESSAGES:
        return _STATUS_MESSAGES[status]
    if isinstance(error, ConnectionError) or "connection" in type(error).__name__.lower():
        return "Cannot connect to Kaggle. Check the network connection."
    first_line = next(iter(str(error).splitlines()), "")[:200]
    return f"The download from Kaggle failed ({type(error).__name__}: {first_line})."
