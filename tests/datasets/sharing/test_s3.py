"""Upload to and download from a local S3 server, with interrupted connections."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import parquet_store
from aslkit.datasets.sharing import manifest, remote_storage, retry
from aslkit.datasets.sharing.download import download_dataset
from aslkit.datasets.sharing.upload import upload_dataset
from tests.datasets.factories import content
from tests.datasets.http_server import Proxy

BUCKET = "club"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[int]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def s3(s3_server: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy for an S3 server with an empty bucket."""
    import boto3  # type: ignore[import-untyped]
    import s3fs  # type: ignore[import-untyped]

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "not-a-real-key")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)  # s3fs waits seconds between its own retries
    direct = f"http://127.0.0.1:{s3_server}"
    client = boto3.client("s3", endpoint_url=direct)
    client.create_bucket(Bucket=BUCKET)
    proxy = Proxy(s3_server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
    yield proxy
    proxy.close()
    for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=each["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


def test_upload_and_download(s3: Proxy, dataset: Path, tmp_path: Path) -> None:
    upload = upload_dataset(dataset, "s3://club/mine")
    assert upload.files_sent == upload.files == len(content(dataset))
    download = download_dataset("s3://club/mine", tmp_path / "mine")
    assert content(download.folder) == content(dataset)
    assert not (download.folder / "report.html").exists()
    assert parquet_store.read_dataset(download.folder).equals(parquet_store.read_dataset(dataset))
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    s3.reset()
    assert upload_dataset(dataset, "s3://club/mine").files_sent == 0
    assert download_dataset("s3://club/mine", tmp_path / "mine").up_to_date
    assert s3.up + s3.down < 40_000  # only the manifest is transferred


def test_interrupted_upload_resumes(s3: Proxy, dataset: Path, tmp_path: Path) -> None:
    size = manifest.build_manifest(dataset).size
    s3.cut_up = size * 0.75  # within train, which is uploaded after test; all retries fail too
    with pytest.raises(AslkitError, match=r"s3://club/mine: .*Run the same command again to continue"):
        upload_dataset(dataset, "s3://club/mine")
    s3.reset()
    with pytest.raises(InputError, match="upload of the dataset to s3://club/mine is in progress or was interrupted"):
        download_dataset("s3://club/mine", tmp_path / "mine")
    s3.reset()
    again = upload_dataset(dataset, "s3://club/mine")
    assert 0 < again.files_sent < again.files
    assert s3.up < size * 0.6
    assert content(download_dataset("s3://club/mine", tmp_path / "mine").folder) == content(dataset)


def test_interrupted_download_resumes_within_file(
    s3: Proxy, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_storage, "BLOCK_BYTES", 20_000)
    upload_dataset(dataset, "s3://club/mine")
    size = manifest.build_manifest(dataset).size
    s3.reset()
    s3.cut_down = size * 0.6
    with pytest.raises(AslkitError, match="Run the same command again to continue"):
        download_dataset("s3://club/mine", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
    s3.reset()
    again = download_dataset("s3://club/mine", tmp_path / "mine")
    assert content(again.folder) == content(dataset)
    assert again.bytes_fetched < size * 0.7
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_download_survives_temporary_failure(
    s3: Proxy, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_dataset(dataset, "s3://club/mine")
    s3.reset()
    s3.cut_down = manifest.build_manifest(dataset).size * 0.5
    timer = threading.Timer(0.5, s3.reset)
    timer.start()
    monkeypatch.setattr(retry, "BACKOFF_S", 0.3)
    assert content(download_dataset("s3://club/mine", tmp_path / "mine").folder) == content(dataset)
    timer.join()


def test_missing_bucket_and_credentials_are_explained(
    s3: Proxy, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AslkitError, match=r"Not found: s3://nobody/mine .*name of the bucket"):
        upload_dataset(dataset, "s3://nobody/mine")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(AslkitError, match=r"Access to .* was denied .*AWS_ACCESS_KEY_ID"):
        upload_dataset(dataset, "s3://club/mine")
