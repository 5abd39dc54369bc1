"""Routes of the part Record."""

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from aslkit.capture.web.clip_uploads import ClipFrameUpload
from aslkit.capture.web.controller import UploadedFrame
from aslkit.capture.web.licence_question import choose_licence
from aslkit.capture.web.thumbnails import frame_not_found, render_letter_png
from aslkit.studio.api import responses
from aslkit.studio.api.models import AnswerBody, CameraBody, ClipBody, LetterBody, LicenceBody, RecordingBody
from aslkit.studio.api.shared import FRAME_BODY, PageHeader, disk_errors
from aslkit.studio.studio import Studio
from aslkit.web.request_limits import RequestRefused

_Number = Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False)]
_Letter = Annotated[str, Query(pattern="^(J|Z|none)$")]
_Count = Annotated[int, Query(ge=0, le=10**9)]


def recording_routes(studio: Studio) -> APIRouter:
    """Return the routes of the part Record."""
    router = APIRouter(prefix="/api/recording", tags=["Record"])
    part, frame_limiter = studio.recording, anyio.CapacityLimiter(1)  # frames are measured one at a time

    def check(page: str | None) -> None:
        part.active_page.check_rate()
        part.active_page.check(page)

    @router.post("", response_model=responses.RecordingState)
    def open_recording(body: RecordingBody, x_page: PageHeader = None) -> Any:
        """Start recording a person, or continue after a reload."""
        with disk_errors(part):
            return part.open(body.signer, x_page, letter=body.letter, take_over=body.take_over)

    @router.get("", response_model=responses.RecordingState)
    def get_recording() -> Any:
        """Return the state of the open recording."""
        return part.controller.state()

    @router.delete("", response_model=responses.RecordingSummary)
    def finish_recording(x_page: PageHeader = None) -> Any:
        """Finish the recording, and return its summary."""
        check(x_page)
        with disk_errors(part):
            return part.finish()

    @router.post("/camera", response_model=responses.RecordingState)
    def set_camera(body: CameraBody, x_page: PageHeader = None) -> Any:
        """Report which camera the page uses."""
        check(x_page)
        part.controller.set_camera(body.label, body.settings)
        return part.controller.state()

    @router.post("/frames", openapi_extra=FRAME_BODY, response_model=responses.FrameDecision)
    async def send_frame(
        request: Request, keep: bool = False, revision: _Count = 0, burst: _Count = 0, taken_s: _Number = 0.0
    ) -> Any:
        """Judge a frame, JPEG or PNG, and store it if it is good and `keep` is set."""
        data = await part.active_page.read_frame(request)
        upload = UploadedFrame(
            data=data, keep=keep, revision=revision, burst=burst, page=request.headers["x-page"], taken_s=taken_s
        )

        def process() -> dict[str, Any]:
            with disk_errors(part):
                return part.controller.process_frame(upload)

        decision = await anyio.to_thread.run_sync(process, limiter=frame_limiter)
        if decision["stored"]:
            await anyio.to_thread.run_sync(part.frame_stored)
            studio.frame_stored()
        return decision

    @router.get("/frames/{file:path}", response_class=Response)
    def get_frame(file: str) -> Response:
        """Return a reduced JPEG of a frame of the session, or of the middle one of a clip."""
        try:
            with disk_errors(part):
                return Response(part.controller.thumbnail(file), media_type="image/jpeg")
        except FileNotFoundError as error:
            raise frame_not_found() from error

    @router.delete("/frames/{file:path}", response_model=responses.RecordingState)
    def delete_frame(file: str, x_page: PageHeader = None) -> Any:
        """Move a frame or clip to the trash; `put-back` restores it."""
        check(x_page)
        with disk_errors(part):
            state = part.controller.remove(file)
        studio.frame_stored()
        return state

    @router.post("/letter", response_model=responses.RecordingState)
    def select_letter(body: LetterBody, x_page: PageHeader = None) -> Any:
        """Switch to a letter, or to the next or previous incomplete one."""
        check(x_page)
        if (body.letter is None) == (body.step is None):
            raise RequestRefused(422, 'Send {"letter": "A"}, {"step": 1} or {"step": -1}.')
        if body.letter is not None:
            return part.controller.select_letter(body.letter)
        return part.controller.select_adjacent_letter(body.step or 1)

    @router.post("/undo", response_model=responses.RecordingState)
    def undo(x_page: PageHeader = None) -> Any:
        """Move the last clip, or the frames of the last burst, to the trash."""
        check(x_page)
        with disk_errors(part):
            state = part.controller.undo()
        studio.frame_stored()
        return state

    @router.post("/put-back", response_model=responses.RecordingState)
    def put_back(x_page: PageHeader = None) -> Any:
        """Restore the frames that were removed last."""
        check(x_page)
        with disk_errors(part):
            state = part.controller.put_back()
        studio.frame_stored()
        return state

    @router.post("/answer", response_model=responses.RecordingState)
    def answer_question(body: AnswerBody, x_page: PageHeader = None) -> Any:
        """Say whether the signer really uses the other hand."""
        check(x_page)
        return part.controller.answer_question(confirmed=body.confirmed)

    @router.post("/licence", response_model=responses.RecordingState)
    def choose(body: LicenceBody, x_page: PageHeader = None) -> Any:
        """Choose who may use the images, if that is not known yet."""
        check(x_page)
        choose_licence(part.controller.recording, body.licence)
        studio.events.publish("people")
        return part.controller.state()

    _add_clip_routes(router, studio, frame_limiter)
    return router


def _add_clip_routes(router: APIRouter, studio: Studio, frame_limiter: anyio.CapacityLimiter) -> None:
    part = studio.recording

    @router.post("/clips/frames", openapi_extra=FRAME_BODY, response_model=responses.ClipFrames)
    async def send_clip_frame(
        request: Request, letter: _Letter, clip: _Count, revision: _Count = 0, taken_s: _Number = 0.0
    ) -> Any:
        """Send a frame of a clip, JPEG or PNG. The clip is judged when it is complete."""
        data = await part.active_page.read_frame(request)
        upload = ClipFrameUpload(
            data=data, clip=clip, page=request.headers["x-page"], revision=revision, letter=letter, taken_s=taken_s
        )
        return {"frames": part.controller.clips.add(upload)}

    @router.post("/clips", response_model=responses.ClipResult)
    async def finish_clip(body: ClipBody, x_page: PageHeader = None) -> Any:
        """Judge a clip, store it if it is good, and return the decision and the state."""
        part.active_page.check_rate()
        part.active_page.check(x_page)

        def process() -> dict[str, Any]:
            with disk_errors(part):
                return part.controller.finish_clip(x_page or "", body.clip)

        result = await anyio.to_thread.run_sync(process, limiter=frame_limiter)
        if result["stored"]:
            studio.frame_stored()
        return result


def letter_routes() -> APIRouter:
    """Return the route of the pictures of letters."""
    router = APIRouter(tags=["Record"])

    @router.get("/letters/{name}", response_class=Response)
    def get_letter(name: str) -> Response:
        """Return a picture of the handshape of a letter, such as A.png."""
        headers = {"Cache-Control": "private, max-age=3600"}
        return Response(render_letter_png(name), media_type="image/png", headers=headers)

    return router
