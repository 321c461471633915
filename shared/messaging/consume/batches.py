"""What a fetch brought, read so that nothing in it can raise, and nothing in it can grow without bound.

Kafka hands a consumer whole record batches as their producer made them: packed with any codec, with any bytes as the
names of headers, and a thousand times larger once unpacked. The client library raises on what it cannot read, for ever,
and drops what it had already taken from other partitions. So its fetcher reads an answer through `Answer`: batches in
good order by the library's own fast reader, the rest by the reader below, and what nobody can read as *one* record in
its place, which carries a `Damage` and the last offset of what it stands for. A canary test holds the library's fault.

The format is Kafka's record batch of version 2 (magic 2), the only one that brokers since 4.0 keep.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from shared.wording import EN

BATCH_BYTES = 16 * 1024 * 1024
"""A batch that would be larger than this when unpacked is unpacked so far and no further."""
RECORD_BYTES = 1_048_576
"""No topic of ours takes a larger record; one that is larger, unpacked, is passed over unread."""
SAMPLE_BYTES = 1_024
"""How much of what was passed over is kept."""

UNKNOWN_TIME = 0
"""Timestamp where not even the batch's own can be believed."""

_HEADER = struct.Struct(">qiibIhiqqqhii")
_ATTRIBUTES_AT = struct.calcsize(">qiibI")
_SMALLEST = _HEADER.size
_CODEC, _APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES = 16


@dataclass(frozen=True, slots=True)
class Damage:
    """Records that cannot be read, passed over as one."""

    first: int
    """Offset of the first record that could not be read; the last is the offset of the record that carries this."""
    detail: str
    too_large: bool
    """They were in order, but too large when unpacked."""
    again: bool
    """The broker may send them in order if it is asked again."""
    size: int
    """Bytes as they were received; of a record too large: its own, as it declares them."""
    sha256: str
    """Of the batch's bytes as they were received; of a single record too large: of its own."""


class Read(NamedTuple):
    """A record, as the fetcher takes it."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    checksum: Damage | None = None


def damage_of(record: Any) -> Damage | None:
    """What is wrong with a fetched record; `None` of one that was read."""
    # It travels where formats before version 2 had a checksum of each record.
    found = getattr(record, "checksum", None)
    return found if isinstance(found, Damage) else None


def first_of(record: Any) -> int:
    """Offset from which this record, or what it stands for, is read again."""
    damage = damage_of(record)
    return damage.first if damage else int(record.offset)


class TooLarge(Exception):
    """Unpacked, a batch would be larger than `BATCH_BYTES`; `so_far` is its beginning."""

    def __init__(self, so_far: bytes) -> None:
        super().__init__(f"more than {EN(BATCH_BYTES)} bytes when unpacked")
        self.so_far = so_far


def unpack(codec: int, packed: bytes) -> bytes:
    """The records of a batch. Raises `TooLarge`, or whatever the codec raises on broken bytes."""
    match codec:
        case 0:
            return packed
        case 1:
            return _gunzip(packed)
        case 2:
            return _unsnappy(packed)
        case 3:
            return _into(cramjam.lz4.decompress_into, packed)
        case 4:
            return _into(cramjam.zstd.decompress_into, packed)
        case _:
            raise ValueError(f"unknown codec {codec}")


def _gunzip(packed: bytes) -> bytes:
    found, rest = bytearray(), packed
    while rest:  # a file of several members is one stream
        member = zlib.decompressobj(wbits=31)
        found += member.decompress(rest, BATCH_BYTES - len(found) + 1)
        if len(found) > BATCH_BYTES:
            raise TooLarge(bytes(found[:BATCH_BYTES]))
        if not member.eof:
            raise ValueError("the gzip stream ends too early")
        rest = member.unused_data.lstrip(b"\x00")
    return bytes(found)


def _into(decompress: Any, packed: bytes, room: int = BATCH_BYTES) -> bytes:
    target = bytearray(room)
    try:
        length = decompress(packed, target)
    except cramjam.DecompressionError as error:
        if "whole buffer" in str(error) or "smaller than required" in str(error):
            raise TooLarge(bytes(target)) from error
        raise
    return bytes(memoryview(target)[:length])


def _unsnappy(packed: bytes) -> bytes:
    """Raw snappy, or blocks of it behind a head, as Java's client writes them."""
    if not packed.startswith(_XERIAL):
        return _raw_snappy(packed, BATCH_BYTES)
    found, at = bytearray(), _XERIAL_HEADER_BYTES
    while at < len(packed):
        (length,) = struct.unpack_from(">i", packed, at)
        block = packed[at + 4 : at + 4 + length]
        if length < 0 or len(block) < length:
            raise ValueError("a snappy block ends too early")
        try:
            found += _raw_snappy(block, BATCH_BYTES - len(found))
        except TooLarge as error:
            raise TooLarge(bytes(found)) from error
        at += 4 + length
    return bytes(found)


def _raw_snappy(packed: bytes, room: int) -> bytes:
    length = cramjam.snappy.decompress_raw_len(packed)  # declared at its head: no room is made for more
    if length > room:
        raise TooLarge(b"")
    return _into(cramjam.snappy.decompress_raw_into, packed, length)


class Batch:
    """One record batch, with what the fetcher asks of it. Iterating yields records and, where it must, one `Damage`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        fields = _HEADER.unpack_from(data)
        self.base_offset: int = fields[0]
        self._magic: int = fields[3]
        self._attributes: int = fields[5]
        self._first_timestamp: int = fields[7]
        self._max_timestamp: int = fields[8]
        self._count: int = fields[12]
        self._sound = self._magic == 2 and DefaultRecordBatch(data).validate_crc()
        # Even of a batch that is not believed, its last offset is: the broker keeps its index by it.
        self.next_offset: int = self.base_offset + max(fields[6], 0) + 1
        self.producer_id: int | None = fields[9] if self._sound else None
        self._controls = iter(DefaultRecordBatch(data)) if self.is_control_batch else iter(())

    @property
    def is_transactional(self) -> bool:
        """Whether the batch belongs to a transaction."""
        return self._sound and bool(self._attributes & _TRANSACTIONAL)

    @property
    def is_control_batch(self) -> bool:
        """Whether it holds a transaction's marker instead of records."""
        return self._sound and bool(self._attributes & _CONTROL)

    def validate_crc(self) -> bool:
        """Always: a batch whose checksum is wrong says so by its record."""
        return True

    def __next__(self) -> Any:
        return next(self._controls)

    def __iter__(self) -> Iterator[Any]:
        if self._magic != 2:
            yield self._lost(self.base_offset, f"a batch of unknown format (magic {self._magic})")
        elif not self._sound:
            yield self._lost(self.base_offset, "the batch's checksum is wrong", again=True)
        else:
            yield from self._records()

    def _records(self) -> Iterator[Any]:
        """As the library reads them; if it cannot, from the start by ours: the fetcher passes over what it has seen."""
        codec = self._attributes & _CODEC
        try:
            plain = unpack(codec, self._data[_SMALLEST:]) if codec else None
        except TooLarge as error:
            yield from self._as_far_as_possible(error.so_far, str(error), too_large=True)
            return
        except Exception as error:  # whatever a codec's library raises on bytes that a stranger made
            yield self._lost(self.base_offset, f"cannot be unpacked (codec {codec}): {str(error)[:200]}")
            return
        body = self._data[_SMALLEST:] if plain is None else plain
        if (
            self._count <= 0 or len(body) > RECORD_BYTES
        ):  # it may hold a record of any size: none is made before looking
            yield from self._as_far_as_possible(body, "records that its head does not count", too_large=False)
            return
        try:
            at = self.base_offset
            for record in DefaultRecordBatch(self._data if plain is None else self._unpacked(plain)):
                self._require_place(record.offset, at)
                at = record.offset + 1
                yield record
        except (UnicodeDecodeError, CorruptRecordException, ValueError, IndexError) as error:
            yield from self._as_far_as_possible(body, repr(error)[:200], too_large=False)

    def _require_place(self, offset: int, at_least: int) -> None:
        """An offset beyond the batch's end would be acknowledged, and the records that truly lie there be lost."""
        if not at_least <= offset < self.next_offset:
            raise ValueError(f"a record says that it lies at offset {offset}")

    def _unpacked(self, plain: bytes) -> bytes:
        head = bytearray(self._data[:_SMALLEST])
        struct.pack_into(">h", head, _ATTRIBUTES_AT, self._attributes & ~_CODEC)
        return bytes(head) + plain

    def _as_far_as_possible(self, body: bytes, why: str, *, too_large: bool) -> Iterator[Read]:
        """Record by record, and what is behind the last one that can be read as one damage."""
        at, offset, size, start = 0, self.base_offset, None, 0
        for _ in range(self._count):
            try:
                size, start = decode_varint(body, at)
                read, at = self._record(body, at) if size <= RECORD_BYTES else self._unread(body, size, start)
                self._require_place(read.offset, offset)
            except (ValueError, IndexError, struct.error):
                yield self._lost(offset, why, too_large=too_large, size=size, sample=body[start : start + SAMPLE_BYTES])
                return
            offset = read.offset + 1
            yield read
        if at < len(body):
            yield self._lost(offset, why, too_large=too_large)

    def _unread(self, body: bytes, size: int, start: int) -> tuple[Read, int]:
        """What stands for one record that is larger than any topic takes, and where the next begins."""
        end = start + size
        if end > len(body):
            raise ValueError("a record reaches beyond its batch")
        since, at = decode_varint(body, start + 1)
        delta, at = decode_varint(body, at)
        offset = self.base_offset + delta
        sha256 = hashlib.sha256(body[start:end]).hexdigest()
        why = f"{EN(size)} bytes when unpacked, more than any topic takes"
        damage = Damage(first=offset, detail=why, too_large=True, again=False, size=size, sha256=sha256)
        return Read(offset, self._time(since), 1, None, body[at : at + SAMPLE_BYTES], (), damage), end

    def _time(self, since: int) -> int:
        """A record's timestamp, milliseconds; `since` is counted from the batch's first."""
        return self._max_timestamp if self._attributes & _APPEND_TIME else self._first_timestamp + since

    def _record(self, body: bytes, at: int) -> tuple[Read, int]:
        """One record and where the next begins. Names of headers that are no UTF-8 are spelled out (`\\xff`)."""
        length, at = decode_varint(body, at)
        end = at + length
        if length < 0 or end > len(body):
            raise ValueError("a record reaches beyond its batch")
        at += 1  # a record's attributes are not used
        since, at = decode_varint(body, at)
        delta, at = decode_varint(body, at)
        key, at = _bytes(body, at, end)
        value, at = _bytes(body, at, end)
        count, at = decode_varint(body, at)
        headers: list[tuple[str, bytes | None]] = []
        for _ in range(count):
            name, at = _bytes(body, at, end)
            content, at = _bytes(body, at, end)
            headers.append(((name or b"").decode("utf-8", "backslashreplace"), content))
        kind = int(bool(self._attributes & _APPEND_TIME))
        return Read(self.base_offset + delta, self._time(since), kind, key, value, headers), end

    def _lost(
        self,
        first: int,
        detail: str,
        *,
        too_large: bool = False,
        again: bool = False,
        size: int | None = None,
        sample: bytes | None = None,
    ) -> Read:
        received = len(self._data)
        damage = Damage(
            first=first,
            detail=detail,
            too_large=too_large,
            again=again,
            size=size if size is not None and size > 0 else received,
            sha256=hashlib.sha256(self._data).hexdigest(),
        )
        kept = self._data[:SAMPLE_BYTES] if sample is None else sample
        timestamp = self._max_timestamp if self._sound else UNKNOWN_TIME
        return Read(self.next_offset - 1, timestamp, 1, None, kept, (), damage)


def _bytes(body: bytes, at: int, end: int) -> tuple[bytes | None, int]:
    length, at = decode_varint(body, at)
    if length < 0:
        return None, at
    if at + length > end:
        raise ValueError("a field reaches beyond its record")
    return body[at : at + length], at + length


class Answer:
    """A partition's part of a fetch answer: complete batches, then perhaps the beginning of one more."""

    arrive: Callable[[bytes], bytes] = staticmethod(bytes)
    """A batch as it arrives; rehearsals have it spoilt on the way."""

    def __init__(self, data: bytes) -> None:
        self._data = bytes(data)
        self._at = 0

    def size_in_bytes(self) -> int:
        """All bytes, an incomplete batch at the end included."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether another batch is complete."""
        return self._end() is not None

    def next_batch(self) -> Batch:
        """The next batch. Raises `CorruptRecordException` for one too short to say where it ends."""
        end = self._end()
        assert end is not None
        data, self._at = self._data[self._at : end], end
        if len(data) < _SMALLEST:
            raise CorruptRecordException(f"a batch of {len(data)} bytes")
        return Batch(Answer.arrive(data))

    def _end(self) -> int | None:
        if len(self._data) - self._at < 12:
            return None
        (length,) = struct.unpack_from(">i", self._data, self._at + 8)
        end = self._at + 12 + max(length, 0)
        return end if end <= len(self._data) else None


def read_answers(arrive: Callable[[bytes], bytes] = bytes) -> None:
    """Make every consumer of this process read through `Answer`. Safe to repeat."""
    assert fetcher.MemoryRecords in (MemoryRecords, Answer), "the library reads answers another way"
    fetcher.MemoryRecords = Answer
    Answer.arrive = staticmethod(arrive)
