"""Topics on a real broker: created from the topic files, checked at every start, never created by a client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import date

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from shared.contracts.topics import Topic, all_topics, families, topic_names
from shared.messaging.access import KafkaAccess
from shared.messaging.consume.topics_seen import Operation, TopicSeen, topics_seen
from shared.registry import registry

REFORM = date(2025, 7, 1)
COMPACTION_LAG_MS = 86_400_000
"""After which a record may no longer be left out of compaction."""
Needs = Mapping[str, frozenset[Operation]]
"""What a process does with each topic."""


class TopicMismatch(Exception):
    """A topic is missing or has another number of partitions than its contract: keys would move, so refuse to start."""


class RightsMissing(KafkaError):  # type: ignore[misc]  # aiokafka ships no types
    """This principal may not do what the process is for. Whoever gives the right mends it; nothing has to restart."""


def province_codes() -> list[str]:
    """The provinces that have channels: those in force since the 2025 reform."""
    return [province.code for province in registry().provinces(REFORM)]


async def apply_topics(kafka: KafkaAccess, *, replication: int = 1) -> list[str]:
    """Create the topics that are missing; returns their names. Raises `TopicMismatch` for a wrong partition count."""
    admin = AIOKafkaAdminClient(**kafka.options)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [topic for topic in all_topics(province_codes()) if topic.name not in existing]
        if missing:
            response = await admin.create_topics(
                [
                    NewTopic(
                        topic.name,
                        topic.partitions,
                        replication,
                        topic_configs={
                            # Business time is the broker's append time; a sender's own clock is only a claim.
                            "message.timestamp.type": "LogAppendTime",
                            "retention.ms": str(topic.retention_ms),
                            "max.message.bytes": str(topic.max_record_bytes),
                            **_cleanup(topic),
                            "min.insync.replicas": str(max(1, replication - 1)),
                        },
                    )
                    for topic in missing
                ]
            )
            failed = [f"{error[0]}: {error[2]}" for error in response.topic_errors if error[1] not in (0, 36)]
            if failed:
                raise TopicMismatch("; ".join(failed[:10]))
        await _checked_soon(kafka)
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def _cleanup(topic: Topic) -> dict[str, str]:
    """A compacted topic forgets what a key said before within two days, the segment that is being written included."""
    if not topic.compacted:
        return {"cleanup.policy": "delete"}
    return {"cleanup.policy": "compact", "max.compaction.lag.ms": str(COMPACTION_LAG_MS)}


def needs_of(service: str, consumed: Iterable[str]) -> Needs:
    """A service reads what it consumes, and writes what the contracts name it a producer of."""
    writes = {
        name
        for stem, family in families().items()
        if service in family.producers
        for name in topic_names(stem, province_codes())
    }
    reads = set(consumed)
    wanted: tuple[tuple[Operation, set[str]], ...] = (("read", reads), ("write", writes))
    return {name: frozenset(what for what, names in wanted if name in names) for name in reads | writes}


async def check_topics(kafka: KafkaAccess, needs: Needs) -> None:
    """Look at each of these topics and at what may be done with it.

    Raises `TopicMismatch` unless each exists with its contract's partition count, `RightsMissing` where a right is,
    and `KafkaError` if nothing is known.
    """
    seen = await topics_seen(kafka, needs)
    expected = {topic.name: topic.partitions for topic in all_topics(province_codes())}
    wrong = [
        f"{name}: {seen[name].partitions if name in seen else 'missing'} instead of {count} partitions"
        for name in needs
        if (count := expected.get(name)) and (name not in seen or (seen[name].id and seen[name].partitions != count))
    ]
    if wrong:
        raise TopicMismatch("; ".join(wrong[:10]))
    if without := lacking(needs, seen):
        raise RightsMissing("; ".join(without))


def lacking(needs: Needs, seen: Mapping[str, TopicSeen]) -> list[str]:
    """What may not be done of what is needed; the first ten. A topic that is not there forbids nothing."""
    return [
        f"{name}: no right to {' or '.join(sorted(missing))}"
        for name, needed in sorted(needs.items())
        if name in seen and (missing := needed - seen[name].allowed)
    ][:10]


async def _checked_soon(kafka: KafkaAccess, seconds: float = 15.0) -> None:
    """A topic just created is not at once in every broker's metadata."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            return await check_topics(kafka, {topic.name: frozenset() for topic in all_topics(province_codes())})
        except TopicMismatch:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(0.1)
