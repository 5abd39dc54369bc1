"""Routes of the part Review."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from aslkit.studio.api import responses
from aslkit.studio.api.models import DecisionBody
from aslkit.studio.parts.training import start_curation
from aslkit.studio.studio import Studio
from aslkit.web.request_limits import RequestRefused


def review_routes(studio: Studio) -> APIRouter:
    """Return the routes of the part Review."""
    router = APIRouter(prefix="/api/review", tags=["Review"])
    part = studio.review

    @router.get("/frames", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}})
    def list_frames() -> Response:
        """Return all frames, the doubtful ones first, in a compact form; see `ReviewPart.frames`."""
        # Encoded here: FastAPI would copy and validate every value of thousands of frames.
        return Response(msgspec.json.encode(part.frames()), media_type="application/json")

    @router.get("/decisions", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}})
    def list_decisions() -> Response:
        """Return the current decisions."""
        return Response(msgspec.json.encode(part.decisions()), media_type="application/json")

    @router.get("/image/{key:path}", response_class=Response)
    def get_image(key: str, full: bool = False) -> Response:
        """Return a frame as JPEG, 240 or at most 1,280 pixels wide."""
        headers = {"Cache-Control": "private, max-age=60"}  # scrolling back must not load it again
        return Response(part.image(key, full=full), media_type="image/jpeg", headers=headers)

    @router.post("/decisions", response_model=responses.Decisions)
    def decide(body: DecisionBody) -> Any:
        """Decide about frames."""
        if (body.action == "relabel") != (body.letter is not None):
            raise RequestRefused(422, 'A letter is needed for the action "relabel", and only for it.')
        batch = part.decide(body.frames, body.action, body.letter)
        studio.events.publish("review", "people", "guidance")
        return {"changed": len(body.frames), "batch": batch, **part.decisions()}

    @router.post("/curation", response_model=responses.Accepted)
    def curate() -> Any:
        """Curate all recordings, as a job, which finds doubtful frames."""
        start_curation(studio.jobs, studio.workspace)
        studio.events.publish("job")
        return {}

    @router.delete("/decisions/last", response_model=responses.Decisions)
    def undo(batch: Annotated[int | None, Query(ge=1)] = None) -> Any:
        """Undo the last decision that is not undone; only if it is `batch`, if that is given."""
        changed = part.undo(batch)
        studio.events.publish("review", "people", "guidance")
        return {"changed": changed, **part.decisions()}

    return router
