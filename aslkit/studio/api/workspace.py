"""Routes of the parts People, Train and Share, of the state that all pages show, and of reports."""

from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from aslkit.studio.api import responses
from aslkit.studio.api.models import ExportBody, PersonBody, PreparationBody, TrainingBody
from aslkit.studio.parts import sharing
from aslkit.studio.parts.people import save_person
from aslkit.studio.parts.training import start_training
from aslkit.studio.studio import Studio
from aslkit.web.request_limits import RequestRefused

REPORT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
"""Content-Security-Policy of reports, which contain their style and images, and no scripts."""


def workspace_routes(studio: Studio) -> APIRouter:
    """Return the routes of People and Train, and of the shared state."""
    router = APIRouter(prefix="/api")

    @router.get("/state", tags=["State"], response_model=responses.State)
    def get_state() -> Any:
        """Return the settings, and all values that events report."""
        return {"settings": studio.settings(), **studio.events.values()}

    @router.get("/events", tags=["State"], response_class=StreamingResponse)
    async def stream_events() -> StreamingResponse:
        """Stream what changes, as server-sent events."""
        return StreamingResponse(studio.events.stream(), media_type="text/event-stream")

    @router.put("/people", tags=["People"], response_model=responses.PersonName)
    def save(body: PersonBody) -> Any:
        """Add a person, or change what is known about one."""
        name = save_person(
            studio.workspace, body.name, hand=body.hand, licence=body.licence, consent=body.consent, new=body.new
        )
        studio.events.publish("people", "guidance")
        return {"name": name}

    @router.post("/training", tags=["Train"], response_model=responses.Accepted)
    def train(body: TrainingBody) -> Any:
        """Curate all recordings and train on them, as a job."""
        start_training(studio.jobs, studio.workspace, compare=body.compare, hold_out=body.hold_out)
        studio.events.publish("job")
        return {}

    @router.delete("/job", tags=["Train"], response_model=responses.Accepted)
    def cancel_job() -> Any:
        """Cancel the running job."""
        studio.jobs.cancel()
        studio.events.publish("job")
        return {}

    return router


def sharing_routes(studio: Studio) -> APIRouter:
    """Return the routes of the part Share, and of reports."""
    router = APIRouter(tags=["Share"])
    workspace = studio.workspace

    @router.get("/api/sharing", response_model=responses.Sharing)
    def get_sharing() -> Any:
        """Return datasets and models that can be shared, and what they would publish."""
        return studio.sharing()

    @router.post("/api/sharing/export", response_model=responses.Accepted)
    def export(body: ExportBody) -> Any:
        """Export a model, as a job."""
        sharing.start_export(studio.jobs, workspace, body.run, body.format)
        studio.events.publish("job")
        return {}

    @router.post("/api/sharing/prepare", response_model=responses.Accepted)
    def prepare(body: PreparationBody) -> Any:
        """Prepare a copy of a dataset for sharing, as a job."""
        sharing.start_preparation(studio.jobs, workspace, body.dataset, images=body.images, pseudonyms=body.pseudonyms)
        studio.events.publish("job")
        return {}

    @router.get("/download/export/{run}/{format}", response_class=FileResponse)
    def download_export(run: str, format: str) -> FileResponse:
        """Download an export as a ZIP archive."""
        return _send_archive(sharing.export_folder(workspace, run, format), f"{run}-{format}.zip")

    @router.get("/download/dataset/{dataset}", response_class=FileResponse)
    def download_dataset(dataset: str) -> FileResponse:
        """Download the prepared copy of a dataset as a ZIP archive."""
        sharing.check_shareable(workspace, dataset)  # somebody may have changed to private since the preparation
        return _send_archive(sharing.shared_folder(workspace, dataset), f"{dataset}.zip")

    @router.get("/files/{kind}/{name}/{file}", response_class=Response)
    def get_report(kind: str, name: str, file: str) -> Response:
        """Return the report of a run, an exam or a dataset."""
        folders = {"runs": workspace.runs, "exams": workspace.exams, "datasets": workspace.datasets}
        # Names, never paths: nothing else in the workspace may be read.
        if kind not in folders or file != "report.html" or Path(name).name != name or name.startswith("."):
            raise _no_report()
        try:
            text = (folders[kind] / name / file).read_bytes()
        except (OSError, ValueError) as error:
            raise _no_report() from error
        return Response(text, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})

    @router.get("/pages/{run}/{file:path}", response_class=FileResponse)
    def get_page(run: str, file: str) -> FileResponse:
        """Return a file of an exported page, so that it opens without unpacking, also on a phone."""
        folder = sharing.export_folder(workspace, run, "page").resolve()
        try:
            path = (folder / (file or "index.html")).resolve()
            found = path.is_relative_to(folder) and path.is_file()
        except (OSError, ValueError):  # such as a name that is too long
            found = False
        if not found:
            raise RequestRefused(404, "There is no such page. Create it under Share first.")
        # The page has a policy of its own, which allows MediaPipe's WebAssembly.
        return FileResponse(path, headers={"Content-Security-Policy": "frame-ancestors 'none'"})

    return router


def _no_report() -> RequestRefused:
    return RequestRefused(404, "There is no such report.")


def _send_archive(folder: Path, name: str) -> FileResponse:
    archive = sharing.create_archive(folder)
    return FileResponse(archive, media_type="application/zip", filename=name, background=BackgroundTask(archive.unlink))
