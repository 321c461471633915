"""Records that are handed in over HTTP, on their way to Kafka: written now, and it is told where each of them lies.

Beside the outbox, whose events follow from what is in the database, these are the cause of everything that follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.messaging.access import KafkaAccess
from shared.messaging.messages import Position
from shared.messaging.send.producer import LastingProducer, build_producer

REACH_SECONDS = 3.0
"""How long a broker is waited for before anything is handed over."""
CONFIRM_SECONDS = 8.0
"""How long a confirmation is waited for. What is not confirmed by then is given up, and leaves no more."""
LOOK_SECONDS = 8.0
"""How long a topic is looked through."""
MARK = "langhoc_request"
"""Header by which a record is found again: the request that handed it in, and its place there."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A record to be written."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]

    def marked(self, mark: str) -> Handed:
        """The same record, to be found again by its mark."""
        return replace(self, headers=[*self.headers, (MARK, mark.encode())])


@dataclass(frozen=True, slots=True)
class Written:
    """Where a record lies."""

    position: Position
    appended: int
    """The broker's append time in milliseconds."""


class NotWritten(Exception):
    """Surely nothing was written: no broker answers, or none takes it."""


class PerhapsWritten(Exception):
    """Some of it may lie on its topic: the confirmation did not come."""


class TooLarge(Exception):
    """The broker never takes a record of this size. Others that were handed over with it may lie on the topic."""


class Hand(Protocol):
    """What hands records in."""

    async def write(self, records: Sequence[Handed]) -> list[Written]:
        """Write them in this order. Raises `NotWritten`, `PerhapsWritten`, `TooLarge`."""
        ...

    async def find(self, topic: str, marks: Sequence[str], since: int) -> dict[str, Written]:
        """Those of these marks that lie on the topic since that time (milliseconds). Raises `KafkaError`."""
        ...


class KafkaHand:
    """The way in to a real broker. It connects when it is first needed."""

    def __init__(self, kafka: KafkaAccess, client_id: str) -> None:
        self._kafka = kafka
        self._build = partial(build_producer, kafka, client_id)
        self._producer: LastingProducer | None = None
        self._connecting = asyncio.Lock()

    async def write(self, records: Sequence[Handed]) -> list[Written]:
        """Write them in this order. Raises `NotWritten`, `PerhapsWritten`, `TooLarge`."""
        try:
            async with asyncio.timeout(REACH_SECONDS):
                producer = await self._reached()
        except (KafkaError, TimeoutError) as error:
            raise NotWritten(repr(error)) from error
        futures: list[asyncio.Future[Any]] = []
        failure: BaseException | None = None
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                for one in records:
                    futures.append(await producer.send(one.topic, one.value, one.key, headers=one.headers))
        except (KafkaError, TimeoutError) as error:
            failure = error
        if not futures:
            raise TooLarge if isinstance(failure, MessageSizeTooLargeError) else NotWritten(repr(failure)) from failure
        return await _confirmed(futures, failure)

    async def find(self, topic: str, marks: Sequence[str], since: int) -> dict[str, Written]:
        """Those of these marks that lie on the topic since that time (milliseconds). Raises `KafkaError`."""
        consumer = AIOKafkaConsumer(topic, **self._kafka.options, group_id=None, enable_auto_commit=False)
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await consumer.start()
                return await _looked_through(consumer, set(marks), since)
        except TimeoutError as error:
            raise KafkaError(f"{topic} could not be looked through in {LOOK_SECONDS:g} s") from error
        finally:
            with suppress(KafkaError):
                await consumer.stop()

    async def stop(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _reached(self) -> LastingProducer:
        """A producer whose broker answers. Raises `KafkaError`."""
        async with self._connecting:
            if self._producer is None:
                fresh = LastingProducer(self._build)
                try:
                    await fresh.start()
                except BaseException:
                    await fresh.stop()
                    raise
                self._producer = fresh
            await self._producer.renew()
            producer = self._producer
        await producer.reach()
        return producer


async def _confirmed(futures: Sequence[asyncio.Future[Any]], failure: BaseException | None) -> list[Written]:
    _, late = await asyncio.wait(futures, timeout=CONFIRM_SECONDS)
    for future in late:
        future.cancel()
    if late:
        await asyncio.sleep(0)  # the producer hears of it, and sends no more
        raise PerhapsWritten("no confirmation")
    failures = [error for future in futures if (error := future.exception()) is not None]
    if any(isinstance(error, MessageSizeTooLargeError) for error in (*failures, failure)):
        raise TooLarge
    if failures or failure:
        raise PerhapsWritten(repr(failures[0] if failures else failure))
    return [
        Written(Position(found.topic, found.partition, found.offset), found.timestamp)
        for found in (future.result() for future in futures)
    ]


async def _looked_through(consumer: AIOKafkaConsumer, marks: set[str], since: int) -> dict[str, Written]:
    partitions = sorted(consumer.assignment())  # without a group: all of its topic
    ends = await consumer.end_offsets(partitions)
    begins = await consumer.offsets_for_times(dict.fromkeys(partitions, since))
    open_ = {one for one in partitions if begins.get(one) is not None and begins[one].offset < ends[one]}
    consumer.pause(*(set(partitions) - open_))
    for one in open_:
        consumer.seek(one, begins[one].offset)
    found: dict[str, Written] = {}
    while open_ and marks - found.keys():
        for record in chain(*(await consumer.getmany(timeout_ms=200)).values()):
            for mark in {(value or b"").decode("utf-8", "replace") for name, value in record.headers if name == MARK}:
                if mark in marks:
                    position = Position(record.topic, record.partition, record.offset)
                    found.setdefault(mark, Written(position, record.timestamp))
        open_ = {one for one in open_ if await consumer.position(one) < ends[one]}
    return found
