"""Topics as a test sees them from outside: where they end, what lies on them, and where a consumer group begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from shared.contracts.topics import all_topics, families, topic_names
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import province_codes

Offsets = Mapping[TopicPartition, int]
QUIET_MS = 500


def read_by(party: str) -> list[str]:
    """The topics that the contracts let this party read."""
    return [
        name
        for stem, family in families().items()
        if party in family.consumers
        for name in topic_names(stem, province_codes())
    ]


def written_by(party: str) -> list[str]:
    """The topics that the contracts let this party write."""
    return [
        name
        for stem, family in families().items()
        if party in family.producers
        for name in topic_names(stem, province_codes())
    ]


def partitions_of(topics: Iterable[str]) -> list[TopicPartition]:
    """All partitions of these topics, by their contracts."""
    counts = {topic.name: topic.partitions for topic in all_topics(province_codes())}
    return [TopicPartition(topic, number) for topic in topics for number in range(counts[topic])]


async def ends(kafka: KafkaAccess, topics: Iterable[str]) -> Offsets:
    """Where each partition of these topics ends now."""
    async with AIOKafkaConsumer(**kafka.options) as consumer:
        found: Offsets = await consumer.end_offsets(partitions_of(topics))
        return found


async def begin_at(kafka: KafkaAccess, group: str, offsets: Offsets) -> None:
    """Let a consumer group that has no members begin there."""
    async with AIOKafkaConsumer(**kafka.options, group_id=group, enable_auto_commit=False) as consumer:
        consumer.assign(list(offsets))
        await consumer.commit({partition: OffsetAndMetadata(offset, "") for partition, offset in offsets.items()})


async def records_since(kafka: KafkaAccess, offsets: Offsets) -> AsyncIterator[Any]:
    """Everything that lies on these partitions behind those offsets, each partition in its order."""
    if not offsets:  # the library cannot stop a consumer that has done nothing
        return
    async with AIOKafkaConsumer(**kafka.options, enable_auto_commit=False) as consumer:
        last = await consumer.end_offsets(list(offsets))
        left = {partition for partition, offset in offsets.items() if offset < last[partition]}
        consumer.assign(list(left))
        for partition in left:
            consumer.seek(partition, offsets[partition])
        while left:
            for partition, records in (await consumer.getmany(timeout_ms=QUIET_MS)).items():
                for record in records:
                    if record.offset < last[partition]:
                        yield record
                if await consumer.position(partition) >= last[partition]:
                    left.discard(partition)
