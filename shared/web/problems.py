"""RFC 9457 problem details, in Vietnamese and English, with a stable code."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.contracts.base import Problem
from shared.contracts.bounds import MOST
from shared.errors import LanghocError
from shared.messaging.seals import Altered
from shared.mongo.port import CommitUnknown, Transient, Unavailable
from shared.refusals import problem, refusal

log = structlog.get_logger()
RETRY_SECONDS = 5
"""What a caller is asked to wait for a server that is away."""
FORBIDDEN = 403
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": str(RETRY_SECONDS)},
    503: {"Retry-After": str(RETRY_SECONDS)},
}


class ApiProblem(LanghocError):
    """A refusal as HTTP answers it."""

    def __init__(self, status: int, problem: Problem, problems: Sequence[Problem] = ()) -> None:
        """`problems`: everything that is wrong with what was sent, each in its place."""
        super().__init__(problem, *problems)
        self.status = status
        self.found = problems

    @property
    def answer(self) -> JSONResponse:
        """As it is answered. Of very many problems the first are named, and how many more there are."""
        found: dict[str, object] = {}
        if self.found:
            found["problems"] = [one.model_dump() for one in self.found[:MOST]]
        if len(self.found) > MOST:
            found["more_problems"] = len(self.found) - MOST
        return _answer(self.status, self.problems[0], **found)


def refused(key: str, problems: Sequence[Problem] = (), /, **values: object) -> ApiProblem:
    """The refusal `area.name` of the catalogue. `problems`: everything that is wrong, each in its place."""
    return ApiProblem(refusal(key).status, problem(key, **values), problems)


def not_found(what: str, identity: str) -> ApiProblem:
    """404: `what` with this identity does not exist."""
    return refused("http.not_found", what=what, id=identity)


def _answer(status: int, problem: Problem, **more: object) -> JSONResponse:
    body: dict[str, object] = {
        "type": f"urn:langhoc:problem:{problem.code}",
        "title": problem.message.en,
        "status": status,
        **problem.model_dump(exclude={"field"}),
        **more,
    }
    return JSONResponse(body, status, _HEADERS.get(status), media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Turn every refusal of the framework and ours into problem details."""

    async def ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ApiProblem)
        return error.answer

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        fields = [
            {"field": "/" + "/".join(str(part) for part in entry["loc"]), "message": entry["msg"]}
            for entry in error.errors()
        ]
        return _answer(422, problem("http.invalid_parameters"), problems=fields)

    async def plain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        said = problem("http.of_framework", detail=error.detail)
        return _answer(error.status_code, said.model_copy(update={"code": f"http_{error.status_code}"}))

    async def database_away(request: Request, error: Exception) -> JSONResponse:
        log.warning("http.database_away", path=request.url.path, error=repr(error)[:300])
        return await ours(request, refused("http.database_unavailable", seconds=RETRY_SECONDS))

    async def broker_away(request: Request, error: Exception) -> JSONResponse:
        log.warning("http.broker_away", path=request.url.path, error=repr(error)[:300])
        return await ours(request, refused("http.broker_unavailable", seconds=RETRY_SECONDS))

    async def altered(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Altered)
        log.critical("http.document_altered", path=request.url.path, documents=error.places)
        named = ", ".join(error.places[:MOST])
        return await ours(request, refused("http.document_altered", documents=named))

    app.add_exception_handler(Altered, altered)
    for kind in (Unavailable, Transient, CommitUnknown):
        app.add_exception_handler(kind, database_away)
    app.add_exception_handler(KafkaError, broker_away)
    app.add_exception_handler(ApiProblem, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
