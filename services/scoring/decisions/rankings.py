"""Rankings: their scopes, the terms by which they are made, and which of them a result comes into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple, get_args

from services.scoring.decisions.documents import Head, Member, Result
from services.scoring.domain import Earlier, Movement, Standing, Stretch, row_of, table_of
from shared.contracts.base import content_hash
from shared.contracts.facts import CommuneScored, PreviousRanking, RankingPublished, RankingRow
from shared.contracts.submissions import AreaClass
from shared.registry import Registry, Unit
from shared.rulebook import Rubric, cut_off, rubric_for
from shared.rulebook.ranking import RankingPolicy, ranking_policy

NATION = "nation"
_PROVINCE = "province-"
_AREA = "area-"


class NoRegister(RuntimeError):
    """The register names no unit of a scope. Nothing is ranked then: an empty ranking would look like a result."""


def province_scope(holder: str) -> str:
    """Scope of a province's ranking, in the code of the cut-off date."""
    return f"{_PROVINCE}{holder}"


def area_class_scope(area_class: AreaClass) -> str:
    """Scope of the nation's ranking of one area class."""
    return f"{_AREA}{area_class}"


def holder_of(scope: str) -> str | None:
    """The province whose ranking it is; `None` for one of the whole nation."""
    return scope.removeprefix(_PROVINCE) if scope.startswith(_PROVINCE) else None


def area_class_of(scope: str) -> str | None:
    """The area class whose ranking it is."""
    name = scope.removeprefix(_AREA)
    return name if scope.startswith(_AREA) and name in get_args(AreaClass) else None


class RankingYear(NamedTuple):
    """A ranking by scope and period."""

    scope: str
    period: int

    @property
    def holder(self) -> str | None:
        """The province whose ranking it is, in the code of the cut-off date; `None` for one of the whole nation."""
        return holder_of(self.scope)


def rankings_of(result: Result) -> list[RankingYear]:
    """The rankings in which a commune's result has a row."""
    scored = result.result
    if not isinstance(scored, CommuneScored):
        return []
    scopes = [province_scope(result.holder), NATION]
    if scored.area_class is not None:
        scopes.append(area_class_scope(scored.area_class))
    return [RankingYear(scope, result.period) for scope in scopes]


def page_ids(head: RankingPublished, pages: Stretch | None = None) -> list[str]:
    """Ids of the documents that hold a version's pages: all, or those of a stretch."""
    return [
        f"{head.scope}/{head.period}/{entry.version}/{entry.page}"
        for entry in head.manifest
        if pages is None or pages.first <= entry.page <= pages.last
    ]


def pages_apart(one: RankingPublished, other: RankingPublished) -> tuple[list[str], list[str]]:
    """Ids of the pages of each of two versions that the other does not have: only there can a row differ."""
    shared = {entry.hash for entry in one.manifest} & {entry.hash for entry in other.manifest}

    def own(head: RankingPublished) -> list[str]:
        return [id for id, entry in zip(page_ids(head), head.manifest, strict=True) if entry.hash not in shared]

    return own(one), own(other)


Rows = Mapping[str, RankingRow]
"""Rows of a ranking by unit id."""
Seen = Mapping[str, tuple[int, int]]
"""Per province the number of its results and the sum of their versions. Versions only rise, so any change shows."""


# --------------------------------------------------------------------------------------------------------- terms


@dataclass(frozen=True)
class Terms:
    """By what a ranking is made, results apart."""

    scope: str
    period: int
    register: Registry
    units: Mapping[str, Unit]
    """The register's units of the scope on the cut-off date, by id."""
    rubric: Rubric
    policy: RankingPolicy
    earlier: Head | None
    """Head of the same ranking of the period before."""

    @property
    def on(self) -> date:
        """The cut-off date."""
        return cut_off(self.period)

    @property
    def rule(self) -> tuple[str, str | None]:
        """Rubric and point table: only results of one and the same are comparable."""
        return self.rubric.id, table_of(self.rubric)

    @property
    def previous(self) -> PreviousRanking | None:
        """The ranking that movement is computed against."""
        return PreviousRanking.model_validate(dict(self.earlier)) if self.earlier else None

    @cached_property
    def basis(self) -> str:
        """Changes with anything but results: then the ranking is made anew instead of revised."""
        units = [[unit.unit_id, unit.code, unit.name, unit.province_code] for unit in self.units.values()]
        corrections = [each.model_dump(mode="json") for each in self.register.corrections]  # of successions too
        previous = self.previous.model_dump(mode="json") if self.previous else None
        return content_hash([units, corrections, list(self.rule), self.policy.id, self.policy.identity, previous])

    def members(self, standings: Iterable[Standing]) -> dict[str, Standing]:
        """The results that have a row in this ranking, by unit id."""
        wanted = area_class_of(self.scope)
        return {
            each.unit_id: each
            for each in standings
            if each.unit_id in self.units and (wanted is None or each.area_class == wanted)
        }

    @property
    def everybody(self) -> bool:
        """Whether every unit of the register has a row; in an area class's ranking only those that told it."""
        return area_class_of(self.scope) is None

    def member(self, result: Standing) -> Member:
        """What is to be remembered of a result that has a row."""
        row = row_of(self.units[result.unit_id], result, self.rubric, None)
        return Member(result.version, row.rank_key, result.hash, row.code)


def terms(scope: str, period: int, earlier: Head | None, register: Registry) -> Terms:
    """The terms of a ranking.

    Args:
        scope: `nation`, `province-<code of the cut-off date>` or `area-<area class>`.
        period: the assessment period.
        earlier: head of the same ranking of the period before.
        register: the register as it is known now.

    Raises:
        NoRegister: the register has no unit there.
        NoRuleInForce: no rubric or no policy was in force on the cut-off date.
    """
    on = cut_off(period)
    units = {unit.unit_id: unit for unit in register.units(on, holder_of(scope))}
    if not units:
        raise NoRegister(f"the register names no unit of {scope} on {on}; nothing was ranked")
    if earlier is not None and not earlier.manifest:  # all have left that area class: as if nobody had ever told it
        earlier = None
    return Terms(
        scope, period, register, units, rubric_for("commune", period, holder_of(scope)), ranking_policy(on), earlier
    )


def lineage_of(unit_ids: Iterable[str], register: Registry) -> list[str]:
    """All ids under which these units may stand in an earlier ranking."""
    return [each for unit_id in unit_ids for each in register.lineage(unit_id)]


def movements(terms: Terms, unit_ids: Iterable[str], rows: Rows) -> dict[str, Movement]:
    """What is known of units in the period before, by their id; `rows` must hold whichever of them stood in it."""
    known, on = terms.register, cut_off(terms.period - 1)
    rule = (terms.earlier.rubric, terms.earlier.point_table) if terms.earlier else None
    earlier = Earlier(terms.period - 1, rule, rows)
    found = {}
    for unit_id in unit_ids:
        lineage = known.lineage(unit_id)
        kin = [unit for each in lineage if (unit := known.by_id(each)) is not None]
        existed = any(known.unit(unit.code, on) == unit for unit in kin)
        found[unit_id] = earlier.movement(lineage, existed, terms.rule)
    return found
