"""Answers guarded, whoever makes them in the application, and what is answered when we fail."""

from __future__ import annotations

import base64
import hashlib
import re

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.connections import HEADER_BYTES
from shared.web.guarding import guard
from shared.web.problems import refused, route_of

log = structlog.get_logger()


def of_page(page: bytes) -> str:
    """The policy of a page of ours that scripts and styles of this host make, and the scripts that stand in it."""
    inside = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one).digest()).decode()}'" for one in inside)
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Guarded:
    """ASGI middleware, the outermost: security headers on every answer, and a fault of ours is a problem like any
    other, without its inner words."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                guard(MutableHeaders(scope=message), scope["path"])
            await send(message)

        if _bytes(scope) > HEADER_BYTES:  # the parser bounds only those that come in parts
            await refused("http.headers_too_large", limit=HEADER_BYTES).answer(scope, receive, guarded)
            return
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
            answer = refused("http.no_request").answer
            answer.headers["Connection"] = "close"  # a proxy may see the next request begin elsewhere
            await answer(scope, receive, guarded)
            return
        try:
            await self._app(scope, receive, guarded)
        except Exception as error:
            if begun:
                raise  # the connection ends in the middle: nobody takes half an answer for a whole one
            log.error("http.failed", route=route_of(scope), exc_info=error)
            await refused("http.failed").answer(scope, receive, guarded)


def _bytes(scope: Scope) -> int:
    """Of the request's address and headers, with what stands between them."""
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    return address + sum(len(name) + len(value) + 4 for name, value in scope["headers"])
