"""Titles by single decisions on a real mongod: intake and scoring keep each, every commune's share is exact in the end.

A tenth of the decisions are later ones on households that moved to another commune of their province, and one in twenty
has ended by the cut-off day. What must come out is counted here in another way: the last decision on each household.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from cli.publishing import Message
from demo.synthetic import ON_TIME, PERIOD
from services.intake import decisions as intake
from services.intake import queries as intake_queries
from services.scoring import decisions as scoring
from services.scoring import queries as scoring_queries
from shared.contracts.catalogue import EventType
from shared.contracts.topics import topic_names
from shared.messaging.clock import BusinessClock
from shared.messaging.collections import OUTBOX, RECALCULATIONS
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.recalculation import Recalculator
from shared.messaging.decide.sets import Sets
from shared.messaging.operate.preparing import prepare
from shared.messaging.operate.topics import province_codes
from shared.messaging.send.outbox import Relay
from shared.mongo import Mongo
from shared.mongo.connect import connect
from shared.registry import Unit, registry
from shared.rulebook import cut_off
from tests.bench.delivery import records_of
from tests.bench.ground import Ground
from tests.bench.processor import resident_mb
from tests.bench.table import Measured, Row
from tests.oracle import FakeRecord

MOVED, ENDED = 10, 20
"""One in so many."""
EXISTING = 10_000_000
FACTS = "intake.accepted"
_offsets = iter(range(10**12))


class Decision(NamedTuple):
    """A decision on a household."""

    province: str
    commune: str
    holder: str
    day: str
    ends: str | None


class _Quiet:
    """Nothing is sent: the benchmark takes the events from the outbox itself."""

    def wake(self) -> None:
        """Nothing to wake."""


def communes(provinces: Sequence[str] | None) -> list[Unit]:
    """Of these provinces; of all if `None`."""
    found = registry().units(cut_off(PERIOD))
    return [unit for unit in found if provinces is None or unit.province_code in provinces]


def decisions(many: int, units: Sequence[Unit]) -> Iterator[Decision]:
    """So many, commune by commune as sheets come, and those on who moved at the end."""
    first = many - many // MOVED
    for number in range(first):
        unit = units[number * len(units) // first]
        ends = f"{PERIOD}-12-01" if number % ENDED == 0 else None
        yield Decision(unit.province_code, unit.code, f"HO-{number}", f"{PERIOD}-08-15", ends)
    by_province: dict[str, list[str]] = {}
    for unit in units:
        by_province.setdefault(unit.province_code, []).append(unit.code)
    for number in range(many - first):
        unit = units[number * len(units) // first]
        codes = by_province[unit.province_code]
        to = codes[(codes.index(unit.code) + 1) % len(codes)]
        yield Decision(unit.province_code, to, f"HO-{number}", f"{PERIOD}-10-20", None)


def expected(many: int, units: Sequence[Unit]) -> Counter[str]:
    """How many families of each commune hold the title on the cut-off day."""
    last = {(one.province, one.holder): one for one in decisions(many, units)}
    return Counter(one.commune for one in last.values() if one.ends is None)


def _files(units: Sequence[Unit]) -> Iterator[Message]:
    for unit in units:
        body = {
            "submission_id": f"LM-{unit.code}",
            "series": "learning_models",
            "subject": unit.code,
            "period": PERIOD,
            "rubric": "learning_models_387_2022",
            "content": {"scoring": "pass_fail", "targets": {}},
            "by_decision": {"GD1": {"existing": EXISTING}},
        }
        yield _message(unit.province_code, unit.code, EventType.ASSESSMENT_SUBMITTED, body)


def _titles(many: int, units: Sequence[Unit]) -> Iterator[Message]:
    for number, one in enumerate(decisions(many, units)):
        body = {
            "submission_id": f"DH-{number}",
            "model": "family",
            "holder_id": one.holder,
            "commune_code": one.commune,
            "decision_number": f"{number}/QĐ-UBND",
            "decided_on": one.day,
            "decided_by": "Chủ tịch UBND xã",
        }
        if one.ends:
            body["ends_on"] = one.ends
        yield _message(one.province, one.commune, EventType.TITLE_SUBMITTED, body)


def _message(province: str, key: str, type_: EventType, body: dict[str, Any]) -> Message:
    return Message(province, key, type_.value, json.dumps(body, ensure_ascii=False).encode())


async def _facts(mongo: Mongo) -> list[FakeRecord]:
    """What intake has told since the last time, as the broker would hand it over."""
    rows = await mongo.find(OUTBOX, {"topic": FACTS}, sort=[("order", 1)])
    await mongo.delete(OUTBOX, {})
    return [
        FakeRecord(
            row["topic"],
            0,
            next(_offsets),
            int(ON_TIME.timestamp() * 1000),
            row["key"].encode(),
            bytes(row["value"]),
            [(name, text.encode()) for name, text in row["headers"].items()],
        )
        for row in rows
    ]


async def _measure(uri: str, many: int, batch: int, units: Sequence[Unit]) -> Measured:
    clock, name = BusinessClock(), uuid.uuid4().hex[:8]
    stores = {each: connect("motor", uri, f"titles_{each}_{name}") for each in ("intake", "scoring")}
    for each, queries in (("intake", intake_queries), ("scoring", scoring_queries)):
        await prepare(stores[each], inbox_days=1)
        await queries.migrate(stores[each])
    topics = tuple(topic_names("submissions", province_codes()))
    first = Pipeline(
        "intake",
        Consumer("intake", topics, intake.routes, intake.refusals),
        stores["intake"],
        clock=clock,
        brake=Brake(50),
        sets=Sets(intake.SETS),
    )
    sets = Sets(scoring.SETS)
    second = Pipeline(
        "scoring",
        Consumer("scoring", (FACTS,), scoring.routes),
        stores["scoring"],
        clock=clock,
        brake=Brake(50),
        sets=sets,
    )
    quiet: Relay = _Quiet()  # type: ignore[assignment]
    counting = Recalculator("scoring", stores["scoring"], quiet, clock=clock, sets=sets, quiet_seconds=0.0)
    seconds: defaultdict[str, float] = defaultdict(float)
    most = 0.0
    for kind, messages in (("files", _files(units)), ("titles", _titles(many, units))):
        while some := list(islice(messages, batch)):
            began = time.perf_counter()
            await first.process(records_of(some))
            seconds[f"intake {kind}"] += time.perf_counter() - began
            facts = await _facts(stores["intake"])
            began = time.perf_counter()
            await second.process(facts)
            seconds[f"scoring {kind}"] += time.perf_counter() - began
            await stores["scoring"].delete(OUTBOX, {})
            most = max(most, resident_mb(os.getpid()))
    began = time.perf_counter()
    while await stores["scoring"].count(RECALCULATIONS, {"set": "titles"}):
        await counting.round()
    rolled = time.perf_counter() - began
    most = max(most, resident_mb(os.getpid()))
    wrong = await _wrong(stores["scoring"], expected(many, units), [unit.code for unit in units])
    for store in stores.values():
        await store.close()
    taking, keeping = seconds["intake titles"], seconds["scoring titles"]
    return Measured(
        [
            Row(f"intake, {many:,} decisions on titles", f"{many / taking:,.0f} records/s", "baseline"),
            Row("scoring, the same", f"{many / keeping:,.0f} records/s", f"{taking / keeping:.2g} ×"),
            Row(f"… the shares of {len(units):,} communes", f"{rolled:.1f} s", f"{wrong} differ from the oracle"),
            Row("… memory of both in one process at most", f"{most:,.0f} MB"),
        ],
        {
            "titles": many,
            "titles_intake_per_s": many / taking,
            "titles_scoring_per_s": many / keeping,
            "titles_rolled_up_s": rolled,
            "titles_memory_mb": most,
            "titles_wrong": wrong,
        },
    )


async def _wrong(mongo: Mongo, right: Counter[str], codes: Sequence[str]) -> int:
    """Communes whose share is another than it must be."""
    rows = await mongo.find(scoring.RESULTS.name, {"kind": "learning_models"})
    shares = {row["accepted"]["subject_id"].partition("@")[0]: row["result"]["shares"] for row in rows}
    told = {code: shares.get(code, {}).get("learning_families") for code in codes}
    return sum(told[code] != f"{right[code]}/{EXISTING}" for code in codes)


def run(ground: Ground) -> Measured:
    """Measure on the ground's mongod, in this process: the broker takes no part."""
    sizes = ground.sizes
    return asyncio.run(_measure(ground.servers.mongo, sizes.titles, sizes.batch, communes(sizes.provinces)))
