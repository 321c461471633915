"""Reading batches whose header *names* are not UTF-8.

Kafka takes any bytes as a header's name, and clients in C, Go or PHP send them. aiokafka raises on such a record for
ever, before any parser of ours, and with it stops every partition of the consumer: one sender would silence all. Here
such a batch is read a second time by the library's slower reader, with the name's odd bytes spelled out (`\\xff`).
A canary test holds the library's fault and this remedy; when the fault is gone, so can this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


class _Name(bytes):
    """Bytes that can always be decoded."""

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


class _Buffer(bytearray):
    """A batch whose slices are such bytes."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return _Name(found) if isinstance(index, slice) else found


class _Batch:
    """The fast reader's batch; its records are read again by the slow one where it fails."""

    def __init__(self, fast: Any, data: bytes, number: int) -> None:
        self._fast, self._data, self._number = fast, data, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fast, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._fast
        except UnicodeDecodeError:
            yield from self._slow()  # from the batch's start: the fetcher passes over offsets that it has seen

    def __next__(self) -> Any:
        return next(self._fast)  # control records of transactions, which have no headers

    def _slow(self) -> Any:
        records = _MemoryRecordsPy(self._data)
        for _ in range(self._number):
            records.next_batch()
        slow = _DefaultRecordBatchPy(records._next_slice)
        slow._maybe_uncompress()
        slow._buffer = _Buffer(slow._buffer)
        return slow


class _Records:
    """What the fetcher reads a partition's answer with."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._fast = MemoryRecords(data)
        self._number = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fast, name)

    def next_batch(self) -> _Batch:
        batch = _Batch(self._fast.next_batch(), self._data, self._number)
        self._number += 1
        return batch


def tolerate_header_names() -> None:
    """Make every consumer of this process read such batches. Safe to repeat."""
    fetcher.MemoryRecords = _Records
