"""The whole of curation: captures in, a dataset folder out."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit import __version__
from aslkit.core.errors import AslkitError
from aslkit.core.files import atomic_write, file_hash
from aslkit.core.progress import iterate_with_progress, progress_bar
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, validate_name
from aslkit.curate.augment import augment_images
from aslkit.curate.config import CurateConfig
from aslkit.curate.existing_dataset import check_not_from_elsewhere, load_if_up_to_date
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.filter.exact_duplicates import Rejection, drop_exact_duplicates
from aslkit.curate.filter.select import disable_checks, select_frames
from aslkit.curate.measure import measure
from aslkit.curate.measure import table as measure_table
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Engine, Local
from aslkit.curate.measure.near_duplicates import Integers
from aslkit.curate.report import report
from aslkit.curate.report.dataset_leakage import measure_dataset_leakage
from aslkit.datasets import card, duplicate_signers, parquet_store, schema
from aslkit.datasets.split import GAP, Split, SplitFrames, check_hold_out, split_frames
from aslkit.datasets.summary import summarise_dataset
from aslkit.formats.captures import SESSION_FILE, CapturedFrame, SessionInfo, unopenable_files, walk_captures

NO_FILE: Final = "no file: a link that leads nowhere, a pipe or a folder"

_MEASURED_WITH: Final = ("mediapipe", "numpy", "opencv-python", "pillow", "scikit-learn", "simplejpeg")


@dataclass(frozen=True, kw_only=True)
class CurateResult:
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
    checks: CheckConfig,
    hold_out: Sequence[str] = (),
    restore: Sequence[str] = (),
    with_synthetic: bool = False,
    rebuild: bool = False,
    engine: Engine | None = None,
) -> CurateResult:
    """Describe, clean, group, split and store all captures as the dataset `name`.

    Args:
        workspace: whose captures, and where the dataset goes.
        name: of the dataset.
        config: the settings.
        checks: what is looked for in each frame, and what is done with it.
        hold_out: signers to test on; chosen where empty.
        restore: reasons for which frames were dropped that are now taken, and flagged.
        with_synthetic: take synthetic signers too where there are real ones. Else they are left out, and it is said.
        rebuild: write the dataset anew even if nothing has changed.
        engine: looks at images and compares them; where None, a process for each core.

    Raises:
        AslkitError: no captures, or none that can be read; or what lies in the dataset's place is none.
        InputError: a name that cannot be one, or of a dataset that was not curated here; an unknown signer to hold out.
    """
    folder = workspace.dataset(name)
    check_not_from_elsewhere(folder)
    checks, per_group = disable_checks(checks, config.keep_per_group, restore)
    config = replace(config, keep_per_group=per_group)
    frames, left_out = _captured(workspace, with_synthetic)
    check_hold_out(hold_out, (frame.signer for frame in frames))  # before the long work, not after it
    contents = list(iterate_with_progress("Reading", len(frames), (file_hash(frame.path) for frame in frames)))
    infos = _sessions(workspace, frames)
    lost = [
        Rejection(frame=frame, reason="unreadable", detail=NO_FILE) for frame in unopenable_files(workspace.captures)
    ]
    options = {"config": asdict(config), "checks": asdict(checks), "hold_out": sorted(hold_out), "left_out": left_out}
    fingerprint = _fingerprint(frames, contents, infos, options | {"lost": [each.frame.key for each in lost]})
    if not rebuild and (before := load_if_up_to_date(folder, fingerprint)):
        return CurateResult(folder=folder, looked_at=0, up_to_date=True, summary=before)
    looking = measure.MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try)
    descriptions = MeasurementCache(folder=workspace.measurements, options=looking)
    engine = engine or Local()
    looked_at = descriptions.fill({c: frame.path for c, frame in zip(contents, frames, strict=True)}, engine)
    seen = descriptions.get(contents)
    kept, refused = drop_exact_duplicates(frames, *(seen.column(name).to_pylist() for name in ("error", "sha256")))
    if not kept:
        raise AslkitError(f"None of the {len(frames)} captured images can be read. The first: {_first(refused)}.")
    sieved = _sieved([frames[index] for index in kept], seen.take(kept), (config, checks), engine)
    sieved = replace(sieved, refused=[*lost, *refused, *sieved.refused])
    facts = {**options, "fingerprint": fingerprint}
    summary = _store(folder, sieved, infos, config, hold_out, engine, facts)
    return CurateResult(folder=folder, looked_at=looked_at, up_to_date=False, summary=summary)


def _captured(workspace: Workspace, with_synthetic: bool) -> tuple[list[CapturedFrame], list[str]]:
    frames = list(walk_captures(workspace.captures))
    if not frames:
        raise AslkitError(
            f"There are no captures in {workspace.captures}. Record some with `aslkit capture --letter A`, "
            "bring some in with `aslkit import FOLDER --signer NAME`, or see it work with `aslkit demo`."
        )
    signers = sorted({validate_name("signer", frame.signer) for frame in frames})
    synthetic = [signer for signer in signers if signer.startswith(SYNTHETIC_PREFIX)]
    if with_synthetic or len(synthetic) == len(signers):
        return frames, []
    return [frame for frame in frames if frame.signer not in synthetic], synthetic


def _sessions(workspace: Workspace, frames: Sequence[CapturedFrame]) -> dict[tuple[str, str], SessionInfo]:
    names = sorted({(frame.signer, validate_name("session", frame.session)) for frame in frames})
    return {name: SessionInfo.load(workspace.captures / name[0] / name[1] / SESSION_FILE) for name in names}


def _fingerprint(
    frames: Sequence[CapturedFrame],
    contents: Sequence[str],
    infos: dict[tuple[str, str], SessionInfo],
    options: dict[str, Any],
) -> str:
    """Changes when anything does that the dataset depends on."""
    digest = hashlib.sha256()
    digest.update(json.dumps([__version__, schema.VERSION, measure.VERSION, options], sort_keys=True).encode())
    digest.update(json.dumps([asdict(info) for info in infos.values()], sort_keys=True).encode())
    for frame, content in zip(frames, contents, strict=True):
        digest.update(f"{frame.key}\0{content}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class _Sieved:
    """What is taken, n frames: the frames, their descriptions, their groups, the letters that they are taken for; and
    what is said of these and of others.
    """

    taken: list[CapturedFrame]
    seen: pa.Table
    group: Integers
    said: Integers
    refused: list[Rejection]
    flagged: list[Rejection]

    def without(self, rows: npt.NDArray[np.bool_], reason: str, detail: str) -> "_Sieved":
        """Refuse some, which are not flagged then."""
        out = [self.taken[row] for row in np.flatnonzero(rows)]
        kept, keys = np.flatnonzero(~rows), {frame.key for frame in out}
        return _Sieved(
            taken=[self.taken[row] for row in kept],
            seen=self.seen.take(kept),
            group=self.group[kept],
            said=self.said[kept],
            refused=[*self.refused, *(Rejection(frame=frame, reason=reason, detail=detail) for frame in out)],
            flagged=[each for each in self.flagged if each.frame.key not in keys],
        )


def _sieved(
    frames: list[CapturedFrame], seen: pa.Table, settings: tuple[CurateConfig, CheckConfig], engine: Engine
) -> _Sieved:
    """Group and check frames that can be read, and part those that are taken from the others."""
    config, checks = settings
    with progress_bar("Comparing and checking", 2) as advance:
        group = measure_table.find_groups(frames, seen, config.limits, engine)
        advance()
        found = select_frames(
            frames, seen, group, config=checks, keep_per_group=config.keep_per_group, seed=config.seed
        )
        advance()
    dropped, flagged = (
        [Rejection(frame=frames[f.index], reason=f.check.replace("_", "-"), detail=f.detail) for f in findings]
        for findings in (found.dropped, found.flagged)
    )
    if not len(found.kept):
        raise AslkitError(f"No frame is left: {_first(dropped)}. `--restore REASON` takes what was dropped.")
    return _Sieved(
        taken=[frames[index] for index in found.kept],
        seen=seen.take(found.kept),
        group=group[found.kept],
        said=found.suggested[found.kept],
        refused=dropped,
        flagged=flagged,
    )


def _store(
    folder: Path,
    sieved: _Sieved,
    infos: dict[tuple[str, str], SessionInfo],
    config: CurateConfig,
    hold_out: Sequence[str],
    engine: Engine,
    facts: dict[str, Any],
) -> dict[str, Any]:
    table, parts, sieved = _split(sieved, infos, config, hold_out)
    taken = sieved.taken
    reasons = {
        name: [each.reason for each in found]
        for name, found in (("rejected", sieved.refused), ("flagged", sieved.flagged))
    }
    summary = summarise_dataset(table, parts, left_out=facts["left_out"], **reasons)
    summary["augmented"] = config.augment * summary["splits"]["train"]
    summary["notes"] += duplicate_signers.duplicate_signer_warnings(table)
    versions = {"aslkit": __version__} | {name: version(name) for name in _MEASURED_WITH}
    smalls, tested = measure_table.hashes_to_bytes(sieved.seen.column("small")), parts.names == "test"
    hashes, labels = (table.column(name).to_numpy() for name in ("phash", "label"))
    leak = measure_dataset_leakage(smalls, hashes, labels, tested, distance=config.group_distance, seed=config.seed)
    facts = facts | {"summary": summary, "versions": versions, "leaks": asdict(leak) if leak else {}}
    with atomic_write(folder) as new:
        for name in schema.SPLITS:
            part = np.flatnonzero(parts.names == name)
            images = iterate_with_progress(
                f"Writing {name}", len(part), measure_table.add_images(table.take(part), taken, part), size=len
            )
            if name == "train" and config.augment:
                again = measure_table.add_images(table.take(part), taken, part)
                varied = augment_images(again, of_each=config.augment, total=len(part), seed=config.seed, engine=engine)
                images = chain(images, measure_table.regroup_rows(varied))
            parquet_store.write_split(new, name, images, facts=facts)
        parquet_store.write_findings(
            new / parquet_store.REJECTED_FILE, [rejection.row() for rejection in sieved.refused]
        )
        parquet_store.write_findings(
            new / parquet_store.FLAGGED_FILE, [rejection.row() for rejection in sieved.flagged]
        )
        card.write_card(new, name=folder.name, facts=facts)
        curation = report.ReportInput(
            name=folder.name,
            table=table,
            kept=taken,
            suggested=sieved.said,
            leakage=leak,
            split=parts,
            rejected=sieved.refused,
            flagged=sieved.flagged,
            summary=summary,
            config=config,
        )
        report.write_report(new, curation)
    return summary


def _split(
    sieved: _Sieved, infos: dict[tuple[str, str], SessionInfo], config: CurateConfig, hold_out: Sequence[str]
) -> tuple[pa.Table, Split, _Sieved]:
    """Split the rows; what lies between train and test in time is not taken."""
    table = measure_table.build_table(sieved.taken, sieved.seen, sieved.group, infos)
    parts = split_frames(
        SplitFrames.from_table(table),
        test_share=config.test_share,
        validation_share=config.validation_share,
        gap_share=config.gap_share,
        seed=config.seed,
        hold_out=hold_out,
    )
    between = parts.names == GAP
    if not between.any():
        return table, parts, sieved
    sieved = sieved.without(between, GAP, "between train and test in time")
    return table.filter(~between), replace(parts, names=parts.names[~between]), sieved


def _first(refused: list[Rejection]) -> str:
    return f"{refused[0].frame.key}: {refused[0].detail}"
