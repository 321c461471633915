"""Who may be read at all: a bearer token is checked before a byte of the body, and bad ones are answered ever later."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.telemetry import metrics
from shared.web.auth import account_of
from shared.web.problems import ApiProblem, refused

OPEN = frozenset({"/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json", "/contracts"})
"""What a supervisor, a monitor and a reader of the documentation may ask without a token: it speaks of nobody."""
ASSETS = ("/static/swagger/", "/contracts/")
"""What stands beside them, in files."""
REFUSED = "langhoc.refused"
"""In the scope of a request: the code of the refusal of its token."""

FREE = 5
"""Refusals in a row that a source may have for nothing: a token that ran out, a mistyped header."""
STEP_SECONDS, MOST_SECONDS = 0.1, 2.0
"""By how much the answer to each further one is later, and how late it is at most."""
FORGET_SECONDS = 2.0
"""After which one refusal of a source is forgotten."""
MOST_SOURCES = 1_024
"""Of which refusals are remembered; of more, the one is forgotten that had none for longest."""
MOST_HELD, MOST_HELD_OF_ONE = 32, 4
"""Answers that are held back at once. They are the only ones who wait: a good token is never held up by bad ones."""


def is_open(scope: Scope) -> bool:
    """Whether a request needs no token: to look at something that is open. Anything else needs one, known or not."""
    path: str = scope["path"]
    return scope["method"] in ("GET", "HEAD") and (path in OPEN or path.startswith(ASSETS))


class Admission:
    """ASGI middleware: a request whose token is not good goes no further, and nothing of its body is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._refusals = Refusals()
        self._held: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and not is_open(scope):
            try:
                await account_of(HTTPConnection(scope))
            except ApiProblem as problem:
                answered = await self._slowed(problem, source_of(scope)) if problem.status == 401 else problem
                scope[REFUSED] = problem.problems[0].code
                metrics.TOKENS_REFUSED.labels(scope[REFUSED]).inc()
                await answered.answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _slowed(self, problem: ApiProblem, source: str) -> ApiProblem:
        """The refusal after its pause, or that there are too many of them to hold one more back."""
        pause = self._refusals.pause(source)
        if not pause:
            return problem
        if self._held.total() >= MOST_HELD or self._held[source] >= MOST_HELD_OF_ONE:
            return refused("tokens.too_many", seconds=int(MOST_SECONDS))
        self._held[source] += 1
        try:
            await asyncio.sleep(pause)
        finally:
            self._held[source] -= 1
            if not self._held[source]:
                del self._held[source]
        return problem


@dataclass(slots=True)
class _Refused:
    """Refusals of a source, less those that are forgotten."""

    count: float
    at: float


class Refusals:
    """How often tokens of a source were refused lately. Bounded, however many sources there are."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._of: OrderedDict[str, _Refused] = OrderedDict()

    def pause(self, source: str) -> float:
        """Note one more; returns for how many seconds its answer is held back."""
        now = self._monotonic()
        last = self._of.pop(source, _Refused(0, now))
        count = max(0.0, last.count - (now - last.at) / FORGET_SECONDS) + 1
        count = min(count, FREE + MOST_SECONDS / STEP_SECONDS)  # however long it went on, it is forgotten in a minute
        self._of[source] = _Refused(count, now)
        if len(self._of) > MOST_SOURCES:
            self._of.popitem(last=False)
        return min(MOST_SECONDS, STEP_SECONDS * max(0.0, count - FREE))

    def __len__(self) -> int:
        return len(self._of)


def source_of(scope: Scope) -> str:
    """Where a request comes from: an IPv4 address, or the network of an IPv6 one, of which a host has 2^64."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(address), 64), strict=False))
        address = address.ipv4_mapped
    return str(address)
