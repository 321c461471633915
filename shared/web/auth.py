"""Bearer tokens: signed JWTs, checked against a key set. There is no identity by plain header."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.messaging.clock import BusinessClock
from shared.web.problems import refused

AUDIENCE = "langhoc"
LEEWAY_SECONDS = 30
"""By how much the issuer's clock may differ from ours."""
ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "RS256"]


class Role(StrEnum):
    """What a caller may do."""

    MINISTRY = "ministry"
    PROVINCE = "province"
    FINANCE = "finance"
    AUDITOR = "auditor"


NATIONAL = frozenset({Role.MINISTRY, Role.FINANCE, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, from the token."""

    subject: str
    role: Role
    province: str | None

    def may_see(self, province: str) -> bool:
        """A province sees its own data; ministry, finance and auditors see all."""
        return self.role in NATIONAL or self.province == province

    def within(self, province: str | None, **filters: Any) -> dict[str, Any]:
        """A query for what was asked (filters that are `None` do not count), within what the caller may see.

        Raises 403 when another province's data was asked for.
        """
        if province is not None:
            self.require(province)
        elif self.role not in NATIONAL:
            province = self.province
        return {name: value for name, value in {"province": province, **filters}.items() if value is not None}

    def require(self, province: str) -> None:
        """Raise 403 unless the caller may see data of this province."""
        if not self.may_see(province):
            raise refused("http.other_province", province=province)


class Verifier:
    """Checks tokens against the key set, which is read again when the file changes (key rotation)."""

    def __init__(self, jwks_path: str, clock: BusinessClock | None = None) -> None:
        clock = clock or BusinessClock()
        self._path = Path(jwks_path)
        self._read_at = -1
        self._keys: KeySet | None = None
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock.real().timestamp()),  # never the simulated time: tokens are real
            leeway=LEEWAY_SECONDS,
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )

    def _key_set(self) -> KeySet:
        changed = self._path.stat().st_mtime_ns
        if self._keys is None or changed != self._read_at:
            self._keys = KeySet.import_key_set(json.loads(self._path.read_text()))
            self._read_at = changed
        return self._keys

    def verify(self, token: str) -> Caller:
        """The caller, or 401 with the reason."""
        try:
            decoded = jwt.decode(token, self._key_set(), algorithms=ALGORITHMS)
            self._claims.validate(decoded.claims)
            province = decoded.claims.get("province")
            role = Role(decoded.claims.get("role", ""))
        except (JoseError, ValueError) as error:
            raise refused("http.unauthenticated", reason=error) from error
        if role is Role.PROVINCE and not isinstance(province, str):
            raise refused("http.unauthenticated", reason="a province's token must name the province")
        return Caller(str(decoded.claims["sub"]), role, province if isinstance(province, str) else None)


_bearer = HTTPBearer(auto_error=False)


def caller(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    """FastAPI dependency: the authenticated caller."""
    if credentials is None:
        raise refused("http.unauthenticated", reason="no bearer token")
    verifier: Verifier = request.app.state.verifier
    return verifier.verify(credentials.credentials)


def require_role(*roles: Role) -> Callable[[Caller], Caller]:
    """FastAPI dependency: a caller with one of these roles, else 403."""

    def check(who: Annotated[Caller, Depends(caller)]) -> Caller:
        if who.role not in roles:
            raise refused("http.role_not_allowed", role=who.role, roles=", ".join(roles))
        return who

    return check


Who = Annotated[Caller, Depends(caller)]
"""Anybody with a token, as a route takes it."""
Operator = Annotated[Caller, Depends(require_role(Role.MINISTRY))]
"""An operator of the ministry."""
