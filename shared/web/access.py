"""The access log: one line for each request, of who did what, and of nothing that was said."""

from __future__ import annotations

import time

import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import context_of
from shared.texts import neutral
from shared.web.admission import REFUSED, is_open
from shared.web.auth import CALLER, NOBODY
from shared.web.problems import route_of
from shared.web.tokens import Account

log = structlog.get_logger()


class AccessLog:
    """ASGI middleware, outside of all that answers.

    A line names the person, never the account, but for one by which nobody acts: else nobody could tell whose try it
    was. It names the route as it is written in the program, with no identity that a path or query has; and the trace,
    under which whatever an order caused is found. What only health and documentation ask for has no line while it goes
    well.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app = app
        self._tracer = provider.get_tracer("langhoc.web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.monotonic()
        with self._tracer.start_as_current_span(
            f"http {scope['method']}", context_of(_header(scope, b"traceparent")), trace.SpanKind.SERVER
        ) as span:
            try:
                await self._app(scope, receive, noted)
            finally:
                _write(scope, status, time.monotonic() - begun, span)


def _write(scope: Scope, status: int | None, seconds: float, span: trace.Span) -> None:
    route = route_of(scope)
    if route:
        span.update_name(f"http {scope['method']} {route}")
    if is_open(scope) and status is not None and status < 400:
        return
    caller, refused = scope.get(CALLER), scope.get(REFUSED)
    (log.warning if refused else log.info)(
        "http.request",
        method=scope["method"],
        route=route,
        status=status,  # none: whoever asked has left before the answer
        actor=caller.person if caller else None,
        **_named(scope.get(NOBODY)),
        role=caller.role if caller else None,
        refused=refused,
        ms=round(seconds * 1_000),
        trace=trace.format_trace_id(span.get_span_context().trace_id),
    )


def _named(account: Account | None) -> dict[str, str]:
    """An account, as any text is shown that somebody outside has written; how long one is, tokens bound."""
    return {"issuer": neutral(account.issuer), "subject": neutral(account.subject)} if account else {}


def write_unread(status: int, refused: str, seconds: float) -> None:
    """The line of a request that nobody could read as one: who asked, and for what, is not known."""
    known = dict.fromkeys(("method", "route", "actor", "role", "trace"))
    log.warning("http.request", **known, status=status, refused=refused, ms=round(seconds * 1_000))


def _header(scope: Scope, name: bytes) -> str | None:
    found = [value for given, value in scope["headers"] if given == name]
    return found[0].decode("latin-1") if len(found) == 1 else None
