"""An issuer's keys: read on a beat and for unknown names, within bounds, and done without for a bounded time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from shared.telemetry import metrics
from shared.web import keys
from shared.web.keys import KEEP_SECONDS, LOOK_AGAIN_SECONDS, MOST_BYTES, MOST_WAITING, IssuerKeys, KeysInFile
from shared.web.problems import ApiProblem

ISSUER = "https://sso.example/realms/langhoc"
CONFIGURATION = "/realms/langhoc/.well-known/openid-configuration"
PUBLISHED = {"issuer": ISSUER, "jwks_uri": "https://sso.example/certs"}


def key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


class Issuer:
    """An issuer that answers what it is told to, at a time that passes when it is told to."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], httpx.Response]] = {}
        self.asked: list[str] = []
        self.was_asked = asyncio.Event()
        self.now = 1_000.0
        self.publish(key("first"))
        self.configured(PUBLISHED)
        self.keys = IssuerKeys(ISSUER, transport=httpx.MockTransport(self._answer), monotonic=lambda: self.now)

    def configured(self, document: Any) -> None:
        self.answers[CONFIGURATION] = lambda: httpx.Response(200, json=document)

    def publish(self, *published: Any) -> None:
        document = {"keys": [one if isinstance(one, dict) else one.as_dict(private=False) for one in published]}
        self.answers["/certs"] = lambda: httpx.Response(200, json=document)

    def fail(self, failure: Exception | int) -> None:
        def answer() -> httpx.Response:
            if isinstance(failure, int):
                return httpx.Response(failure)
            raise failure

        self.answers = dict.fromkeys(self.answers, answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        self.was_asked.set()
        return self.answers[request.url.path]()

    async def asked_often(self) -> None:
        """A whole look that begins after this moment is among the next five questions."""
        for _ in range(5):
            self.was_asked.clear()
            await self.was_asked.wait()

    async def look(self) -> list[str]:
        """The names of the keys that count, after a look that is not too soon."""
        self.now += LOOK_AGAIN_SECONDS
        return names(await self.keys.looked_up_again())


def names(found: KeySet) -> list[str]:
    return [str(one.kid) for one in found.keys]


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


async def test_before_the_issuer_was_asked_nobody_is_let_in_and_nobody_told_that_a_token_is_bad(issuer: Issuer) -> None:
    with pytest.raises(ApiProblem) as refused:
        await issuer.keys.known()
    assert (refused.value.status, refused.value.problems[0].code) == (503, "issuer_away")
    assert not issuer.keys.check().ok


async def test_a_key_that_is_new_is_found_and_one_that_is_withdrawn_counts_no_more(issuer: Issuer) -> None:
    assert await issuer.look() == ["first"]
    issuer.publish(key("first"), key("second"))
    assert await issuer.look() == ["first", "second"]
    issuer.publish(key("second"))
    assert await issuer.look() == names(await issuer.keys.known()) == ["second"]
    assert issuer.keys.check().ok


async def test_names_that_nobody_knows_make_one_look_at_a_time_and_none_too_soon(issuer: Issuer) -> None:
    await issuer.look()
    asked = len(issuer.asked)
    for _ in range(100):
        await issuer.keys.looked_up_again()
    assert len(issuer.asked) == asked, "the last look is not long ago"

    hold = asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        await hold.wait()
        return await issuer._answer(request)

    issuer.keys._transport = httpx.MockTransport(slow)
    issuer.now += LOOK_AGAIN_SECONDS
    waiting = [asyncio.create_task(issuer.keys.looked_up_again()) for _ in range(MOST_WAITING + 5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    sent_away = [one for one in waiting if one.done()]
    assert {type(one.exception()) for one in sent_away} == {ApiProblem}
    assert len(sent_away) == 5, "they do not pile up: the others' requests go on"
    assert names(await issuer.keys.known()) == ["first"], "and whose key is known waits for nobody"
    waiting[0].cancel()
    hold.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(one, KeySet) for one in done) == MOST_WAITING - 1
    assert issuer.asked[asked:] == [CONFIGURATION, "/certs"]


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), 500, 404, 302, ValueError("odd")]
)
async def test_an_issuer_that_is_away_is_done_without_for_a_bounded_time(
    issuer: Issuer, failure: Exception | int
) -> None:
    await issuer.look()
    before = dict(issuer.answers)
    issuer.fail(failure)
    assert await issuer.look() == ["first"]
    check = issuer.keys.check()
    assert (check.ok, "does not answer" in check.detail) == (True, True), "readiness tells"

    issuer.now += KEEP_SECONDS
    with pytest.raises(ApiProblem) as refused:
        await issuer.keys.known()
    assert refused.value.status == 503
    assert not issuer.keys.check().ok

    issuer.answers = before
    assert await issuer.look() == names(await issuer.keys.known()) == ["first"]
    assert "does not answer" not in issuer.keys.check().detail


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example", "jwks_uri": "https://sso.example/certs"},
        {"issuer": ISSUER + "/", "jwks_uri": "https://sso.example/certs"},
        {"issuer": ISSUER, "jwks_uri": "http://sso.example/certs"},
        {"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"},
        {"issuer": ISSUER, "jwks_uri": "https://sso.example:port/certs"},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": None},
        {},
        [],
        None,
        "x" * (MOST_BYTES + 1),
    ],
)
async def test_a_configuration_that_is_not_the_issuers_own_leads_to_no_key(issuer: Issuer, document: Any) -> None:
    issuer.configured(document)
    assert await issuer.look() == []
    assert not issuer.keys.check().ok
    assert "/certs" not in issuer.asked


@pytest.mark.parametrize(
    "published",
    [
        OctKey.generate_key(256, {"kid": "secret"}).as_dict(private=True),
        RSAKey.generate_key(2048, {"kid": "closing", "use": "enc"}).as_dict(private=False),
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "no point of the curve"},
        {"kty": "RSA", "n": None, "e": [], "kid": "no numbers"},
        {"kty": "AKP", "kid": "of-tomorrow"},
        {"kid": "without a kind"},
        {"kty": "RSA", "kid": ["list"]},
        {},
    ],
)
async def test_what_is_no_named_public_key_that_signs_is_passed_over(issuer: Issuer, published: Any) -> None:
    issuer.publish(published, key("good"))
    assert await issuer.look() == ["good"]
    issuer.publish(published)
    assert await issuer.look() == ["good"], "a set without keys is a fault of the issuer's, not the end of all tokens"
    assert "publishes no key" in issuer.keys.check().detail


@pytest.mark.parametrize(
    "answered", [b"", b"{", b"[]", b'{"keys": null}', b'{"keys": {}}', b"\xff", b"<html>", b"[" * 200_000]
)
async def test_an_answer_that_is_no_key_set_changes_nothing(issuer: Issuer, answered: bytes) -> None:
    await issuer.look()
    issuer.answers["/certs"] = lambda: httpx.Response(200, content=answered)
    assert await issuer.look() == ["first"]


async def test_the_issuer_is_followed_until_the_end(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(keys, "LOOK_AGAIN_SECONDS", 0.01)
    following = asyncio.create_task(issuer.keys.follow())
    for kid in ("first", "second"):
        issuer.publish(key(kid))
        await issuer.asked_often()
        assert names(await issuer.keys.known()) == [kid]
        assert metrics.KEYS_AGE._value.get() == 0
    issuer.fail(500)
    issuer.now += 500
    await issuer.asked_often()
    assert metrics.KEYS_AGE._value.get() == 500, "which an alert watches"
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


async def test_a_key_file_that_is_away_is_told_and_read_when_it_is_there(tmp_path: Any) -> None:
    file = tmp_path / "jwks.json"
    found = KeysInFile(str(file))
    assert not found.check().ok
    with pytest.raises(ApiProblem) as refused:
        await found.known()
    assert refused.value.status == 503
    file.write_text(json.dumps(KeySet([key("first")]).as_dict(private=False)))
    assert names(await found.known()) == ["first"]
    assert found.check().ok
