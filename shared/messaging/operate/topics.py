"""Topics on a real broker: created from the topic files, checked at every start, never created by a client."""

from __future__ import annotations

import asyncio
import time
from datetime import date

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.contracts.topics import all_topics
from shared.registry import registry

REFORM = date(2025, 7, 1)


class TopicMismatch(Exception):
    """A topic is missing or has another number of partitions than its contract: keys would move, so refuse to start."""


def province_codes() -> list[str]:
    """The provinces that have channels: those in force since the 2025 reform."""
    return [province.code for province in registry().provinces(REFORM)]


async def apply_topics(bootstrap: str, *, replication: int = 1) -> list[str]:
    """Create the topics that are missing; returns their names. Raises `TopicMismatch` for a wrong partition count."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
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
                            "cleanup.policy": "delete",
                            "min.insync.replicas": str(max(1, replication - 1)),
                        },
                    )
                    for topic in missing
                ]
            )
            failed = [f"{error[0]}: {error[2]}" for error in response.topic_errors if error[1] not in (0, 36)]
            if failed:
                raise TopicMismatch("; ".join(failed))
        await _checked_soon(admin)
        return [topic.name for topic in missing]
    finally:
        await admin.close()


async def check_topics(bootstrap: str) -> None:
    """Raise `TopicMismatch` unless every topic exists with its contract's partition count; `KafkaError` if unknown."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await admin.start()
        await _check(admin)
    finally:
        await admin.close()


async def _checked_soon(admin: AIOKafkaAdminClient, seconds: float = 15.0) -> None:
    """A topic just created is not at once in every broker's metadata."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            return await _check(admin)
        except TopicMismatch:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(0.1)


async def _check(admin: AIOKafkaAdminClient) -> None:
    expected = {topic.name: topic.partitions for topic in all_topics(province_codes())}
    described = await admin.describe_topics(list(expected))
    actual = {entry["topic"]: len(entry["partitions"]) for entry in described if not entry["error_code"]}
    wrong = [
        f"{name}: {actual.get(name, 'missing')} instead of {count} partitions"
        for name, count in expected.items()
        if actual.get(name) != count
    ]
    if wrong:
        raise TopicMismatch("; ".join(wrong[:10]))
