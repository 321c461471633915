"""The same work on Quix Streams, as its manual would have it: a sink of ours that is flushed at each checkpoint.

Run by `quix.py` with an interpreter that has Quix Streams and PyMongo, and knows nothing of this project:

    python quix_stage.py stage.bson
"""

from __future__ import annotations

import gc
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import bson
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from quixstreams import Application
from quixstreams.kafka.configuration import ConnectionConfig
from quixstreams.sinks.base.sink import BaseSink

OUTBOX = "outbox"
SECONDS_TO_CHECKPOINT = 1.0


class Writing(BaseSink):  # type: ignore[misc]  # its library is not installed where this is checked
    """Writes each checkpoint's share of the documents in one transaction, then sends its share of the events."""

    def __init__(self, stage: dict[str, Any], producer: Any) -> None:
        super().__init__()
        self._stage = stage
        self._producer = producer
        self._client: MongoClient[dict[str, Any]] = MongoClient(stage["mongo"], tz_aware=True)
        self._database = self._client[stage["database"]]
        self._done = self._added = 0

    def add(self, value: bytes, *_: Any, **__: Any) -> None:
        """One more record."""
        with suppress(ValueError):
            json.loads(value)
        self._added += 1

    def flush(self) -> None:
        """What has been added since the last time."""
        if self._added == self._done:
            return
        outbox = self._part(self._stage["outbox"])
        safely = WriteConcern("majority", j=True)
        with (
            self._client.start_session() as session,
            session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=safely),
        ):
            for name, documents in {**self._stage["documents"], OUTBOX: self._stage["outbox"]}.items():
                if part := self._part(documents):
                    self._database[name].insert_many(part, session=session)
        for row in outbox:
            self._producer.produce(row["topic"], row["value"], row["key"].encode(), headers=row["headers"])
        self._producer.flush()
        ids = [row["_id"] for row in outbox]
        self._database.get_collection(OUTBOX, write_concern=safely).delete_many({"_id": {"$in": ids}})
        self._done = self._added

    def _part(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        total = self._stage["total"]
        return items[self._done * len(items) // total : self._added * len(items) // total]


def main() -> None:
    """Handle `total` records of the topics, from where the group stands."""
    stage = bson.decode(Path(sys.argv[1]).read_bytes())
    gc.freeze()
    application = Application(
        broker_address=ConnectionConfig(**stage["kafka"]),
        consumer_group=stage["group"],
        auto_offset_reset="earliest",
        auto_create_topics=False,
        commit_interval=SECONDS_TO_CHECKPOINT,
        commit_every=stage["batch"],
        producer_extra_config={"enable.idempotence": True, "linger.ms": 5},
        loglevel="WARNING",
    )
    with application.get_producer() as producer:
        writing = Writing(stage, producer)
        for name in stage["topics"]:
            topic = application.topic(name, value_deserializer="bytes", key_deserializer="bytes")
            application.dataframe(topic).sink(writing)
        application.run(count=stage["total"], collect=False)


if __name__ == "__main__":
    main()
