"""The platform as an AsyncAPI 3.0 document: topics as channels, event types as messages, with their examples. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from shared.contracts.catalogue import EXAMPLES, EventType
from shared.contracts.former import FORMER
from shared.contracts.schemas import Schema
from shared.contracts.topics import Party, TopicFamily, families, retention_ms

PARTIES: Mapping[Party, str] = {
    "portal": "The portal of a province, and its systems.",
    "intake": "Service: judges what is submitted, and answers each record.",
    "scoring": "Service: results and rankings.",
    "funding": "Service: support of each centre, proposed and decided.",
    "notifications": "Service: alerts for provinces and the ministry.",
    "treasury": "Whoever pays.",
}
_PARAMETERS = {
    "province": "Code of a province in force, two digits (`01`).",
    "audience": "Code of a province in force, two digits (`01`), or `ministry`.",
}
_ATTRIBUTES: Mapping[str, str] = {
    "ce_id": "With `ce_source` it names the event: a record that has both again is a repeat.",
    "ce_subject": "What the event is about; of our facts also the key of the record.",
    "ce_time": "When it was published (RFC 3339, UTC).",
    "ce_version": "The body's `version`: of the same subject and period (year, purpose) the highest one counts.",
    "traceparent": "W3C Trace Context.",
}


def example_of(event_type: str) -> dict[str, Any]:
    """The stored example of a type: its topic, key, headers and data."""
    found: dict[str, Any] = json.loads((EXAMPLES / f"{event_type}.json").read_text(encoding="utf-8"))
    return found


def family_of_type(event_type: str) -> str:
    """The family of topics on which a type lies, or lay."""
    former = FORMER.get(event_type)
    return (former.now if former else EventType(event_type)).family


def document(schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """The document, whole: it refers to nothing outside of itself. `schemas`: of each type, former ones too."""
    assert PARTIES.keys() == set(get_args(Party))
    types = sorted(schemas)
    return {
        "asyncapi": "3.0.0",
        "id": "urn:langhoc",
        "info": {
            "title": "Langhoc",
            "version": "1",
            "description": "Events of the platform for learning communities: CloudEvents 1.0 on Kafka in binary mode. "
            "Who may write (`x-writers`) and read (`x-readers`) a topic is held by the broker. A reader ignores fields "
            "and types that it does not know, and expects repeats.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka-secure",
                "description": "The login comes from whoever runs the platform, with the address and what it may do.",
                "variables": {"bootstrap": {"description": "Host and port, as they came with the login."}},
                "security": [{"$ref": "#/components/securitySchemes/login"}],
            }
        },
        "channels": {
            name: _channel(family, [each for each in types if family_of_type(each) == name])
            for name, family in families().items()
        },
        "operations": {
            name: {
                "action": "receive" if "portal" in family.producers else "send",
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": family.description,
            }
            for name, family in families().items()
        },
        "components": {
            "securitySchemes": {"login": {"type": "scramSha512", "description": "SASL SCRAM-SHA-512 over TLS."}},
            "messages": {each: _message(each, schemas[each]) for each in types},
            "schemas": {each: _inside(schemas[each], f"#/components/schemas/{each}/definitions/") for each in types},
        },
        "x-parties": PARTIES,
    }


def _channel(family: TopicFamily, types: list[str]) -> dict[str, Any]:
    parameters = {name: {"description": text} for name, text in _PARAMETERS.items() if f"{{{name}}}" in family.name}
    return {
        "address": family.name,
        "description": family.description,
        **({"parameters": parameters} if parameters else {}),
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in types},
        "bindings": {
            "kafka": {
                "partitions": family.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if family.compacted else "delete"],
                    "retention.ms": retention_ms(family),
                    "max.message.bytes": family.max_record_bytes,
                },
                "bindingVersion": "0.5.0",
            }
        },
        "x-nature": family.nature,
        "x-writers": family.producers,
        "x-readers": family.consumers,
    }


def _message(event_type: str, schema: Schema) -> dict[str, Any]:
    family, example = families()[family_of_type(event_type)], example_of(event_type)
    former = FORMER.get(event_type)
    return {
        "name": event_type,
        "title": event_type,
        "description": schema["description"],
        "headers": _headers(event_type, family, schema),
        "payload": {"$ref": f"#/components/schemas/{event_type}"},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": family.key}, "bindingVersion": "0.5.0"},
        },
        "examples": [{"headers": example["headers"], "payload": example["data"]}],
        **({"x-replaced-by": former.now.value} if former else {}),
    }


def _headers(event_type: str, family: TopicFamily, body: Schema) -> Schema:
    """CloudEvents attributes as Kafka's binary mode has them; a sender of submissions may leave out some."""
    outside = "portal" in family.producers
    said = {name: {"type": "string", "description": text} for name, text in _ATTRIBUTES.items()}
    if "version" not in body["properties"]:
        del said["ce_version"]
    source: Schema = {"const": f"/langhoc/{family.producers[0]}"}
    content: Schema = {"const": "application/json"}
    if outside:
        source = {"type": "string", "description": "The sender's own."}
        content = {
            "type": "string",
            "description": "`application/json`, or none. Of structured mode, where the value "
            "is the whole event: `application/cloudevents+json`.",
        }
    return {
        "type": "object",
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_source": source,
            "ce_type": {"const": event_type},
            "content-type": content,
            **said,
        },
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", *([] if outside else _of_ours(body))],
    }


def _of_ours(body: Schema) -> list[str]:
    """Attributes that our own events have besides."""
    return ["ce_subject", "ce_time", "content-type", *(["ce_version"] if "version" in body["required"] else [])]


def _inside(schema: Schema, definitions: str) -> Schema:
    """The schema as a part of the document, in whose dialect (draft 7 and more) definitions have their older name."""
    own = {name: value for name, value in schema.items() if name not in ("$schema", "$id", "$defs")}
    moved: Schema = _moved({**own, **({"definitions": schema["$defs"]} if "$defs" in schema else {})}, definitions)
    return moved


def _moved(value: Any, definitions: str) -> Any:
    match value:
        case {"$ref": str(place), **more} if place.startswith("#/$defs/"):
            return {"$ref": definitions + place.removeprefix("#/$defs/"), **more}
        case dict():
            return {name: _moved(each, definitions) for name, each in value.items()}
        case list():
            return [_moved(each, definitions) for each in value]
        case _:
            return value
