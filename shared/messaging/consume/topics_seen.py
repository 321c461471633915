"""What the broker says of topics: the id (one that is made anew keeps its name and gets another), and our rights on it.

The client library asks for metadata in a version that does not tell the ids yet, so the request is spelled out here.
Goes away when `AIOKafkaAdminClient.describe_topics` tells them.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal, Self, TypeVar

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IncompatibleBrokerVersion,
    KafkaError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from shared.messaging.access import KafkaAccess

T = TypeVar("T")
Operation = Literal["read", "write"]
_BITS: dict[Operation, int] = {"read": 1 << 3, "write": 1 << 4}


@dataclass(frozen=True, slots=True)
class TopicSeen:
    """A topic as one principal sees it."""

    id: str | None
    """None: it may exist, and this principal may not even ask."""
    partitions: int
    allowed: frozenset[Operation]
    """What the one who asked may do with it."""


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

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> _Question:
        _, newest = versions.get(self.API_KEY, (0, 0))
        if newest < _Question.API_VERSION:
            raise IncompatibleBrokerVersion("topics have ids since Kafka 3.0")
        prepared: _Question = super().prepare(versions)
        return prepared

    def build(self, request_struct_class: type[_Question]) -> _Question:
        nobody = uuid.UUID(int=0)
        return request_struct_class([(nobody, name, {}) for name in self._names], False, True, {})


class Looking:
    """Looks at topics and at the own group again and again over one connection, made anew after a failure.

    What may be seen is the broker's answer to each question, so a right that is taken away is noticed at the next.
    """

    def __init__(self, kafka: KafkaAccess) -> None:
        self._kafka = kafka
        self._client: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up; the next question begins anew."""
        client, self._client = self._client, None
        if client:
            await client.close()

    async def topics(self, names: Iterable[str]) -> dict[str, TopicSeen]:
        """Each of these topics that exists, or of which this principal may not know whether it does.

        Raises `KafkaError` when the broker does not answer, or is older than 3.0 and has no ids.
        """

        async def question(client: Any) -> dict[str, Any]:
            found: dict[str, Any] = (await client.send(client.get_random_node(), _Metadata(names))).to_object()
            return found

        answer = await self._ask(question)
        return {topic["name"]: seen for topic in answer["topics"] if (seen := _seen(topic))}

    async def may_join(self, group: str) -> bool:
        """Whether this principal may look for its group. Raises `KafkaError` when the broker does not answer."""

        async def question(client: Any) -> bool:
            try:
                await client.coordinator_lookup(CoordinationType.GROUP, group)
            except GroupAuthorizationFailedError:
                return False
            return True

        return await self._ask(question)

    async def _ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        """A failure counts on a new connection only: brokers cut those that logged in long ago."""
        if self._client is not None:
            with suppress(KafkaError):
                return await self._asked(question)
        return await self._asked(question)

    async def _asked(self, question: Callable[[Any], Awaitable[T]]) -> T:
        try:
            if self._client is None:
                self._client = AIOKafkaClient(**self._kafka.options, request_timeout_ms=10_000)
                await self._client.bootstrap()
            return await question(self._client)
        except BaseException:
            await self.close()
            raise


async def topics_seen(kafka: KafkaAccess, names: Iterable[str]) -> dict[str, TopicSeen]:
    """`Looking.topics`, once."""
    async with Looking(kafka) as look:
        return await look.topics(names)


def _seen(topic: dict[str, Any]) -> TopicSeen | None:
    if topic["error_code"] == TopicAuthorizationFailedError.errno:
        return TopicSeen(None, 0, frozenset())
    if topic["error_code"]:
        return None
    allowed = frozenset(name for name, bit in _BITS.items() if topic["authorized_operations"] & bit)
    return TopicSeen(str(topic["id"]), len(topic["partitions"]), allowed)
