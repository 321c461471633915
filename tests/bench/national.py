"""The national year of the demonstration, from the first publish until all has settled, and what it costs.

As there: three business times, tracing as sampled there, and settled is what `langhoc wait` calls so.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import TopicPartition

from cli.publishing import Message, Portal
from demo.command import is_traced
from demo.synthetic import AFTER_DEADLINE, FILES_OVER, ON_TIME, Demonstration
from deploy.local.harness import start_servers
from deploy.local.state import SERVICES
from shared.contracts.catalogue import EventType
from shared.contracts.topics import families, family_of, topic_names
from shared.messaging.clock import BusinessClock
from shared.messaging.operate.topics import province_codes
from tests.bench.ground import PATIENCE_SECONDS, Ground
from tests.bench.processor import Meter
from tests.bench.table import Measured, Row
from tests.platform import ServiceProcesses
from tests.topics import Offsets, ends, records_since

LOOKS = 3
"""Half a second apart: nothing on its way, seen again a second later."""


@dataclass
class _Year:
    """A year in the making."""

    ground: Ground
    processes: ServiceProcesses
    zipkin: str
    servers: Mapping[str, int]
    """Process of each server."""
    meter: Meter = field(default_factory=Meter)
    sent: int = 0
    rests: list[Offsets] = field(default_factory=list)
    """Where the topic of budgets ended before the year, and when all had settled at each of its times."""

    async def pass_by(self, stages: Sequence[tuple[datetime, Sequence[Message]]]) -> float:
        """Live through it; returns the seconds from the first publish until the last rest."""
        clock = str(self.processes.clock)
        offset = self.processes.set_clock(stages[0][0])
        await asyncio.to_thread(self.processes.start, *SERVICES, LANGHOC_CLOCK_FILE=clock)
        self.meter.start({**self.servers, **{service: self.processes.pid(service) for service in SERVICES}})
        self.rests.append(await ends(self.ground.servers.kafka, ["budgets"]))
        began = time.monotonic()
        for number, (at, messages) in enumerate(stages):
            if number:
                offset = await asyncio.to_thread(self.processes.set_clock, at, *SERVICES)
            kafka, spans = self.ground.servers.kafka, f"{self.zipkin}/api/v2/spans"
            async with Portal(kafka, zipkin=spans, clock=BusinessClock(offset)) as portal:
                self.sent += len(await portal.publish(messages, sampled=is_traced))
            await asyncio.to_thread(self.processes.wait_settled, *SERVICES, seconds=PATIENCE_SECONDS, looks=LOOKS)
            self.rests.append(await ends(self.ground.servers.kafka, ["budgets"]))
        seconds = time.monotonic() - began
        self.meter.stop(*self.servers, *SERVICES)
        return seconds


async def _measure(ground: Ground, zipkin: str, zipkin_pid: int) -> Measured:
    servers = {name: ground.servers[name].popen.pid for name in ("mongod", "kafka")} | {"zipkin": zipkin_pid}
    before = await ends(ground.servers.kafka, _ours())
    made = Demonstration(ground.sizes.provinces)
    stages: Sequence[tuple[datetime, Sequence[Message]]] = (
        (ON_TIME, [*made.setup(), *made.assessments(), *made.legacy()]),
        (AFTER_DEADLINE, list(made.late())),
        (FILES_OVER, []),
    )
    async with ground.world(OTEL_EXPORTER_ZIPKIN_ENDPOINT=f"{zipkin}/api/v2/spans") as processes:
        year = _Year(ground, processes, zipkin, servers)
        settled = await year.pass_by(stages[: ground.sizes.times])
    made_events = await _made(ground, before)
    at_times = await _proposals(ground, year.rests)
    proposals, centres = sum(map(len, at_times)), len({key for keys in at_times for key in keys})
    spent = dict(year.meter.seconds)
    beside = spent.pop("zipkin")
    total = sum(spent.values())
    shares = " · ".join(f"{name} {seconds:.0f}" for name, seconds in sorted(spent.items(), key=lambda each: -each[1]))
    return Measured(
        [
            Row(f"a national year: {year.sent:,} submissions, first publish to settled", f"{settled:.1f} s"),
            Row("… processor seconds, servers included", f"{total:.1f} s", shares),
            Row("… beside them Zipkin, which keeps the sampled traces", f"{beside:.1f} s"),
            Row("… events made", f"{made_events.total():,}", _counted(made_events)),
            Row("… proposals made", f"{proposals:,}", f"for {centres:,} centres; {_by_time(at_times)}"),
        ],
        {
            "national_submissions": year.sent,
            "national_settled_s": settled,
            "national_cpu_s": total,
            **{f"national_cpu_{name}_s": seconds for name, seconds in spent.items()},
            "national_cpu_zipkin_s": beside,
            "national_events": made_events.total(),
            **{f"national_{name}": count for name, count in made_events.items()},
            "national_proposals": proposals,
            "national_proposals_standing": centres,
            "national_proposals_per_centre": proposals / centres,
            **{
                f"national_proposals_{name}": len(keys)
                for name, keys in zip(("on_time", "after_deadline", "files_over"), at_times, strict=False)
            },
        },
    )


def _ours() -> list[str]:
    """All topics that services of ours write."""
    return [
        name
        for stem, family in families().items()
        if set(family.producers) & {*SERVICES}
        for name in topic_names(stem, province_codes())
    ]


async def _made(ground: Ground, before: Offsets) -> Counter[str]:
    """Events per family of topics."""
    found: Counter[str] = Counter()
    for partition, end in (await ends(ground.servers.kafka, _ours())).items():
        found[family_of(partition.topic).replace(".", "_")] += end - before[partition]
    return +found


async def _proposals(ground: Ground, rests: Sequence[Offsets]) -> list[list[bytes]]:
    """For each of the year's times the centres for which a proposal was made, once for each proposal."""
    type = EventType.BUDGET_PROPOSED.value.encode()
    found: list[list[bytes]] = [[] for _ in rests[1:]]
    async for record in records_since(ground.servers.kafka, rests[0]):
        if dict(record.headers).get("ce_type") == type:
            place = TopicPartition(record.topic, record.partition)
            later = sum(record.offset >= end[place] for end in rests[1:-1])
            found[later].append(record.key)
    return found


def _by_time(proposals: Sequence[Sequence[bytes]]) -> str:
    """How many proposals a centre had at each time at which it had any."""
    each = [f"{len(keys) / len(set(keys)):.1f}" if keys else "0" for keys in proposals]
    return f"{', '.join(each)} for each of them that had one at the year's times"


def _counted(counts: Counter[str]) -> str:
    return " · ".join(f"{name} {count:,}" for name, count in counts.most_common())


def run(ground: Ground) -> Measured:
    """Measure on the ground's servers, with a Zipkin of its own."""
    servers = ground.servers
    assert {"mongod", "kafka"} <= servers.keys()
    folder = ground.folder / "zipkin"
    with start_servers(folder, kafka=False, mongo=False, zipkin=True, full_size=True) as beside:
        return asyncio.run(_measure(ground, beside.zipkin, beside["zipkin"].popen.pid))
