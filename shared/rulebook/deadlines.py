"""Who owes what to whom by when: the calendar of the rules, as data (`data/deadlines.yaml`).

A day counts to its end in Viet Nam. Where the law gives no day of the calendar ("20 working days after the dossier"),
that is said and no day is guessed: working days need the list of public holidays, which is decided every year.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, NamedTuple, Self, get_args

from pydantic import Field, model_validator

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import AssessmentSeries
from shared.rulebook.basis import Day
from shared.rulebook.errors import Findings, Unfit
from shared.rulebook.overlays import folders, nations
from shared.rulebook.rubrics import Rubric, cut_off, deadline, end_of, rubrics
from shared.rulebook.source import Grounded, Rule, read
from shared.wording import EN, VI

FILE = "deadlines.yaml"
SUBMITTED = frozenset(["commune", "centre", *get_args(AssessmentSeries)])
"""Series of which subjects are submitted; learning citizens are persons and never are."""


class Row(Grounded):
    """One row of the calendar. Exactly one of `day` and `undated` is given."""

    id: Nfc
    rubric: Nfc
    """The rule that sets it; the row holds in the periods that the rule judges."""
    who: Text
    who_until: date | None = None
    """First day on which whoever owes it no longer exists; who takes over was not found."""
    what: Text
    to: Text | None = None
    to_until: date | None = None
    """The same for whoever receives it."""
    dossier: bool = False
    """Whether it is the submission that the rubric's own deadline is about."""
    day: Day | None = None
    undated: Text | None = None
    """In words, where the law names no day of the calendar."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.day is None) == (self.undated is None):
            raise Unfit("rulebook.deadline_unclear", id=self.id)
        return self


class Due(NamedTuple):
    """A row of the calendar in one period."""

    row: Row
    end: datetime | None
    """In time is what came before it; `None` where the law names no day (`row.undated`)."""
    gap: Text | None
    """What is open: no day is named, or whoever owes or receives it no longer exists by then."""


class _Rows(Rule):
    deadlines: Annotated[list[Row], Field(min_length=1)]


def load_deadlines(places: Sequence[Path], rubrics: Collection[Rubric]) -> tuple[Row, ...]:
    """All rows of the rulebook's folders, proven against the rubrics.

    A rubric without a row for its dossier has that of the rubric before it in its series, on its own day: who owed it
    to whom owes it still.

    Raises:
        RulebookError: with all that is wrong: an id stands twice, a row names no rubric, the dossier's row differs from
            the rubric's own deadline, or the first rubric of a series of which subjects are submitted has none.
    """
    by_id = {one.id: one for one in rubrics}
    rows: dict[str, Row] = {}
    found = Findings()
    for place in nations(places, FILE):
        with found.noting():
            for nth, row in enumerate(read(place.file, _Rows, place.name).deadlines):
                path, rule = f"deadlines/{nth}", by_id.get(row.rubric)
                if row.id in rows:
                    found.add(place.name, f"{path}/id", "rulebook.id_used_twice", id=row.id)
                if rule is None:
                    known = ", ".join(by_id)
                    found.add(
                        place.name,
                        f"{path}/rubric",
                        "rulebook.unknown_reference",
                        id=row.id,
                        reference=row.rubric,
                        known=known,
                    )
                elif row.dossier and (row.day is None or end_of(row.day, 2023) != deadline(rule, 2023)):
                    own = f"{rule.deadline.day:02}.{rule.deadline.month:02}. +{rule.deadline.years_after}"
                    found.add(
                        place.name, f"{path}/day", "rulebook.deadline_differs", id=row.id, rubric=rule.id, own=own
                    )
                rows[row.id] = row
    dossiers = {row.rubric: row for row in rows.values() if row.dossier}
    for rule in sorted(rubrics, key=lambda one: one.effective_from):
        if rule.series in SUBMITTED and rule.id not in dossiers:
            before = [dossiers[one.id] for one in rubrics if one.successor == rule.id and one.id in dossiers]
            if before:
                dossiers[rule.id] = rows[rule.id] = _of_successor(before[0], rule)
            else:
                found.add(FILE, "deadlines", "rulebook.deadline_missing", rubric=rule.id)
    found.settle()
    return tuple(rows.values())


def _of_successor(row: Row, rule: Rubric) -> Row:
    own = rule.deadline
    day = Day(month=own.month, day=own.day, years_after=own.years_after)
    told = {"id": rule.id, "rubric": rule.id, "day": day, "provenance": own.provenance, "citation": own.citation}
    return row.model_copy(update=told)


@lru_cache
def _rows(places: Sequence[Path]) -> tuple[Row, ...]:
    return load_deadlines(places, rubrics())


def calendar(period: int) -> tuple[Due, ...]:
    """Everything that is due for a period, by the rules in force on its cut-off date, the earliest first.

    What has no day stands at the end. Raises `RulebookError`.
    """
    judging = {one.id: one for one in rubrics() if one.in_force(cut_off(period))}
    due = [_due(row, period) for row in _rows(folders()) if row.rubric in judging]
    return tuple(sorted(due, key=lambda one: (one.end is None, one.end or deadline(judging[one.row.rubric], period))))


def _due(row: Row, period: int) -> Due:
    if row.day is None:
        return Due(row, None, row.undated)
    end = end_of(row.day, period)
    last_day = (end - timedelta(days=1)).date()
    parties = ((row.who, row.who_until), (row.to, row.to_until))
    gone = [(party, until) for party, until in parties if party and until and until <= last_day]
    if not gone:
        return Due(row, end, None)
    gap = Text(
        vi="; ".join(
            f"{party.vi}: không còn từ ngày {VI.day(until)}, chưa rõ cơ quan thay thế" for party, until in gone
        ),
        en="; ".join(f"{party.en}: ended on {EN.day(until)}, who takes over was not found" for party, until in gone),
    )
    return Due(row, end, gap)
