"""Tokens of a real Keycloak: what is taken, what is not, while its keys change, and when it is away."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from shared.contracts.people import Role
from shared.messaging.clock import BusinessClock
from shared.messaging.settings import ServiceSettings
from shared.web import keys
from shared.web.problems import ApiProblem
from shared.web.tokens import Tokens, trusted
from tests.oidc.keycloak import Keycloak, running

pytestmark = pytest.mark.oidc


class MovableClock(BusinessClock):
    """The real time, and as much as a test adds."""

    ahead = timedelta()

    def real(self) -> datetime:
        return super().real() + self.ahead


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    with running(tmp_path_factory.mktemp("keycloak")) as found:
        yield found


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def tokens(keycloak: Keycloak, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    """As a service makes it of its settings; unknown keys make it look at once, for no test waits for time to pass."""
    monkeypatch.setattr(keys, "LOOK_AGAIN_SECONDS", 0.0)
    settings = ServiceSettings(kafka="-", mongo="-", stage="local", issuer=keycloak.issuer())
    return trusted(settings, clock)


async def refused(tokens: Tokens, token: str) -> tuple[int, str]:
    """Status and code of the refusal of a token."""
    with pytest.raises(ApiProblem) as found:
        await tokens.verify(token)
    return found.value.status, found.value.problems[0].code


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unchecked."""
    header, claims, _ = token.split(".")
    return json.loads(urlsafe_b64decode(header.encode())), json.loads(urlsafe_b64decode(claims.encode()))


def packed(header: Any, claims: Any) -> bytes:
    return b".".join(urlsafe_b64encode(json.dumps(part).encode()) for part in (header, claims))


async def look(tokens: Tokens) -> None:
    await tokens.keys.looked_up_again()


async def test_an_access_token_names_the_account_and_what_it_says_of_it(keycloak: Keycloak, tokens: Tokens) -> None:
    assert not tokens.keys.check().ok, "before the issuer was asked it is not ready"
    await look(tokens)
    assert tokens.keys.check().ok
    account = await tokens.verify(keycloak.token())
    assert (account.issuer, account.role, account.province) == (keycloak.issuer(), Role.PROVINCE, "01")
    assert account.subject == keycloak.user("an")["id"]


async def test_a_name_that_looks_alike_is_another_account_and_a_new_name_the_same(
    keycloak: Keycloak, tokens: Tokens
) -> None:
    await look(tokens)
    before = await tokens.verify(keycloak.token())
    alike = await tokens.verify(keycloak.token(user="аn"))
    assert alike.subject != before.subject
    assert parts(keycloak.token(user="аn"))[1]["sub"] == alike.subject, "the name that people see is not asked for"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"kind": "id"}, "token_not_for_access"),
        ({"kind": "refresh"}, "token_algorithm"),
        ({"client": "another-system"}, "token_audience"),
        ({"client": "another-system", "kind": "id"}, "token_audience"),
        ({"client": "langhoc-forever"}, "token_lives_too_long"),
        ({"user": "many"}, "token_claim"),
        ({"realm": "other"}, "token_key_unknown"),
        ({"realm": "other", "kind": "id"}, "token_key_unknown"),
        ({"realm": "other", "client": "another-system"}, "token_key_unknown"),
    ],
    ids=str,
)
async def test_a_token_that_is_genuine_and_not_for_us_is_refused(
    keycloak: Keycloak, tokens: Tokens, given: dict[str, Any], code: str
) -> None:
    await look(tokens)
    assert await refused(tokens, keycloak.token(**given)) == (401, code)


async def test_a_token_of_another_issuer_whose_keys_are_known_is_refused(
    keycloak: Keycloak, tokens: Tokens, clock: MovableClock
) -> None:
    """Were the other realm's keys published among ours, its name would still not be."""
    other = trusted(ServiceSettings(kafka="-", mongo="-", stage="local", issuer=keycloak.issuer("other")), clock)
    await look(other)
    assert (await other.verify(keycloak.token(realm="other"))).issuer == keycloak.issuer("other")
    tokens.keys = other.keys
    assert await refused(tokens, keycloak.token(realm="other")) == (401, "token_issuer")


async def test_what_is_made_of_a_genuine_token_is_refused(keycloak: Keycloak, tokens: Tokens) -> None:
    await look(tokens)
    token = keycloak.token()
    header, claims = parts(token)
    better = claims | {"role": "ministry"}
    first, second, signature = token.split(".")
    (published,) = [one for one in (await tokens.keys.known()).keys if one.kid == header["kid"]]
    assert isinstance(published, RSAKey)
    confused = packed(header | {"alg": "HS256"}, better)
    of_public_key = hmac.digest(published.as_pem(private=False), confused, "sha256")
    made = {
        f"{packed(header, better).decode()}.{signature}": "token_signature",
        f"{packed(header | {'alg': 'none'}, better).decode()}.": "token_algorithm",
        f"{confused.decode()}.{urlsafe_b64encode(of_public_key).decode()}": "token_algorithm",
        f"{packed(header | {'alg': 'ES256'}, better).decode()}.{signature}": "token_malformed",
        f"{packed(header | {'jku': 'https://evil.example'}, claims).decode()}.{signature}": "token_malformed",
        f"{first}.{second}.": "token_signature",
        f"{first}.{second}.{signature[:-8]}AAAAAAAA": "token_signature",
        f"{first}.{second}": "token_malformed",
    }
    assert {each: (await refused(tokens, each))[1] for each in made} == made
    assert (await tokens.verify(token)).role is Role.PROVINCE


async def test_time_ends_what_the_issuer_took_back(keycloak: Keycloak, tokens: Tokens, clock: MovableClock) -> None:
    """An account is disabled: the issuer gives no more tokens, and those it gave are over within their short life."""
    await look(tokens)
    given = keycloak.tokens("langhoc-cli", "an").json()
    user = keycloak.user("an")
    keycloak.admin("PUT", f"/realms/langhoc/users/{user['id']}", user | {"enabled": False})
    try:
        renewal = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        assert keycloak.tokens("langhoc-cli", "an", **renewal).status_code == 400
        assert keycloak.tokens("langhoc-cli", "an").status_code in (400, 401)
        assert (await tokens.verify(given["access_token"])).subject == user["id"], "the directory ends it sooner"
        clock.ahead = timedelta(seconds=ServiceSettings(kafka="-", mongo="-").token_seconds + 31)
        assert await refused(tokens, given["access_token"]) == (401, "token_expired")
    finally:
        keycloak.admin("PUT", f"/realms/langhoc/users/{user['id']}", user)
    clock.ahead = timedelta(seconds=-300)
    assert await refused(tokens, keycloak.token()) == (401, "token_not_yet_valid")


async def test_a_session_that_has_ended_gives_no_more_tokens(keycloak: Keycloak, tokens: Tokens) -> None:
    given = keycloak.tokens("langhoc-cli", "an").json()
    keycloak.admin("POST", f"/realms/langhoc/users/{keycloak.user('an')['id']}/logout")
    renewal = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert keycloak.tokens("langhoc-cli", "an", **renewal).status_code == 400


async def test_keys_change_and_a_withdrawn_one_counts_no_more(keycloak: Keycloak, tokens: Tokens) -> None:
    await look(tokens)
    old = keycloak.token()
    realm = keycloak.admin("GET", "/realms/langhoc")["id"]
    providers = keycloak.admin("GET", f"/realms/langhoc/components?type=org.keycloak.keys.KeyProvider&parent={realm}")
    (before,) = [one for one in providers if one["providerId"] == "rsa-generated"]
    new = {"name": "new", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider"}
    config = {"priority": ["1000"], "keySize": ["2048"]}
    keycloak.admin("POST", "/realms/langhoc/components", new | {"parentId": realm, "config": config})
    token = keycloak.token()
    assert parts(token)[0]["kid"] != parts(old)[0]["kid"]
    assert (await tokens.verify(token)).subject == (await tokens.verify(old)).subject, "both count at once"

    keycloak.admin("DELETE", f"/realms/langhoc/components/{before['id']}")
    await look(tokens)
    assert await refused(tokens, old) == (401, "token_key_unknown")
    assert (await tokens.verify(token)).province == "01"


async def test_when_it_is_away_known_keys_count_for_a_while(  # the last one: it does not come back
    keycloak: Keycloak, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    await look(tokens)
    token = keycloak.token()
    keycloak.kill()
    await look(tokens)
    assert (await tokens.verify(token)).province == "01"
    assert (tokens.keys.check().ok, "does not answer" in tokens.keys.check().detail) == (True, True)
    monkeypatch.setattr(keys, "KEEP_SECONDS", 0.0)
    assert await refused(tokens, token) == (503, "issuer_away")
    assert not tokens.keys.check().ok
