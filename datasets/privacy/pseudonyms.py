"""Replace the names of signers, sessions, cameras and files by pseudonyms, in columns and in text."""

import json
import re
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from aslkit.core.errors import AslkitError
from aslkit.core.files import natural_key, write_durably
from aslkit.core.letters import MOTION_LETTERS, RECORDABLE
from aslkit.core.workspace import SYNTHETIC_PREFIX, compose

_MAX_WHOLE_WORD_CHARS = 3
"""Names of up to this length are only replaced as whole words, because they also occur inside other words."""

_SAVED_FIELDS = ("signers", "sessions", "cameras")


@dataclass(kw_only=True)
class Pseudonyms:
    """Mapping of names to pseudonyms.

    It is stored on this machine, so that a signer has the same pseudonym each time the dataset is shared.

    Attributes:
        signers: pseudonyms by name. They are random, so that names cannot be guessed and checked.
        sessions: pseudonyms by SIGNER/SESSION.
        cameras: pseudonyms by name, because a camera can be named after its owner.
        files: pseudonyms of image paths and clips in this dataset. They keep the order of the files and are not saved.
    """

    signers: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    cameras: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Pseudonyms":
        """Read a file that `save` wrote. Return empty mappings if it does not exist.

        Raises:
            AslkitError: the file is damaged.
        """
        if not path.exists():
            return cls()
        try:
            saved = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]])
            return cls(**{name: saved[name] for name in _SAVED_FIELDS})
        except (ValueError, KeyError, RecursionError) as error:
            raise AslkitError(
                f"{path} is damaged ({error}). Repair it, or move it away: signers then get new pseudonyms."
            ) from error

    def save(self, path: Path) -> None:
        """Write the mappings to a file that only the current user can read."""
        values = {name: getattr(self, name) for name in _SAVED_FIELDS}
        write_durably(path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())
        path.chmod(0o600)

    def register(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add pseudonyms for all names that have none.

        Args:
            rows: mappings with signer, session, camera and path, and clip for rows of a clip; empty or None if unknown.
        """
        files: dict[str, set[str]] = defaultdict(set)
        clip_files: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            signer, session, camera = row["signer"] or "", row["session"] or "", row["camera"]
            if signer not in self.signers:
                self.signers[signer] = self._draw_pseudonym(signer)
            known_sessions = [key for key in self.sessions if key.startswith(f"{signer}/")]
            self.sessions.setdefault(f"{signer}/{session}", f"session-{len(known_sessions) + 1}")
            if camera:
                self.cameras.setdefault(camera, f"camera-{len(self.cameras) + 1}")
            # A clip is one entry of its folder, and the files in it have the clip as their folder.
            name = row.get("clip") or row["path"]
            if name != row["path"]:
                clip_files[name].add(row["path"])
            # Keep the folder of the file only if it is a letter: other folders can be names.
            letters = [part for part in name.split("/")[-2:-1] if part in RECORDABLE or part in MOTION_LETTERS]
            parts = (self.signers[signer], self.session(signer, session), *letters)
            files["/".join(filter(None, parts))].add(name)
        self._number_files(files, clips=clip_files.keys())
        self._number_files({self.files[clip]: paths for clip, paths in clip_files.items()}, clips=())

    def _number_files(self, files: Mapping[str, set[str]], *, clips: Collection[str]) -> None:
        """Add pseudonyms of files and clips, given their paths by the pseudonym of their folder.

        Files keep their suffix. Clips have none: what follows a dot in the name of a folder can be a name.
        """
        for folder, paths in files.items():
            for number, path in enumerate(sorted(paths, key=natural_key)):
                is_clip = path in clips or folder.rpartition("/")[2] in MOTION_LETTERS
                suffix = Path(path).suffix if not is_clip and re.fullmatch(r"\.\w{1,5}", Path(path).suffix) else ""
                self.files[path] = f"{folder}/{number:06d}{suffix}"

    def session(self, signer: str, session: str) -> str:
        """Return the pseudonym of a signer's session."""
        return self.sessions[f"{signer}/{session}"]

    def masker(self) -> "NameMasker":
        """Return an object that replaces all names with a pseudonym in text."""
        sessions = {}
        for key, pseudonym in self.sessions.items():
            signer, _, session = key.partition("/")
            if signer and session:
                sessions[key] = f"{self.signers.get(signer, signer)}/{pseudonym}"
        return NameMasker(
            files={path: pseudonym for path, pseudonym in self.files.items() if path},
            sessions=sessions,
            signers={name: pseudonym for name, pseudonym in self.signers.items() if name and name != pseudonym},
        )

    def _draw_pseudonym(self, signer: str) -> str:
        if not signer or signer.startswith(SYNTHETIC_PREFIX):
            return signer
        taken = set(self.signers.values())
        # Random instead of a hash of the name, which anybody with a list of names could compute.
        return next(name for name in iter(lambda: f"signer-{secrets.token_hex(2)}", "") if name not in taken)


@dataclass(frozen=True, kw_only=True)
class NameMasker:
    """Replaces names by pseudonyms in text.

    Names are matched literally, the longest first, because a path can contain spaces and be followed by a comma.

    Attributes:
        files: pseudonyms of image paths.
        sessions: pseudonyms by SIGNER/SESSION.
        signers: pseudonyms by name, matched case-insensitively.
    """

    files: Mapping[str, str]
    sessions: Mapping[str, str]
    signers: Mapping[str, str]

    def mask_text(self, text: str) -> str:
        """Return the text with all names replaced."""
        parts, done = [], 0
        for start in (match.start() for match in re.finditer(r"(?<!\w)\S", text)):
            ends = (start + length for length in self._path_lengths)
            end = next((end for end in ends if text[start:end] in self.files), None) if start >= done else None
            if end is not None:
                parts += [self._mask_names(text[done:start]), self.files[text[start:end]]]
                done = end
        return "".join([*parts, self._mask_names(text[done:])])

    def mask_all(self, values: Any) -> Any:
        """Apply `mask_text` to all strings in a JSON value."""
        if isinstance(values, str):
            return self.mask_text(values)
        if isinstance(values, Mapping):
            return {self.mask_text(str(key)): self.mask_all(value) for key, value in values.items()}
        return [self.mask_all(value) for value in values] if isinstance(values, list | tuple) else values

    def _mask_names(self, text: str) -> str:
        """Replace all names except paths in one pass, because a pseudonym can contain the name of another signer."""
        pseudonyms = tuple(self._names.values())
        return self._name_pattern.sub(
            lambda m: self._names.get(m[0]) or pseudonyms[(m.lastindex or 1) - 1], compose(text)
        )

    @cached_property
    def _path_lengths(self) -> list[int]:
        return sorted({len(path) for path in self.files}, reverse=True)

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(sorted({**self.signers, **self.sessions}.items(), key=lambda name: -len(name[0])))

    @cached_property
    def _name_pattern(self) -> re.Pattern[str]:
        """Pattern with one group for each name. It matches nothing if there are no names."""
        patterns = [
            _literal_pattern(name, whole_word=name in self.sessions or len(name) <= _MAX_WHOLE_WORD_CHARS)
            for name in self._names
        ]
        return re.compile("|".join(f"({pattern})" for pattern in patterns) or "(?!)", re.IGNORECASE)


def _literal_pattern(name: str, *, whole_word: bool) -> str:
    return rf"(?<!\w){re.escape(name)}(?!\w)" if whole_word else re.escape(name)
