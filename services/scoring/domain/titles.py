"""Titles by single decisions: where and from when to when a holder's title counts, and how many count in a commune.

A decision holds from its day until it ends or is revoked. A holder has one title of a model: the later of two decisions
takes the place of the earlier one for good, wherever that was taken, unless it was revoked from its own day on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from shared.contracts.base import Contract
from shared.contracts.facts import TitleAccepted, TitleCounts
from shared.contracts.submissions import TitleModel


class TitleDecision(Contract):
    """What is kept of a decision on a title."""

    unit_id: str
    year: int
    """With the unit what tells it from others on the same holder."""
    number: str
    since: date
    until: date | None
    """First day on which it no longer holds, by its own term or revoked."""
    version: int

    @classmethod
    def of(cls, fact: TitleAccepted) -> TitleDecision:
        """The decision inside an accepted fact."""
        ends = (fact.ends_on, fact.revocation.effective_from if fact.revocation else None)
        return cls(
            unit_id=fact.unit_id,
            year=fact.decided_on.year,
            number=fact.decision_number,
            since=fact.decided_on,
            until=min((day for day in ends if day is not None), default=None),
            version=fact.version,
        )

    def holds(self, on: date) -> bool:
        """Whether it held on a day, whatever else was decided on its holder."""
        return self.since <= on and (self.until is None or on < self.until)


def counting(decisions: Iterable[TitleDecision], on: date) -> TitleDecision | None:
    """The decision by which a holder's title counts on a day. It does not depend on the order of the decisions."""
    taken = [one for one in decisions if one.since <= on and (one.until is None or one.until > one.since)]
    last = max(taken, key=lambda one: (one.since, one.number, one.unit_id, one.year), default=None)
    return last if last is not None and last.holds(on) else None


def counted(
    holders: Iterable[tuple[TitleModel, Sequence[TitleDecision]]], units: Collection[str], on: date
) -> TitleCounts | None:
    """The titles that count in a commune on a day; `None`: no decision that is still filed was ever taken there.

    Args:
        holders: all that have a decision of one of these units: the model, and all decisions on the holder.
        units: every id under which the commune, or what went into it whole, was ever known.
    """
    held: Counter[TitleModel] = Counter()
    elsewhere: Counter[TitleModel] = Counter()
    for model, decisions in holders:
        here = [one for one in decisions if one.unit_id in units and one.since <= on]
        if not here:
            continue
        last = counting(decisions, on)
        held[model] += last is not None and last.unit_id in units
        elsewhere[model] += last is not None and last.unit_id not in units and any(one.holds(on) for one in here)
    if not held:
        return None
    models = sorted(held)
    return TitleCounts(
        held={model: held[model] for model in models},
        elsewhere={model: elsewhere[model] for model in models if elsewhere[model]},
    )
