"""What a service has written, to be written once more by whoever is compared with it: the same documents and events.

A baseline that made up its own documents would be faster or slower for reasons of its own. This one copies what the
service left in its database and on its topics, so it follows every change of what is stored and published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from pymongo.database import Database

from shared.messaging.access import KafkaAccess
from shared.messaging.collections import OUTBOX, RECALCULATIONS, SCHEMAS, SETS, TOPIC_LIVES
from shared.messaging.send.outbox import row
from shared.mongo.leases import COLLECTION as LEASES
from tests.topics import Offsets, records_since

Document = dict[str, Any]
T = TypeVar("T")
BESIDES = {LEASES, OUTBOX, RECALCULATIONS, SCHEMAS, SETS, TOPIC_LIVES}
"""What a service keeps about its own work, and not about the records. The outbox is made anew from the topics."""


@dataclass(frozen=True, slots=True)
class Written:
    """Documents by collection, and the outbox's rows in the order in which they left."""

    documents: Mapping[str, Sequence[Document]]
    indexes: Mapping[str, Sequence[Mapping[str, Any]]]
    outbox: Sequence[Document]

    @classmethod
    async def of(cls, database: Database[Document], kafka: KafkaAccess, since: Offsets) -> Written:
        """All that lies in the database, and on these partitions behind those offsets."""
        names = sorted({*database.list_collection_names()} - BESIDES)
        published = [record async for record in records_since(kafka, since)]
        published.sort(key=lambda record: int(record.timestamp))  # as they came, so that each part has of all topics
        return cls(
            {name: list(database[name].find()) for name in names},
            {name: _indexes(database, name) for name in (*names, OUTBOX)},
            [_row(record, order) for order, record in enumerate(published)],
        )

    def part(self, first: int, last: int, total: int) -> Written:
        """The share of the records `first` to `last` (excluded) of `total`."""

        def cut(items: Sequence[T]) -> Sequence[T]:
            return items[first * len(items) // total : last * len(items) // total]

        return Written({name: cut(found) for name, found in self.documents.items()}, {}, cut(self.outbox))

    async def insert(self, database: Any, session: Any) -> None:
        """Write documents and outbox in the transaction of a session of Motor's."""
        for name, documents in {**self.documents, OUTBOX: self.outbox}.items():
            if documents:
                await database[name].insert_many(documents, session=session)

    async def prepare(self, database: Any) -> None:
        """Make the collections with their indexes."""
        for name, indexes in self.indexes.items():
            await database.create_collection(name)
            for options in indexes:
                await database[name].create_index(**options)

    async def send(self, producer: AIOKafkaProducer) -> list[Any]:
        """Hand the outbox's rows to a producer; returns what is to be awaited."""
        return [
            await producer.send(
                each["topic"],
                each["value"],
                each["key"].encode(),
                headers=[(name, text.encode()) for name, text in each["headers"].items()],
            )
            for each in self.outbox
        ]

    @property
    def count(self) -> int:
        """How many documents that is."""
        return sum(map(len, self.documents.values())) + len(self.outbox)

    @property
    def sent(self) -> list[str]:
        """Ids of the outbox's rows."""
        return [each["_id"] for each in self.outbox]


def _row(record: Any, order: int) -> Document:
    headers = {name: value.decode() for name, value in record.headers}
    return row(
        event_id=headers["ce_id"],
        topic=record.topic,
        key=record.key.decode(),
        value=record.value,
        headers=headers,
        order=order,
        at=datetime.now(UTC),
    )


def _indexes(database: Database[Document], collection: str) -> list[dict[str, Any]]:
    found = database[collection].index_information()
    return [
        {"keys": each["key"], "unique": each.get("unique", False)} for name, each in found.items() if name != "_id_"
    ]
