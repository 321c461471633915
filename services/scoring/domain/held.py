"""Which warnings hold the release of a ranking, and what of them nobody has accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.scoring.domain.doubted import doubted
from shared.contracts.base import Problem
from shared.contracts.facts import CommuneAccepted
from shared.refusals import problem
from shared.rulebook import NoRuleInForce, cut_off, release_policy

NAMED = 20


def holding(results: Iterable[CommuneAccepted], period: int, province: str | None) -> list[str]:
    """Warnings that hold the release, `<commune code>/<warning>`, each once and in order; without a rule none does.

    Args:
        results: what the results that stand in the ranking were made from.
        province: whose ranking it is, by the code of the period's last day; `None`: the nation's.
    """
    try:
        by = release_policy(cut_off(period), province).held_by.warnings
    except NoRuleInForce:  # a ministry has ended it
        return []
    return sorted({f"{each.code}/{one.code}" for each in results for one in doubted(each) if one.code in by})


def unaccepted(held: Sequence[str], accepts: Iterable[str], period: int, province: str | None) -> list[Problem]:
    """That some of what holds the release is not accepted. What is accepted and holds no more is no fault."""
    missing = sorted(set(held) - set(accepts))
    if not missing:
        return []
    more = f", … (+{len(missing) - NAMED})" if len(missing) > NAMED else ""
    doubts, citation = ", ".join(missing[:NAMED]) + more, release_policy(cut_off(period), province).held_by.citation
    return [problem("scoring.release_held", "/accepts", count=len(missing), doubts=doubts, citation=citation)]
