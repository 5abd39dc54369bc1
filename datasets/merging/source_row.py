"""A row of a dataset that is merged, without its image."""

from dataclasses import dataclass
from pathlib import Path

from aslkit.core.files import natural_key

SourceGroup = tuple[int, int]
"""Number of the source dataset, and number of the near-duplicate group in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowLocation:
    """Location of a row on disk.

    Attributes:
        path: path of the Parquet file.
        row_group: index of the row group in the file.
        row: index of the row in the row group.
    """

    path: Path
    row_group: int
    row: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRow:
    """A row of a source dataset, a clip, or a frame or clip that an earlier merge excluded.

    Attributes:
        signer, session, path, label, sha256, parent: values of the columns, with `signer` and `path` after renaming.
            Together they identify a recording.
        licence: the licence that the contributor stated.
        joints: float16 (21, 2) as bytes, see `duplicate_signers.scale_joints`; None without a hand.
        has_pixels: whether the row contains an image.
        phash: perceptual hash, or None if it is unknown.
        digest: hash of all columns except `group`. If two sources contain the same recording, the row with the smaller
            digest is used.
        location: location of the row, or None if an earlier merge excluded the frame.
        source_groups: the near-duplicate groups that contain the row.
        clip: name of the clip that the row belongs to, after renaming; None for a still.
        time_ms: time of the row in the clip.
        frames: the rows of a clip, see `clip_units`; empty for a single row.
    """

    signer: str
    session: str
    path: str
    label: int
    sha256: str
    parent: str | None
    licence: str | None = None
    joints: bytes | None = None
    has_pixels: bool = True
    phash: int | None = None
    digest: bytes = b""
    location: RowLocation | None = None
    source_groups: tuple[SourceGroup, ...] = ()
    clip: str | None = None
    time_ms: int | None = None
    frames: tuple["SourceRow", ...] = ()

    @property
    def has_hand(self) -> bool:
        """Whether a hand was detected."""
        return self.joints is not None

    @property
    def recording_key(self) -> tuple[object, ...]:
        """Key that is equal for rows of the same recording."""
        return (self.signer, self.session, self.label, self.path, self.sha256, self.parent)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Canonical order: originals before augmented copies, then by signer, session, letter and recording order."""
        key = (self.signer, self.session, self.label, natural_key(self.path), self.sha256)
        return (self.parent is not None, *key, self.parent or "")
