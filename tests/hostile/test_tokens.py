"""Every token of `tokens.yaml` is answered with its refusal, in words, and lets nobody in."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
import yaml
from fastapi import Depends, FastAPI
from joserfc import jwe
from joserfc.jwk import ECKey, KeySet, OctKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from shared.messaging.clock import BusinessClock
from shared.web import problems
from shared.web.auth import Caller, caller
from tests.fakes.memory import MemoryMongo
from tests.fakes.trust import local_verifier

INPUTS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "tokens.yaml").read_text(encoding="utf-8"))
HOUR = 3_600
KEY = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig", "kid": "current"})
STRANGER = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig", "kid": "current"})
CLOSED = ECKey.generate_key("P-256", {"kid": "current"})
SECRET = OctKey.import_key(json.dumps(KEY.as_dict(private=False)))


def part(value: str | bytes) -> bytes:
    return urlsafe_b64encode(value.encode() if isinstance(value, str) else value)


def signed(header: str, payload: str, key: Any = KEY, alg: str = "ES256") -> str:
    """A token with its parts as they are given, whatever they are."""
    content = part(header) + b"." + part(payload)
    return (content + b"." + urlsafe_b64encode(JWSRegistry.algorithms[alg].sign(content, key))).decode()


def made(given: dict[str, Any]) -> str:
    """The token that an input describes."""
    now = int(time.time())
    times = given.get("times", 1)
    if "raw" in given:
        return str(given["raw"]) * int(times)
    claims: dict[str, Any] = {
        "iss": "langhoc-local",
        "aud": "langhoc",
        "sub": "an",
        "role": "province",
        "province": "04",
    }
    claims |= {"iat": now - 60, "exp": now + HOUR}
    claims |= {name: value * times if times > 1 else value for name, value in given.get("claims", {}).items()}
    claims |= {name: now + seconds for name, seconds in given.get("from_now", {}).items()}
    claims = {name: value for name, value in claims.items() if name not in given.get("without", ())}
    header: dict[str, Any] = {"alg": "ES256", "kid": "current", "typ": "JWT"} | given.get("header", {})
    header = {name: value for name, value in header.items() if name not in given.get("header_without", ())}
    first = given.get("header_text") or json.dumps(header)
    payload = given.get("payload", json.dumps(claims)).replace("{400 zeros}", "0" * 400)
    token = signed(first, payload)
    match given.get("made"):
        case "cut":
            return token[:-20]
        case "unsigned":
            return token.rpartition(".")[0] + "."
        case "four_parts":
            return f"{token}.{part('x').decode()}"
        case "nested":
            return signed(first, token)
        case "encrypted":
            return jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A128GCM", "kid": "current"}, payload, CLOSED)
        case "hmac":
            return signed(json.dumps(header | {"alg": "HS256"}), payload, SECRET, "HS256")
        case "by_a_stranger":
            return signed(first, payload, STRANGER)
        case "exchanged":
            better = part(json.dumps(claims | {"role": "ministry"})).decode()
            return ".".join([token.split(".")[0], better, token.split(".")[2]])
        case _:
            return token


@pytest.fixture
async def client(tmp_path: Path) -> Any:
    """One resource for anybody whose token is taken."""
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(KeySet([KEY]).as_dict(private=False)))
    app = FastAPI()
    app.state.verifier = local_verifier(keys.parent, MemoryMongo(), BusinessClock())
    problems.install(app)

    @app.get("/")
    async def who(who: Annotated[Caller, Depends(caller)]) -> str:
        return who.role

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as found:
        yield found


async def test_the_good_token_that_all_others_are_made_from_is_taken(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"Authorization": f"Bearer {made({})}"})
    assert (answer.status_code, answer.json()) == (200, "province")
    assert json.loads(urlsafe_b64decode(made({}).split(".")[1].encode()))["sub"] == "an"


@pytest.mark.parametrize("given", INPUTS, ids=lambda given: given["name"])
async def test_a_hostile_token_is_refused_in_words(client: httpx.AsyncClient, given: dict[str, Any]) -> None:
    sent = given.get("authorization", [f"Bearer {made(given)}"])
    headers = [("Authorization", each.replace("{good}", made({})).encode()) for each in sent]
    answer = await client.get("/", headers=headers)
    body = answer.json()
    assert answer.status_code == 401, body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    codes = given["refused"]
    assert body["code"] in ([codes] if isinstance(codes, str) else codes)
    for text in (body[name][language] for name in ("message", "expected", "mend") for language in ("vi", "en")):
        assert text


def test_the_names_tell_them_apart() -> None:
    assert len({given["name"] for given in INPUTS}) == len(INPUTS) >= 120
