"""Who is calling: whoever the account is that a bearer token names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from shared.web.problems import refused
from shared.web.tokens import Account, Role, Tokens

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
    """Tells who is calling, from the account that a token names."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    async def verify(self, account: Account) -> Caller:
        """The caller. Raises `ApiProblem` (401): the token does not say what this account may do."""
        if account.role is None:
            raise refused("tokens.claim", claim="role")
        if account.role is Role.PROVINCE and account.province is None:
            raise refused("tokens.claim", claim="province")
        return Caller(account.subject, account.role, account.province)


_bearer = HTTPBearer(auto_error=False)
_ACCOUNT = "langhoc.account"
CALLER = "langhoc.caller"
"""In the scope of a request: who is calling, once that is known."""


async def account_of(connection: HTTPConnection) -> Account:
    """The account that a request's token names, read once. Raises `ApiProblem`: 401 with the reason, 503."""
    if _ACCOUNT not in connection.scope:
        verifier: Verifier = connection.app.state.verifier
        connection.scope[_ACCOUNT] = await verifier.tokens.verify(_token(connection))
    account: Account = connection.scope[_ACCOUNT]
    return account


def _token(connection: HTTPConnection) -> str:
    """The one bearer token: of two it could not be told which one a proxy has looked at."""
    given = connection.headers.getlist("Authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise refused("tokens.missing")
    return token


async def caller(request: Request, described: Annotated[Any, Depends(_bearer)]) -> Caller:
    """FastAPI dependency: the authenticated caller. `described` shows in the API's description how one is."""
    verifier: Verifier = request.app.state.verifier
    who = request.scope[CALLER] = await verifier.verify(await account_of(request))
    return who


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
