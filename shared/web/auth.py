"""Who is calling: the person whose account a bearer token names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from shared.contracts.people import Role
from shared.web.callers import Caller
from shared.web.people import Directory
from shared.web.problems import ApiProblem, refused
from shared.web.tokens import Account, Tokens

__all__ = [
    "ACCOUNT",
    "CALLER",
    "NOBODY",
    "Caller",
    "Operator",
    "Verifier",
    "Who",
    "account_of",
    "caller",
    "caller_of",
    "require_role",
]


@dataclass(frozen=True, slots=True)
class Verifier:
    """What tells who is calling: whose tokens are taken, and who the accounts are that they name."""

    tokens: Tokens
    directory: Directory


_bearer = HTTPBearer(auto_error=False)
ACCOUNT = "langhoc.account"
"""In the scope of a request: the account that its token names, once the token is good."""
CALLER = "langhoc.caller"
"""In the scope of a request: who is calling, once that is known."""
NOBODY = "langhoc.nobody"
"""In the scope of a request: the account of a good token, by which nobody acts."""


async def account_of(connection: HTTPConnection) -> Account:
    """The account that a request's token names, read once. Raises `ApiProblem`: 401 with the reason, 503."""
    if ACCOUNT not in connection.scope:
        verifier: Verifier = connection.app.state.verifier
        connection.scope[ACCOUNT] = await verifier.tokens.verify(_token(connection))
    account: Account = connection.scope[ACCOUNT]
    return account


def _token(connection: HTTPConnection) -> str:
    """The one bearer token: of two it could not be told which one a proxy has looked at."""
    given = connection.headers.getlist("Authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise refused("tokens.missing")
    return token


async def caller_of(connection: HTTPConnection) -> Caller:
    """The person whose account a request's token names, looked up once. Raises `ApiProblem`: 401, 403, 503."""
    if CALLER not in connection.scope:
        verifier: Verifier = connection.app.state.verifier
        account = await account_of(connection)
        try:
            connection.scope[CALLER] = await verifier.directory.caller(account)
        except ApiProblem:
            connection.scope[NOBODY] = account
            raise
    who: Caller = connection.scope[CALLER]
    return who


async def caller(request: Request, described: Annotated[Any, Depends(_bearer)]) -> Caller:
    """FastAPI dependency: the person who is calling. `described` shows in the API's description how that is told."""
    return await caller_of(request)


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
