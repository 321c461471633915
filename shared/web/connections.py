"""Connections as the server keeps them: nobody holds one for longer than its request needs."""

from __future__ import annotations

import sys
import time
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.telemetry.metrics import CONNECTIONS_ENDED
from shared.web.access import write_unread
from shared.web.guarding import guard
from shared.web.problems import ApiProblem, refused

HEADER_BYTES = 16 * 1024
"""Of one request's line and headers together. The longest of ours, with a token of some kilobytes, has half of it."""
HEADER_SECONDS = 10.0
"""From the connection, or from the answer before, to the end of a request's headers."""
LINGER_SECONDS, LINGER_BYTES = 2.0, 4 * 1024 * 1024
"""What is still read, and thrown away, of a body after its answer: who is still sending would not read it otherwise."""
STALLED_SECONDS = 60.0
"""How long an answer waits for somebody to read on."""
MOST_WAITING = 200
"""Connections without a whole request. Beyond it the oldest is closed: whoever floods displaces the flood itself, and
a client that means it has sent its headers long before."""

Waiting = dict["BoundedConnection", None]
"""Connections of one server without a whole request, the oldest first."""


class BoundedConnection(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with a limit on every wait for the other side."""

    def __init__(self, waiting: Waiting, **given: Any) -> None:
        super().__init__(**given)
        self._waiting = waiting
        self._timer: TimerHandle | None = None
        self._since = time.monotonic()
        """When it began to wait for the request at hand."""
        self._stalled: TimerHandle | None = None
        self._lingering: int | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._lingering is not None:
            self._lingering += len(data)
            if self._lingering > LINGER_BYTES:
                self.transport.abort()
                return
        super().data_received(data)
        if self.conn.their_state is not h11.SEND_BODY:
            self._lingering = None
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._answered and self.conn.their_state is h11.SEND_BODY and self._lingering is None:
            self._lingering = 0
            self._start(LINGER_SECONDS, self.transport.close)
        else:
            self._look()

    @property
    def _answered(self) -> bool:
        """Whether no request is in hand."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _look(self) -> None:
        """Start to wait for the next request, or end the wait when it is there."""
        if not self._answered:
            self._arrived()
        elif self._timer is None and not self.transport.is_closing():
            self._start(HEADER_SECONDS, self._too_slow)
            self._waiting[self] = None
            if len(self._waiting) > MOST_WAITING:
                next(iter(self._waiting))._give_up("displaced")

    def _start(self, seconds: float, then: Callable[[], object]) -> None:
        self._arrived()
        self._timer = self.loop.call_later(seconds, then)
        self._since = time.monotonic()

    def _arrived(self) -> None:
        self._waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self, why: str) -> None:
        CONNECTIONS_ENDED.labels(why).inc()
        self._arrived()
        self.transport.abort()

    def _too_slow(self) -> None:
        CONNECTIONS_ENDED.labels("slow").inc()
        self._arrived()
        if self.conn.trailing_data[0]:  # the beginning of a request
            self._refuse(refused("http.request_too_slow", seconds=f"{HEADER_SECONDS:g}"))
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """A request that is none, in the words of all refusals."""
        error = sys.exc_info()[1]  # uvicorn calls it where it handles what `h11` said, and hands on no reason
        if isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431:
            self._refuse(refused("http.headers_too_large", limit=HEADER_BYTES))
        else:
            self._refuse(refused("http.no_request"))
        self.transport.close()

    def _refuse(self, problem: ApiProblem) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return  # an answer is on its way already
        answer = problem.answer
        guard(answer.headers)
        headers = [*answer.raw_headers, *self.server_state.default_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=answer.status_code, headers=headers, reason=HTTPStatus(answer.status_code).phrase),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        write_unread(answer.status_code, problem.problems[0].code, time.monotonic() - self._since)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALLED_SECONDS, self._give_up, "stalled")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
