"""The whole of curation: captures in, a dataset folder out."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit import __version__
from aslkit.captures import SESSION_FILE, CapturedFrame, SessionInfo, walk
from aslkit.config import check_number, check_switch, check_whole
from aslkit.curate import describe
from aslkit.curate.clean import Judged, Rejection, clean
from aslkit.curate.descriptions import Descriptions, content_hash
from aslkit.curate.group import near_duplicates
from aslkit.curate.summary import summarise
from aslkit.datasets import card, schema, store
from aslkit.datasets.split import Frames, Split, check_hold_out, split
from aslkit.errors import AslkitError
from aslkit.files import replacing
from aslkit.images import read_file, without_traces
from aslkit.letters import INDEX
from aslkit.workspace import SYNTHETIC_PREFIX, Workspace, checked_name

_MEASURED_WITH: Final = ("mediapipe", "numpy", "opencv-python", "pillow", "scikit-learn")

_MOST_BYTES: Final = 256_000_000
"""Of images in memory at once; Arrow holds at most 2 GB in one column."""


@dataclass(frozen=True, kw_only=True)
class CurateConfig:
    """How to curate; see configs/default.toml for the values and their reasons."""

    min_confidence: float
    second_try: bool
    group_distance: int
    group_hand_distance: float
    test_share: float
    validation_share: float
    seed: int

    def __post_init__(self) -> None:
        """Check every value once."""
        check_number("min_confidence", self.min_confidence, 0.01, 1)
        check_switch("second_try", self.second_try)
        check_whole("group_distance", self.group_distance, 0, 64)
        check_number("group_hand_distance", self.group_hand_distance, 0, 10)
        check_number("test_share", self.test_share, 0.01, 0.9)
        check_number("validation_share", self.validation_share, 0.01, 0.9)
        check_whole("seed", self.seed, 0, 2**32 - 1)


@dataclass(frozen=True, kw_only=True)
class Curated:
    """What curation did.

    Attributes:
        folder: of the dataset.
        looked_at: images that had to be looked at; the others were known from before.
        up_to_date: nothing had changed, so the dataset was left as it is.
        summary: what the dataset holds, as its card and its Parquet metadata say it too; ready for JSON.
    """

    folder: Path
    looked_at: int
    up_to_date: bool
    summary: dict[str, Any]


def curate(
    workspace: Workspace,
    *,
    name: str,
    config: CurateConfig,
    hold_out: Sequence[str] = (),
    with_synthetic: bool = False,
    rebuild: bool = False,
    processes: int | None = None,
) -> Curated:
    """Describe, clean, group, split and store all captures as the dataset `name`.

    Args:
        workspace: whose captures, and where the dataset goes.
        name: of the dataset.
        config: the settings.
        hold_out: signers to test on; chosen where empty.
        with_synthetic: take synthetic signers too where there are real ones. Else they are left out, and it is said.
        rebuild: write the dataset anew even if nothing has changed.
        processes: to look at images with; one for each core where None.

    Raises:
        AslkitError: no captures, or none that can be read; or what lies in the dataset's place is none.
        InputError: a name that cannot be one, or an unknown signer to hold out.
    """
    folder = workspace.dataset(name)
    _check_free(folder)
    frames, left_out = _captured(workspace, with_synthetic)
    check_hold_out(hold_out, (frame.signer for frame in frames))  # before the long work, not after it
    contents = [content_hash(frame.path) for frame in frames]
    infos = _sessions(workspace, frames)
    options = {"config": asdict(config), "hold_out": sorted(hold_out), "left_out": left_out}
    mark = _fingerprint(frames, contents, infos, options)
    if not rebuild and (before := _unchanged(folder, mark)):
        return Curated(folder=folder, looked_at=0, up_to_date=True, summary=before)
    looking = describe.Looking(min_confidence=config.min_confidence, second_try=config.second_try)
    descriptions = Descriptions(folder=workspace.descriptions, looking=looking)
    looked_at = descriptions.complete(
        {content: frame.path for content, frame in zip(contents, frames, strict=True)}, processes=processes
    )
    seen = {row["content"]: row for row in descriptions.known.to_pylist()}
    judged = [Judged(frame=f, content=c, seen=seen[c]) for f, c in zip(frames, contents, strict=True)]
    kept, refused = clean(judged)
    if not kept:
        raise AslkitError(f"None of the {len(frames)} captured images can be read. The first: {_first(refused)}.")
    facts = {**options, "fingerprint": mark}
    summary = _store(folder, kept, refused, infos, config, hold_out, facts)
    return Curated(folder=folder, looked_at=looked_at, up_to_date=False, summary=summary)


def _check_free(folder: Path) -> None:
    """Raise AslkitError where something lies that curation did not make: it would be lost."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "rejected.parquet").is_file():
        raise AslkitError(f"{folder} holds something else than a dataset. Move it away, or choose another --name.")


def _captured(workspace: Workspace, with_synthetic: bool) -> tuple[list[CapturedFrame], list[str]]:
    frames = list(walk(workspace.captures))
    if not frames:
        raise AslkitError(
            f"There are no captures in {workspace.captures}. Record some with `aslkit capture --letter A`, "
            "bring some in with `aslkit import FOLDER --signer NAME`, or see it work with `aslkit demo`."
        )
    signers = sorted({checked_name("signer", frame.signer) for frame in frames})
    synthetic = [signer for signer in signers if signer.startswith(SYNTHETIC_PREFIX)]
    if with_synthetic or len(synthetic) == len(signers):
        return frames, []
    return [frame for frame in frames if frame.signer not in synthetic], synthetic


def _sessions(workspace: Workspace, frames: Sequence[CapturedFrame]) -> dict[tuple[str, str], SessionInfo]:
    names = sorted({(frame.signer, checked_name("session", frame.session)) for frame in frames})
    return {name: SessionInfo.load(workspace.captures / name[0] / name[1] / SESSION_FILE) for name in names}


def _fingerprint(
    frames: Sequence[CapturedFrame],
    contents: Sequence[str],
    infos: dict[tuple[str, str], SessionInfo],
    options: dict[str, Any],
) -> str:
    """Changes when anything does that the dataset depends on."""
    digest = hashlib.sha256()
    digest.update(json.dumps([__version__, schema.VERSION, describe.VERSION, options], sort_keys=True).encode())
    digest.update(json.dumps([asdict(info) for info in infos.values()], sort_keys=True).encode())
    for frame, content in zip(frames, contents, strict=True):
        digest.update(f"{frame.key}\0{content}\n".encode())
    return digest.hexdigest()


def _unchanged(folder: Path, mark: str) -> dict[str, Any] | None:
    """The summary of the dataset that lies there, if it was made from just this."""
    if not (folder / "data").is_dir():
        return None
    try:
        facts = store.facts(folder)
        if facts.get("fingerprint") != mark:
            return None
        summary: dict[str, Any] = facts["summary"]
        return summary if store.row_count(folder) == summary["frames"] else None
    except AslkitError:  # damaged: it is made again, which is what the user would be told to do
        return None


def _store(
    folder: Path,
    kept: list[Judged],
    refused: list[Rejection],
    infos: dict[tuple[str, str], SessionInfo],
    config: CurateConfig,
    hold_out: Sequence[str],
    facts: dict[str, Any],
) -> dict[str, Any]:
    table = _table(kept, infos, config)
    parts = _split(table, config, hold_out)
    summary = summarise(table, parts, refused, left_out=facts["left_out"])
    versions = {"aslkit": __version__} | {name: version(name) for name in _MEASURED_WITH}
    facts = facts | {"summary": summary, "versions": versions}
    with replacing(folder) as partial:
        for name in schema.SPLITS:
            rows = np.flatnonzero(parts.names == name)
            store.write_split(partial, name, _with_images(table.take(rows), kept, rows), rows=len(rows), facts=facts)
        store.write_rejected(partial, [rejection.row() for rejection in refused])
        card.write(partial, name=folder.name, facts=facts)
    return summary


def _table(kept: list[Judged], infos: dict[tuple[str, str], SessionInfo], config: CurateConfig) -> pa.Table:
    """All rows, frames in the order they were taken, without the images themselves."""
    described = pa.Table.from_pylist([each.seen for each in kept], describe.DESCRIBED)
    own = []
    for each in kept:
        frame, info = each.frame, infos[each.frame.signer, each.frame.session]
        own.append(
            {
                "label": INDEX[frame.letter],
                "signer": frame.signer,
                "session": frame.session,
                "camera": info.camera,
                "captured_at": frame.captured_at,
                "licence": info.licence,
                "consent": info.consent,
            }
        )
    columns = {
        "group": pa.array(_groups(kept, described, config)),
        "image": pa.nulls(len(kept), schema.COLUMNS.field("image").type),
    }
    mine = pa.Table.from_pylist(own, pa.schema([schema.COLUMNS.field(name) for name in own[0]]))
    for field in schema.COLUMNS:
        if field.name in mine.column_names:
            columns[field.name] = mine.column(field.name)
        elif field.name in described.column_names:
            columns[field.name] = described.column(field.name)
        elif field.name not in columns:
            columns[field.name] = pa.nulls(len(kept), field.type)
    return pa.table({name: columns[name] for name in schema.COLUMNS.names}, schema=schema.COLUMNS)


def _groups(kept: list[Judged], described: pa.Table, config: CurateConfig) -> npt.NDArray[np.int64]:
    hands = np.full((len(kept), 21, 2), np.nan, np.float32)
    found = described.column("landmarks").is_valid().to_numpy()
    points = described.column("landmarks").combine_chunks().flatten().to_numpy().reshape(-1, 21, 3)
    sides = np.stack([described.column(name).to_numpy()[found] for name in ("width", "height")], axis=1)
    hands[found] = points[..., :2] * sides[:, None]
    return near_duplicates(
        described.column("phash").to_numpy(),
        hands,
        np.array([f"{each.frame.signer}/{each.frame.letter}" for each in kept]),
        distance=config.group_distance,
        hand_distance=config.group_hand_distance,
    )


def _split(table: pa.Table, config: CurateConfig, hold_out: Sequence[str]) -> Split:
    frames = Frames(
        signer=np.array(table.column("signer").to_pylist()),
        session=np.array(table.column("session").to_pylist()),
        label=table.column("label").to_numpy(),
        group=table.column("group").to_numpy(),
    )
    return split(
        frames,
        test_share=config.test_share,
        validation_share=config.validation_share,
        seed=config.seed,
        hold_out=hold_out,
    )


def _with_images(table: pa.Table, kept: list[Judged], rows: Any) -> Iterator[pa.Table]:
    """The rows with their image files, a row group at a time, or less where the images are large."""
    images: list[dict[str, Any]] = []
    size, start = 0, 0
    for index, row in enumerate(rows):
        frame = kept[row].frame
        # As imported or recorded there is nothing to take away; in folders that somebody made by hand there may be.
        images.append({"bytes": without_traces(read_file(frame.path)), "path": frame.key})
        size += len(images[-1]["bytes"])
        if (index + 1) % store.ROWS_PER_GROUP == 0 or index + 1 == len(rows) or size > _MOST_BYTES:
            yield _filled(table.slice(start, len(images)), images)
            images, size, start = [], 0, index + 1


def _filled(part: pa.Table, images: list[dict[str, Any]]) -> pa.Table:
    at = part.schema.get_field_index("image")
    return part.set_column(at, "image", pa.array(images, schema.COLUMNS.field("image").type))


def _first(refused: list[Rejection]) -> str:
    return f"{refused[0].frame.key}: {refused[0].detail}"
