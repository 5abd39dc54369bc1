"""Upload and download with a local web server, and with damaged files."""

import json
import logging
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.datasets.sharing import manifest, remote_storage, retry
from aslkit.datasets.sharing.download import download_dataset, local_copy
from aslkit.datasets.sharing.upload import UPLOAD_STATE_FILE, copy_dataset, upload_dataset
from tests.datasets import factories
from tests.datasets.factories import content
from tests.datasets.http_server import serve_folder


@pytest.fixture
def site(dataset: Path, tmp_path: Path) -> Path:
    """A folder for the web server, with the dataset in mine/."""
    copy_dataset(dataset, tmp_path / "site" / "mine")
    return tmp_path / "site"


@pytest.mark.parametrize("offsets", [True, False])
def test_web_download_resumes_at_offset(site: Path, dataset: Path, tmp_path: Path, offsets: bool) -> None:
    with serve_folder(site, offsets=offsets) as server:
        server.truncated += ["train", "train"]
        result = download_dataset(f"{server.url}/mine?key=secret", tmp_path / "mine")
    assert content(result.folder) == content(dataset)
    size = (dataset / "data" / "train-00000-of-00001.parquet").stat().st_size
    assert [start for path, start, _ in server.requests if "train" in path][:2] == [None, f"bytes={size // 2}-"]
    assert all(path.endswith("?key=secret") for path, _, _ in server.requests)


def test_credentials_are_sent_to_server_and_not_printed(site: Path, tmp_path: Path) -> None:
    with serve_folder(site) as server:
        url = server.url.replace("http://", "http://ada:s3cret@")
        download_dataset(f"{url}/mine", tmp_path / "mine")
        assert {secret for _, _, secret in server.requests} == {"Basic YWRhOnMzY3JldA=="}
        result = CliRunner().invoke(main, ["dataset", "pull", f"{url}/nothing?key=abc", "--workspace", str(tmp_path)])
    assert result.exit_code == 2
    assert "No dataset found at http://***@127.0.0.1" in result.output
    assert not any(secret in result.output for secret in ("s3cret", "ada", "abc"))


def test_connection_error_contains_no_credentials(tmp_path: Path) -> None:
    with pytest.raises(
        AslkitError, match=r"http://\*\*\*@127.0.0.1:9/x\?\*\*\*: the connection failed 4 times"
    ) as caught:
        download_dataset("http://ada:s3cret@127.0.0.1:9/x?key=abc", tmp_path / "x")
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("error", "tries", "message"),
    [
        (ConnectionError("reset"), 4, "failed 4 times"),
        (ConnectionError("503 Service Unavailable"), 8, "failed 8 times"),
        (NotImplementedError("no writing"), 1, "failed once"),
    ],
)
def test_error_states_number_of_tries(error: Exception, tries: int, message: str) -> None:
    calls = []

    def fails() -> None:
        calls.append(error)
        raise error

    with pytest.raises(AslkitError, match=message):
        retry.with_retries(fails, "s3://club/x")
    assert len(calls) == tries


def edit_manifest(site: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = site / "mine" / manifest.FILE
    content = json.loads(path.read_bytes())
    edit(content)
    path.write_text(json.dumps(content))


def test_file_that_does_not_match_manifest_is_rejected(site: Path, tmp_path: Path) -> None:
    file = site / "mine" / "data" / "test-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with (
        serve_folder(site) as server,
        pytest.raises(AslkitError, match=r"test-00000-of-00001\.parquet does not match the manifest"),
    ):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_too_long_file_is_rejected(site: Path, tmp_path: Path) -> None:
    def reduce_size(content: dict[str, Any]) -> None:
        content["files"][-1]["size"] -= 10

    edit_manifest(site, reduce_size)
    with serve_folder(site) as server, pytest.raises(AslkitError, match="does not match the manifest"):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_full_disk_is_detected_before_download(site: Path, tmp_path: Path) -> None:
    edit_manifest(site, lambda content: content["files"][-1].update(size=10**12 - 1))
    with serve_folder(site) as server, pytest.raises(AslkitError, match=r"bytes free, but the dataset needs 1,000,"):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")
    assert len(server.requests) == 1


def test_files_that_are_not_a_dataset_are_rejected(site: Path, tmp_path: Path) -> None:
    for path in (site / "mine" / "data").iterdir():
        path.write_bytes(b"PAR1 and so on")
    (site / "mine" / manifest.FILE).write_bytes(manifest.build_manifest(site / "mine").to_bytes())
    with serve_folder(site) as server, pytest.raises(AslkitError, match="is damaged"):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")
    assert not any(path.name.startswith((".mine.fetching", "mine")) and path.is_dir() for path in tmp_path.iterdir())


def test_existing_dataset_is_only_replaced_with_force(site: Path, dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "mine")
    with serve_folder(site) as server:
        with pytest.raises(InputError, match=r"Choose another --name, or replace it with --force"):
            download_dataset(f"{server.url}/mine", tmp_path / "mine")
        assert not download_dataset(f"{server.url}/mine", tmp_path / "mine", force=True).up_to_date
        assert download_dataset(f"{server.url}/mine", tmp_path / "mine").up_to_date
    assert not (tmp_path / "mine" / "report.html").exists()


def test_concurrent_download_is_rejected(site: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    with (
        serve_folder(site) as server,
        FileLock(tmp_path / ".mine.fetching.lock"),
        pytest.raises(AslkitError, match="Another process"),
    ):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")


def test_local_copy_is_cached_until_dataset_changes(site: Path, dataset: Path, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path / "workspace")
    with serve_folder(site) as server:
        folder = local_copy(f"{server.url}/mine", workspace)
        assert parquet_store.read_dataset(folder).equals(parquet_store.read_dataset(dataset))
        assert local_copy(f"{server.url}/mine", workspace) == folder
        assert len([path for path, _, _ in server.requests if "train" in path]) == 1
        factories.dataset(tmp_path / "other", train=8)
        copy_dataset(tmp_path / "other", site / "mine")
        assert parquet_store.read_dataset(local_copy(f"{server.url}/mine", workspace)).equals(
            parquet_store.read_dataset(tmp_path / "other")
        )
    assert local_copy(f"file://{dataset}", workspace) == dataset


def test_stale_files_are_removed(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_store, "SHARD_BYTES", 1)
    large = factories.dataset(tmp_path / "large", train=40)
    monkeypatch.undo()
    memory = fsspec.filesystem("memory")
    upload_dataset(large, "memory://storage/mine")
    upload_dataset(dataset, "memory://storage/mine")
    remaining = {name.removeprefix("/storage/mine/") for name in memory.find("/storage/mine")}
    assert remaining == {*content(dataset), manifest.FILE}
    memory.pipe_file("/storage/mine/data/train-00007-of-00008.parquet", b"")
    factories.dataset(tmp_path / "other", train=9)
    with pytest.raises(InputError, match=r"contains data/train-00007-of-00008\.parquet, which was not written by"):
        upload_dataset(tmp_path / "other", "memory://storage/mine")
    memory.rm("/storage", recursive=True)


def test_manifest_is_missing_during_upload(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    upload_dataset(dataset, "memory://storage/mine")
    other = factories.dataset(tmp_path / "other", train=9)

    def stop(*_: Any, **__: Any) -> None:
        assert not memory.exists(f"/storage/mine/{manifest.FILE}")
        raise KeyboardInterrupt

    monkeypatch.setattr(remote_storage.FsspecStorage, "put", stop)
    with pytest.raises(KeyboardInterrupt):
        upload_dataset(other, "memory://storage/mine")
    with pytest.raises(InputError, match="in progress or was interrupted"):
        download_dataset("memory://storage/mine", tmp_path / "mine")
    monkeypatch.undo()
    upload_dataset(other, "memory://storage/mine")
    assert not memory.exists(f"/storage/mine/{UPLOAD_STATE_FILE}")
    assert content(download_dataset("memory://storage/mine", tmp_path / "mine").folder) == content(other)
    memory.rm("/storage", recursive=True)


def test_only_pushed_folder_is_replaced(dataset: Path, tmp_path: Path) -> None:
    copy_dataset(dataset, tmp_path / "there")
    copy_dataset(factories.dataset(tmp_path / "other", train=9), tmp_path / "there")
    assert content(tmp_path / "there") == content(tmp_path / "other")
    with pytest.raises(InputError, match="already contains other files"):
        copy_dataset(dataset, tmp_path / "other")
    with pytest.raises(InputError, match="is the dataset itself"):
        copy_dataset(dataset, dataset)


def test_missing_driver_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(AslkitError, match=r"Install s3fs .* Install it with: "):
        download_dataset("s3://club/mine", tmp_path / "mine")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["push", "mine", "https://example.org/mine"], "Cannot upload to a web server"),
        (["push", "mine", "floppy://a/mine"], "cannot be opened"),
        (["push", "nothing", "memory://a/mine"], "No dataset found in"),
        (["pull", "/nowhere/at/all"], "No dataset found at /nowhere/at/all"),
        (["pull", "memory://a/mine", "--name", "../up"], "is not a valid name for a dataset"),
        (["pull", "https://"], "names no server or bucket"),
        (["pull", "s3:///mine"], "names no server or bucket"),
        (["push", "mine", "gs://"], "names no server or bucket"),
    ],
)
def test_invalid_arguments_are_reported(dataset: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    shutil.copytree(dataset, tmp_path / "datasets" / "mine")
    result = CliRunner().invoke(main, ["dataset", *arguments, "--workspace", str(tmp_path)])
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_failed_connection_on_opening_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(fsspec.core, "url_to_fs", unknown)
    with pytest.raises(AslkitError, match=r"ftp://club/mine cannot be opened .*Name or service.* https://"):
        local_copy("ftp://club/mine", Workspace(root=Path("nowhere")))


def test_driver_logs_are_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with remote_storage.open_remote("memory://club"):
        logging.getLogger("gcsfs").error("Traceback")
    assert "Traceback" not in capfd.readouterr().err


def test_redact_url_and_base_name() -> None:
    assert retry.redact_url("s3://key:secret@bucket/a?token=1#x") == "s3://***@bucket/a?***"
    assert retry.redact_url("hf://datasets/ada@home/x") == "hf://datasets/ada@home/x"
    assert retry.redact_url("file:///data/is it?") == "file:///data/is it?"
    assert remote_storage.base_name("https://a.org/b/c/?q=/d") == "c"
    assert remote_storage.base_name("/data/is it?/") == "is it?"
    assert remote_storage.base_name("file:///data/is%20it?") == "is it?"
