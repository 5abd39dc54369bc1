"""Doing something over a network that may fail for a moment."""

import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

from aslkit.core.errors import AslkitError

T = TypeVar("T")

MAX_TRIES: Final = 4
MAX_TRIES_WHEN_BUSY: Final = 8
"""Where the other side says that it is there and has too much to do: a minute in all."""

BACKOFF_S: Final = 0.5
"""Before the second try, then twice as long each time."""

_BUSY: Final = ("503", "Service Unavailable", "SlowDown", "reduce your request rate", "429", "Too Many Requests")
"""How drivers' errors say so."""

_HOPELESS: Final = ("NoCredentialsError", "PartialCredentialsError", "NoSuchBucket", "ParamValidationError")
"""Names of drivers' errors that another try does not help against."""


def redact_url(url: str) -> str:
    """A URL without what may be secret in it: user and password, and what follows the question mark."""
    without = re.sub(r"(?<=://)[^/@]*@", "***@", url)
    return re.sub(r"\?.*", "?***", without, flags=re.DOTALL)


def with_retries(action: Callable[[], T], url: str) -> T:
    """Do something over the network, again where it fails, with longer and longer pauses.

    Raises:
        AslkitError: it failed TRIES times, or TRIES_WHEN_BUSY, or need not be tried again.
    """
    for number in range(MAX_TRIES_WHEN_BUSY):
        try:
            return action()
        except AslkitError:
            raise
        except Exception as error:  # drivers raise their own: OSError, botocore's, aiohttp's, httpx's
            hopeless = isinstance(error, PermissionError | FileNotFoundError | NotImplementedError)
            tries = MAX_TRIES_WHEN_BUSY if any(sign in str(error) for sign in _BUSY) else MAX_TRIES
            if hopeless or type(error).__name__ in _HOPELESS or number >= tries - 1:
                raise _explained(error, url, number + 1) from error
            time.sleep(BACKOFF_S * 2**number)
    raise AssertionError("unreachable")


def _explained(error: Exception, url: str, times: int) -> AslkitError:
    first = (str(error).splitlines() or [""])[0].replace(url, redact_url(url)) or type(error).__name__
    if isinstance(error, PermissionError) or "Credentials" in type(error).__name__:
        return AslkitError(
            f"{redact_url(url)} does not let you in ({redact_url(first)}). Set the credentials of its driver (AWS_ACCESS_KEY_ID "
            "and AWS_SECRET_ACCESS_KEY, gcloud auth login, huggingface-cli login), or ask its owner."
        )
    if isinstance(error, FileNotFoundError):
        return AslkitError(
            f"{redact_url(url)}: there is no {redact_url(first)}. Look for a slip in the URL, or in the bucket's name."
        )
    often = "once" if times == 1 else f"{times} times"
    return AslkitError(
        f"{redact_url(url)}: the connection failed {often} ({redact_url(first)}). Nothing half-done is taken for whole; "
        "the same command again goes on where this one stopped."
    )
