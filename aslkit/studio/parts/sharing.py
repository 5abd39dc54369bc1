"""The part Share: what would be published, and the files to download."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import folder_size
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.datasets.privacy.config import PrivacyReport
from aslkit.datasets.privacy.prepare import read_privacy_report
from aslkit.formats.licences import is_private
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN, output_folder
from aslkit.studio.jobs.job import JobRunner, Step
from aslkit.studio.parts.training import RunSummary

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
        signers: whose images they are.
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
    rows = parquet_store.read_dataset(folder, ["signer", "licence"]).group_by(["signer", "licence"])
    counts = rows.aggregate([([], "count_all")]).to_pylist()
    signers = [
        SharedSigner(
            name=row["signer"] or "unknown", images=row["count_all"], licence=row["licence"],
            private=is_private(row["licence"] or ""),
        )
        for row in counts
    ]  # fmt: skip
    shared = shared_folder(workspace, folder.name)
    return DatasetSummary(
        name=folder.name, images=sum(signer.images for signer in signers),
        pixels=parquet_store.read_facts(folder).get("pixels") is not False,
        signers=sorted(signers, key=lambda signer: signer.name.casefold()), bytes=folder_size(folder),
        prepared=read_privacy_report(shared) if (shared / "data").is_dir() else None,
    )  # fmt: skip


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
    if run != STARTER_NAME and (Path(run).name != run or run.startswith(".") or not folder.is_dir()):
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
        InputError: no such dataset, or a job is running already.
    """
    if not (workspace.dataset(dataset) / "data").is_dir():
        raise InputError(f"There is no dataset {dataset!r}. Choose another one.")
    target = shared_folder(workspace, dataset)
    shutil.rmtree(target, ignore_errors=True)
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
    shutil.make_archive(str(path.with_suffix("")), "zip", folder.parent, folder.name)
    return path


def describe_sharing(workspace: Workspace, runs: list[RunSummary]) -> dict[str, Any]:
    """Return everything that can be shared."""
    return {
        "datasets": msgspec.to_builtins(list_datasets(workspace)),
        "exports": list_exports(workspace, runs),
        "formats": FORMATS,
    }
