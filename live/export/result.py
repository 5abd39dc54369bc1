"""The result of an export."""

from dataclasses import dataclass
from pathlib import Path

from aslkit.live.export.fidelity import Fidelity


@dataclass(frozen=True, kw_only=True)
class ModelExport:
    """An export that was written. The attributes are keys of the output of `aslkit export --json`.

    Attributes:
        format: key of FORMATS.
        quantize: "none", "float16" or "int8".
        to: folder of the export.
        size: size of the model with all files that it needs, bytes.
        loss: how much the export differs from the network; None if no dataset was given.
    """

    format: str
    quantize: str
    to: Path
    size: int
    loss: Fidelity | None
