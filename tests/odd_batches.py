"""Batches that no portal of ours would send, put on a channel byte by byte: bombs, odd codecs, names that are none."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
Headers = Sequence[tuple[str, bytes]]
ODD_NAME = "ce_\u00fe\u00ff"
"""Two letters that are written as four bytes; `nameless` makes them four that are no text."""


def batch(values: Iterable[bytes], headers: Headers, *, codec: str | None = None, key: bytes = b"k") -> bytes:
    """A batch as a producer sends it, packed with a codec."""
    builder = DefaultRecordBatchBuilder(2, CODECS.get(codec or "", 0), False, -1, -1, -1, 1 << 30)
    for number, value in enumerate(values):
        builder.append(number, None, key, value, list(headers))
    return bytes(builder.build())


def nameless(values: Iterable[bytes], headers: Headers) -> bytes:
    """A batch whose records have a header with a name that is no text."""
    made = bytearray(batch(values, [*headers, (ODD_NAME, b"v")]))
    good, bad = ODD_NAME.encode(), b"ce_\xff\xfe\xfd\xfc"
    made = bytearray(bytes(made).replace(good, bad))
    struct.pack_into(">I", made, 17, calc_crc32c(bytes(made[21:])))
    return bytes(made)


def bomb(megabytes: int, headers: Headers, *, codec: str = "gzip") -> bytes:
    """One record of valid JSON, small as it travels and huge once unpacked."""
    body = json.dumps({"submission_id": "BOMB", "note": "x" * (megabytes * 1024 * 1024)})
    return batch([body.encode()], headers, codec=codec)


async def put(producer: AIOKafkaProducer, topic: str, partition: int, raw: bytes) -> int:
    """Send a batch as it is; returns the offset of its first record. Raises the broker's `KafkaError`."""
    await producer.partitions_for(topic)
    client: Any = producer.client
    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    request = ProduceRequest(
        required_acks=-1, timeout=10_000, topics=[(topic, [(partition, raw)])], transactional_id=None
    )
    answer = await client.send(leader, request)
    ((_, ((_, code, offset, *_),)),) = answer.topics
    if code:
        raise for_code(code)
    return int(offset)
