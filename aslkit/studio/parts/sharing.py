"""The part Share: what would be published, and the files to download."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import folder_size, remove
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.datasets.privacy.config import PrivacyReport
from aslkit.datasets.privacy.prepare import read_privacy_report
from aslkit.formats.licences import PRIVATE, is_private
from aslkit.formats.signers import SignerDetails, load_signers
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN, output_folder
from aslkit.studio.jobs.job import BUSY, JobRunner, Step
from aslkit.studio.parts.training import RunSummary, list_names
from aslkit.web.report_page import join_words

FORMATS: Final = {
    "page": "Web page: spells in any browser, also on a phone. Contains everything it needs.",
    "tflite": "TensorFlow Lite: for an app on Android, iOS or a Raspberry Pi.",
    "onnx": "ONNX: for programs in most languages.",
}
"""Formats of a model that can be downloaded."""


@dataclass(frozen=True, kw_only=True)
class SharedSigner:
    """Whose images a dataset contains, how many, and under which licence (None if it is not stated)."""

    name: str
    images: int
    licence: str | None
    private: bool


@dataclass(frozen=True, kw_only=True)
class DatasetSummary:
    """A dataset that can be shared.

    Attributes:
        name: name.
        images: number of images.
        pixels: whether it contains images, not only landmarks.
        signers: the people in the images.
        bytes: size of its files.
        prepared: what the prepared copy contains, ready to be downloaded; None if there is none.
    """

    name: str
    images: int
    pixels: bool
    signers: list[SharedSigner]
    bytes: int
    prepared: PrivacyReport | None


def list_datasets(workspace: Workspace) -> list[DatasetSummary]:
    """Return the datasets of a workspace, sorted by name; damaged ones are left out."""
    folders = sorted(path for path in workspace.datasets.glob("*") if (path / "data").is_dir() and path.name[0] != ".")
    summaries = []
    for folder in folders:
        try:
            summaries.append(_summarise_dataset(workspace, folder))
        except AslkitError:  # `aslkit dataset verify` says what is wrong
            continue
    return summaries


def _summarise_dataset(workspace: Workspace, folder: Path) -> DatasetSummary:
    signers = _list_signers(workspace, folder)
    shared = shared_folder(workspace, folder.name)
    is_prepared = (shared / "data").is_dir() and not any(signer.private for signer in signers)
    return DatasetSummary(
        name=folder.name, images=sum(signer.images for signer in signers),
        pixels=parquet_store.read_facts(folder).get("pixels") is not False,
        signers=sorted(signers, key=lambda signer: signer.name.casefold()), bytes=folder_size(folder),
        prepared=read_privacy_report(shared) if is_prepared else None,
    )  # fmt: skip


def _list_signers(workspace: Workspace, folder: Path) -> list[SharedSigner]:
    """Return the signers of a dataset. Who has changed to private since the curation is private."""
    rows = parquet_store.read_dataset(folder, ["signer", "licence"]).group_by(["signer", "licence"])
    details = load_signers(workspace)
    signers = []
    for row in rows.aggregate([([], "count_all")]).to_pylist():
        current = details.get(row["signer"] or "", SignerDetails()).licence
        private = is_private(row["licence"] or "") or is_private(current or "")
        signers.append(
            SharedSigner(
                name=row["signer"] or "unknown",
                images=row["count_all"],
                licence=PRIVATE if private else row["licence"],
                private=private,
            )
        )
    return signers


def check_shareable(workspace: Workspace, dataset: str) -> Path:
    """Return the folder of a dataset that nobody keeps private.

    Raises:
        InputError: no such dataset, or somebody keeps the images private.
    """
    folder = workspace.dataset(dataset)
    if not (folder / "data").is_dir():
        raise InputError(f"There is no dataset {dataset!r}. Choose another one.")
    if private := [signer.name for signer in _list_signers(workspace, folder) if signer.private]:
        raise InputError(f"Images of {join_words(private)} are private, so this dataset cannot be shared.")
    return folder


def shared_folder(workspace: Workspace, dataset: str) -> Path:
    """Return the folder of the copy of a dataset that is prepared for sharing."""
    return workspace.root / "shared" / workspace.dataset(dataset).name


def list_exports(workspace: Workspace, runs: list[RunSummary]) -> dict[str, dict[str, int]]:
    """Return the exports that can be downloaded: by run and format, their size in bytes."""
    exports: dict[str, dict[str, int]] = {}
    for run in (STARTER_NAME, *(each.run for each in runs)):
        folders = {name: export_folder(workspace, run, name) for name in FORMATS}
        exports[run] = {
            name: folder_size(folder) for name, folder in folders.items() if (folder / "README.md").exists()
        }
    return exports


def export_folder(workspace: Workspace, run: str, format: str) -> Path:
    """Return the folder of an export.

    Raises:
        InputError: no such run or format.
    """
    if format not in FORMATS:
        raise InputError(f"There is no format {format!r}. Choose one of {', '.join(FORMATS)}.")
    folder = STARTER_RUN if run == STARTER_NAME else workspace.runs / run
    if run != STARTER_NAME and run not in list_names(workspace.runs):
        raise InputError(f"There is no run {run!r}. Choose another one.")
    return output_folder(folder, workspace.root) / "exports" / format


def start_export(runner: JobRunner, workspace: Workspace, run: str, format: str) -> None:
    """Start a job that exports a run.

    Raises:
        InputError: no such run or format, or a job is running already.
    """
    export_folder(workspace, run, format)
    command = ["export", run, "--to", format, "--workspace", str(workspace.root), "--json"]
    runner.start("export", [Step(title=f"Export {run}", arguments=command)])


def start_preparation(runner: JobRunner, workspace: Workspace, dataset: str, *, images: str, pseudonyms: bool) -> None:
    """Start a job that prepares a copy of a dataset for sharing.

    Args:
        runner: runs the job.
        workspace: workspace of the dataset.
        dataset: name of the dataset.
        images: "crop" for hands only, with pixelated faces; "whole" for whole images; "none" for landmarks only.
        pseudonyms: replace the names of signers, sessions and cameras.

    Raises:
        InputError: no such dataset, somebody keeps the images private, or a job is running already.
    """
    check_shareable(workspace, dataset)
    if runner.is_running():
        raise InputError(BUSY)
    target = shared_folder(workspace, dataset)
    remove(target)
    # Whole images may show faces: the page says how many before it offers the download.
    flags = {"crop": ["--crop"], "none": ["--landmarks-only"], "whole": ["--yes-faces"]}[images]
    command = ["dataset", "push", dataset, str(target), *flags, *(["--pseudonyms"] if pseudonyms else [])]
    runner.start(
        "share", [Step(title=f"Prepare {dataset}", arguments=[*command, "--workspace", str(workspace.root), "--json"])]
    )


def create_archive(folder: Path) -> Path:
    """Write a ZIP archive of a folder to a temporary file, which the caller deletes.

    Raises:
        InputError: the folder does not exist.
    """
    if not folder.is_dir():
        raise InputError("There is nothing to download yet. Export or prepare it first.")
    with tempfile.NamedTemporaryFile(prefix="aslkit-", suffix=".zip", delete=False) as file:
        path = Path(file.name)
    try:
        shutil.make_archive(str(path.with_suffix("")), "zip", folder.parent, folder.name)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def describe_sharing(workspace: Workspace, runs: list[RunSummary]) -> dict[str, Any]:
    """Return everything that can be shared."""
    return {
        "datasets": msgspec.to_builtins(list_datasets(workspace)),
        "exports": list_exports(workspace, runs),
        "formats": FORMATS,
    }
