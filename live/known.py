"""Whom a model knows: what it says of them flatters."""

import json
from pathlib import Path
from typing import Any

from aslkit.errors import AslkitError


def trained_on(run: Path) -> set[str]:
    """Whom the run learned from, as its metrics.json says; nobody where that is missing.

    Raises:
        AslkitError: metrics.json is damaged.
    """
    path = run / "metrics.json"
    try:
        metrics: Any = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return {str(signer) for signer in metrics.get("trained_on", {}).get("signers", [])}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Train again, or copy the whole run folder.") from error
