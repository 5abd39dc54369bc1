"""Handing a dataset on: prepared for others' eyes in the workspace's cache, sent, and the preparation removed."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from aslkit.core.files import remove
from aslkit.core.workspace import Workspace, make_name
from aslkit.datasets.parquet_store import list_files
from aslkit.datasets.privacy import prepare
from aslkit.datasets.privacy.prepare import PrivacyConfig, PrivacyReport
from aslkit.datasets.privacy.pseudonyms import Pseudonyms
from aslkit.datasets.sharing.remote_storage import is_url
from aslkit.datasets.sharing.upload import UploadResult, copy_dataset, upload_dataset

_VERSION = 2
"""Of how data are prepared: what an earlier one prepared is not sent."""


def stage_upload(folder: Path, workspace: Workspace, config: PrivacyConfig) -> tuple[Path, PrivacyReport]:
    """Prepare a dataset for others, and return where it lies and what was found; at once if that was done before.

    Other names are kept in WORKSPACE/datasets/NAME.pseudonyms.json, which is never sent.

    Raises:
        InputError, AslkitError: as `privacy.prepare`.
    """
    names = None
    if config.pseudonyms:
        path = workspace.root / "datasets" / f"{make_name(folder.resolve().name)}.pseudonyms.json"
        names = Pseudonyms.load(path)
        names.register(prepare.named(folder))
        names.save(path)
    target = workspace.root / "cache" / "push" / _mark(folder, config, names)
    if target.is_dir():
        return target, prepare.read_privacy_report(target)
    return target, prepare.prepare_for_sharing(folder, target, name=folder.resolve().name, config=config, names=names)


def upload_staged(staged_folder: Path, url: str) -> UploadResult:
    """Send what `stage_upload` prepared to a URL or a folder, and remove it; where sending fails, it stays for the next try.

    Raises:
        InputError, AslkitError: as `upload_dataset` and `copy_dataset`.
    """
    path = url.removeprefix("file://")
    sent = upload_dataset(staged_folder, url) if is_url(path) else copy_dataset(staged_folder, Path(path))
    remove(staged_folder)
    return sent


def _mark(folder: Path, config: PrivacyConfig, names: Pseudonyms | None) -> str:
    """Changes when anything does that the preparation depends on."""
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in list_files(folder)]
    others = names and [names.signers, names.sessions, names.cameras]
    about = [_VERSION, str(folder.resolve()), files, asdict(config), others]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
