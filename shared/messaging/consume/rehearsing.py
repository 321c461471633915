"""What a consumer would decide on records that nobody has written: over what is known now, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence

from shared.messaging.clock import BusinessClock
from shared.messaging.consume import envelope
from shared.messaging.consume.pipeline import Handle, classify
from shared.messaging.decide.asking import Consumer, Outcome
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo


async def rehearse(
    mongo: Mongo, consumer: Consumer, records: Sequence[envelope.Record], clock: BusinessClock
) -> list[Outcome]:
    """The outcome of each, as if they came now, one after the other: a later one is decided on what an earlier one put.

    For consumers of outside senders, who answer every record.
    """
    reader, outcomes = Reader(mongo), list[Outcome]()
    for record in records:
        now = clock.now()
        received = envelope.read(
            record, received_at=now, trusted=False, clock_offset=clock.offset_seconds, decided_at=now
        )
        decision = classify(received, consumer)
        assert isinstance(decision, Handle), "whoever answers every record handles it"
        run = Run(decision.decide, decision.received, reader, now, ranges=False)
        outcomes.append(await decided(run, reader))
        reader.expect(outcomes[-1].puts)
    return outcomes
