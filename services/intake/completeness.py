"""How complete what is owed for a period is, read from what is on record: the register, receipts, what is accepted.

One series at a time and some thousand subjects at once: of a nation some ten thousand lines without their contents, of
a province those of its own subjects (and all centres' lives). Like a list of receipts it says nothing of a document
that was altered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import AliasPath, Field

from services.intake import queries
from services.intake.decisions import AGGREGATES, HELD, RECEIPTS, VERSIONS
from services.intake.domain import completeness as domain
from shared.answers.completeness import Completeness, FileState, OwedFile, OwedSeries
from shared.contracts.base import Contract, Status
from shared.contracts.facts import Act
from shared.contracts.series import OWN_IDS, kind_of
from shared.mongo import Mongo
from shared.registry import Registry
from shared.rulebook import HANOI, NoRuleInForce, closing, deadline, rubric_for

AT_ONCE = 5_000
"""Subjects of one query."""


async def counted(
    mongo: Mongo, period: int, *, province: str | None, series: OwedSeries | None, now: datetime
) -> list[Completeness]:
    """Per series and province, in this order; of a series that no rule judges in the period there is nothing."""
    register = await queries.register(mongo)
    today = now.astimezone(HANOI).date()
    provinces = [one.code for one in register.provinces(today) if province in (None, one.code)]
    found: list[Completeness] = []
    for one in [series] if series else domain.SERIES:
        if (due_at := _due(one, period)) is None:
            continue
        owed, record = await _read(mongo, one, period, province, register, today)
        ends = domain.Ends(due_at, closing(one, period).at, is_over=now >= due_at)
        found += domain.completeness(one, period, owed, record, ends, provinces)
    return found


async def files(
    mongo: Mongo, period: int, *, province: str, series: OwedSeries, state: FileState | None, now: datetime
) -> list[OwedFile]:
    """Each subject of which a province owes a file, in order of code; those that stand so, or all."""
    if (due_at := _due(series, period)) is None:
        return []
    register, today = await queries.register(mongo), now.astimezone(HANOI).date()
    owed, record = await _read(mongo, series, period, province, register, today)
    own = sorted(one for one in owed if one.province == province)
    told = [
        OwedFile(series=series, code=one.code, name=one.name, state=domain.state_of(one, record, is_over=now >= due_at))
        for one in own
    ]
    return [one for one in told if state in (None, one.state)]


def _due(series: OwedSeries, period: int) -> datetime | None:
    try:
        return deadline(rubric_for(series, period), period)
    except NoRuleInForce:
        return None


async def _read(
    mongo: Mongo, series: OwedSeries, period: int, province: str | None, register: Registry, today: date
) -> tuple[Sequence[domain.Owed], domain.Record]:
    """What is owed, of this province or of all, and what is on record of it."""

    def owed(record: domain.Record) -> list[domain.Owed]:
        found = domain.owed(series, period, register, centres, record, today)
        return [one for one in found if province in (None, one.province)]

    centres = await _centres(mongo) if kind_of(series) == "centre" else []
    known = [one.code for one in owed(domain.Record({}))]
    accepted = await _accepted(mongo, series, period, province, known)
    waiting = [code for code in known if (one := accepted.get(code)) is None or one.state == "withdrawn"]
    refused = await _refused(mongo, series, period, province, waiting)
    record = domain.Record(accepted, await _held(mongo, series, period, province), refused)
    return owed(record), record


# ------------------------------------------------------------------------------------------------- centres


class _Centre(Contract):
    """A registration without what does not matter here."""

    subject: str
    province: str
    name: str = Field(validation_alias=AliasPath("accepted", "name"))
    unit_id: str = Field(validation_alias=AliasPath("accepted", "unit_id"))
    opened_on: date = Field(validation_alias=AliasPath("accepted", "opened_on"))
    closed_on: date | None = Field(default=None, validation_alias=AliasPath("accepted", "closed_on"))
    suspended_on: date | None = Field(default=None, validation_alias=AliasPath("accepted", "suspended_on"))
    resumed_on: date | None = Field(default=None, validation_alias=AliasPath("accepted", "resumed_on"))


_OF_A_CENTRE = ("name", "unit_id", "opened_on", "closed_on", "suspended_on", "resumed_on")


async def _centres(mongo: Mongo) -> list[domain.Centre]:
    """All that are registered."""
    fields = dict.fromkeys(("subject", "province", *(f"accepted.{name}" for name in _OF_A_CENTRE)), 1)
    query = {"kind": "registration", "act": {"$ne": "withdrawal"}}
    rows = [_Centre.model_validate(row) for row in await mongo.find(AGGREGATES.name, query, projection=fields)]
    return [
        domain.Centre(
            centre_id=row.subject, registered_by=row.province, **{name: getattr(row, name) for name in _OF_A_CENTRE}
        )
        for row in rows
    ]


# ------------------------------------------------------------------------------------------------ accepted


class _Line(Contract):
    """A version that was accepted once."""

    version: int
    act: Act = "submission"
    status: Status


class _Aggregate(Contract):
    """What is accepted, without its content."""

    id: str = Field(alias="_id")
    subject: str
    province: str
    version: int
    act: Act = "submission"
    late: bool = Field(default=False, validation_alias=AliasPath("accepted", "late"))
    history: list[_Line] = []


_OF_AN_AGGREGATE = dict.fromkeys(("subject", "province", "version", "act", "accepted.late", "history"), 1)


async def _accepted(
    mongo: Mongo, series: OwedSeries, period: int, province: str | None, known: Sequence[str]
) -> dict[str, domain.OnRecord]:
    """By code: of the subjects that are known, and of any other of which the province (or anybody) has a file."""
    kind, prefix = _filed_as(series)
    query: dict[str, Any] = {"period": period, "kind": kind}
    rows = await mongo.find(
        AGGREGATES.name, query | ({"province": province} if province else {}), projection=_OF_AN_AGGREGATE
    )
    if province:  # of a centre that came to it with its commune, another one may have filed
        for ids in _parts([AGGREGATES.ref(kind, prefix + code, period).id for code in known]):
            rows += await mongo.find(AGGREGATES.name, {"_id": {"$in": ids}}, projection=_OF_AN_AGGREGATE)
    found = {one.id: one for one in map(_Aggregate.model_validate, rows) if one.subject.startswith(prefix)}
    in_time = await _filed_in_time(mongo, [one for one in found.values() if one.late and one.version > 1])
    return {
        one.subject.removeprefix(prefix): domain.OnRecord(
            "withdrawn" if one.act == "withdrawal" else "late" if one.late and one.id not in in_time else "on_time",
            one.province,
        )
        for one in found.values()
    }


async def _filed_in_time(mongo: Mongo, corrected: Sequence[_Aggregate]) -> set[str]:
    """Of what was corrected late: the files that had come in time, and stood ever since."""
    lines = {one.id: list(one.history) for one in corrected}
    for ids in _parts(list(lines)):
        for row in await mongo.find(VERSIONS.name, {"aggregate": {"$in": ids}}):
            lines[row["aggregate"]].append(_Line.model_validate(row))
    return {id for id, own in lines.items() if _first_of_file(own) is Status.ACCEPTED}


def _first_of_file(lines: Sequence[_Line]) -> Status | None:
    """How the first version was accepted since there was nothing, or what there was had been withdrawn."""
    first: Status | None = None
    for line in sorted(lines, key=lambda line: line.version):
        first = None if line.act == "withdrawal" else first or line.status
    return first


# ------------------------------------------------------------------------------------------- not accepted

_REFUSED = [Status.REJECTED.value, Status.CONFLICT.value]


async def _held(mongo: Mongo, series: OwedSeries, period: int, province: str | None) -> set[domain.Sent]:
    """By province and code: what waits for the register, whether or not that knows such a subject yet."""
    kind, prefix = _filed_as(series)
    query = HELD | {"period": period, "kind": kind} | ({"province": province} if province else {})
    rows = await mongo.find(RECEIPTS.name, query, projection={"province": 1, "subject": 1, "receipt.act": 1})
    return {
        (row["province"], row["subject"].removeprefix(prefix))
        for row in rows
        if _files(row["receipt"].get("act")) and (row["subject"] or "").startswith(prefix)
    }


async def _refused(
    mongo: Mongo, series: OwedSeries, period: int, province: str | None, waiting: Sequence[str]
) -> set[domain.Sent]:
    """By province and code: of which of these something was refused; of what no register holds, of any of them."""
    kind, prefix = _filed_as(series)
    scope: dict[str, Any] = {"period": period, "kind": kind, "status": {"$in": _REFUSED}}
    scope |= {"province": province} if province else {}
    subjects: Iterator[Mapping[str, Any]] = ({"$in": part} for part in _parts([prefix + code for code in waiting]))
    if kind_of(series) in OWN_IDS:
        subjects = iter([{"$gte": prefix, "$lt": prefix[:-1] + "0"}])
    named = {"province": "$province", "subject": "$subject", "act": "$receipt.act"}
    found: set[domain.Sent] = set()
    for subject in subjects:
        pipeline = [{"$match": scope | {"subject": subject}}, {"$group": {"_id": named, "count": {"$sum": 1}}}]
        rows = [row["_id"] for row in await mongo.aggregate(RECEIPTS.name, pipeline)]
        found |= {(row["province"], row["subject"].removeprefix(prefix)) for row in rows if _files(row.get("act"))}
    return found


def _files(act: Act | None) -> bool:
    """Whether a record files something; an older release noted no other."""
    return act in (None, "submission")


def _filed_as(series: OwedSeries) -> tuple[str, str]:
    """Under which kind files of a series are kept, and how their subjects begin."""
    return (series, "") if series in ("commune", "centre") else ("assessment", f"{series}/")


def _parts(items: Sequence[str]) -> Iterator[list[str]]:
    for first in range(0, len(items), AT_ONCE):
        yield list(items[first : first + AT_ONCE])
