"""A year's records that lie on the channels: how fast intake, and intake before scoring, work them off.

Beside them, in the same run, on the same servers, with the same records: bare stages that write what ours have written,
and naive handlers. Every rate is taken from the same yardstick: when the broker appended what came out.
"""

from __future__ import annotations

import asyncio
import pickle
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.synthetic import Demonstration
from shared.contracts.catalogue import EventType
from shared.contracts.topics import topic_names
from shared.messaging.operate.topics import province_codes
from tests.bench.bare import Stage, run_stages
from tests.bench.ground import PATIENCE_SECONDS, Ground, publish
from tests.bench.naive import run_naive
from tests.bench.quix import NotFetched, run_quix
from tests.bench.table import Measured, Row, ratio
from tests.bench.written import Written
from tests.topics import Offsets, ends, read_by, records_since, written_by

ACCEPTED = "intake.accepted"
WARM_UP = 10
"""The first of so many parts of what came out is not counted: what only the first records pay."""


def steady(records: int, receipts: Iterable[int], last: int | None = None) -> float:
    """Records per second, from when they were answered (milliseconds) until the last result, without the warm-up.

    `last`: when the last result of a later stage was appended. What comes before any result of that stage is work of
    the flow too, so its own results alone would flatter it: the year begins with records that nobody scores.
    """
    stamps = sorted(receipts)
    skipped = len(stamps) // WARM_UP
    seconds = (max(stamps[-1], last or 0) - stamps[skipped]) / 1000
    return records * (len(stamps) - 1 - skipped) / len(stamps) / max(seconds, 0.001)


@dataclass
class _Bench:
    """The year on its channels, and where everything else ended before anybody answered."""

    ground: Ground
    year: int
    channels: Offsets

    async def langhoc(self, *services: str, copies: int = 1) -> tuple[dict[str, Written], float]:
        """Work the year off with copies of these services, the last started first; what they wrote, and their rate."""
        kafka = self.ground.servers.kafka
        before = {service: await ends(kafka, written_by(service)) for service in services}
        async with self.ground.world(since=self.channels) as processes:
            for service in reversed(services):
                for copy in range(copies):
                    processes.launch(service, instance=copy)
                for copy in range(copies):
                    await asyncio.to_thread(processes.wait_ready, service, copy)
            await asyncio.to_thread(processes.wait_settled, *services, seconds=PATIENCE_SECONDS)
            rate = await self.rate(before[services[0]], before[services[-1]])
            written = {
                service: await Written.of(processes.database(service), kafka, before[service]) for service in services
            }
        return written, rate

    async def bare(self, *written: Written) -> float:
        """The same by bare stages that write the same."""
        servers = self.ground.servers
        before = await ends(servers.kafka, [*written_by("intake"), *written_by("scoring")])
        with tempfile.TemporaryDirectory(dir=self.ground.folder) as folder:
            copies = [Path(folder) / str(number) for number in range(len(written))]
            for each, path in zip(written, copies, strict=True):
                path.write_bytes(pickle.dumps(each))
            begins = [self.channels, {place: end for place, end in before.items() if place.topic == ACCEPTED}]
            totals = [self.year, sum(row["topic"] == ACCEPTED for row in written[0].outbox)]
            batch = self.ground.sizes.batch
            stages = [
                Stage(servers.kafka, servers.mongo, begin, batch, total, copy)
                for begin, total, copy in zip(begins, totals, copies, strict=False)
            ]
            await asyncio.to_thread(run_stages, stages)
        return await self.rate(before, before if len(written) > 1 else {})

    async def naive(self, written: Written) -> float:
        """The first of them by naive handlers."""
        servers, handled = self.ground.servers, min(self.ground.sizes.naive, self.year)
        before = await ends(servers.kafka, written_by("intake"))
        await run_naive(servers.kafka, servers.mongo, self.channels, written, total=self.year, handled=handled)
        return steady(handled, await self.appended(before, written_by("intake")))

    async def quix(self, written: Written) -> float:
        """All of them by Quix Streams. Raises `NotFetched`."""
        servers = self.ground.servers
        before = await ends(servers.kafka, written_by("intake"))
        await run_quix(
            servers.kafka, servers.mongo, self.channels, written, total=self.year, batch=self.ground.sizes.batch
        )
        return await self.rate(before, {})

    async def rate(self, before: Offsets, scored: Offsets) -> float:
        """Of the whole year: from the receipts behind those offsets until the last of what was scored behind these."""
        receipts = await self.appended(before, topic_names("receipts", province_codes()))
        if len(receipts) != self.year:
            raise RuntimeError(f"{len(receipts)} receipts for {self.year} records")
        return steady(self.year, receipts, max(await self.appended(scored, ["scores"]), default=None))

    async def appended(self, before: Offsets, topics: Sequence[str]) -> list[int]:
        """When the broker appended what lies on these topics behind those offsets."""
        here = {place: offset for place, offset in before.items() if place.topic in topics}
        return [record.timestamp async for record in records_since(self.ground.servers.kafka, here)]


async def _measure(ground: Ground) -> Measured:
    kafka = ground.servers.kafka
    made = Demonstration(ground.sizes.provinces)
    channels = await ends(kafka, read_by("intake"))
    year = await publish(kafka, [*made.setup(), *made.assessments(), *made.legacy()])
    bench = _Bench(ground, year, channels)
    written, two = await bench.langhoc("intake", "scoring")
    _, one = await bench.langhoc("intake")
    _, one_by_two = await bench.langhoc("intake", copies=2)
    _, two_by_two = await bench.langhoc("intake", "scoring", copies=2)
    bare_one = await bench.bare(written["intake"])
    bare_two = await bench.bare(written["intake"], written["scoring"])
    naive = await bench.naive(written["intake"])
    beside, others = await _others(bench, written["intake"], bare_one)
    scored = _sizes(written["scoring"], EventType.COMMUNE_SCORED)
    return Measured(
        [
            Row(f"bare stage, batches of {ground.sizes.batch:,}", f"{bare_one:,.0f} records/s", "baseline"),
            Row(f"intake, {year:,} records of a year", f"{one:,.0f} records/s", ratio(one, bare_one)),
            Row("two copies of intake", f"{one_by_two:,.0f} records/s", f"{ratio(one_by_two, one)} one copy"),
            Row("FastStream handlers, one transaction per record", f"{naive:,.0f} records/s", ratio(naive, bare_one)),
            *beside,
            Row("two bare stages", f"{bare_two:,.0f} records/s", "baseline"),
            Row("intake and scoring", f"{two:,.0f} records/s", ratio(two, bare_two)),
            Row("two copies of each", f"{two_by_two:,.0f} records/s", f"{ratio(two_by_two, two)} one copy of each"),
            Row("documents of intake, for a record", f"{written['intake'].count / year:.1f}"),
            Row("a commune's result, as published", f"{sum(scored) / len(scored):,.0f} bytes"),
        ],
        {
            "year_records": year,
            "bare_one_stage_per_s": bare_one,
            "bare_two_stages_per_s": bare_two,
            "naive_per_s": naive,
            "intake_per_s": one,
            "two_stages_per_s": two,
            **others,
            "intake_two_copies_per_s": one_by_two,
            "two_stages_two_copies_per_s": two_by_two,
            "intake_two_copies_over_one": one_by_two / one,
            "two_stages_two_copies_over_one": two_by_two / two,
            "intake_over_bare": one / bare_one,
            "two_stages_over_bare": two / bare_two,
            "intake_over_naive": one / naive,
            "intake_documents_per_record": written["intake"].count / year,
            "scored_event_bytes": sum(scored) / len(scored),
        },
    )


async def _others(bench: _Bench, written: Written, bare: float) -> tuple[list[Row], dict[str, float]]:
    """What a user might pick instead, where it can be fetched."""
    if not bench.ground.sizes.others:
        return [], {}
    name = "Quix Streams, a transaction for each checkpoint"
    try:
        rate = await bench.quix(written)
    except NotFetched as reason:
        return [Row(name, "–", f"not fetched: {reason}")], {}
    return [Row(name, f"{rate:,.0f} records/s", ratio(rate, bare))], {"quix_per_s": rate}


def _sizes(written: Written, type: EventType) -> list[int]:
    """Bytes of the bodies of all events of a type."""
    return [len(row["value"]) for row in written.outbox if row["headers"]["ce_type"] == type]


def run(ground: Ground) -> Measured:
    """Measure on the ground's servers."""
    ground.servers  # noqa: B018 - they are started outside of the event loop
    return asyncio.run(_measure(ground))
