"""RFC 9457 problem details, in Vietnamese and English, with a stable code."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.contracts.base import Problem, Text
from shared.contracts.bounds import MOST
from shared.mongo.port import CommitUnknown, Transient, Unavailable

log = structlog.get_logger()
RETRY_SECONDS = 5
"""What a caller is asked to wait for a server that is away."""
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(RETRY_SECONDS)}}


class ApiProblem(Exception):
    """A refusal with everything the caller needs to mend it."""

    def __init__(self, status: int, code: str, title: Text, mend: Text, problems: Sequence[Problem] = ()) -> None:
        """`problems`: everything that is wrong with what was sent, each in its place."""
        super().__init__(title.en)
        self.status = status
        self.code = code
        self.title = title
        self.mend = mend
        self.problems = problems

    @property
    def answer(self) -> JSONResponse:
        """As it is answered. Of very many problems the first are named, and how many more there are."""
        found: dict[str, object] = {}
        if self.problems:
            found["problems"] = [one.model_dump() for one in self.problems[:MOST]]
        if len(self.problems) > MOST:
            found["more_problems"] = len(self.problems) - MOST
        return _answer(self.status, self.code, self.title, self.mend, **found)


def not_found(what: str, identity: str) -> ApiProblem:
    """404: `what` with this identity does not exist."""
    return ApiProblem(
        404,
        "not_found",
        Text(vi=f"Không tìm thấy {what} {identity}.", en=f"There is no {what} {identity}."),
        Text(vi="Kiểm tra mã và kỳ đánh giá.", en="Check the code and the period."),
    )


def away(code: str, server: str) -> ApiProblem:
    """503: a server that the answer rests on does not answer, and is waited for."""
    return ApiProblem(
        503,
        code,
        Text(vi=f"{server} chưa trả lời; dịch vụ đang chờ.", en=f"{server} does not answer yet; the service waits."),
        Text(
            vi=f"Gửi lại sau {RETRY_SECONDS} giây; gửi lại không gây hại.",
            en=f"Ask again in {RETRY_SECONDS} seconds; a repeat does no harm.",
        ),
    )


def _answer(status: int, code: str, title: Text, mend: Text | None = None, **more: object) -> JSONResponse:
    body: dict[str, object] = {
        "type": f"urn:langhoc:problem:{code}",
        "title": title.en,
        "status": status,
        "code": code,
        "message": title.model_dump(),
        **more,
    }
    if mend:
        body["mend"] = mend.model_dump()
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
        title = Text(vi="Tham số không hợp lệ.", en="Some parameters are not valid.")
        return _answer(422, "invalid_parameters", title, problems=fields)

    async def plain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return _answer(error.status_code, f"http_{error.status_code}", Text(vi=error.detail, en=error.detail))

    async def database_away(request: Request, error: Exception) -> JSONResponse:
        log.warning("http.database_away", path=request.url.path, error=repr(error)[:300])
        return await ours(request, away("database_unavailable", "MongoDB"))

    async def broker_away(request: Request, error: Exception) -> JSONResponse:
        log.warning("http.broker_away", path=request.url.path, error=repr(error)[:300])
        return await ours(request, away("broker_unavailable", "Kafka"))

    for kind in (Unavailable, Transient, CommitUnknown):
        app.add_exception_handler(kind, database_away)
    app.add_exception_handler(KafkaError, broker_away)
    app.add_exception_handler(ApiProblem, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
