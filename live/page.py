"""A page that recognises letters in a browser: features and network in plain JavaScript, no build step."""

from pathlib import Path
from typing import Final

from aslkit.errors import InputError
from aslkit.forward import Network
from aslkit.preprocess import Contract

TASKS_VISION: Final = "0.10.21"
HAND_MODEL: Final = "x"


def write(to: Path, network: Network, contract: Contract, *, name: str) -> None:
    raise InputError("later")
