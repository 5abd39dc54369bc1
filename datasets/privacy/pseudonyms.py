"""Other names for the people of a dataset, and for all that may hold their names."""

import json
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from aslkit.core.errors import AslkitError
from aslkit.core.files import natural_key, write_durably
from aslkit.core.letters import RECORDABLE
from aslkit.core.workspace import SYNTHETIC_PREFIX

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

    def register(self, rows: Iterable[Mapping[str, Any]]) -> None:
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
            letters = [
                part for part in row["path"].split("/")[-2:-1] if part in RECORDABLE
            ]  # another folder may be a name
            parts = (self.signers[signer], self.session(signer, session), *letters)
            files["/".join(filter(None, parts))].add(row["path"])
        for folder, paths in files.items():
            for number, path in enumerate(sorted(paths, key=natural_key)):
                suffix = Path(path).suffix if re.fullmatch(r"\.\w{1,5}", Path(path).suffix) else ""
                self.files[path] = f"{folder}/{number:06d}{suffix}"

    def session(self, signer: str, session: str) -> str:
        """The other name of a signer's session."""
        return self.sessions[f"{signer}/{session}"]

    def masker(self) -> "NameMasker":
        """What replaces all that has another name now in texts for people."""
        sittings = {}
        for key, other in self.sessions.items():
            signer, _, session = key.partition("/")
            if signer and session:
                sittings[key] = f"{self.signers.get(signer, signer)}/{other}"
        return NameMasker(
            files={path: other for path, other in self.files.items() if path},
            sessions=sittings,
            signers={name: other for name, other in self.signers.items() if name and name != other},
        )

    def _drawn(self, signer: str) -> str:
        if not signer or signer.startswith(SYNTHETIC_PREFIX):
            return signer
        taken = set(self.signers.values())
        return next(name for name in iter(lambda: f"signer-{secrets.token_hex(2)}", "") if name not in taken)


_KEPT = ("signers", "sessions", "cameras")


@dataclass(frozen=True, kw_only=True)
class NameMasker:
    """Other names, wherever the first ones stand in a text.

    What is known is looked for as it is written, the longest first: a path may have spaces in it, and a comma after it.

    Attributes:
        files: path of an image to another.
        sessions: SIGNER/SESSION likewise.
        signers: names likewise; in small and large letters alike.
    """

    files: Mapping[str, str]
    sessions: Mapping[str, str]
    signers: Mapping[str, str]

    def mask_text(self, text: str) -> str:
        """A text for people, with other names in it."""
        parts, rest = [], 0
        for start in (match.start() for match in re.finditer(r"(?<!\w)\S", text)):
            ends = (start + length for length in self._lengths)
            end = next((end for end in ends if text[start:end] in self.files), None) if start >= rest else None
            if end is not None:
                parts += [self._renamed(text[rest:start]), self.files[text[start:end]]]
                rest = end
        return "".join([*parts, self._renamed(text[rest:])])

    def mask_all(self, values: Any) -> Any:
        """As `mask_text`, in whatever JSON may hold."""
        if isinstance(values, str):
            return self.mask_text(values)
        if isinstance(values, Mapping):
            return {self.mask_text(str(key)): self.mask_all(value) for key, value in values.items()}
        return [self.mask_all(value) for value in values] if isinstance(values, list | tuple) else values

    def _renamed(self, text: str) -> str:
        """As `mask_text`, of one without paths; at one go, since a pseudonym may hold what is another's name."""
        others = tuple(self._names.values())
        return self._sought.sub(lambda m: self._names.get(m[0]) or others[(m.lastindex or 1) - 1], text)

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted({len(path) for path in self.files}, reverse=True)

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(sorted({**self.signers, **self.sessions}.items(), key=lambda name: -len(name[0])))

    @cached_property
    def _sought(self) -> re.Pattern[str]:
        """A group for each name; where there is none, what is found nowhere."""
        words = [_word(name, alone=name in self.sessions or len(name) <= _SHORT) for name in self._names]
        return re.compile("|".join(f"({word})" for word in words) or "(?!)", re.IGNORECASE)


def _word(name: str, *, alone: bool) -> str:
    """What finds a name; only where it is no part of a longer word, if `alone`."""
    return rf"(?<!\w){re.escape(name)}(?!\w)" if alone else re.escape(name)
