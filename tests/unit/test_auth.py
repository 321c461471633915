"""Who is calling: only a signed token of ours tells, and a province sees its own."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.contracts.people import Role
from shared.messaging.clock import BusinessClock
from shared.web import problems
from shared.web.auth import Caller, caller, require_role
from shared.web.problems import ApiProblem
from shared.web.tokens import LEEWAY_SECONDS, local
from tests.fakes.memory import MemoryMongo
from tests.fakes.trust import local_verifier

KEY = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig", "kid": "current"})
HOUR = 3_600
CLAIMS: dict[str, Any] = {"iss": "langhoc-local", "aud": "langhoc", "sub": "an", "role": "province", "province": "04"}


def token(key: Any = KEY, alg: str = "ES256", *, without: str = "", **changes: Any) -> str:
    """A valid token of a province's officer, with single things changed."""
    now = int(time.time())
    claims = CLAIMS | {"iat": now - 10, "exp": now + HOUR} | changes
    claims.pop(without, None)
    return jwt.encode({"alg": alg, "kid": "current"}, claims, key, algorithms=[alg])


def write_keys(path: Path, *keys: ECKey) -> None:
    """Publish these keys."""
    path.write_text(json.dumps(KeySet(list(keys)).as_dict(private=False)))


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    write_keys(path, KEY)
    return path


@pytest.fixture
async def client(jwks: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A service with one resource per province, one query, and one resource for the ministry."""
    app = FastAPI()
    app.state.verifier = local_verifier(jwks.parent, MemoryMongo(), BusinessClock())
    problems.install(app)

    @app.get("/provinces/{code}")
    async def province(code: str, who: Annotated[Caller, Depends(caller)]) -> str:
        who.require(code, "province", code)
        return who.person

    @app.get("/query")
    async def query(who: Annotated[Caller, Depends(caller)], province: str | None = None) -> dict[str, Any]:
        return who.within(province, period=None, kind="x")

    @app.get("/ministry")
    async def ministry(who: Annotated[Caller, Depends(require_role(Role.MINISTRY))]) -> str:
        return who.person

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as found:
        yield found


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


async def test_a_valid_token_opens_its_own_province(client: httpx.AsyncClient) -> None:
    response = await client.get("/provinces/04", headers=bearer(token()))
    assert (response.status_code, response.json()) == (200, "local:an")


async def test_a_plain_header_makes_nobody_somebody(client: httpx.AsyncClient) -> None:
    """What is no good token: `tests/hostile/tokens.yaml`."""
    lies = {"X-User": "an", "X-Role": "ministry", "X-Forwarded-User": "an", "X-Province": "04", "Remote-User": "an"}
    answer = await client.get("/provinces/04", headers=lies)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")


async def test_a_header_changes_nothing_of_who_a_token_says_it_is(client: httpx.AsyncClient) -> None:
    """A9, A10: identity comes from the credential alone."""
    lies = {"X-User": "minister", "X-Role": "ministry", "X-Province": "01", "role": "ministry", "province": "01"}
    assert (await client.get("/provinces/01", headers=bearer(token()) | lies)).status_code == 404
    assert (await client.get("/ministry", headers=bearer(token()) | lies)).status_code == 403
    assert (await client.get("/provinces/04", headers=bearer(token()) | lies)).json() == "local:an"


async def test_what_is_of_another_province_is_not_there_in_words(client: httpx.AsyncClient) -> None:
    response = await client.get("/provinces/01", headers=bearer(token()))
    assert response.status_code == 404
    body = response.json()
    assert (body["code"], body["status"]) == ("not_found", 404)
    assert "01" in body["message"]["vi"]
    assert body["mend"]["en"]


@pytest.mark.parametrize("role", ["ministry", "finance", "auditor"])
async def test_national_roles_see_every_province(client: httpx.AsyncClient, role: str) -> None:
    national = bearer(token(role=role, without="province"))
    assert (await client.get("/provinces/01", headers=national)).status_code == 200
    assert (await client.get("/query", headers=national)).json() == {"kind": "x"}
    assert (await client.get("/query?province=01", headers=national)).json() == {"province": "01", "kind": "x"}


async def test_a_query_of_a_province_is_always_within_it(client: httpx.AsyncClient) -> None:
    assert (await client.get("/query", headers=bearer(token()))).json() == {"province": "04", "kind": "x"}
    assert (await client.get("/query?province=01", headers=bearer(token()))).json()["code"] == "other_province"


@pytest.mark.parametrize("role", ["province", "finance", "auditor"])
async def test_a_role_that_is_not_allowed_is_told_which_is(client: httpx.AsyncClient, role: str) -> None:
    response = await client.get("/ministry", headers=bearer(token(role=role)))
    assert (response.status_code, response.json()["code"]) == (403, "role_not_allowed")
    assert "ministry" in response.json()["mend"]["en"]


async def test_a_rotated_key_counts_at_once_and_a_withdrawn_one_no_more(client: httpx.AsyncClient, jwks: Path) -> None:
    new = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig", "kid": "next"})
    now = int(time.time())
    signed = jwt.encode({"alg": "ES256", "kid": "next"}, CLAIMS | {"iat": now, "exp": now + HOUR}, new)
    assert (await client.get("/provinces/04", headers=bearer(signed))).status_code == 401

    write_keys(jwks, KEY, new)
    assert (await client.get("/provinces/04", headers=bearer(signed))).status_code == 200
    assert (await client.get("/provinces/04", headers=bearer(token()))).status_code == 200

    write_keys(jwks, new)
    assert (await client.get("/provinces/04", headers=bearer(token()))).status_code == 401


@pytest.mark.parametrize("skew", [600.0, -600.0])
async def test_the_age_of_a_token_is_judged_by_the_corrected_clock(jwks: Path, skew: float) -> None:
    """A host ten minutes fast refused tokens that were valid; one ten minutes slow took those that had expired."""
    clock = BusinessClock(86_400 * 365, skew_seconds=skew)
    await clock.measure(MemoryMongo())
    tokens, now = local(str(jwks), clock), int(time.time())
    taken = await tokens.verify(token(iat=now - 10, nbf=now, exp=now + 300))
    assert taken.subject == "an", "and simulated time is no time"
    assert (await tokens.verify(token(exp=now - LEEWAY_SECONDS // 2))).subject == "an"
    for refused in (token(exp=now - LEEWAY_SECONDS - 5), token(nbf=now + LEEWAY_SECONDS + 5)):
        with pytest.raises(ApiProblem):
            await tokens.verify(refused)
    assert LEEWAY_SECONDS <= 60
