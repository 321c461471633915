"""Kafka's own ids of topics: a topic that is deleted and made anew keeps its name and gets another id.

The client library asks for metadata in a version that does not tell the ids yet, so the request is spelled out here.
Goes away when `AIOKafkaAdminClient.describe_topics` tells them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields


class _Uuid:
    """16 bytes. Zeros stand for none."""

    @classmethod
    def encode(cls, value: uuid.UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> uuid.UUID:
        return uuid.UUID(bytes=data.read(16))


class _Answer(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Metadata(Request[_Question]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(names)

    def build(self, request_struct_class: type[_Question]) -> _Question:
        nobody = uuid.UUID(int=0)
        return request_struct_class([(nobody, name, {}) for name in self._names], False, False, {})


async def topic_ids(bootstrap: str, names: Iterable[str]) -> dict[str, str]:
    """The id of each of these topics that exists.

    Raises `KafkaError` when the broker does not answer, or is older than 3.0 and has no ids.
    """
    client: Any = AIOKafkaClient(bootstrap_servers=bootstrap.split(","), request_timeout_ms=10_000)
    try:
        await client.bootstrap()
        answer = await client.send(client.get_random_node(), _Metadata(names))
    except NotImplementedError as error:  # the library's word for a request that this broker does not speak
        raise IncompatibleBrokerVersion("topics have ids since Kafka 3.0") from error
    finally:
        await client.close()
    return {topic["name"]: str(topic["id"]) for topic in answer.to_object()["topics"] if not topic["error_code"]}
