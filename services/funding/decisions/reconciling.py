"""What was paid of a province's budget year beside what was decided: kept, and published when it changed (ADR 62)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from services.funding.decisions.journal import RELEASES, TOPIC
from services.funding.decisions.proposal.inputs import (
    CENTRES,
    EQUIPMENT,
    EVERY_YEAR,
    PAYMENTS,
    SUPPORTS,
    ProvinceYear,
    standing,
)
from services.funding.domain import Key, Line, hash_of, over, reconciled, short, totals
from shared.contracts.base import Contract
from shared.contracts.facts import (
    BudgetReconciled,
    PaymentAccepted,
    Purpose,
    RegistrationAccepted,
    SupportAccepted,
    Withdrawn,
)
from shared.messaging.decide.asking import Ask, Due, Look, Outcome, Request
from shared.messaging.decide.documents import Collection, Query
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Outgoing

RECONCILED: Collection[BudgetReconciled] = Collection("reconciled", TypeAdapter(BudgetReconciled))
"""By province and year: the latest one that was published."""
RECONCILIATION = "reconciliation"


class Published(Contract):
    """What counts of a published decision. Money in đồng."""

    centre_id: str
    purpose: Purpose
    province: str
    version: int
    amount: int
    settled: int = 0


class Compared(NamedTuple):
    """All lines of a province and budget year."""

    lines: list[Line]
    elsewhere: frozenset[str]
    """Provinces that paid, or stated support of, centres on which this one decided: the lines are this one's."""


_ROW = TypeAdapter(Published)


def compare_again(province: str, year: int) -> Request:
    """That a province's payments of a budget year are to be compared."""
    return Request(RECONCILIATION, ProvinceYear(province, year))


async def compared(ask: Ask, province: str, year: int) -> Compared:
    """What is known of the payments of a budget year, by centre and purpose; nothing where nothing was decided or paid.

    A line belongs to the province that decided on it, whoever paid: it is counted once. What a province only stated as
    approved is compared with its payments where it told of any.
    """
    here = {"province": province, "year": year}
    own = await _published(ask, here)
    payments = standing(await ask.all(PAYMENTS, here))
    if not own and not payments:
        return Compared([], frozenset())
    stated = await _stated(ask, here)
    of_decided = {"centre_id": {"$in": sorted({centre_id for centre_id, _ in own})}, "year": year}
    foreign = [one for one in standing(await ask.all(PAYMENTS, of_decided)) if _is_of(own, one, province)]
    besides = [one for one in await _stated(ask, of_decided) if _is_of(own, one, province)]
    named = sorted({one.centre_id for one in payments} | {one.centre_id for one in stated})
    decided = await _published(ask, {"centre_id": {"$in": named}, "year": year})
    taken = {key for key, one in decided.items() if one.province != province}
    lines = reconciled(
        {key: one.amount + one.settled for key, one in own.items()},
        {_key(one): one.amount for one in stated if payments and _key(one) not in taken},
        [one for one in [*payments, *foreign] if _key(one) not in taken],
        {centre.centre_id for centre in standing(await ask.all(CENTRES, {"province": province}))},
    )
    return Compared(lines, frozenset(one.province for one in [*foreign, *besides]))


async def _published(ask: Ask, query: Query) -> Mapping[Key, Published]:
    """The newest version of each published decision."""
    rows = await ask.look(Look(RELEASES, _ROW, query, without=("allocation",)))
    return {(row.centre_id, row.purpose): row for row in sorted(rows, key=lambda row: row.version)}


async def _stated(ask: Ask, query: Query) -> list[SupportAccepted]:
    return standing([*await ask.all(SUPPORTS, query), *await ask.all(EQUIPMENT, query)])


def _key(fact: PaymentAccepted | SupportAccepted) -> Key:
    return fact.centre_id, fact.purpose


def _is_of(own: Mapping[Key, Published], fact: PaymentAccepted | SupportAccepted, province: str) -> bool:
    """Whether another province tells it of a centre on which this one decided."""
    return fact.province != province and _key(fact) in own


async def reconcile(due: Due[ProvinceYear], ask: Ask) -> Outcome:
    """Compare, and publish what is not as it was. Nothing to compare is told of those alone that had something."""
    before = await ask.one(RECONCILED.ref(*due.key))
    lines, elsewhere = await compared(ask, *due.key)
    outcome = Outcome(requests=[compare_again(province, due.key.year) for province in sorted(elsewhere)])
    if before is None and not lines:
        return outcome
    fact = BudgetReconciled(
        **due.key._asdict(),
        version=before.version + 1 if before else 1,
        purposes=totals(lines),
        short=short(lines),
        over=over(lines),
        hash=hash_of(lines),
        reconciled_at=due.at,
    )
    if before is None or _content(fact) != _content(before):
        outcome.put(RECONCILED.ref(*due.key), fact)
        outcome.events.append(Outgoing(TOPIC, fact.province, fact.province, fact))
    return outcome


def _content(fact: BudgetReconciled) -> Any:
    return fact.model_dump(exclude={"version", "reconciled_at"})


def _its_year(state: Any) -> Iterable[ProvinceYear]:
    """What was withdrawn tells of no payment any more; of support it still tells the year."""
    year = state.period if isinstance(state, Withdrawn) else state.year
    return [] if year is None else [ProvinceYear(state.province, year)]


def _in_register(centre: RegistrationAccepted | Withdrawn) -> Iterable[ProvinceYear]:
    return [] if isinstance(centre, Withdrawn) else [ProvinceYear(centre.province, EVERY_YEAR)]


RECONCILIATIONS = SetOf(
    RECONCILIATION,
    ProvinceYear,
    reconcile,
    sources=(
        Source(RELEASES, each(_its_year)),
        Source(PAYMENTS, each(_its_year)),
        Source(SUPPORTS, each(_its_year)),
        Source(EQUIPMENT, each(_its_year)),
        Source(CENTRES, each(_in_register, by=lambda centre: (centre.province, isinstance(centre, Withdrawn)))),
    ),
    keeps=(RECONCILED,),
)
