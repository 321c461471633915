"""The fetch on a real broker: whatever one partition's bytes are, nobody else's records are lost or kept waiting."""

from __future__ import annotations

import asyncio
import struct
from collections import defaultdict
from collections.abc import Callable

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import UnsupportedCodecError
from aiokafka.record.util import calc_crc32c

from shared.messaging.consume import fetching
from shared.messaging.consume.batches import Answer, Batch, damage_of
from shared.messaging.consume.pipeline import Progress
from shared.mongo import Unavailable
from tests.integration.members import Records, World, collected, done

pytestmark = pytest.mark.integration
MARK = b"SPOIL"
Spoil = Callable[[bytes], bytes]


def unknown_codec(raw: bytes) -> bytes:
    """Packed with a codec that nobody has."""
    made = bytearray(raw)
    struct.pack_into(">h", made, 21, struct.unpack_from(">h", made, 21)[0] | 7)
    struct.pack_into(">I", made, 17, calc_crc32c(bytes(made[21:])))
    return bytes(made)


def unknown_format(raw: bytes) -> bytes:
    """Of a version that is not invented yet."""
    return raw[:16] + b"\x09" + raw[17:]


def bad_checksum(raw: bytes) -> bytes:
    """A bit has fallen over, on the disk or on the way."""
    return raw[:-1] + bytes([raw[-1] ^ 1])


def broken_record(raw: bytes) -> bytes:
    """A record says that it is longer than its batch."""
    made = bytearray(raw)
    made[61] = 0x7E
    struct.pack_into(">I", made, 17, calc_crc32c(bytes(made[21:])))
    return bytes(made)


class Wire:
    """Between broker and consumer: batches that hold the mark arrive spoilt."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, spoil: Spoil, *, times: int = 1_000_000, once: bool = False
    ) -> None:
        """`times`: all in all; `once`: no batch a second time."""
        self.spoilt = 0
        seen: set[bytes] = set()
        wire = self

        class Spoilt(Answer):
            def next_batch(self) -> Batch:
                start = self._at
                found = super().next_batch()
                raw = self._data[start : self._at]
                if MARK not in raw or wire.spoilt >= times or (once and raw in seen):
                    return found
                seen.add(raw)
                wire.spoilt += 1
                return Batch(spoil(raw))

        monkeypatch.setattr(fetcher, "MemoryRecords", Spoilt)


@pytest.mark.parametrize("spoil", [unknown_codec, unknown_format, bad_checksum, broken_record])
async def test_what_can_never_be_read_is_passed_over_and_nobody_else_notices(
    world: World, monkeypatch: pytest.MonkeyPatch, spoil: Spoil
) -> None:
    """A batch of three on one sender's topic; many of the others' lie around it, on their topics and on its own."""
    topics = [await world.create(2, topic=f"{world.topic}.{number}") for number in range(3)]
    for topic in topics:
        for number in range(40):
            await world.producer.send(topic, b"%s/%d" % (topic.encode(), number), partition=number % 2)
    await world.producer.flush()
    await put(world, topics[1], [b"%s %d" % (MARK, number) for number in range(3)])
    for topic in topics:
        for number in range(40, 80):
            await world.producer.send(topic, b"%s/%d" % (topic.encode(), number), partition=number % 2)
    await world.producer.flush()

    read: dict[tuple[str, int], list[str]] = defaultdict(list)
    lost: list[tuple[int, int]] = []

    async def process(records: Records) -> Progress:
        for record in records:
            damage = damage_of(record)
            if damage:
                lost.append((damage.first, record.offset))
            else:
                read[record.topic, record.partition].append(record.value.decode())
        return done(records)

    monkeypatch.setattr(fetching, "PAUSES", (0.1,))
    async with world.member(process, topics=topics, records=50) as member:
        wire = Wire(monkeypatch, spoil)
        await world.until(lambda: _holds(lambda: sum(map(len, read.values())) >= 240 and bool(lost)))
        assert member.consuming.waiting() == []

    assert wire.spoilt >= 1
    assert lost == [(20, 22)]
    for topic in topics:
        for partition in (0, 1):
            expected = [f"{topic}/{number}" for number in range(80) if number % 2 == partition]
            assert read[topic, partition] == expected


async def put(world: World, topic: str, values: list[bytes]) -> None:
    """Send values as one batch."""
    batch = world.producer.create_batch()
    for value in values:
        batch.append(key=None, value=value, timestamp=None)
    await (await world.producer.send_batch(batch, topic, partition=0))


async def test_what_was_passed_over_but_not_finished_is_asked_for_from_its_first_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times spoilt, then our database is away, then the bytes arrive in order after all."""
    await world.create()
    await put(world, world.topic, [b"%s %d" % (MARK, part) for part in range(3)])
    read: list[str] = []
    refused: list[int] = []

    async def process(records: Records) -> Progress:
        if not refused:
            refused.extend(record.offset for record in records)
            raise Unavailable("the database is away")
        read.extend(record.value.decode() for record in records)
        return done(records)

    monkeypatch.setattr(fetching, "PAUSES", (0.1,))
    async with world.member(process):
        Wire(monkeypatch, bad_checksum, times=3)
        await collected(read, 3)
    assert refused == [2], "what stood for all three"
    assert read == [f"{MARK.decode()} {part}" for part in range(3)]


async def _holds(condition: Callable[[], bool]) -> bool:
    return condition()


@pytest.mark.parametrize("waiting", [False, True], ids=["in a backlog", "when it comes"])
async def test_what_the_broker_sends_in_order_the_second_time_is_read_whole(
    world: World, monkeypatch: pytest.MonkeyPatch, waiting: bool
) -> None:
    """Once, a batch that was asked for again was taken up behind its beginning: fifty-seven submissions were lost."""
    await world.create()
    read: list[str] = []

    async def process(records: Records) -> Progress:
        read.extend(record.value.decode() for record in records)
        return done(records)

    async def send() -> None:
        for number in range(5):
            await put(world, world.topic, [b"%s %d.%d" % (MARK, number, part) for part in range(3)])

    monkeypatch.setattr(fetching, "PAUSES", (0.1,))
    if not waiting:
        await world.send("0")
        await send()
    async with world.member(process):
        wire = Wire(monkeypatch, bad_checksum, once=True)
        if waiting:
            await world.send("0")
            await collected(read, 1)
            await send()
        await collected(read, 16)
    assert wire.spoilt == 5, "every batch arrived spoilt, each a single time"
    assert read == ["0", *(f"{MARK.decode()} {number}.{part}" for number in range(5) for part in range(3))]


@pytest.mark.parametrize(
    "error", [UnsupportedCodecError("lz4"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "?"), KeyError()]
)
async def test_whatever_the_library_raises_while_it_reads_nothing_is_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It advances the partitions that it has drained, then raises; what it had drained was lost, 664 records once."""
    topics = [await world.create(1, topic=f"{world.topic}.{number}") for number in range(4)]
    for topic in topics:
        for start in range(0, 200, 20):  # what is taken at once ends in the midst of a batch
            await put(world, topic, [b"%d" % number for number in range(start, start + 20)])
    await put(world, topics[2], [MARK, b"200"])
    read: dict[str, list[str]] = defaultdict(list)

    async def process(records: Records) -> Progress:
        for record in records:
            read[record.topic].append(record.value.decode())
        return done(records)

    def spoil(raw: bytes) -> bytes:
        raise error

    monkeypatch.setattr(fetching, "PAUSES", (0.3,))
    async with world.member(process, topics=topics, records=30) as member:
        Wire(monkeypatch, spoil, times=4)
        await world.until(lambda: _holds(lambda: sum(map(len, read.values())) >= 802))
        assert member.consuming.waiting() == []
    assert {topic: [value for value in values if value != MARK.decode()] for topic, values in read.items()} == {
        topic: [str(number) for number in range(201 if topic == topics[2] else 200)] for topic in topics
    }


async def test_nobody_waits_behind_a_neighbours_backlog(world: World) -> None:
    """Of 6,000 records of one sender that lie there first, how many go before another's one?"""
    flood = await world.create(2, topic=f"{world.topic}.flood")
    other = await world.create(2, topic=f"{world.topic}.other")
    for number in range(6_000):
        await world.producer.send(flood, b"x" * 200, partition=number % 2)
    await world.producer.flush()
    batches: list[list[str]] = []
    sent = asyncio.Event()

    async def process(records: Records) -> Progress:
        batches.append([record.topic for record in records])
        if len(batches) == 3:  # in the midst of it
            await world.producer.send_and_wait(other, b"mine", partition=0)
            sent.set()
        await asyncio.sleep(0.25)  # longer than a fetch that finds nothing takes, so that it is asked for in between
        return done(records)

    async with world.member(process, topics=[flood, other], records=1_000):
        await world.until(lambda: _holds(lambda: any(other in batch for batch in batches)))

    assert max(batch.count(flood) for batch in batches) <= 1_000 // fetching.LARGEST_SHARE
    mine = next(number for number, batch in enumerate(batches) if other in batch)
    assert sum(map(len, batches[3:mine])) <= 1_000, "those that were fetched already, and no more"


async def test_a_batch_is_bounded_in_bytes(world: World) -> None:
    await world.create()
    for _ in range(100):
        await world.producer.send(world.topic, b"x" * 200_000)
    await world.producer.flush()
    sizes: list[int] = []

    async def process(records: Records) -> Progress:
        sizes.append(sum(len(record.value or b"") for record in records))
        return done(records)

    async with world.member(process):
        await world.until(lambda: _holds(lambda: sum(sizes) >= 20_000_000))
    assert max(sizes) <= fetching.BATCH_BYTES + fetching.PORTION * 200_000
    assert sum(sizes) == 20_000_000
