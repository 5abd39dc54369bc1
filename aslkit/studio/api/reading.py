"""Routes of the part Try."""

from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request

from aslkit.studio.api import reading_responses as responses
from aslkit.studio.api.models import ExamBody, KeyBody, ReadingBody
from aslkit.studio.api.shared import FRAME_BODY, PageHeader
from aslkit.studio.studio import Studio


def reading_routes(studio: Studio) -> APIRouter:
    """Return the routes of the part Try."""
    router = APIRouter(prefix="/api/reading", tags=["Try"])
    part, frame_limiter = studio.reading, anyio.CapacityLimiter(1)

    def check(page: str | None) -> None:
        part.active_page.check_rate()
        part.active_page.check(page)

    @router.post("", response_model=responses.ReadingState)
    def open_runs(body: ReadingBody, x_page: PageHeader = None) -> Any:
        """Open one or two runs, continue after a reload, or turn words on or off."""
        return part.open(body.runs, x_page, take_over=body.take_over, words=body.words)

    @router.post("/frames", openapi_extra=FRAME_BODY, response_model=responses.Readings)
    async def read_frame(request: Request) -> Any:
        """Read a frame, JPEG or PNG, with each run."""
        data = await part.active_page.read_frame(request)
        return await anyio.to_thread.run_sync(lambda: part.controller.process_frame(data), limiter=frame_limiter)

    @router.post("/keys", response_model=responses.Texts)
    def press_key(body: KeyBody, x_page: PageHeader = None) -> Any:
        """Edit the text."""
        check(x_page)
        return part.controller.press_key(body.key)

    @router.post("/exam", response_model=responses.ExamStart)
    def start_exam(body: ExamBody, x_page: PageHeader = None) -> Any:
        """Start an exam of the first run."""
        check(x_page)
        return part.start_exam(body.signer, body.letters, body.times, seed=body.seed)

    @router.delete("/exam", response_model=responses.ExamResult)
    def finish_exam(x_page: PageHeader = None) -> Any:
        """End the exam, and return its score."""
        check(x_page)
        return part.finish_exam()

    return router
