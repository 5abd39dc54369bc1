"""Retry network operations with exponential backoff."""

import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

from aslkit.core.errors import AslkitError

T = TypeVar("T")

MAX_TRIES: Final = 4
MAX_TRIES_WHEN_BUSY: Final = 8
"""For servers that report overload: about a minute in total."""

BACKOFF_S: Final = 0.5
"""Delay before the second try; doubled for each further one."""

# Compared as text, because the drivers have no common exception for overload.
_BUSY: Final = ("503", "Service Unavailable", "SlowDown", "reduce your request rate", "429", "Too Many Requests")
"""Texts in the errors of storage drivers that report overload."""

_PERMANENT: Final = ("NoCredentialsError", "PartialCredentialsError", "NoSuchBucket", "ParamValidationError")
"""Names of driver exceptions for which a retry is pointless."""


def redact_url(url: str) -> str:
    """Remove user, password and query string from a URL, which can contain secrets. A file:// URL has none."""
    if url.lower().startswith("file://"):
        return url
    without = re.sub(r"(?<=://)[^/@]*@", "***@", url)
    return re.sub(r"\?.*", "?***", without, flags=re.DOTALL)


def with_retries(action: Callable[[], T], url: str) -> T:
    """Call `action` until it succeeds, with exponential backoff.

    Raises:
        AslkitError: it failed MAX_TRIES times (MAX_TRIES_WHEN_BUSY if the server is overloaded), or permanently.
    """
    for number in range(MAX_TRIES_WHEN_BUSY):
        try:
            return action()
        # It already tells the user what to do, so another try would not help.
        except AslkitError:
            raise
        except Exception as error:  # each driver has its own exceptions: OSError, botocore, aiohttp, httpx
            permanent = isinstance(error, PermissionError | FileNotFoundError | NotImplementedError)
            tries = MAX_TRIES_WHEN_BUSY if any(sign in str(error) for sign in _BUSY) else MAX_TRIES
            if permanent or type(error).__name__ in _PERMANENT or number >= tries - 1:
                raise _describe(error, url, number + 1) from error
            time.sleep(BACKOFF_S * 2**number)
    raise AssertionError("unreachable")


def _describe(error: Exception, url: str, times: int) -> AslkitError:
    first = (str(error).splitlines() or [""])[0].replace(url, redact_url(url)) or type(error).__name__
    if isinstance(error, PermissionError) or "Credentials" in type(error).__name__:
        return AslkitError(
            f"Access to {redact_url(url)} was denied ({redact_url(first)}). Set the credentials (AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, gcloud auth login, huggingface-cli login), or ask the owner."
        )
    if isinstance(error, FileNotFoundError):
        return AslkitError(
            f"Not found: {redact_url(url)} ({redact_url(first).rstrip('.')}). Check the URL and the name of the bucket."
        )
    often = "once" if times == 1 else f"{times} times"
    return AslkitError(
        f"{redact_url(url)}: the connection failed {often} ({redact_url(first)}). Run the same command again to "
        "continue; partial transfers are never used."
    )
