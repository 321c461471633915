"""Whose file is owed for a period, and where it stands: counted by what is on record, claimed by nobody. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, get_args

from shared.answers.completeness import Completeness, FileState, OwedSeries
from shared.contracts.series import OWN_IDS, kind_of
from shared.registry import Registry, Unit
from shared.rulebook import cut_off

SERIES: tuple[OwedSeries, ...] = get_args(OwedSeries)


class Owed(NamedTuple):
    """A subject of which a file is owed."""

    series: OwedSeries
    code: str
    """As submissions name it."""
    name: str
    province: str
    """Today's province that speaks for it."""


@dataclass(frozen=True, slots=True)
class Centre:
    """A registered centre, as far as it matters here."""

    centre_id: str
    name: str
    unit_id: str
    registered_by: str
    opened_on: date
    closed_on: date | None = None
    """First day on which it no longer exists."""
    suspended_on: date | None = None
    resumed_on: date | None = None

    def works(self, on: date) -> bool:
        """Whether it exists on a day and is not suspended."""
        exists = self.opened_on <= on and (self.closed_on is None or on < self.closed_on)
        suspended = self.suspended_on is not None and self.suspended_on <= on
        return exists and not (suspended and (self.resumed_on is None or on < self.resumed_on))


Accepted = Literal["on_time", "late", "withdrawn"]
Sent = tuple[str, str]
"""By which province, and of which subject."""


class OnRecord(NamedTuple):
    """What stands of a subject's file, and of whom."""

    state: Accepted
    province: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is on record of a series and period."""

    accepted: Mapping[str, OnRecord]
    """By subject, what is accepted of it or was withdrawn."""
    held: Set[Sent] = frozenset()
    refused: Set[Sent] = frozenset()
    """Of these something was refused; of which subjects nothing is accepted, `accepted` says."""


def owed(
    series: OwedSeries, period: int, register: Registry, centres: Iterable[Centre], record: Record, today: date
) -> list[Owed]:
    """The subjects of which a file is owed: those that there were on the cut-off date, each with the province that may
    send it today. Learning units and vocational centres, which no register holds, are those that were spoken of."""
    on = cut_off(period)
    match kind_of(series):
        case "commune":
            units: Sequence[Unit] = register.units(on)
            return [Owed(series, one.code, one.name, register.speaker(one.province_code, on)) for one in units]
        case "district":
            districts = register.districts(on)
            return [Owed(series, one.code, one.name, register.speaker(one.province_code, on)) for one in districts]
        case "province":
            return [Owed(series, one.code, one.name, register.speaker(one.code, on)) for one in register.provinces(on)]
        case "centre":
            working = [one for one in centres if one.works(on)]
            return [Owed(series, one.centre_id, one.name, _registrar(one, register, today)) for one in working]
        case _:
            accepted = {(one.province, subject) for subject, one in record.accepted.items()}
            tried = {sent for sent in record.held | record.refused if sent[1] not in record.accepted}
            return [Owed(series, subject, subject, province) for province, subject in sorted(accepted | tried)]


def _registrar(centre: Centre, register: Registry, today: date) -> str:
    """As `Known.registrar` has it: a centre moves with its commune."""
    unit = register.counterpart(centre.unit_id, today)
    return register.speaker(unit.province_code, today) if unit else centre.registered_by


def state_of(one: Owed, record: Record, *, is_over: bool) -> FileState:
    """Where a file stands. `is_over`: whether the time for it is."""
    accepted, sent = record.accepted.get(one.code), (one.province, one.code)
    if accepted is not None and accepted.state != "withdrawn":
        return accepted.state
    if sent in record.held:
        return "held"  # also where an earlier one was withdrawn
    if accepted is not None:
        return accepted.state
    if sent in record.refused:
        return "refused"
    return "missing" if is_over else "awaited"


class Ends(NamedTuple):
    """When the time for files is over, and when the period closes."""

    due_at: datetime
    closes_at: datetime
    is_over: bool
    """Whether files are due by now."""


def completeness(
    series: OwedSeries,
    period: int,
    due: Sequence[Owed],
    record: Record,
    ends: Ends,
    provinces: Iterable[str],
) -> Iterator[Completeness]:
    """Of each province what is owed and where it stands. `due`: what is owed, of these provinces and others."""
    states: dict[str, Counter[FileState]] = {province: Counter() for province in provinces}
    expected = {one.code for one in due}
    unexpected = Counter(
        one.province
        for subject, one in record.accepted.items()
        if subject not in expected and one.state != "withdrawn"
    )  # fmt: skip
    unknown = Counter(province for province, subject in record.held if subject not in expected)
    for one in due:
        if one.province in states:
            states[one.province][state_of(one, record, is_over=ends.is_over)] += 1
    all_known = kind_of(series) not in OWN_IDS
    for province, counted in states.items():
        if not (counted or unexpected[province] or unknown[province]):
            continue  # it owes nothing of this series
        yield Completeness(
            province=province,
            series=series,
            period=period,
            due_at=ends.due_at,
            closes_at=ends.closes_at,
            expected=counted.total() if all_known else None,
            on_time=counted["on_time"],
            late=counted["late"],
            held=counted["held"],
            refused=counted["refused"],
            withdrawn=counted["withdrawn"],
            awaited=counted["awaited"] if all_known else None,
            missing=counted["missing"] if all_known else None,
            unexpected=unexpected[province],
            held_unknown=unknown[province],
            complete=counted["on_time"] + counted["late"] == counted.total() if all_known else None,
        )
