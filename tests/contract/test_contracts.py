"""The contracts as integrators meet them: stored examples, topics, the envelope, and what may change."""

from __future__ import annotations

import ast
import importlib
import json
import re
from functools import cache
from typing import Any, get_args

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.v1.event import CloudEvent
from pydantic import BaseModel, ValidationError

from shared.contracts.base import Claim, Contract
from shared.contracts.catalogue import CONTRACTS, EXAMPLES, EventType, contract_of
from shared.contracts.former import FORMER
from shared.contracts.topics import MINISTRY, Party, families, family_of, topic_names
from shared.messaging.consume import envelope
from shared.messaging.decide.asking import Consumer
from shared.messaging.messages import Reason, Received, Unreadable
from shared.messaging.send import events
from shared.messaging.settings import ServiceSettings
from tests.architecture.test_rules import sources
from tests.unit.delivery_samples import AT, Stored, record

SERVICES = ("intake", "scoring", "funding", "notifications")
SUBMITTED = [contract for contract in CONTRACTS.values() if contract.family == "submissions"]
every_type = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.value)


def example(contract: EventType) -> dict[str, Any]:
    """The stored example of an event type."""
    found: dict[str, Any] = json.loads((EXAMPLES / f"{contract.value}.json").read_text(encoding="utf-8"))
    return found


def stored(contract: EventType, **changes: Any) -> Stored:
    """The example as a record, its body changed where wanted."""
    given = example(contract)
    body = json.dumps(given["data"] | changes, ensure_ascii=False).encode()
    return record(body, given["headers"], topic=given["topic"], key=given["key"])


def read(contract: EventType, record: Stored) -> Any:
    """What a service of ours reads of it."""
    return envelope.read(record, received_at=AT, trusted=contract.family != "submissions").data


# ------------------------------------------------------------------------------------------------- examples


def test_every_type_has_one_example_and_every_example_a_type() -> None:
    assert {path.stem for path in EXAMPLES.glob("*")} == {type_.value for type_ in EventType} | FORMER.keys()


@pytest.mark.parametrize("former", FORMER)
def test_a_former_type_is_read_as_the_one_that_replaced_it(former: str) -> None:
    """A topic holds what every release before published: its readers follow it from the beginning."""
    assert former not in CONTRACTS
    given = json.loads((EXAMPLES / f"{former}.json").read_text(encoding="utf-8"))
    body = json.dumps(given["data"]).encode()
    found = envelope.read(
        record(body, given["headers"], topic=given["topic"], key=given["key"]), received_at=AT, trusted=True
    )
    assert (found.type, type(found.data)) == (FORMER[former].now.value, FORMER[former].now.model)
    again = FORMER[former].lift(json.loads(body))
    assert FORMER[former].now.model.model_validate(again) == found.data
    assert found.version == given["data"]["version"]
    assert json.loads(found.data.model_dump_json()).items() >= {
        (name, value) for name, value in given["data"].items() if isinstance(value, str | int)
    }
    assert json.loads(body) == given["data"], "what is lifted stays as it was"


def test_every_model_is_of_one_type() -> None:
    assert len({type_.model for type_ in EventType}) == len(EventType)


@every_type
def test_somebody_raises_every_type(contract: EventType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service that owns the topic makes the fact; what comes from outside is taken by a service."""
    family = families()[contract.family]
    makers = [each for each in family.producers if each in SERVICES and each not in family.consumers]
    if makers:
        assert contract.model.__name__ in set().union(*map(called_in, makers))
    else:
        assert all(contract in consumer_of(each, monkeypatch).routes for each in family.consumers)


@cache
def called_in(service: str) -> set[str]:
    """Names of whatever a service calls."""
    return {
        node.func.id
        for _, tree in sources(f"services/{service}/**/*.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


@every_type
def test_an_example_is_read_and_written_again_byte_for_byte(contract: EventType) -> None:
    given = example(contract)

    data = read(contract, stored(contract))

    assert isinstance(data, contract.model)
    assert contract_of(contract.model) is contract
    assert json.loads(data.model_dump_json(exclude_unset=True)) == given["data"]
    written = events.body_of(data)
    if contract.family != "submissions":  # a sender may leave out what is optional; a fact says everything
        assert json.loads(written) == given["data"]
    assert events.body_of(contract.model.model_validate_json(written)) == written


@every_type
def test_an_example_lies_on_a_topic_of_its_family_under_its_own_headers(contract: EventType) -> None:
    given = example(contract)
    headers, data = given["headers"], contract.model.model_validate(given["data"])

    assert family_of(given["topic"]) == contract.family
    assert given["topic"] in topic_names(contract.family, ["04"])
    assert headers["ce_type"] == contract.value
    assert given["key"] == headers["ce_subject"]
    assert headers.get("ce_version") == (str(version) if (version := getattr(data, "version", None)) else None)
    if contract.family != "submissions":
        assert headers["ce_source"] == f"/langhoc/{families()[contract.family].producers[0]}"


@every_type
def test_the_official_sdk_reads_what_we_publish(contract: EventType) -> None:
    data = contract.model.model_validate(example(contract)["data"])
    headers = events.headers_for(
        event_id="e-1", source="/langhoc/test", subject="chủ thể", data=data, time=AT, traceparent=None
    )
    message = kafka.KafkaMessage({name: value.encode() for name, value in headers.items()}, b"k", events.body_of(data))

    event = kafka.from_binary_event(message)

    assert (event.get_id(), event.get_source(), event.get_type()) == ("e-1", "/langhoc/test", contract.value)
    assert event.get_subject() == "chủ thể"
    assert event.get_time() == AT
    assert event.get_datacontenttype() == "application/json"
    assert event.get_data() == json.loads(events.body_of(data))
    assert event.get_extension("version") == headers.get("ce_version")


@pytest.mark.parametrize("write", [kafka.to_binary_event, kafka.to_structured_event])
@pytest.mark.parametrize("contract", SUBMITTED, ids=lambda contract: contract.value)
def test_what_the_official_sdk_publishes_is_read_in_either_mode(contract: EventType, write: Any) -> None:
    given = example(contract)
    attributes = {"id": "e-1", "source": "/portal/04", "type": contract.value, "time": AT}
    message = write(CloudEvent({**attributes, "datacontenttype": "application/json"}, given["data"]))
    received = envelope.read(
        Stored(given["topic"], 0, 0, message.value, list(message.headers.items())), received_at=AT, trusted=False
    )
    assert received.data == contract.claim.of_sender(json.dumps(given["data"]).encode())
    assert (received.type, received.source) == (contract.value, "/portal/04")


# ------------------------------------------------------------------------------------------------- compatibility


@every_type
def test_an_unknown_field_of_a_fact_is_ignored_and_of_a_submission_refused(contract: EventType) -> None:
    data = read(contract, stored(contract, added_in_a_later_version={"x": 1}))

    if contract.family == "submissions":
        assert isinstance(data, Unreadable)
        assert (data.reason, data.errors[0]["type"]) == (Reason.INVALID_BODY, "extra_forbidden")
    else:
        assert data == contract.model.model_validate(example(contract)["data"])


@every_type
def test_a_missing_required_field_is_told_apart(contract: EventType) -> None:
    given = stored(contract)
    required = next(name for name, field in contract.model.model_fields.items() if field.is_required())
    body = json.loads(given.value or b"")
    del body[required]
    given.value = json.dumps(body).encode()

    data = read(contract, given)

    assert isinstance(data, Unreadable)
    assert [(error["type"], error["loc"]) for error in data.errors] == [("missing", (required,))]


@every_type
def test_contracts_are_immutable_and_versioned(contract: EventType) -> None:
    assert re.fullmatch(r"langhoc\.[a-z.]+\.v[1-9]", contract.value)
    assert issubclass(contract.model, Claim if contract.family == "submissions" else Contract)
    data: BaseModel = contract.model.model_validate(example(contract)["data"])
    with pytest.raises(ValidationError, match="frozen"):
        setattr(data, next(iter(contract.model.model_fields)), None)
    if contract.nature == "state":
        assert contract.model.model_fields["version"].is_required()


# ------------------------------------------------------------------------------------------------- topics


def test_every_type_lies_on_a_family_and_every_family_has_a_type() -> None:
    assert {contract.family for contract in CONTRACTS.values()} == families().keys()


def test_every_concrete_topic_is_found_back_in_its_family() -> None:
    names = [(family, name) for family in families() for name in topic_names(family, ["01", "04"])]
    assert len({name for _, name in names}) == len(names)
    assert [family_of(name) for _, name in names] == [family for family, _ in names]
    assert f"alerts.{MINISTRY}" in dict(map(reversed, names))  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        family_of("somebody.elses")


def consumer_of(service: str, monkeypatch: pytest.MonkeyPatch) -> Consumer:
    """What a service listens to, as it is wired."""
    consumers: list[Consumer] = []
    app = importlib.import_module(f"services.{service}.app")
    monkeypatch.setattr(app, "run_service", lambda settings, consumer, *_, **__: consumers.append(consumer))
    for name in ("KAFKA", "MONGO", "JWKS"):
        monkeypatch.setenv(f"LANGHOC_{name}", "unused")
    app.main()
    (consumer,) = consumers
    return consumer


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_consumes_what_the_topic_files_say(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumer_of(service, monkeypatch)
    assert consumer.name == service
    read_by = {stem for stem, family in families().items() if service in family.consumers}
    assert {family_of(topic) for topic in consumer.topics} == read_by
    assert {CONTRACTS[type_].family for type_ in consumer.routes} <= read_by
    assert (consumer.refusals is not None) == (service == "intake"), "only outside senders are answered"


def test_every_family_has_one_producer_and_somebody_who_reads_it() -> None:
    for stem, family in families().items():
        maker, *doors = family.producers
        assert doors == (["intake"] if stem == "submissions" else []), "the door over HTTP, and no other second one"
        assert family.consumers
        assert maker not in family.consumers, "nobody talks to itself over a topic"
    said = {party for family in families().values() for party in (*family.producers, *family.consumers)}
    assert said == set(get_args(Party))


def test_state_is_kept_for_ever_and_the_inbox_outlives_everything_else() -> None:
    finite = []
    for family in families().values():
        if family.nature == "state":
            assert family.retention_days is None, family.name
        else:
            assert family.retention_days is not None, family.name
            finite.append(family.retention_days)
    default = ServiceSettings.model_fields["inbox_days"].default
    dead_letter_days = 30  # a dead letter is replayed within a month, or never
    assert default > max(finite) + dead_letter_days


def test_a_record_of_ours_says_who_it_is_from() -> None:
    contract = CONTRACTS[EventType.RECEIPT_ISSUED]
    received: Received[Any] = envelope.read(stored(contract), received_at=AT, trusted=True)
    assert received.event_id == f"/langhoc/intake#{example(contract)['headers']['ce_id']}"
