"""How many requests are in hand at once."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.web.auth import ACCOUNT
from shared.web.problems import refused
from shared.web.tokens import Account

AT_ONCE = 120
"""Requests of a process, from their first byte of body to the last of their answer."""
OF_ONE = 30
"""Those of one account, however its tokens are written, and of all together who ask without one for what is open: who
asks without end keeps others from nothing."""
NEVER_REFUSED = ("/health/live", "/health/ready", "/metrics")
"""What supervisor and monitor ask just when there is too much of everything."""


class Crowds:
    """ASGI middleware: what is beyond the limits is refused at once, and never waits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._in_hand: Counter[Account | None] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["path"] in NEVER_REFUSED:
            await self._app(scope, receive, send)
            return
        who: Account | None = scope.get(ACCOUNT)
        if self._in_hand.total() >= AT_ONCE or self._in_hand[who] >= OF_ONE:
            await refused("http.crowded", limit=OF_ONE).answer(scope, receive, send)
            return
        self._in_hand[who] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_hand[who] -= 1
            if not self._in_hand[who]:
                del self._in_hand[who]
