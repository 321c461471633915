"""The bodies of requests, and their addresses, are bounded before anything reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.contracts.base import Problem
from shared.outside import OutOfBounds, read_json
from shared.refusals import problem
from shared.refusals.validation import json_fault
from shared.texts import code_point, stranger
from shared.web.admission import is_open
from shared.web.problems import ApiProblem, refused

MAX_BYTES = 1024 * 1024
"""Of one body. The largest are whole folders of own rules; all rules of the nation together have 150 KB."""
AS_SENT = frozenset({"/v1/submissions", "/v1/batches"})
"""Whose bodies become records, and are judged as any record is (`envelope.read`): a bad one gets its receipt."""
SECONDS = 20.0
"""From a request's headers to the end of its body: the largest on a line of half a megabit."""


class BoundedBodies:
    """ASGI middleware: a body within bounds reaches the application, any other is refused with every reason.

    What is no JSON in UTF-8 is refused here too: a framework that guesses the encoding would read what nobody looked
    at. Of what is open no body is read at all: whoever needs no token would fill the memory with them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _look_at(scope)
            _declared(scope)
            async with asyncio.timeout(SECONDS):
                body = b"" if is_open(scope) else await _read(receive, as_sent=scope["path"] in AS_SENT)
        except TimeoutError:
            await refused("http.request_too_slow", seconds=f"{SECONDS:g}").answer(scope, receive, send)
            return
        except ApiProblem as out_of_bounds:
            await out_of_bounds.answer(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _again(body, receive), send)


def _look_at(scope: Scope) -> None:
    """Raises `ApiProblem` where path or query have a character that no text has."""
    found = stranger(scope["path"]) or stranger(unquote_plus(scope["query_string"].decode("latin-1")))
    if found is not None:
        raise ApiProblem(422, problem("bounds.address_unclean", found=code_point(found)))


def _declared(scope: Scope) -> None:
    """Raises `ApiProblem` where the length that is said is too much already: not a byte is read."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if said.isdigit() and int(said[:20]) > MAX_BYTES:
        raise _too_large()


async def _read(receive: Receive, *, as_sent: bool) -> bytes | None:
    """The whole body; `None` where the caller left before its end. Raises `ApiProblem`."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BYTES:
            raise _too_large()
    if body and not as_sent:
        try:
            read_json(body.decode("utf-8"), lines=True)
        except OutOfBounds as found:
            raise _unbounded(422, found.problems) from found
        except ValueError as error:
            raise _unbounded(422, [problem("bounds.no_json", detail=json_fault(str(error)))]) from error
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body in one message; after it, what the connection says (that it has ended)."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return rest.pop() if rest else await receive()

    return next_message


def _too_large() -> ApiProblem:
    return _unbounded(413, [problem("bounds.body_too_large", limit=MAX_BYTES)])


def _unbounded(status: int, problems: Sequence[Problem]) -> ApiProblem:
    return ApiProblem(status, problem("http.body_out_of_bounds"), problems)
