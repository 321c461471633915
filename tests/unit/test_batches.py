"""What a fetch brings is read whatever it is: every codec, every name of a header, and what nobody can read."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import cramjam
import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.consume import batches
from shared.messaging.consume.batches import (
    BATCH_BYTES,
    RECORD_BYTES,
    SAMPLE_BYTES,
    Answer,
    Batch,
    TooLarge,
    damage_of,
    unpack,
)

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
HEAD = 61
"""Bytes before a batch's records."""
Headers = Sequence[tuple[str, bytes | None]]


def batch(*values: bytes | None, codec: int = 0, base: int = 0, headers: Headers = (("ce_id", b"1"),)) -> bytes:
    """A batch as a producer makes it and a broker keeps it."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 30)
    for number, value in enumerate(values):
        builder.append(number, 1_000 + number, b"key", value, list(headers))
    made = bytearray(builder.build())
    struct.pack_into(">q", made, 0, base)
    return bytes(made)


def signed(raw: bytes | bytearray) -> bytes:
    """The batch with the checksum that fits it: its producer meant it so."""
    made = bytearray(raw)
    struct.pack_into(">I", made, 17, calc_crc32c(bytes(made[21:])))
    return bytes(made)


def with_codec(raw: bytes, codec: int) -> bytes:
    """A batch that says that it was packed with another codec."""
    made = bytearray(raw)
    struct.pack_into(">h", made, 21, codec)
    return signed(made)


def read(data: bytes) -> list[Any]:
    """Everything of an answer, as the library's fetcher takes it: it passes over offsets that it has seen."""
    found: list[Any] = []
    answer, position = Answer(data), 0
    while answer.has_next():
        each = answer.next_batch()
        assert each.validate_crc()
        if not each.is_control_batch:
            for record in each:
                if record.offset >= position:
                    found.append(record)
                    position = record.offset + 1
        position = each.next_offset
    return found


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_every_codec_is_read_and_an_incomplete_batch_is_left(codec: int) -> None:
    data = batch(b"a", None, b"c" * 5_000, codec=codec) + batch(b"d", codec=codec, base=3) + batch(b"e")[:-3]
    found = read(data)
    assert [(each.offset, each.value) for each in found] == [(0, b"a"), (1, None), (2, b"c" * 5_000), (3, b"d")]
    assert {(each.key, tuple(each.headers)) for each in found} == {(b"key", (("ce_id", b"1"),))}
    assert not any(map(damage_of, found))


def test_a_producers_raw_snappy_is_read_too() -> None:
    plain = batch(b"a", b"b")
    packed = bytes(cramjam.snappy.compress_raw(plain[HEAD:]))
    made = bytearray(plain[:HEAD] + packed)
    struct.pack_into(">i", made, 8, len(made) - 12)
    assert [each.value for each in read(with_codec(bytes(made), 2))] == [b"a", b"b"]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_header_name_that_is_no_utf8_is_spelled_out(codec: int) -> None:
    raw = bytearray(batch(b"a", b"b", headers=[("BADNAME", b"v"), ("good", None)]))
    for _ in range(2):
        at = raw.index(b"BADNAME")
        raw[at : at + 2] = b"\xff\xfe"
    plain = signed(raw)
    data = plain if not codec else with_codec(_packed(plain, codec), codec)
    found = read(data)
    assert [each.value for each in found] == [b"a", b"b"]
    assert list(found[0].headers) == [("\\xff\\xfeDNAME", b"v"), ("good", None)]


def _packed(plain: bytes, codec: int) -> bytes:
    packers: dict[int, Any] = {
        1: cramjam.gzip.compress,
        2: cramjam.snappy.compress_raw,
        3: cramjam.lz4.compress,
        4: cramjam.zstd.compress,
    }
    body = packers[codec](plain[HEAD:])
    made = bytearray(plain[:HEAD] + bytes(body))
    struct.pack_into(">i", made, 8, len(made) - 12)
    return bytes(made)


# ------------------------------------------------------------------------------------------------- what nobody can read


@pytest.mark.parametrize(
    ("spoilt", "says", "again"),
    [
        (lambda raw: with_codec(raw, 3), "codec 3", False),
        (lambda raw: with_codec(raw, 7), "unknown codec 7", False),
        (lambda raw: raw[:16] + b"\x01" + raw[17:], "magic 1", False),
        (lambda raw: raw[:16] + b"\x09" + raw[17:], "magic 9", False),
        (lambda raw: raw[:-1] + b"\x00", "checksum", True),
    ],
    ids=["codec that was not used", "unknown codec", "old format", "unknown format", "bad checksum"],
)
def test_what_nobody_can_read_is_one_record_in_its_place(spoilt: Any, says: str, again: bool) -> None:
    bad = spoilt(batch(b"2", b"3", b"4", base=2, headers=[("a", b"1" * 3_000)]))
    first, lost, last = read(batch(b"0") + bad + batch(b"5", base=5))
    assert (first.value, last.value) == (b"0", b"5")
    damage = damage_of(lost)
    assert damage is not None
    assert (damage.first, lost.offset, damage.again, damage.too_large) == (2, 4, again, False)
    assert says in damage.detail
    assert (damage.size, lost.value) == (len(bad), bad[:SAMPLE_BYTES])


def test_what_lies_before_a_broken_record_is_read() -> None:
    raw = bytearray(batch(b"fine", b"BROKEN", b"behind"))
    raw[raw.index(b"BROKEN") - 1] = 0x7E  # the value claims to be longer than its record
    found = read(signed(raw))
    assert [each.value for each in found[:1]] == [b"fine"]
    damage = damage_of(found[-1])
    assert damage is not None
    assert (len(found), damage.first, found[-1].offset) == (2, 1, 2)


def test_a_record_that_claims_a_place_behind_its_batch_is_not_believed() -> None:
    """It would be acknowledged there, and what truly lies between be lost."""
    raw = bytearray(batch(b"fine", b"liar"))
    raw[raw.index(b"liar") - 6] = 0x7E  # its offset in the batch: 63
    fine, lost = read(signed(raw) + batch(b"behind", base=2))[:2]
    assert fine.value == b"fine"
    assert damage_of(lost) is not None
    assert lost.offset == 1
    assert [each.offset for each in read(signed(raw) + batch(b"behind", base=2))] == [0, 1, 2]


def test_a_batch_too_short_to_say_where_it_ends_is_said_to_be_so() -> None:
    answer = Answer(struct.pack(">qi", 0, 3) + b"abc")
    assert answer.has_next()
    with pytest.raises(CorruptRecordException):
        answer.next_batch()


@given(st.data())
def test_nothing_that_a_producer_writes_raises_or_hides_its_neighbours(data: st.DataObject) -> None:
    """Any bytes behind any head, correctly signed: brokers look no further than that."""
    raw = bytearray(batch(b"a" * 10, b"b", codec=data.draw(st.sampled_from(list(CODECS.values()))), base=1))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(21, len(raw) - 1))] = data.draw(st.integers(0, 255))
    struct.pack_into(">i", raw, 23, 1)  # the broker checks the last offset against the count
    struct.pack_into(">h", raw, 21, data.draw(st.integers(0, 7)))
    found = read(batch(b"0") + signed(raw) + batch(b"3", base=3))
    assert (found[0].value, found[-1].value) == (b"0", b"3")
    assert {type(each.key) for each in found} <= {bytes, type(None)}


# ------------------------------------------------------------------------------------------------- what grows


@pytest.mark.parametrize("codec", [1, 2, 3, 4], ids=list(CODECS)[1:])
def test_a_bomb_is_unpacked_no_further_than_the_limit(codec: int) -> None:
    data = batch(b"before", b"x" * (2 * BATCH_BYTES), b"behind", codec=codec)
    found = read(data)
    damage = damage_of(found[-1])
    assert damage is not None
    assert damage.too_large
    assert found[-1].offset == 2
    assert len(found[-1].value) <= SAMPLE_BYTES
    if codec != 2:  # what snappy unpacks is all or nothing within a block
        assert [each.value for each in found[:-1]] == [b"before"]
        assert damage.size >= 2 * BATCH_BYTES, "the record's own size, as it declares it"


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_record_larger_than_any_topic_takes_is_passed_over_unread_and_alone(codec: int) -> None:
    """Twenty batches of one such record, 11 KB as they travelled, held 300 MB."""
    large = b"x" * (3 * RECORD_BYTES)
    found = read(batch(b"before", large, b"behind", codec=codec))
    assert [each.value for each in found if not damage_of(each)] == [b"before", b"behind"]
    damage = damage_of(found[1])
    assert damage is not None
    assert damage.too_large
    assert (damage.first, found[1].offset, len(found[1].value)) == (1, 1, SAMPLE_BYTES)
    assert damage.size > len(large)


def test_a_batch_that_is_not_believed_has_no_time() -> None:
    raw = bytearray(batch(b"a"))
    raw[35] ^= 0x40  # a high bit of its latest timestamp
    (lost,) = read(bytes(raw))
    assert damage_of(lost) is not None
    assert lost.timestamp == batches.UNKNOWN_TIME


def test_records_that_the_head_does_not_count_are_not_passed_over_in_silence() -> None:
    raw = bytearray(batch(b"a", b"b"))
    struct.pack_into(">i", raw, 57, 0)
    (lost,) = read(signed(raw))
    assert damage_of(lost) is not None
    assert lost.offset == 1


@pytest.mark.parametrize("codec", [1, 3, 4], ids=["gzip", "lz4", "zstd"])
def test_the_limit_is_exact(codec: int) -> None:
    pack = {1: cramjam.gzip.compress, 3: cramjam.lz4.compress, 4: cramjam.zstd.compress}[codec]
    assert len(unpack(codec, bytes(pack(b"x" * BATCH_BYTES)))) == BATCH_BYTES
    with pytest.raises(TooLarge) as caught:
        unpack(codec, bytes(pack(b"x" * (BATCH_BYTES + 1))))
    assert len(caught.value.so_far) == BATCH_BYTES


def test_a_snappy_block_that_declares_more_than_there_is_room_makes_none() -> None:
    declared = bytes([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])  # 4 GiB
    with pytest.raises(TooLarge):
        unpack(2, declared + b"\x00")


def test_a_gzip_stream_of_many_members_ends_at_the_limit_too() -> None:
    member = bytes(cramjam.gzip.compress(b"x" * (BATCH_BYTES // 2)))
    assert len(unpack(1, member * 2)) == BATCH_BYTES
    with pytest.raises(TooLarge):
        unpack(1, member * 3)


def test_the_library_still_raises_on_what_is_read_here() -> None:
    """The canary: when the library reads header names of any bytes and bounds what it unpacks, this module may go."""
    raw = bytearray(batch(b"a", headers=[("BADNAME", b"v")]))
    at = raw.index(b"BADNAME")
    raw[at : at + 2] = b"\xff\xfe"
    with pytest.raises(UnicodeDecodeError):
        list(DefaultRecordBatch(signed(raw)))
    bomb = batch(b"x" * (2 * BATCH_BYTES), codec=1)
    (record,) = DefaultRecordBatch(bomb)
    assert record.value is not None
    assert len(record.value) == 2 * BATCH_BYTES
    assert Batch(bomb).next_offset == 1
