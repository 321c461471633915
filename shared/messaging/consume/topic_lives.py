"""Noticing that a topic was deleted and made anew under a running consumer (ADR 20).

Kafka forgets a group's offsets together with the topic, but a member that was not fetching at that moment keeps its
position: if the new topic has grown beyond it, the records before it would never be read. So per partition the id of
the topic in which its offsets were counted is kept in the service's database; where the topic has another id now, the
partition is read from its beginning, and the inbox absorbs what was handled already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import structlog
from aiokafka import TopicPartition

from shared.messaging.collections import TOPIC_LIVES
from shared.mongo import DuplicateKey, Mongo

log = structlog.get_logger()
Ids = Callable[[Iterable[str]], Awaitable[dict[str, str]]]
"""The present id of each topic that exists."""


class TopicLives:
    """Which life of its topic each partition of one consumer group is read in."""

    def __init__(self, mongo: Mongo, group: str, ids: Ids) -> None:
        self._mongo = mongo
        self._group = group
        self._ids = ids

    async def anew(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, str]:
        """Partitions whose offsets were counted in a topic that is gone, with the id of the one that is there now.

        Partitions seen for the first time are remembered as they are. Raises `KafkaError` and `MongoError`.
        """
        wanted = {self._name(each): each for each in partitions}
        now = await self._ids({each.topic for each in wanted.values()})
        rows = await self._mongo.find(TOPIC_LIVES, {"_id": {"$in": list(wanted)}})
        known = {row["_id"]: row["topic_id"] for row in rows}
        await self._first_seen(
            {name: now[each.topic] for name, each in wanted.items() if name not in known and each.topic in now}
        )
        return {
            each: now[each.topic]
            for name, each in wanted.items()
            if name in known and now.get(each.topic, known[name]) != known[name]
        }

    async def begun(self, lives: dict[TopicPartition, str]) -> None:
        """These partitions are read from their beginning now, and the group's offsets say so."""
        for partition, topic_id in lives.items():
            log.warning("topic.made_anew", topic=partition.topic, partition=partition.partition, topic_id=topic_id)
            name = self._name(partition)
            await self._mongo.update(TOPIC_LIVES, {"_id": name}, [{"$set": {"topic_id": topic_id}}])

    async def _first_seen(self, ids: dict[str, str]) -> None:
        for name, topic_id in ids.items():
            try:
                await self._mongo.insert(TOPIC_LIVES, [{"_id": name, "topic_id": topic_id}])
            except DuplicateKey:  # another member was faster
                continue

    def _name(self, partition: TopicPartition) -> str:
        return f"{self._group}/{partition.topic}/{partition.partition}"
