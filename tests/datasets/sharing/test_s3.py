"""Sending to a real S3 server on this machine and fetching from it, and lines that are cut."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aslkit.core import retry
from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import parquet_store
from aslkit.datasets.sharing import manifest, remote_storage
from aslkit.datasets.sharing.download import download_dataset
from aslkit.datasets.sharing.upload import upload_dataset
from tests.datasets.factories import content
from tests.datasets.http_server import Line

BUCKET = "club"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[int]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def s3(s3_server: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """The line to an S3 server with an empty bucket."""
    import boto3  # type: ignore[import-untyped]
    import s3fs  # type: ignore[import-untyped]

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "not-a-real-key")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)  # it waits for seconds
    direct = f"http://127.0.0.1:{s3_server}"
    client = boto3.client("s3", endpoint_url=direct)
    client.create_bucket(Bucket=BUCKET)
    line = Line(s3_server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{line.port}")
    yield line
    line.close()
    for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=each["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


def test_there_and_back(s3: Line, dataset: Path, tmp_path: Path) -> None:
    sent = upload_dataset(dataset, "s3://club/mine")
    assert sent.files_sent == sent.files == len(content(dataset))
    fetched = download_dataset("s3://club/mine", tmp_path / "mine")
    assert content(fetched.folder) == content(dataset)
    assert not (fetched.folder / "report.html").exists()
    assert parquet_store.read_dataset(fetched.folder).equals(parquet_store.read_dataset(dataset))
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    s3.reset()
    assert upload_dataset(dataset, "s3://club/mine").files_sent == 0
    assert download_dataset("s3://club/mine", tmp_path / "mine").up_to_date
    assert s3.up + s3.down < 40_000  # the manifest, and no more


def test_a_sending_that_is_cut_goes_on(s3: Line, dataset: Path, tmp_path: Path) -> None:
    size = manifest.build_manifest(dataset).size
    s3.cut_up = size * 0.75  # within train, which comes after test; no try gets through from then on
    with pytest.raises(AslkitError, match=r"s3://club/mine: .*the same command again goes on where this one stopped"):
        upload_dataset(dataset, "s3://club/mine")
    s3.reset()
    with pytest.raises(InputError, match="is being sent to s3://club/mine, or was and did not arrive whole"):
        download_dataset("s3://club/mine", tmp_path / "mine")
    s3.reset()
    again = upload_dataset(dataset, "s3://club/mine")
    assert 0 < again.files_sent < again.files
    assert s3.up < size * 0.6
    assert content(download_dataset("s3://club/mine", tmp_path / "mine").folder) == content(dataset)


def test_a_fetching_that_is_cut_goes_on_within_the_file(
    s3: Line, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_storage, "BLOCK_BYTES", 20_000)
    upload_dataset(dataset, "s3://club/mine")
    size = manifest.build_manifest(dataset).size
    s3.reset()
    s3.cut_down = size * 0.6
    with pytest.raises(AslkitError, match="the same command again goes on"):
        download_dataset("s3://club/mine", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
    s3.reset()
    again = download_dataset("s3://club/mine", tmp_path / "mine")
    assert content(again.folder) == content(dataset)
    assert again.bytes_fetched < size * 0.7
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_line_that_fails_now_and_then_is_enough(
    s3: Line, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_dataset(dataset, "s3://club/mine")
    s3.reset()
    s3.cut_down = manifest.build_manifest(dataset).size * 0.5
    mended = threading.Timer(0.5, s3.reset)
    mended.start()
    monkeypatch.setattr(retry, "BACKOFF_S", 0.3)
    assert content(download_dataset("s3://club/mine", tmp_path / "mine").folder) == content(dataset)
    mended.join()


def test_without_a_key_says_what_to_do(s3: Line, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AslkitError, match=r"s3://nobody/mine: there is no .*bucket's name"):
        upload_dataset(dataset, "s3://nobody/mine")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(AslkitError, match=r"does not let you in .*AWS_ACCESS_KEY_ID"):
        upload_dataset(dataset, "s3://club/mine")
