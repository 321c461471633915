"""A service refuses to start on topics that are not those of the contracts. The broker is this module's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from deploy.local.harness import start_servers
from shared.contracts.topics import all_topics
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import Needs, TopicMismatch, apply_topics, check_topics, province_codes

NEEDS: Needs = {topic.name: frozenset() for topic in all_topics(province_codes())}
pytestmark = [pytest.mark.integration, pytest.mark.faults]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAccess]:
    """An empty broker."""
    with start_servers(tmp_path_factory.mktemp("topics"), mongo=False) as servers:
        yield servers.kafka


async def test_a_topic_that_is_missing_or_has_grown_stops_the_start(kafka: KafkaAccess) -> None:
    """On another number of partitions keys lie elsewhere, and what is about one unit has no order any more."""
    with pytest.raises(TopicMismatch, match="missing instead of"):
        await check_topics(kafka, NEEDS)
    await apply_topics(kafka)
    await check_topics(kafka, NEEDS)

    admin = AIOKafkaAdminClient(**kafka.options)
    await admin.start()
    await admin.create_partitions({"scores": NewPartitions(total_count=16)})
    async with asyncio.timeout(60):
        while len((await admin.describe_topics(["scores"]))[0]["partitions"]) < 16:  # noqa: ASYNC110  the broker's turn
            await asyncio.sleep(0.05)
    await admin.close()

    with pytest.raises(TopicMismatch, match="scores: 16 instead of"):
        await check_topics(kafka, NEEDS)
