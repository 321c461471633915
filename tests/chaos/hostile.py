"""What senders do to the channels meanwhile: bombs, odd batches, floods, and a topic that is made anew."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from random import Random

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from shared.contracts.catalogue import EventType
from shared.contracts.topics import topic_names
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import TopicMismatch, apply_topics
from tests import odd_batches
from tests.platform import ServiceProcesses

FLOOD = 3_000
ANEW = 40
RENEWED = "04"
"""The province whose channel is made anew; nothing else is sent there."""
PATIENCE_SECONDS = 420.0


class Hostile:
    """Puts batches on the provinces' channels as nobody should. What truly lies there is what the checker reads."""

    def __init__(self, bootstrap: KafkaAccess, provinces: tuple[str, ...], seed: int) -> None:
        self._bootstrap = bootstrap
        self._channels = topic_names("submissions", provinces)
        self._random = Random(f"hostile/{seed}")
        self._numbers = count()
        self.sent: Counter[str] = Counter()
        self._kinds: dict[str, Callable[[], bytes]] = {
            "bomb": lambda: odd_batches.bomb(
                self._random.randrange(1, 60), self._head(), codec=self._random.choice(("gzip", "lz4", "zstd"))
            ),
            "odd codec": lambda: odd_batches.batch(
                self._bodies(20), self._head(), codec=self._random.choice(tuple(odd_batches.CODECS))
            ),
            "odd name": lambda: odd_batches.nameless(self._bodies(20), self._head()),
            "too large": lambda: odd_batches.batch([b"{" + b" " * 400_000], self._head(), codec="gzip"),
        }

    async def run(self) -> None:
        """Every few seconds another one, until cancelled. What fails under way is not tried again."""
        producer = AIOKafkaProducer(**self._bootstrap.options, acks="all", linger_ms=20)
        await producer.start()
        try:
            while True:
                await asyncio.sleep(self._random.uniform(1.0, 4.0))
                with suppress(KafkaError, TimeoutError):
                    async with asyncio.timeout(20):
                        await self._once(producer)
        finally:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(20):
                    await producer.stop()

    async def _once(self, producer: AIOKafkaProducer) -> None:
        channel = self._random.choice(self._channels)
        if self._random.random() < 0.15:
            for body in self._bodies(FLOOD):
                await producer.send(channel, body, key=hashlib.sha256(body).digest())
            self.sent["flood"] += 1
            return
        kind = self._random.choice(tuple(self._kinds))
        await odd_batches.put(producer, channel, self._random.randrange(2), self._kinds[kind]())
        self.sent[kind] += 1

    def _bodies(self, number: int) -> list[bytes]:
        return [b"{this is no JSON: %d" % next(self._numbers) for _ in range(number)]

    def _head(self) -> list[tuple[str, bytes]]:
        return [
            ("ce_specversion", b"1.0"),
            ("ce_id", b"%d" % next(self._numbers)),
            ("ce_source", b"/portal/hostile"),
            ("ce_type", EventType.COMMUNE_SUBMITTED.value.encode()),
        ]


async def make_anew(bootstrap: KafkaAccess, world: ServiceProcesses) -> list[str]:
    """Send to a channel, delete it, make it anew, send the same to the same places; returns what was lost, in words.

    It goes on through all other trouble: each step is tried until it is done.
    """
    (channel,) = topic_names("submissions", [RENEWED])
    receipts = world.database("intake")["receipts"]

    async def answered() -> int:
        while True:
            with suppress(PyMongoError):
                return await asyncio.to_thread(receipts.count_documents, {"province": RENEWED})
            await asyncio.sleep(1)

    for life in (1, 2):
        await _until_done(lambda: _fill(bootstrap, channel))
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (found := await answered()) < life * ANEW:
            if time.monotonic() > give_up:
                return [f"{life * ANEW - found} receipts of {channel} in its life {life}"]
            await asyncio.sleep(1)
        if life == 1:
            await _until_done(lambda: _delete(bootstrap, channel))
            await _until_done(lambda: _create(bootstrap))
    return []


async def _fill(bootstrap: KafkaAccess, channel: str) -> None:
    """The same records at the same places, however often it is tried: one batch, put only on an empty channel."""
    raw = odd_batches.batch([b"{ANEW %d" % number for number in range(ANEW)], [("ce_id", b"1")])
    place = TopicPartition(channel, 0)
    async with (
        AIOKafkaProducer(**bootstrap.options, acks="all") as producer,
        AIOKafkaConsumer(**bootstrap.options) as reader,
    ):
        if (await reader.end_offsets([place]))[place] == 0:
            await odd_batches.put(producer, channel, 0, raw)


async def _delete(bootstrap: KafkaAccess, channel: str) -> None:
    admin = AIOKafkaAdminClient(**bootstrap.options)
    await admin.start()
    try:
        if channel in await admin.list_topics():
            await admin.delete_topics([channel])
        while channel in await admin.list_topics():  # noqa: ASYNC110  the broker's progress
            await asyncio.sleep(0.2)
    finally:
        await admin.close()


async def _create(bootstrap: KafkaAccess) -> None:
    await apply_topics(bootstrap)


async def _until_done(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            async with asyncio.timeout(30):
                await step()
            return
        except (KafkaError, TopicMismatch, TimeoutError, OSError):
            await asyncio.sleep(1)
