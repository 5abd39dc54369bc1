"""Push a dataset: prepare it for sharing in the workspace's cache, upload it, and remove the prepared copy."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from aslkit.core.files import remove
from aslkit.core.workspace import Workspace, make_name
from aslkit.datasets.licences import reject_private
from aslkit.datasets.parquet_store import list_files, read_dataset
from aslkit.datasets.privacy import prepare
from aslkit.datasets.privacy.config import PrivacyConfig, PrivacyReport
from aslkit.datasets.privacy.pseudonyms import Pseudonyms
from aslkit.datasets.sharing.remote_storage import local_folder
from aslkit.datasets.sharing.upload import UploadResult, copy_dataset, upload_dataset

_PREPARATION_VERSION = 5
"""Version of the preparation. A copy prepared by another version is not uploaded."""


def stage_upload(
    folder: Path, workspace: Workspace, config: PrivacyConfig, *, allow_private: bool = False
) -> tuple[Path, PrivacyReport]:
    """Prepare a dataset for sharing, unless that was already done.

    Pseudonyms are stored in WORKSPACE/datasets/NAME.pseudonyms.json, which is never uploaded.

    Args:
        folder: the dataset folder.
        workspace: workspace for the prepared copy and the pseudonyms.
        config: what the prepared copy contains.
        allow_private: accept private images, for a place that nobody else can read.

    Returns:
        The folder of the prepared copy, and statistics.

    Raises:
        InputError: images are private, or the folder contains no dataset.
        AslkitError: see `prepare.prepare_for_sharing`.
    """
    if not allow_private:
        rows = read_dataset(folder, ["signer", "licence"])
        reject_private(zip(rows.column("signer").to_pylist(), rows.column("licence").to_pylist(), strict=True))
    names = None
    if config.pseudonyms:
        path = workspace.root / "datasets" / f"{make_name(folder.resolve().name)}.pseudonyms.json"
        names = Pseudonyms.load(path)
        names.register(prepare.iter_names(folder))
        names.save(path)
    target = workspace.root / "cache" / "push" / _cache_key(folder, config, names)
    if target.is_dir():
        return target, prepare.read_privacy_report(target)
    return target, prepare.prepare_for_sharing(folder, target, name=folder.resolve().name, config=config, names=names)


def upload_staged(staged_folder: Path, url: str) -> UploadResult:
    """Upload a prepared dataset to a URL or a folder, and remove the prepared copy.

    If the upload fails, the copy is kept for the next attempt.

    Raises:
        InputError, AslkitError: see `upload_dataset` and `copy_dataset`.
    """
    target = local_folder(url)
    sent = upload_dataset(staged_folder, url) if target is None else copy_dataset(staged_folder, target)
    remove(staged_folder)
    return sent


def _cache_key(folder: Path, config: PrivacyConfig, names: Pseudonyms | None) -> str:
    """Return a hash of everything that the preparation depends on."""
    # Size and time instead of a hash, which would read all images only to find that nothing has changed.
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in list_files(folder)]
    pseudonyms = names and [names.signers, names.sessions, names.cameras]
    inputs = [_PREPARATION_VERSION, str(folder.resolve()), files, asdict(config), pseudonyms]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
