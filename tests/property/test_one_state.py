"""The state is a function of the set of accepted facts and of time, never of the order, the batches or the pace.

The facts are what intake really makes of a province's files, corrections and orders. Then they come to scoring,
funding and notifications in any order, each service runs ahead of the others as it likes, sets are computed at any
moment, and the clock passes deadlines and closing days anywhere between: in the end all is as if nothing had been odd.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from deploy.local.identity import ensure_signing_key
from shared.contracts.catalogue import EventType
from shared.rulebook import HANOI
from tests.casework.case import MINISTRY, Officer
from tests.casework.end_state import end_state, essence, unlike
from tests.casework.in_memory import MemoryWorld
from tests.casework.records import Data
from tests.casework.records import Record as Filing
from tests.conformance.memory_kafka import Record
from tests.fakes.small_country import country_of

READERS = ("scoring", "funding", "notifications")
"""Services behind intake."""
FACTS = ("intake.accepted", "receipts")


def at(text: str) -> datetime:
    """An hour in Hanoi."""
    return datetime.fromisoformat(text).replace(tzinfo=HANOI)


BEGIN = at("2025-04-20 09:00")
MOMENTS = [BEGIN, at("2026-02-20 10:00"), at("2026-04-05 10:00"), at("2026-04-20 10:00"), at("2027-01-05 10:00")]
"""When something comes: in time for 2024, in time for 2025, just before a centre's last day, after it, in the year
after."""
TICKS = [at("2026-03-01 00:30"), at("2026-04-11 00:30"), at("2027-01-01 00:30"), at("2027-04-11 00:30")]
"""Times that the clock passes: deadlines of communes and of centres, the end of the budget year, the next deadline."""


SPRING = [*TICKS[:2], MOMENTS[3]]
"""The same up to the spring of 2026, before anything closes."""


@dataclass(frozen=True)
class Filed:
    """Something that comes to intake."""

    moment: int
    province: str
    name: str
    """Of the subject and period: of one name, each file corrects the one before, where that was accepted."""
    says: Data
    """A record's short form; of an order, which no province gives, its body, and `name` is where it is given."""


@dataclass
class History:
    """Everything that is filed with intake, in the order of its moments."""

    filed: list[Filed] = field(default_factory=list)

    def __repr__(self) -> str:
        return "\n".join(f"{MOMENTS[each.moment]:%Y-%m-%d} {each.province} {each.says}" for each in self.filed)


# ---------------------------------------------------------------------------------------------- histories

GRADES: list[Data] = [{"as": "good"}, {}, {"as": "weak"}, {"without": ["content/points/N3"]}]
SPOILT: Data = {"content": {"points": {"N1": {"points": "20.5"}}}}
AREAS = ["region_1", "region_2", "other"]
LEVELS: list[Data] = [
    {},
    {"content": {"targets": {"C1.1": {"met": False}}}},
    {"content": {"targets": {"C5.1": {"share": {"numerator": 12000}}}}},
    {"without": ["content/targets/C5.1"]},
]


def _centre(centre: str, period: int) -> list[Data]:
    return [{"centre": centre, "period": period, **each} for each in (*GRADES, SPOILT)]


def _commune(code: str, period: int) -> list[Data]:
    return [{"commune": code, "period": period, **each} for each in LEVELS]


def _support(centre: str, year: int, *amounts: int, purpose: str = "operating") -> list[Data]:
    return [{"support": centre, "year": year, "amount": each, "purpose": purpose} for each in amounts]


def _recognition(code: str, period: int, *days: str) -> list[Data]:
    return [
        {"recognition": code, "period": period, "level": level, "decided_on": day, "decision_number": f"{level}/{day}"}
        for day in days
        for level in (1, 2)
    ] + [{"revoke": code, "period": period, "decided_on": "2026-03-20", "decision_number": "77/QĐ-UBND"}]


def _graded(centre: str, period: int, *grades: str) -> list[Data]:
    decided = {"period": period, "decided_on": f"{period + 1}-03-01", "without": ["level"]}
    named = [
        {"recognition": f"centre/{centre}", "grade": each, "decision_number": f"{each}/QĐ-PGDĐT", **decided}
        for each in grades
    ]
    return [*named, {"revoke": f"centre/{centre}", "period": period, "decided_on": "2026-03-20"}]


def _registration(centre: str, code: str, **fields: Any) -> list[Data]:
    whole = {"registration": centre, "commune_code": code, "opened_on": "2009-01-01", **fields}
    return [{**whole, "area_class": area} for area in AREAS]


COMMUNES = ("03127", "03148", "03151", "03184", "18919")
OLD: Data = {"closed_on": "2025-07-01"}
CENTRES: list[tuple[int, str, list[Data]]] = [
    (0, "11", _registration("A", "03151", **OLD)),
    (0, "11", _registration("B", "03151", **OLD)),
    (1, "11", _registration("M", "03151", opened_on="2025-07-01", predecessors=["A", "B"])),
    (0, "11", _registration("D", "03127")),
    (1, "11", _registration("N", "03127", opened_on="2026-02-01")),
    (0, "44", _registration("F", "18919")),
]
"""Two that were merged, one that was there before and after, a new one, and one of another province."""
SUBJECTS: list[tuple[str, list[Data]]] = [
    ("11", _centre("A", 2024)),
    ("11", _centre("M", 2025)),
    ("11", _centre("D", 2024)),
    ("11", _centre("D", 2025)),
    ("44", _centre("F", 2025)),
    ("11", _support("A", 2024, 10_000_000, 40_000_000)),
    ("11", _support("B", 2024, 20_000_000, 0)),
    ("11", _support("A", 2025, 5_000_000, 15_000_000)),
    ("11", _support("M", 2025, 12_000_000, 30_000_000)),
    ("11", _support("D", 2024, 24_000_000, 0)),
    ("11", _support("D", 2025, 20_000_000, 35_000_000)),
    ("11", _support("N", 2026, 30_000_000, 10_000_000, purpose="equipment")),
    ("44", _support("F", 2025, 18_000_000, 22_000_000)),
    ("11", [{"envelope": "2026", "amount": each} for each in (90_000_000, 60_000_000, 30_000_000)]),
    ("11", [{"envelope": "2027", "amount": each} for each in (100_000_000, 75_000_000)]),
    ("44", [{"envelope": "2026", "amount": each} for each in (25_000_000, 100_000_000)]),
    ("11", _commune("03151", 2024)),
    ("11", _commune("03151", 2025)),
    ("11", _commune("03127", 2025)),
    ("44", _commune("18919", 2025)),
    ("11", _recognition("03148", 2024, "2025-03-20", "2026-01-15")),
    ("11", _recognition("03151", 2024, "2024-12-20", "2025-03-20")),
    ("11", _recognition("03184", 2024, "2025-03-20")),
    ("11", _recognition("03151", 2025, "2026-02-01")),
    ("44", _recognition("18919", 2024, "2024-12-20", "2025-03-20")),
    ("11", _graded("D", 2024, "tot", "yeu")),
    ("44", _graded("F", 2024, "tot", "kha")),
    ("11", [{"assessment": "district/095", **each} for each in ({}, {"without": ["content/targets/C1.1"]})]),
    ("11", [{"assessment": "province/11"}]),
    (
        "11",
        [
            {"assessment": "universal_education/03151", **each}
            for each in ({}, {"content": {"targets": {"MN1": {"share": {"numerator": 10}}}}})
        ],
    ),
    ("44", [{"assessment": "learning_unit/DV-1"}]),
    ("44", _commune("03127", 2025)),  # a stranger, who is refused
]
"""Who sends, and what may be said of one subject and period; a later version may say any of it."""
CORRECTIONS = "/register/corrections"
REOPENINGS = "/periods/reopenings"
ORDERS: list[tuple[int, str, Data]] = [
    (
        2,
        CORRECTIONS,
        {
            "correction_id": "NAME",
            "why": "Sai tên",
            "source": "Công báo (thử nghiệm)",
            "decree": {"number": "5/2026 (thử nghiệm)", "issued_on": "2025-06-15", "effective_on": "2025-07-01"},
            "changed": [
                {"unit_id": "03151@2025-07", "name": "Phường Khác", "type": "Phường", "province_code": "11"}
                | {"valid_from": "2025-07-01"}
            ],
        },
    ),
    (
        3,
        CORRECTIONS,
        {
            "correction_id": "OTHER-PREDECESSOR",
            "why": "Nhầm đơn vị tiền thân",
            "source": "Công báo (thử nghiệm)",
            "decree": {"number": "6/2026 (thử nghiệm)", "issued_on": "2025-06-15", "effective_on": "2025-07-01"},
            "removed_successions": [{"predecessor": "18919@pre-2025-07", "successor": "18919@2025-07"}],
        },
    ),
    (
        4,
        REOPENINGS,
        {
            "order_id": "MO-1",
            "what": "centre",
            "period": 2025,
            "reason": "bão lụt",
            "until": "2027-03-01T00:00:00+07:00",
        },
    ),
]
"""What the ministry orders of intake: at which moment, where, what."""


def _withdrawal(says: Data, id: str) -> Data:
    filing = Filing.model_validate(says)
    named = {name: value for name, value in filing.body().items() if name in ("period", "year", "purpose")}
    return {"withdraw": f"{filing.kind} {filing.subject}", "id": id, **named}


@st.composite
def _lives(
    draw: st.DrawFn, name: str, province: str, sayings: list[Data], since: int | None = None, most: int = 3
) -> list[Filed]:
    """What is said of one subject: a first file, corrections, a withdrawal, a new file, each at its moment.

    `since`: the moment at which a first file comes for certain.
    """
    steps = st.lists(st.tuples(st.integers(since or 0, 4), st.integers(0, len(sayings))), max_size=most)
    found = [] if since is None else [Filed(since, province, name, {**sayings[0], "id": f"{name}-0"})]
    for number, (moment, which) in enumerate(sorted(draw(steps), key=lambda step: step[0]), start=1):
        id = f"{name}-{number}"
        withdraws = which == len(sayings) and found
        says = _withdrawal(sayings[0], id) if withdraws else {**sayings[which % len(sayings)], "id": id}
        found.append(Filed(moment, province, name, says))
    return found


@st.composite
def histories(draw: st.DrawFn, *, ordered: bool = True) -> History:
    """A small world of two provinces; `ordered`: in which the ministry gives orders."""
    filed: list[Filed] = []
    for number, (since, province, sayings) in enumerate(CENTRES):
        filed += draw(_lives(f"R{number}", province, sayings, since, most=1))
    for number, (province, sayings) in enumerate(SUBJECTS):
        filed += draw(_lives(f"S{number}", province, sayings))
    filed += [Filed(since, "", path, body) for since, path, body in ORDERS if ordered and draw(st.booleans())]
    return History(sorted(filed, key=lambda each: (each.moment, each.province)))


NEVER_TAKEN = _centre("F", 2025)
"""Files that in this history are refused, in time and after it."""
SPOILT_FILE = NEVER_TAKEN[-1]


def _year() -> History:
    """One history in which everything of every kind happens."""
    filed = [
        Filed(since, province, f"R{n}", {**sayings[0], "id": f"R{n}-0"})
        for n, (since, province, sayings) in enumerate(CENTRES)
    ]
    for n, (province, sayings) in enumerate(SUBJECTS):
        if sayings == NEVER_TAKEN:
            filed += [Filed(k, province, f"S{n}", {**SPOILT_FILE, "id": f"S{n}-{k}"}) for k in (2, 3)]
            continue
        for k, says in enumerate(sayings[:2]):
            filed.append(Filed(1 + (n + 2 * k) % 3, province, f"S{n}", {**says, "id": f"S{n}-{k}"}))
        if n % 4 == 0:
            filed.append(Filed(3, province, f"S{n}", _withdrawal(sayings[0], f"S{n}-w")))
    filed += [Filed(moment, "", path, body) for moment, path, body in ORDERS]
    return History(sorted(filed, key=lambda each: (each.moment, each.province)))


YEAR = _year()


# --------------------------------------------------------------------------------------------------- ways


@dataclass
class Village:
    """A world in memory, and what can happen to it."""

    world: MemoryWorld

    @classmethod
    async def begin(cls, keys: Path) -> Village:
        """At the first moment, with nothing in it."""
        village = cls(await MemoryWorld(keys).begin())
        village.world.tick(BEGIN)
        return village

    async def file(self, filed: Filed) -> None:
        """Let something come to intake, under the version that it corrects. It must have read what the sender sent."""
        if filed.province:
            filing = Filing.model_validate(filed.says)
            if version := self._version(filed):
                filing = filing.model_copy(update={"with_": {"corrects_version": version}})
            await self.world.come(MOMENTS[filed.moment], [filing.message(filed.province)])
        else:
            answer = await self.world.order(MINISTRY, "intake", filed.name, filed.says, f"{filed.name} {filed.moment}")
            assert answer.status_code < 300, answer.text

    def _version(self, filed: Filed) -> int | None:
        """The newest version of its subject that the sender was told."""
        told = [each for each in self.receipts() if each["province"] == filed.province]
        own = [each["version"] for each in told if str(each["submission_id"]).rpartition("-")[0] == filed.name]
        return max((version for version in own if version is not None), default=None)

    def receipts(self) -> list[Data]:
        """All of them, in the order in which they were issued."""
        return [json.loads(each.value or b"") for each in self.world.records("receipts")]

    async def order(self, who: str, step: str, budget: str, key: str) -> int:
        """An officer's order on a budget as it stands now, which accepts whose figure is not there; its status."""
        path = f"/budgets/{budget}"
        seen = (await self.world.ask(MINISTRY, "funding", path)).json()
        body: Data = {"why": "đã kiểm tra", "version": seen.get("version", 0), "hash": seen.get("hash", "")}
        if step == "submit":
            state = end_state(await self.world.events())
            run = state.get(f"{EventType.BUDGET_RUN_PROPOSED} {('11', 2026)}", {})
            lines = [each["allocation"] for each in state.values() if isinstance(each, dict) and "allocation" in each]
            awaited = [line["centre_id"] for line in lines if line["assessment"] == "awaited"]
            body["accepts"] = sorted({*awaited, *run.get("last_year_unknown", [])})
        officer = Officer.model_validate(who)
        return (await self.world.order(officer, "funding", f"{path}/{step}", body, key)).status_code

    async def live(self, facts: Sequence[Record], ticks: Sequence[datetime], chance: Random) -> None:
        """Let facts come in any order, some of them again, and time pass, at any pace; the last facts come when all
        had come to rest: nothing behind them mends what they forgot to ask for."""
        coming, ticks = [*facts, *(each for each in facts if chance.random() < 0.1)], list(ticks)
        chance.shuffle(coming)
        last = [coming.pop() for _ in range(min(len(coming), chance.randrange(4)))]
        while coming or ticks:
            match chance.randrange(8):
                case 0 | 1 | 2 if coming:
                    many = chance.choice([1, 1, 3, len(coming)])
                    self.world.deliver(coming[:many])
                    del coming[:many]
                case 3 if ticks:
                    self.world.tick(ticks.pop(0))
                case 4 | 5 | 6:
                    service = self.world.services[chance.choice(READERS)]
                    await service.consume(lambda waiting: chance.randint(0, waiting))
                case _:
                    await self.world.services[chance.choice(READERS)].recompute()
        await self.world.rest(*READERS)
        for each in last:
            self.world.deliver([each])
            await self.world.rest(*READERS)

    async def end(self) -> dict[str, Any]:
        """What it has come to."""
        letters = await self.world.dead_letters()
        assert not letters, letters
        return end_state(await self.world.events())


async def accepted(history: History, keys: Path) -> list[tuple[datetime, list[Record]]]:
    """What intake makes of it, moment by moment."""
    village = await Village.begin(keys)
    made: list[tuple[datetime, list[Record]]] = []
    for number, moment in enumerate(MOMENTS):
        village.world.tick(moment)
        before = len(village.world.records(*FACTS))
        for each in history.filed:
            if each.moment == number:
                await village.file(each)
                await village.world.rest("intake")
        made.append((moment, village.world.records(*FACTS)[before:]))
    return made


async def in_order(
    made: Sequence[tuple[datetime, list[Record]]], keys: Path, ticks: Sequence[datetime] = TICKS
) -> dict[str, Any]:
    """The end where everything comes when it was said, and all comes to rest before time goes on."""
    village, come = await Village.begin(keys), dict(made)
    for now in sorted({*come, *ticks}):
        village.world.tick(now)
        village.world.deliver(come.get(now, []))
        await village.world.rest(*READERS)
    return await village.end()


async def at_random(
    made: Sequence[tuple[datetime, list[Record]]], chance: Random, keys: Path, ticks: Sequence[datetime] = TICKS
) -> dict[str, Any]:
    """The end where nothing has its place or time."""
    village = await Village.begin(keys)
    await village.live(_all(made), ticks, chance)
    return await village.end()


async def told_and_come_to(history: History, chance: Random | None, keys: Path) -> dict[str, Any]:
    """The answers and the end where every sender keeps its own order; `chance`: and the senders come as they like,
    while all services go on at any pace."""
    village = await Village.begin(keys)
    for number, moment in enumerate(MOMENTS):
        village.world.tick(moment)
        here = [each for each in history.filed if each.moment == number]
        unread: set[str] = set()
        for filed in here if chance is None else _merged(here, chance):
            if chance is None or filed.province in unread:
                await village.world.rest("intake")
                unread.clear()
            await village.file(filed)
            unread.add(filed.province)
            if chance is not None:
                await village.world.services[chance.choice(READERS)].consume(lambda waiting: waiting // 2)
        await village.world.rest()
    told = {f"receipt {each['province']} {each['submission_id']}": essence(each) for each in village.receipts()}
    return told | await village.end()


def _merged(filed: Sequence[Filed], chance: Random) -> Iterator[Filed]:
    """Those of each sender in their order, and the senders mixed."""
    waiting = {sender: [each for each in filed if each.province == sender] for sender in {f.province for f in filed}}
    while waiting := {sender: rest for sender, rest in waiting.items() if rest}:
        yield waiting[chance.choice(sorted(waiting))].pop(0)


async def last_comes(made: Sequence[tuple[datetime, list[Record]]], last: Record, keys: Path) -> dict[str, Any]:
    """The end where one fact comes when the others have come to rest and all the time has passed."""
    village = await Village.begin(keys)
    village.world.tick(TICKS[-1])
    village.world.deliver(each for each in _all(made) if each is not last)
    await village.world.rest(*READERS)
    village.world.deliver([last])
    await village.world.rest(*READERS)
    return await village.end()


async def decided_between(made: Sequence[tuple[datetime, list[Record]]], chance: Random, keys: Path) -> list[str]:
    """How the ends differ where a budget is approved between two sets of facts, each in some order."""
    ends, facts = [], _all(made)
    early = {
        number
        for number, each in enumerate(facts)
        if chance.random() < 0.7 or _type(each) == EventType.ENVELOPE_ACCEPTED
    }
    halves = [[each for n, each in enumerate(facts) if (n in early) == first] for first in (True, False)]
    done: list[list[int]] = []
    for way in (Random(0), chance):
        village = await Village.begin(keys)
        await village.live(halves[0], TICKS[:2], way)
        done.append([await village.order(*each) for each in APPROVAL])
        await village.world.rest(*READERS)
        await village.live(halves[1], TICKS[2:], way)
        ends.append(await village.end())
    event(f"approval: {done[0]}")
    return [f"orders: {one} or {other}" for one, other in [done] if one != other] + unlike(*ends)


APPROVAL = [
    ("lan, province 11", "simulate", "11/2026", "1"),
    ("lan, province 11", "submit", "11/2026", "2"),
    ("hoa, finance", "approve", "11/2026", "3"),
    ("hoa, finance", "publish", "11/2026", "4"),
]


def _all(made: Sequence[tuple[datetime, list[Record]]]) -> list[Record]:
    return [each for _, records in made for each in records]


def _until(made: list[tuple[datetime, list[Record]]], whole: bool) -> tuple[Any, list[datetime]]:
    return (made, TICKS) if whole else (made[: MOMENTS.index(SPRING[-1]) + 1], SPRING)


def _about(record: Record) -> tuple[Any, ...]:
    data = json.loads(record.value or b"")
    return _type(record), record.key, data.get("period"), data.get("year")


def _type(record: Record) -> str:
    return dict(record.headers)["ce_type"].decode()


# --------------------------------------------------------------------------------------------- properties


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose key signs the officers' tokens."""
    folder = tmp_path_factory.mktemp("keys")
    ensure_signing_key(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _country() -> Iterator[None]:
    with country_of(lambda unit: unit.code in COMMUNES):
        yield


def _examples(part: int) -> settings:
    """A part of those of the profile: each is a whole world, twice."""
    return settings(max_examples=settings().max_examples // part)


@_examples(4)
@given(histories(), st.integers(0, 2**32), st.booleans())
def test_the_same_facts_end_in_the_same_state(keys: Path, history: History, seed: int, whole: bool) -> None:
    async def differences() -> list[str]:
        made, ticks = _until(await accepted(history, keys), whole)
        return unlike(await in_order(made, keys, ticks), await at_random(made, Random(seed), keys, ticks))

    assert asyncio.run(differences()) == []


@_examples(8)
@example(YEAR, 1)
@example(YEAR, 2)
@given(histories(), st.integers(0, 2**32))
def test_what_people_decide_keeps_its_place_among_the_facts(keys: Path, history: History, seed: int) -> None:
    async def differences() -> list[str]:
        return await decided_between(await accepted(history, keys), Random(seed), keys)

    assert asyncio.run(differences()) == []


@_examples(8)
@given(histories(ordered=False), st.integers(0, 2**32))
def test_senders_that_keep_their_own_order_are_answered_the_same(keys: Path, history: History, seed: int) -> None:
    async def differences() -> list[str]:
        alone = await told_and_come_to(history, None, keys)
        return unlike(alone, await told_and_come_to(history, Random(seed), keys))

    assert asyncio.run(differences()) == []


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "spring"])
@pytest.mark.parametrize("way", ["backwards", "before all time", "after all time"])
async def test_everything_may_come_backwards_or_time_pass_before_or_after_it(way: str, whole: bool, keys: Path) -> None:
    made, ticks = _until(await accepted(YEAR, keys), whole)
    village = await Village.begin(keys)
    expected, facts = await in_order(made, keys, ticks), _all(made)
    if way == "backwards":
        facts.reverse()
    if way == "after all time":
        village.world.tick(ticks[-1])
        ticks = []
    village.world.deliver(facts)
    await village.world.rest(*READERS)
    for now in ticks:
        village.world.tick(now)
        await village.world.rest(*READERS)
    assert unlike(expected, await village.end()) == []


async def test_the_newest_fact_of_each_subject_may_be_the_last_to_come(keys: Path) -> None:
    made = await accepted(YEAR, keys)
    expected = await in_order(made, keys)
    newest = {_about(each): each for each in _all(made) if b'"status":"accepted' not in (each.value or b"")}
    for last in newest.values():
        found = unlike(expected, await last_comes(made, last, keys))
        assert not found, (last.value, found)
