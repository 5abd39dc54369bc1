"""The part Share: exports and prepared datasets, with real commands."""

import io
import zipfile
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.workspace import Workspace
from aslkit.formats.signers import SignerDetails, save_signer
from tests.studio.clients import TestClient, wait_until


def finished_job(page: TestClient) -> dict[str, Any]:
    def job_unless_running() -> dict[str, Any] | None:
        job: dict[str, Any] = page.get("/api/state").json()["job"]
        return job if job["state"] != "running" else None

    job: dict[str, Any] = wait_until(job_unless_running)
    return job


def test_model_is_exported_and_downloaded(page: TestClient) -> None:
    assert page.get("/download/export/starter/onnx").status_code == 422  # not created yet
    page.post("/api/sharing/export", json={"run": "starter", "format": "onnx"})
    assert finished_job(page)["state"] == "finished"
    assert page.get("/api/sharing").json()["exports"]["starter"]["onnx"] > 100_000
    archive = page.get("/download/export/starter/onnx")
    assert archive.headers["content-disposition"] == 'attachment; filename="starter-onnx.zip"'
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert "onnx/model.onnx" in files.namelist()


def test_exported_page_can_be_opened_in_place(page: TestClient) -> None:
    page.post("/api/sharing/export", json={"run": "starter", "format": "page"})
    assert finished_job(page)["state"] == "finished"
    index = page.get("/pages/starter/")
    assert "text/html" in index.headers["content-type"]
    assert "wasm-unsafe-eval" in index.text  # the page's own policy
    assert "default-src" not in index.headers["content-security-policy"]
    assert page.get("/pages/starter/model.js").status_code == 200
    for file in ("missing.js", "..%2f..%2f..%2fsigners.toml", "%2fetc%2fpasswd", "../../../signers.toml"):
        assert page.get(f"/pages/starter/{file}").status_code == 404


@pytest.mark.parametrize("run", ["nothing", "..", "../runs/x", ".hidden"])
def test_unknown_runs_are_refused(page: TestClient, run: str) -> None:
    assert page.post("/api/sharing/export", json={"run": run, "format": "page"}).status_code == 422
    quoted = quote(run, safe="").replace(".", "%2e")  # otherwise the client resolves ".."
    assert page.get(f"/download/export/{quoted}/page").status_code in (404, 422)
    assert page.get(f"/pages/{quoted}/index.html").status_code in (404, 422)


def test_dataset_shows_what_it_would_publish_and_is_prepared(recorded: Workspace, page: TestClient) -> None:
    arguments = ["curate", "--workspace", str(recorded.root)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    (dataset,) = page.get("/api/sharing").json()["datasets"]
    assert [(each["name"], each["licence"], each["private"]) for each in dataset["signers"]] == [
        ("synthetic-ada", "CC0-1.0", False),
        ("synthetic-ben", "CC0-1.0", False),
    ]
    assert dataset["prepared"] is None
    page.post("/api/sharing/prepare", json={"dataset": "custom", "images": "crop", "pseudonyms": True})
    assert finished_job(page)["error"] == ""
    (dataset,) = page.get("/api/sharing").json()["datasets"]
    assert dataset["prepared"]["images"] == dataset["images"]
    assert dataset["prepared"]["faces"] == 0
    with zipfile.ZipFile(io.BytesIO(page.get("/download/dataset/custom").content)) as files:
        assert any(name.endswith(".parquet") for name in files.namelist())


def test_private_images_are_not_prepared(recorded: Workspace, page: TestClient) -> None:
    assert CliRunner().invoke(main, ["curate", "--workspace", str(recorded.root)]).exit_code == 0
    page.post("/api/sharing/prepare", json={"dataset": "custom", "images": "none"})
    assert finished_job(page)["state"] == "finished"
    assert page.get("/download/dataset/custom").status_code == 200
    # Somebody changes their mind: at once, without another curation.
    save_signer(recorded, "synthetic-ada", SignerDetails(licence="private", consent="Only for me."))
    (dataset,) = page.get("/api/sharing").json()["datasets"]
    assert [(each["private"], each["licence"]) for each in dataset["signers"]] == [
        (True, "private"),
        (False, "CC0-1.0"),
    ]
    assert dataset["prepared"] is None
    refused = page.post("/api/sharing/prepare", json={"dataset": "custom"})
    assert (refused.status_code, "synthetic-ada" in refused.json()["error"]) == (422, True)
    assert page.get("/download/dataset/custom").status_code == 422
