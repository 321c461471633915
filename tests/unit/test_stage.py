"""A production deployment does not start with what is only fit for one machine, and says what to set."""

from __future__ import annotations

import importlib
from contextlib import nullcontext
from datetime import date
from typing import Any

import pytest
import structlog

from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.messaging.stage import Unsupported, require_supported, unsafe
from shared.mongo import Mongo
from shared.web.app import CANNOT_START
from tests.fakes.memory import MemoryMongo

ISSUER = "https://sso.example/realms/langhoc"
LOGIN = {"kafka_user": "intake", "kafka_password": "p"}


def settings(**given: Any) -> ServiceSettings:
    return ServiceSettings(**{"kafka": "-", "mongo": "mongodb://u:p@h/"} | given)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["LANGHOC_ISSUER"]),
        ({"jwks": "/state/jwks.json"}, ["LANGHOC_ISSUER", "LANGHOC_JWKS"]),
        ({"issuer": ISSUER, "jwks": "/state/jwks.json"}, ["LANGHOC_JWKS"]),
        ({"issuer": "http://sso.example/realms/langhoc"}, ["LANGHOC_ISSUER"]),
        ({"issuer": "langhoc-local"}, ["LANGHOC_ISSUER"]),
        ({"issuer": "//sso.example"}, ["LANGHOC_ISSUER"]),
        ({"issuer": "file:///keys"}, ["LANGHOC_ISSUER"]),
        ({"issuer": ISSUER}, []),
    ],
)
def test_production_takes_tokens_of_an_issuer_alone(given: dict[str, Any], named: list[str]) -> None:
    found = [one for one in unsafe(settings(**given)) if one.field in ("LANGHOC_ISSUER", "LANGHOC_JWKS")]
    assert [one.field for one in found] == named
    assert unsafe(settings(stage="local", **given)) == []


@pytest.mark.parametrize(("key", "refused"), [("", True), ("x" * 31, True), ("x" * 32, False)])
def test_production_needs_a_key_under_which_accounts_are_known(key: str, refused: bool) -> None:
    found = [one.code for one in unsafe(settings(issuer=ISSUER, account_key=key, seal_key="x" * 32, **LOGIN))]
    assert found == (["no_account_key"] if refused else [])
    assert unsafe(settings(stage="local", account_key=key)) == []


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        ("", True),
        (" ", True),
        ("x" * 31, True),
        ("x" * 32, False),
        (f"{'x' * 32} {'y' * 32}", False),
        ("x " * 32, True),
    ],
)
def test_production_needs_a_key_with_which_documents_are_sealed(key: str, refused: bool) -> None:
    found = [one.code for one in unsafe(settings(issuer=ISSUER, account_key="x" * 32, seal_key=key, **LOGIN))]
    assert found == (["no_seal_key"] if refused else [])
    assert unsafe(settings(stage="local", seal_key=key)) == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["LANGHOC_KAFKA_USER"]),
        ({"kafka_security": "plaintext"}, ["LANGHOC_KAFKA_USER"]),
        ({"kafka_user": "", "kafka_password": ""}, ["LANGHOC_KAFKA_USER"]),
        (LOGIN, []),
        (LOGIN | {"kafka_security": "sasl_ssl"}, []),
        # Encryption is the default with a login, and somebody's own decision to leave out, where the network has it.
        (LOGIN | {"kafka_security": "sasl_plaintext"}, []),
    ],
)
def test_production_logs_in_to_kafka(given: dict[str, Any], named: list[str]) -> None:
    assert [one.field for one in unsafe(settings(**given)) if "KAFKA" in (one.field or "")] == named
    assert unsafe(settings(stage="local", **given)) == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, []),
        ({"clock_offset": 0}, []),
        ({"clock_offset": 1}, ["LANGHOC_CLOCK_OFFSET"]),
        ({"clock_offset": -86_400}, ["LANGHOC_CLOCK_OFFSET"]),
        ({"clock_file": "/state/clock"}, ["LANGHOC_CLOCK_FILE"]),
        ({"clock_offset": 60, "clock_file": "/state/clock"}, ["LANGHOC_CLOCK_OFFSET", "LANGHOC_CLOCK_FILE"]),
    ],
)
def test_production_lives_in_the_real_time(given: dict[str, Any], named: list[str]) -> None:
    assert [one.field for one in unsafe(settings(**given)) if one.code == "simulated_clock"] == named
    assert unsafe(settings(stage="local", **given)) == []


def test_nobody_is_local_without_saying_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGHOC_STAGE", raising=False)
    assert settings().stage == "production"


@pytest.mark.parametrize("service", ["intake", "scoring", "funding", "notifications"])
def test_a_service_that_would_take_local_tokens_does_not_start(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"KAFKA": "-", "MONGO": "-", "JWKS": "/state/jwks.json", "PROFILE": "production"}
    for name, value in (given | {"KAFKA_USER": "u", "KAFKA_PASSWORD": "p"}).items():
        monkeypatch.setenv(f"LANGHOC_{name}", value)
    monkeypatch.setattr("shared.web.service.configure_logs", lambda *_: None)
    with pytest.raises(SystemExit) as ended, structlog.testing.capture_logs() as said:
        importlib.import_module(f"services.{service}.app").main()
    assert ended.value.code == CANNOT_START
    assert [(line["code"], line["setting"]) for line in said if line["event"] == "service.refused"] == [
        ("local_tokens", "LANGHOC_ISSUER"),
        ("local_keys", "LANGHOC_JWKS"),
        ("no_account_key", "LANGHOC_ACCOUNT_KEY"),
        ("no_seal_key", "LANGHOC_SEAL_KEY"),
        ("mongo_without_login", "LANGHOC_MONGO_USER"),
    ]
    assert all(line["message"]["vi"] and line["mend"] for line in said)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"mongo": "mongodb://h/"}, True),
        ({"mongo": "mongodb://h/?authSource=admin"}, True),
        ({"mongo": "mongodb://h/", "mongo_user": "intake", "mongo_password": "p"}, False),
        ({"mongo": "mongodb://intake:p@h/"}, False),
        ({"mongo": "mongodb://h/?authMechanism=MONGODB-X509&tls=true"}, False),
    ],
)
def test_production_uses_no_database_without_a_login(given: dict[str, Any], refused: bool) -> None:
    said = {"mongo_without_login"} if refused else set()
    assert {one.code for one in unsafe(settings(issuer=ISSUER, **given))} & {"mongo_without_login"} == said
    assert unsafe(settings(stage="local", **given)) == []


@pytest.mark.parametrize(
    ("given", "version", "refused"),
    [
        ({}, "6.0.5", True),
        ({}, "7.0.14", False),
        ({}, "9.0.0", False),
        ({"mongo_supported_until": date(2026, 11, 29)}, "6.0.5", True),
        ({"mongo_supported_until": date(2026, 11, 30)}, "6.0.5", False),
        ({"mongo_supported_until": date(2026, 11, 29)}, "8.0.4", True),
        ({"stage": "local"}, "6.0.5", False),
    ],
)
def test_production_asks_for_a_supported_database(given: dict[str, Any], version: str, refused: bool) -> None:
    with pytest.raises(Unsupported) if refused else nullcontext() as caught:
        require_supported(settings(**given), version, date(2026, 11, 30))
    for one in caught.value.problems if caught else ():
        assert one.code == "mongo_past_support"
        assert version in one.message.vi
        assert "7.0, 8.0" in one.expected.en


async def test_a_service_asks_its_database_for_its_version_before_it_prepares_it() -> None:
    async def never(mongo: Mongo) -> None:
        raise AssertionError("prepared")

    old = MemoryMongo(release="6.0.5")
    runtime = Runtime("test", settings(issuer=ISSUER), old, Consumer("test", ("submissions.01",), {}), migrate=never)
    with pytest.raises(Unsupported):
        await runtime.start()
    await runtime.stop()
    assert set(old.collections) == {"leases"}
