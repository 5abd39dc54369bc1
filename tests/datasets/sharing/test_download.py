"""Sending and fetching, with a real web server on this machine, and files that are not as they should be."""

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
from aslkit.core import retry
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.datasets.sharing import manifest, remote_storage
from aslkit.datasets.sharing.download import download_dataset, local_copy
from aslkit.datasets.sharing.upload import SENDING, copy_dataset, upload_dataset
from tests.datasets import factories
from tests.datasets.factories import content
from tests.datasets.http_server import serving


@pytest.fixture
def site(dataset: Path, tmp_path: Path) -> Path:
    """A folder to be served, with the dataset in mine/."""
    copy_dataset(dataset, tmp_path / "site" / "mine")
    return tmp_path / "site"


@pytest.mark.parametrize("offsets", [True, False])
def test_the_web_goes_on_at_an_offset_where_the_server_can(
    site: Path, dataset: Path, tmp_path: Path, offsets: bool
) -> None:
    with serving(site, offsets=offsets) as server:
        server.broken += ["train", "train"]
        fetched = download_dataset(f"{server.url}/mine?key=secret", tmp_path / "mine")
    assert content(fetched.folder) == content(dataset)
    size = (dataset / "data" / "train-00000-of-00001.parquet").stat().st_size
    assert [start for path, start, _ in server.asked if "train" in path][:2] == [None, f"bytes={size // 2}-"]
    assert all(path.endswith("?key=secret") for path, _, _ in server.asked)


def test_names_and_passwords_go_to_the_server_and_nowhere_else(site: Path, tmp_path: Path) -> None:
    with serving(site) as server:
        url = server.url.replace("http://", "http://ada:s3cret@")
        download_dataset(f"{url}/mine", tmp_path / "mine")
        assert {secret for _, _, secret in server.asked} == {"Basic YWRhOnMzY3JldA=="}
        done = CliRunner().invoke(main, ["dataset", "pull", f"{url}/nothing?key=abc", "--workspace", str(tmp_path)])
    assert done.exit_code == 2
    assert "There is no dataset at http://***@127.0.0.1" in done.output
    assert not any(secret in done.output for secret in ("s3cret", "ada", "abc"))


def test_a_connection_refused_is_said_without_secrets(tmp_path: Path) -> None:
    with pytest.raises(
        AslkitError, match=r"http://\*\*\*@127.0.0.1:9/x\?\*\*\*: the connection failed 4 times"
    ) as caught:
        download_dataset("http://ada:s3cret@127.0.0.1:9/x?key=abc", tmp_path / "x")
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("error", "tries", "often"),
    [
        (ConnectionError("reset"), 4, "failed 4 times"),
        (ConnectionError("503 Service Unavailable"), 8, "failed 8 times"),
        (NotImplementedError("no writing"), 1, "failed once"),
    ],
)
def test_how_often_it_was_tried_is_what_is_said(error: Exception, tries: int, often: str) -> None:
    asked = []

    def fails() -> None:
        asked.append(error)
        raise error

    with pytest.raises(AslkitError, match=often):
        retry.with_retries(fails, "s3://club/x")
    assert len(asked) == tries


def change(site: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = site / "mine" / manifest.FILE
    about = json.loads(path.read_bytes())
    edit(about)
    path.write_text(json.dumps(about))


def test_a_file_that_is_not_as_the_manifest_says_is_never_taken(site: Path, tmp_path: Path) -> None:
    victim = site / "mine" / "data" / "test-00000-of-00001.parquet"
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    with (
        serving(site) as server,
        pytest.raises(AslkitError, match=r"test-00000-of-00001\.parquet is not what the manifest"),
    ):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_a_file_without_end_is_cut_off(site: Path, tmp_path: Path) -> None:
    def smaller(about: dict[str, Any]) -> None:
        about["files"][-1]["size"] -= 10

    change(site, smaller)
    with serving(site) as server, pytest.raises(AslkitError, match="is not what the manifest says"):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_a_dataset_larger_than_the_disk_is_refused_before_a_byte(site: Path, tmp_path: Path) -> None:
    change(site, lambda about: about["files"][-1].update(size=10**12 - 1))
    with serving(site) as server, pytest.raises(AslkitError, match=r"bytes free; the dataset needs 1,000,"):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")
    assert len(server.asked) == 1


def test_whole_files_that_are_no_dataset_are_not_taken(site: Path, tmp_path: Path) -> None:
    for path in (site / "mine" / "data").iterdir():
        path.write_bytes(b"PAR1 and so on")
    (site / "mine" / manifest.FILE).write_bytes(manifest.build_manifest(site / "mine").to_bytes())
    with serving(site) as server, pytest.raises(AslkitError, match="is damaged"):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")
    assert not any(path.name.startswith((".mine.fetching", "mine")) and path.is_dir() for path in tmp_path.iterdir())


def test_what_lies_there_is_replaced_only_when_told(site: Path, dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "mine")
    with serving(site) as server:
        with pytest.raises(InputError, match=r"Give another --name, or --force"):
            download_dataset(f"{server.url}/mine", tmp_path / "mine")
        assert not download_dataset(f"{server.url}/mine", tmp_path / "mine", force=True).up_to_date
        assert download_dataset(f"{server.url}/mine", tmp_path / "mine").up_to_date
    assert not (tmp_path / "mine" / "report.html").exists()


def test_two_processes_do_not_fetch_into_one_folder(site: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    with (
        serving(site) as server,
        FileLock(tmp_path / ".mine.fetching.lock"),
        pytest.raises(AslkitError, match="Another process"),
    ):
        download_dataset(f"{server.url}/mine", tmp_path / "mine")


def test_a_dataset_named_by_url_is_kept_until_it_changes(site: Path, dataset: Path, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path / "workspace")
    with serving(site) as server:
        folder = local_copy(f"{server.url}/mine", workspace)
        assert parquet_store.read_dataset(folder).equals(parquet_store.read_dataset(dataset))
        assert local_copy(f"{server.url}/mine", workspace) == folder
        assert len([path for path, _, _ in server.asked if "train" in path]) == 1
        factories.dataset(tmp_path / "other", train=8)
        copy_dataset(tmp_path / "other", site / "mine")
        assert parquet_store.read_dataset(local_copy(f"{server.url}/mine", workspace)).equals(
            parquet_store.read_dataset(tmp_path / "other")
        )
    assert local_copy(f"file://{dataset}", workspace) == dataset


def test_a_smaller_dataset_takes_the_place_of_a_larger_one(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_store, "SHARD_BYTES", 1)
    large = factories.dataset(tmp_path / "large", train=40)
    monkeypatch.undo()
    memory = fsspec.filesystem("memory")
    upload_dataset(large, "memory://place/mine")
    upload_dataset(dataset, "memory://place/mine")
    left = {name.removeprefix("/place/mine/") for name in memory.find("/place/mine")}
    assert left == {*content(dataset), manifest.FILE}
    memory.pipe_file("/place/mine/data/train-00007-of-00008.parquet", b"")
    factories.dataset(tmp_path / "other", train=9)
    with pytest.raises(InputError, match=r"holds data/train-00007-of-00008\.parquet, which .* did not put there"):
        upload_dataset(tmp_path / "other", "memory://place/mine")
    memory.rm("/place", recursive=True)


def test_while_it_is_sent_there_is_no_manifest(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    upload_dataset(dataset, "memory://place/mine")
    other = factories.dataset(tmp_path / "other", train=9)

    def stop(*_: Any, **__: Any) -> None:
        assert not memory.exists(f"/place/mine/{manifest.FILE}")
        raise KeyboardInterrupt

    monkeypatch.setattr(remote_storage.FsspecStorage, "put", stop)
    with pytest.raises(KeyboardInterrupt):
        upload_dataset(other, "memory://place/mine")
    with pytest.raises(InputError, match="is being sent"):
        download_dataset("memory://place/mine", tmp_path / "mine")
    monkeypatch.undo()
    upload_dataset(other, "memory://place/mine")
    assert not memory.exists(f"/place/mine/{SENDING}")
    assert content(download_dataset("memory://place/mine", tmp_path / "mine").folder) == content(other)
    memory.rm("/place", recursive=True)


def test_a_folder_is_replaced_whole_and_only_if_it_was_pushed(dataset: Path, tmp_path: Path) -> None:
    copy_dataset(dataset, tmp_path / "there")
    copy_dataset(factories.dataset(tmp_path / "other", train=9), tmp_path / "there")
    assert content(tmp_path / "there") == content(tmp_path / "other")
    with pytest.raises(InputError, match="did not put there"):
        copy_dataset(dataset, tmp_path / "other")
    with pytest.raises(InputError, match="is the dataset itself"):
        copy_dataset(dataset, dataset)


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(AslkitError, match=r'Install s3fs .* Run `pip install "aslkit\[remote\]"`'):
        download_dataset("s3://club/mine", tmp_path / "mine")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["push", "mine", "https://example.org/mine"], "A web server takes no dataset"),
        (["push", "mine", "floppy://a/mine"], "cannot be reached"),
        (["push", "nothing", "memory://a/mine"], "There is no dataset in"),
        (["pull", "/nowhere/at/all"], "There is no dataset at file:///nowhere/at/all"),
        (["pull", "memory://a/mine", "--name", "../up"], "cannot be the name of a dataset"),
        (["pull", "https://"], "names no server or bucket"),
        (["pull", "s3:///mine"], "names no server or bucket"),
        (["push", "mine", "gs://"], "names no server or bucket"),
    ],
)
def test_what_cannot_be_is_said(dataset: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    shutil.copytree(dataset, tmp_path / "datasets" / "mine")
    done = CliRunner().invoke(main, ["dataset", *arguments, "--workspace", str(tmp_path)])
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_a_place_that_connects_at_once_and_cannot_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(fsspec.core, "url_to_fs", unknown)
    with pytest.raises(AslkitError, match=r"ftp://club/mine cannot be reached .*Name or service.* https://"):
        local_copy("ftp://club/mine", Workspace(root=Path("nowhere")))


def test_what_a_driver_logs_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with remote_storage.open_remote("memory://club"):
        logging.getLogger("gcsfs").error("Traceback")
    assert "Traceback" not in capfd.readouterr().err


def test_a_url_is_shown_without_secrets() -> None:
    assert retry.redact_url("s3://key:secret@bucket/a?token=1#x") == "s3://***@bucket/a?***"
    assert retry.redact_url("hf://datasets/ada@home/x") == "hf://datasets/ada@home/x"
    assert remote_storage.base_name("https://a.org/b/c/?q=/d") == "c"
