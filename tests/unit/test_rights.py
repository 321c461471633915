"""Who may do what on Kafka, as the topic files say; and how a login is meant."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Literal, get_args

import pytest
from pydantic import ValidationError

from services.funding.settings import Settings
from shared.contracts.rights import SERVICES, Right, reaches_ours, rights
from shared.contracts.topics import all_topics, families, topic_names
from shared.messaging.access import KafkaAccess, KafkaLogin
from shared.messaging.consume.topics_seen import Operation
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.topics import needs_of, province_codes
from shared.messaging.settings import ServiceSettings

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
PRINCIPALS = (*SERVICES, "treasury", *(f"province-{code}" for code in province_codes()))


@pytest.mark.parametrize(
    ("resource", "name", "prefixed", "ours"),
    [
        ("topic", "*", False, True),
        ("topic", "", True, True),
        ("topic", "budgets", False, True),
        ("topic", "budg", True, True),
        ("topic", "budg", False, False),
        ("topic", "submissions.", True, True),
        ("topic", "submissions.01", False, True),
        ("topic", "submissions.01", True, True),
        ("topic", "submissions", False, False),
        ("topic", "subm", True, True),
        ("topic", "orders.of.others", False, False),
        ("topic", "orders.", True, False),
        ("group", "*", False, True),
        ("group", "langhoc-scoring", False, True),
        ("group", "lang", True, True),
        ("group", "province-01.portal", False, True),
        ("group", "treasury.", True, True),
        ("group", "others", False, False),
    ],
)
def test_a_right_on_anything_of_ours_is_known_as_one(
    resource: Literal["topic", "group"], name: str, prefixed: bool, ours: bool
) -> None:
    assert reaches_ours(resource, name, prefixed=prefixed) is ours


def may(principal: str, operation: str, topic: str) -> bool:
    return any(
        right.operation == operation and (topic.startswith(right.name) if right.prefixed else topic == right.name)
        for right in rights(principal)
        if right.resource == "topic"
    )


def parties(principal: str) -> str:
    return "portal" if principal.startswith("province-") else principal


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_rights_are_those_of_the_topic_files_and_no_more(principal: str) -> None:
    """For every topic that exists: a party of its file, and of a province's topics only the one whose own it is."""
    for stem, family in families().items():
        for topic in topic_names(stem, province_codes()):
            for operation, named in (("read", family.consumers), ("write", family.producers)):
                foreign = parties(principal) == "portal" and "{" in family.name and topic[-2:] != principal[-2:]
                expected = parties(principal) in named and not foreign
                assert may(principal, operation, topic) is expected, (operation, topic)


def test_a_province_has_its_own_channel_and_what_is_public() -> None:
    assert rights("province-01") == {
        Right("topic", "submissions.01", False, "write"),
        Right("topic", "receipts.01", False, "read"),
        Right("topic", "alerts.01", False, "read"),
        Right("topic", "rankings", False, "read"),
        Right("topic", "rules", False, "read"),
        Right("group", "province-01.", True, "read"),
    }


def test_the_groups_of_two_principals_are_never_the_same() -> None:
    """A member of another one's group would take its records away."""
    groups = {name: [right for right in rights(name) if right.resource == "group"] for name in PRINCIPALS}
    assert all(len(found) == 1 for found in groups.values())
    names = [found[0].name for found in groups.values()]
    assert not [(one, other) for one in names for other in names if one != other and one.startswith(other)]


@pytest.mark.parametrize(
    "stranger", ["", "admin", "node", "portal", "province-1", "province-001", "province-٠١", "INTAKE"]
)
def test_nobody_else_has_any(stranger: str) -> None:
    with pytest.raises(KeyError):
        rights(stranger)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_needs_what_it_may(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it looks for before it starts is what it was given: else it would wait for ever, or hear nothing."""
    app = import_module(f"services.{service}.app")
    wired: list[Consumer] = []
    monkeypatch.setattr(app, "run_service", lambda settings, consumer, *rest, **more: wired.append(consumer))
    monkeypatch.setattr(app, "Settings", lambda: None)
    app.main()
    needs = needs_of(service, wired[0].topics)
    for topic in (topic.name for topic in all_topics(province_codes())):
        assert needs.get(topic, frozenset()) == {what for what in OPERATIONS if may(service, what, topic)}, topic


class TestLogin:
    def test_with_a_user_it_is_encrypted_unless_something_else_is_said(self) -> None:
        login = KafkaLogin.model_validate({"kafka_user": "intake", "kafka_password": "p"})
        assert login.access("k:1") == KafkaAccess("k:1", "intake", "p", "sasl_ssl")
        assert KafkaLogin().access("k:1") == KafkaAccess("k:1")

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"kafka_user": "intake"}, "set both or neither"),
            ({"kafka_password": "p"}, "set both or neither"),
            ({"kafka_user": "intake", "kafka_password": ""}, "set both or neither"),
            ({"kafka_security": "sasl_ssl"}, "set kafka_user and kafka_password too"),
            ({"kafka_security": "sasl_plaintext", "kafka_user": ""}, "set kafka_user and kafka_password too"),
            ({"kafka_security": "plaintext", "kafka_user": "u", "kafka_password": "p"}, "knows no users"),
            ({"kafka_security": "ssl"}, "sasl_ssl"),
        ],
    )
    def test_a_login_that_cannot_be_meant_is_refused(self, settings: dict[str, str], told: str) -> None:
        with pytest.raises(ValidationError, match=told):
            KafkaLogin.model_validate(settings)

    def test_a_process_reads_it_from_its_own_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "langhoc_kafka_user").write_text("funding")
        (tmp_path / "langhoc_kafka_password").write_text("from a file")
        monkeypatch.setenv("LANGHOC_SECRETS_DIR", str(tmp_path))
        monkeypatch.setenv("LANGHOC_KAFKA_SECURITY", "sasl_plaintext")
        settings = Settings(kafka="k:1", mongo="-", jwks="-")
        assert settings.kafka_access == KafkaAccess("k:1", "funding", "from a file", "sasl_plaintext")
        assert "from a file" not in repr(settings) + repr(settings.kafka_access)

    def test_what_an_access_is_given_to_a_process_it_reads_again(self, tmp_path: Path) -> None:
        for access in (
            KafkaAccess("k:1"),
            KafkaAccess("k:1,l:2", "u", "p", "sasl_ssl", tmp_path / "ca.pem"),
            KafkaAccess("k:1", "u", "p", "sasl_plaintext"),
        ):
            assert ServiceSettings(**access.settings, mongo="-", jwks="-").kafka_access == access
