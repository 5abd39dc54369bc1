"""The OpenAPI document of the studio, tested against its routes with schemathesis."""

from contextlib import suppress
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from aslkit.studio.app import create_app
from aslkit.studio.jobs.job import Job, JobRunner
from aslkit.studio.studio import Studio
from aslkit.web.access_control import Addresses
from aslkit.web.active_page import ActivePage

HOST = "testserver"
HEADERS = {"Origin": f"http://{HOST}"}

EXCLUDED = [positive_data_acceptance]
"""A schema cannot say which names exist, or are allowed as the names of folders."""


@pytest.fixture
def api_schema(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The document of a studio that records, but starts no processes."""
    monkeypatch.setattr(JobRunner, "start", lambda *_: Job(name="x", kind="train", steps=[]))
    state = studio.recording.open("ada", None)
    # Rate limits would answer most requests.
    clock = count(0, 0.5).__next__
    studio.reading.active_page = ActivePage(60, taken_over_message="", clock=clock)
    app = create_app(studio, Addresses(hosts=(HOST,), port=80))
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=HEADERS)
    schema.config.update(headers=HEADERS | {"X-Page": state["page"]})
    return schema.exclude(path="/api/events")  # streams without an end


def test_routes_answer_as_documented(api_schema: Any) -> None:
    """No response may be a server error, or differ from the document in status, content type or schema."""
    for result in api_schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        @settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def check_valid(case: Any) -> None:
            case.call_and_validate(excluded_checks=EXCLUDED)

        @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        @settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def check_invalid(case: Any) -> None:
            case.call_and_validate(excluded_checks=EXCLUDED)

        check_valid()
        with suppress(Unsatisfiable):  # every value of this operation is valid
            check_invalid()


def test_document_describes_every_part(api_schema: Any) -> None:
    tags = {tag for operation in api_schema.get_all_operations() for tag in operation.ok().definition.raw["tags"]}
    assert tags == {"State", "People", "Record", "Review", "Train", "Try", "Share"}
