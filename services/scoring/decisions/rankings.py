"""Rankings: what is kept of them, their scopes, and the terms by which they are made.

| collection | `_id` | holds |
|---|---|---|
| `rankings` | `<scope>/<period>` | head of the last version, and what it was computed from |
| `ranking_versions` | `<scope>/<period>/<version>` | every head as it was published |
| `ranking_pages` | `<scope>/<period>/<version>/<page>` | a page, under the version in which it last changed |
| `ranking_changes` | `<scope>/<period>/<version>/<page>` | what a version changed |
| `ranking_members` | `<scope>/<period>/<province>` | the results ranked: version, key, hash and code by unit id |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple, get_args

from services.scoring.domain.movement import Earlier, Movement
from services.scoring.domain.ranking import Standing, row_of, table_of
from services.scoring.domain.revision import Place, Stretch
from shared.contracts.base import content_hash
from shared.contracts.facts import CommuneScored, PageEntry, PreviousRanking, RankingChanges, RankingPage
from shared.contracts.submissions import AreaClass
from shared.messaging.decide.handling import Document, Recalculation, Ref
from shared.registry import Registry, Unit
from shared.rulebook import Rubric, cut_off, rubric_for
from shared.rulebook.ranking import RankingPolicy, ranking_policy

RANKINGS = "rankings"
RANKING_VERSIONS = "ranking_versions"
RANKING_PAGES = "ranking_pages"
RANKING_CHANGES = "ranking_changes"
RANKING_MEMBERS = "ranking_members"
NATION = "nation"
UNCHANGED = "unchanged"
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


def rankings_of(scored: CommuneScored, holder: str, before: Document | None = None) -> list[Recalculation]:
    """The rankings that a commune's new result comes into or leaves.

    Args:
        scored: the new result.
        holder: province of the commune on the cut-off date, as the register has it now.
        before: the document of `results` that it replaces.
    """
    scopes = [province_scope(holder), NATION]
    classes = {scored.area_class, before["result"].get("area_class") if before else None} - {None}
    scopes += [area_class_scope(each) for each in get_args(AreaClass) if each in classes]
    return [Recalculation(scope, scored.period) for scope in scopes]


def ranking_ref(scope: str, period: int) -> Ref:
    """The head of the last published version of one ranking."""
    return Ref(RANKINGS, f"{scope}/{period}")


def members_ref(scope: str, period: int, holder: str) -> Ref:
    """The results of one province that a ranking was made from."""
    return Ref(RANKING_MEMBERS, f"{scope}/{period}/{holder}")


def version_ref(scope: str, period: int, version: int) -> Ref:
    """The head of one version, as it was published."""
    return Ref(RANKING_VERSIONS, f"{scope}/{period}/{version}")


def piece_ref(collection: str, piece: RankingPage | RankingChanges) -> Ref:
    """One page of `ranking_pages` or `ranking_changes`."""
    return Ref(collection, f"{piece.scope}/{piece.period}/{piece.version}/{piece.page}")


def manifest_of(head: Document) -> list[PageEntry]:
    """The pages of a version, in order."""
    return [PageEntry.model_validate(entry) for entry in head["manifest"]]


def page_ids(head: Document, pages: Stretch | None = None) -> list[str]:
    """Ids of the documents that hold a version's pages: all, or those of a stretch."""
    return [
        f"{head['scope']}/{head['period']}/{entry['version']}/{entry['page']}"
        for entry in head["manifest"]
        if pages is None or pages.first <= entry["page"] <= pages.last
    ]


Rows = Mapping[str, Mapping[str, Any]]
"""Rows of a ranking as JSON, by unit id."""
Seen = Mapping[str, Sequence[int]]
"""Per province the number of its results and the sum of their versions. Versions only rise, so any change shows."""


class Member(NamedTuple):
    """What is remembered of a result that was ranked."""

    version: int
    key: str | None
    hash: str
    code: str

    @property
    def place(self) -> Place:
        """Where its row stands."""
        return Place(self.key, self.code)


def members_in(document: Document | None) -> dict[str, Member]:
    """The content of a document of `ranking_members`."""
    return {unit_id: Member(*each) for unit_id, each in document["units"].items()} if document else {}


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
    earlier: Document | None
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
        return PreviousRanking.model_validate(self.earlier) if self.earlier else None

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


def terms(scope: str, period: int, earlier: Document | None, register: Registry) -> Terms:
    """The terms of a ranking.

    Args:
        scope: `nation`, `province-<code of the cut-off date>` or `area-<area class>`.
        period: the assessment period.
        earlier: the document of `ranking_ref(scope, period - 1)`.
        register: the register as it is known now.

    Raises:
        NoRegister: the register has no unit there.
        NoRuleInForce: no rubric or no policy was in force on the cut-off date.
    """
    on = cut_off(period)
    units = {unit.unit_id: unit for unit in register.units(on, holder_of(scope))}
    if not units:
        raise NoRegister(f"the register names no unit of {scope} on {on}; nothing was ranked")
    if earlier is not None and not earlier["manifest"]:  # all have left that area class: as if nobody had ever told it
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
    rule = (terms.earlier["rubric"], terms.earlier["point_table"]) if terms.earlier else None
    earlier = Earlier(terms.period - 1, rule, rows)
    found = {}
    for unit_id in unit_ids:
        lineage = known.lineage(unit_id)
        kin = [unit for each in lineage if (unit := known.by_id(each)) is not None]
        existed = any(known.unit(unit.code, on) == unit for unit in kin)
        found[unit_id] = earlier.movement(lineage, existed, terms.rule)
    return found
