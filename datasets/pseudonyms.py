"""Other names for the people of a dataset, and for all that may hold their names."""

import json
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aslkit.errors import AslkitError
from aslkit.files import natural_key, write_durably
from aslkit.workspace import SYNTHETIC_PREFIX

_SHORT = 3
"""Letters up to which a name is only looked for as a word of its own: others are full of it."""


@dataclass(kw_only=True)
class Pseudonyms:
    """Which other name stands for which: kept on this machine, so that a person has one name whenever data are sent.

    Attributes:
        signers: name to pseudonym; drawn at random, so that nobody can try names out.
        sessions: SIGNER/SESSION to another name of the session.
        cameras: likewise; a camera may be called after its owner.
        files: path of an image to another, for this dataset; not kept, but the order is.
    """

    signers: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    cameras: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Pseudonyms":
        """Read what `save` wrote; none are known where there is no file.

        Raises:
            AslkitError: it is damaged.
        """
        if not path.exists():
            return cls()
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{name: {str(k): str(v) for k, v in values[name].items()} for name in _KEPT})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AslkitError(
                f"{path} is damaged ({error}). Mend it, or move it away: people then get other names than before."
            ) from error

    def save(self, path: Path) -> None:
        """Write them down, for the owner of the machine alone to read."""
        values = {name: getattr(self, name) for name in _KEPT}
        write_durably(path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())
        path.chmod(0o600)

    def learn(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Draw names for who and what has none yet.

        Args:
            rows: each with signer, session, camera and path; empty or None where there is none.
        """
        files: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            signer, session, camera = row["signer"] or "", row["session"] or "", row["camera"]
            if signer not in self.signers:
                self.signers[signer] = self._drawn(signer)
            of = [key for key in self.sessions if key.startswith(f"{signer}/")]
            self.sessions.setdefault(f"{signer}/{session}", f"session-{len(of) + 1}")
            if camera:
                self.cameras.setdefault(camera, f"camera-{len(self.cameras) + 1}")
            letter = row["path"].split("/")[-2] if row["path"].count("/") >= 1 else ""
            files[f"{self.signers[signer]}/{self.session(signer, session)}/{letter}"].add(row["path"])
        for folder, paths in files.items():
            for number, path in enumerate(sorted(paths, key=natural_key)):
                suffix = Path(path).suffix if re.fullmatch(r"\.\w{1,5}", Path(path).suffix) else ""
                self.files[path] = f"{folder}/{number:06d}{suffix}"

    def session(self, signer: str, session: str) -> str:
        """The other name of a signer's session."""
        return self.sessions[f"{signer}/{session}"]

    def hide(self, text: str) -> str:
        """Replace paths, and then names wherever they stand, in a text for people."""
        for path in re.findall(r"\S+/\S+/\S+/\S+", text):
            text = text.replace(path, self.files.get(path, path))
        for name in sorted(self.signers, key=len, reverse=True):
            if name and self.signers[name] != name:
                edge = r"\b" if len(name) <= _SHORT else ""
                text = re.sub(f"{edge}{re.escape(name)}{edge}", self.signers[name], text, flags=re.IGNORECASE)
        return text

    def hide_all(self, values: Any) -> Any:
        """As `hide`, in whatever JSON may hold."""
        if isinstance(values, str):
            return self.hide(values)
        if isinstance(values, Mapping):
            return {self.hide(str(key)): self.hide_all(value) for key, value in values.items()}
        return [self.hide_all(value) for value in values] if isinstance(values, list | tuple) else values

    def _drawn(self, signer: str) -> str:
        if not signer or signer.startswith(SYNTHETIC_PREFIX):
            return signer
        taken = set(self.signers.values())
        return next(name for name in iter(lambda: f"signer-{secrets.token_hex(2)}", "") if name not in taken)


_KEPT = ("signers", "sessions", "cameras")
