"""RFC 9457 problem details, in Vietnamese and English, with a stable code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.types import Scope

from shared.contracts.base import Problem, Text
from shared.contracts.bounds import MOST
from shared.errors import LanghocError
from shared.messaging.seals import Altered
from shared.mongo.port import CommitUnknown, Transient, Unavailable
from shared.refusals import problem, refusal
from shared.refusals.validation import expected_of

log = structlog.get_logger()
RETRY_SECONDS = 5
"""What a caller is asked to wait for a server that is away."""
SHOWN = 80
"""Characters of a name that was sent, where it is shown."""
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": str(RETRY_SECONDS)},
    503: {"Retry-After": str(RETRY_SECONDS)},
}

_STATUS = {
    400: "Không thực hiện được yêu cầu này",
    404: "Không có địa chỉ này",
    405: "Địa chỉ này không nhận phương thức này",
}
"""What the framework's own refusals say; it speaks English alone."""

PROBLEM = "application/problem+json"


class Details(BaseModel):
    """A refusal as it is answered (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    """Stable, machine-readable."""
    message: Text
    expected: Text
    mend: Text
    problems: list[Problem] = []
    """Everything that is wrong, each in its place."""
    more_problems: int | None = None
    """How many there are besides."""


_REFUSED = {"content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Details"}}}}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused, with the reason", **_REFUSED},
    "5XX": {"description": "Not possible now, or a fault of the service", **_REFUSED},
}
"""What every route may answer besides, in its OpenAPI document."""


class ApiProblem(LanghocError):
    """A refusal as HTTP answers it."""

    def __init__(self, status: int, problem: Problem, problems: Sequence[Problem] = ()) -> None:
        """`problems`: everything that is wrong with what was sent, each in its place."""
        super().__init__(problem, *problems)
        self.status = status
        self.found = problems

    @property
    def answer(self) -> JSONResponse:
        """As it is answered."""
        return JSONResponse(self.body, self.status, _HEADERS.get(self.status), media_type=PROBLEM)

    @property
    def body(self) -> dict[str, object]:
        """What it says. Of very many problems the first are named, and how many more there are."""
        found: dict[str, object] = {}
        if self.found:
            found["problems"] = [one.model_dump() for one in self.found[:MOST]]
        if len(self.found) > MOST:
            found["more_problems"] = len(self.found) - MOST
        return _body(self.status, self.problems[0]) | found


def refused(key: str, problems: Sequence[Problem] = (), /, **values: object) -> ApiProblem:
    """The refusal `area.name` of the catalogue. `problems`: everything that is wrong, each in its place."""
    return ApiProblem(refusal(key).status, problem(key, **values), problems)


def not_found(what: str, identity: str) -> ApiProblem:
    """404: `what` with this identity does not exist."""
    return refused("http.not_found", what=what, id=identity)


def of_altered(error: Altered, route: str | None) -> ApiProblem:
    """The refusal to tell anything of documents that were altered; it is logged."""
    log.critical("http.document_altered", route=route, documents=error.places)
    return refused("http.document_altered", documents=", ".join(error.places[:MOST]))


def _body(status: int, problem: Problem) -> dict[str, object]:
    return {
        "type": f"urn:langhoc:problem:{problem.code}",
        "title": problem.message.en,
        "status": status,
        **problem.model_dump(exclude={"field"}),
    }


def route_of(scope: Scope) -> str | None:
    """The route of a request as it is written in the program: what a log may name, for a path may name somebody."""
    return getattr(scope.get("route"), "path", None)


def _of_validation(error: Mapping[str, Any]) -> Problem:
    """One entry of Pydantic's list of errors; what was given is not repeated, it may be personal."""
    place = "".join("/" + str(part)[:SHOWN].replace("~", "~0").replace("/", "~1") for part in error["loc"])
    if error["type"] == "missing":
        return problem("http.value_missing", place)
    if error["type"] == "extra_forbidden":
        return problem("http.value_unknown", place)
    return problem("http.value_invalid", place, expected=expected_of(error))


def install(app: FastAPI) -> None:
    """Turn every refusal of the framework and ours into problem details, and describe them in the document."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        schemas = models_json_schema([(Details, "serialization")], ref_template="#/components/schemas/{model}")
        document.setdefault("components", {}).setdefault("schemas", {}).update(schemas[1]["$defs"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]

    async def ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ApiProblem)
        return error.answer

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return refused("http.invalid_parameters", [_of_validation(each) for each in error.errors()]).answer

    async def plain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        said = problem(
            "http.of_framework", detail=Text(vi=_STATUS.get(error.status_code, _STATUS[400]), en=str(error.detail))
        )
        return ApiProblem(error.status_code, said.model_copy(update={"code": f"http_{error.status_code}"})).answer

    async def database_away(request: Request, error: Exception) -> JSONResponse:
        log.warning("http.database_away", route=route_of(request.scope), error=repr(error)[:300])
        return await ours(request, refused("http.database_unavailable", seconds=RETRY_SECONDS))

    async def broker_away(request: Request, error: Exception) -> JSONResponse:
        log.warning("http.broker_away", route=route_of(request.scope), error=repr(error)[:300])
        return await ours(request, refused("http.broker_unavailable", seconds=RETRY_SECONDS))

    async def altered(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Altered)
        return of_altered(error, route_of(request.scope)).answer

    app.add_exception_handler(Altered, altered)
    for kind in (Unavailable, Transient, CommitUnknown):
        app.add_exception_handler(kind, database_away)
    app.add_exception_handler(KafkaError, broker_away)
    app.add_exception_handler(ApiProblem, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
