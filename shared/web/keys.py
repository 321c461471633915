"""The public keys that tokens are signed with: of this machine's platform, or of an OpenID Connect issuer.

An issuer is asked on a beat, never by every request. Whoever is away is done without for a while: what is known counts
on for a bounded time, and health tells of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from pydantic import BaseModel, TypeAdapter

from shared.messaging.operate.runtime import Check
from shared.telemetry import metrics
from shared.web.problems import RETRY_SECONDS, refused

log = structlog.get_logger()
BEAT_SECONDS = 60.0
"""Between two looks at an issuer's keys: for so long at most does a key count that the issuer has withdrawn."""
KEEP_SECONDS = 3_600.0
"""How long the keys count that were read last, while the issuer does not answer. Longer than it is restarted for, and
short enough for a stolen key that it would have withdrawn."""
LOOK_AGAIN_SECONDS = 5.0
"""Between two looks that unknown keys make us take: whoever invents key names cannot make us flood the issuer."""
ANSWER_SECONDS = 5.0
MOST_BYTES = 256 * 1024
"""Of what an issuer answers."""
MOST_WAITING = 16
"""Requests that wait for one look; the others are asked to come again."""


class Keys(Protocol):
    """Where the keys are."""

    async def known(self) -> KeySet:
        """The keys that count now. Raises `ApiProblem` (503) where none are known."""

    async def looked_up_again(self) -> KeySet:
        """The same for somebody whose key is not among them: read once more, within bounds."""

    async def follow(self) -> None:
        """Keep them true until cancelled."""

    def check(self) -> Check:
        """What readiness tells of them."""


class KeysInFile:
    """Keys in a file, which is read again when it changes."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._read_at = -1
        self._keys = KeySet([])

    async def known(self) -> KeySet:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read_at:
                self._keys = _signing(json.loads(self._path.read_bytes()))
                self._read_at = changed
        except (OSError, ValueError) as error:
            log.error("keys.unreadable", file=str(self._path), error=repr(error))
            raise refused("tokens.issuer_away", seconds=RETRY_SECONDS) from error
        return self._keys

    async def looked_up_again(self) -> KeySet:
        return self._keys

    async def follow(self) -> None:
        """Nothing: every look is a new one."""

    def check(self) -> Check:
        return Check("tokens", self._path.exists(), f"keys of {self._path}")


class _Discovered(BaseModel):
    """What is used of an issuer's configuration (OpenID Connect Discovery 1.0)."""

    issuer: str
    jwks_uri: str


class IssuerKeys:
    """Keys as an OpenID Connect issuer publishes them."""

    def __init__(
        self,
        issuer: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._transport = transport
        self._monotonic = monotonic
        self._keys = KeySet([])
        self._read_at = float("-inf")
        self._looked_at = float("-inf")
        self._error: str | None = None
        self._look: asyncio.Task[None] | None = None
        self._waiting = 0

    async def known(self) -> KeySet:
        if self._monotonic() - self._read_at > KEEP_SECONDS:
            raise refused("tokens.issuer_away", seconds=RETRY_SECONDS)
        return self._keys

    async def looked_up_again(self) -> KeySet:
        running = self._look is not None and not self._look.done()
        if not running and self._monotonic() - self._looked_at < LOOK_AGAIN_SECONDS:
            return self._keys
        if self._waiting >= MOST_WAITING:
            raise refused("tokens.issuer_away", seconds=RETRY_SECONDS)
        self._waiting += 1
        try:
            await asyncio.shield(self._looking())  # whoever leaves takes nothing from the others who wait
        finally:
            self._waiting -= 1
        return self._keys

    async def follow(self) -> None:
        begun = self._monotonic()
        while True:
            await self._looking()
            metrics.KEYS_AGE.set(self._monotonic() - max(self._read_at, begun))
            await asyncio.sleep(LOOK_AGAIN_SECONDS if self._error else BEAT_SECONDS)

    def check(self) -> Check:
        age = self._monotonic() - self._read_at
        if age > KEEP_SECONDS:
            return Check("tokens", False, f"no keys of {self._issuer}: {self._error or 'not asked yet'}")
        said = f"{len(self._keys.keys)} keys of {self._issuer}, read {age:.0f} s ago"
        if self._error:
            said += f"; it does not answer ({self._error}), and they count for {KEEP_SECONDS - age:.0f} s more"
        return Check("tokens", True, said)

    def _looking(self) -> asyncio.Task[None]:
        """The one look at a time."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._ask(), name="issuer's keys")
        return self._look

    async def _ask(self) -> None:
        self._looked_at = self._monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._keys = await self._published()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, RecursionError) as error:
            if self._error is None:
                log.warning("issuer.away", issuer=self._issuer, error=repr(error)[:300])
            self._error = repr(error)[:200]
            return
        self._read_at, self._error = self._monotonic(), None

    async def _published(self) -> KeySet:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, transport=self._transport) as http:
            configuration = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            found = TypeAdapter(_Discovered).validate_json(await _read(http, configuration))
            if found.issuer != self._issuer:
                raise ValueError(f"{configuration} is of another issuer")
            if httpx.URL(found.jwks_uri).scheme != httpx.URL(self._issuer).scheme:
                raise ValueError("its keys do not come the way that it does")
            return _signing(json.loads(await _read(http, found.jwks_uri)))


async def _read(http: httpx.AsyncClient, url: str) -> bytes:
    """An answer within bounds. A redirect is no answer: whom we trust is named in the settings."""
    body = bytearray()
    async with http.stream("GET", url) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"{url} answered {answer.status_code}")
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > MOST_BYTES:
                raise ValueError(f"{url} answered more than {MOST_BYTES} bytes")
    return bytes(body)


def _signing(published: Any) -> KeySet:
    """The keys of a set that are named and sign; secrets and keys that encrypt are nothing to check a token with.

    Raises `ValueError`: it is no key set, or has no such key.
    """
    keys = published.get("keys") if isinstance(published, dict) else None
    if not isinstance(keys, list):
        raise ValueError("no key set")
    found = [key for one in keys if (key := _key(one)) is not None]
    if not found:
        raise ValueError("it publishes no key that signs")
    return KeySet(found)


def _key(published: Any) -> Key | None:
    """A key that signs; of any other the issuer's other keys take no harm."""
    fits = (
        isinstance(published, dict)
        and published.get("kty") in ("RSA", "EC", "OKP")
        and published.get("use", "sig") == "sig"
        and isinstance(published.get("kid"), str)
    )
    try:
        return JWKRegistry.import_key(published) if fits else None
    except (JoseError, ValueError, TypeError):
        return None
