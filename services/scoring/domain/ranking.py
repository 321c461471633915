"""Many results → one order: each result's place in it as a string, ranks with ties, where a cut-off falls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import get_args

from services.scoring.domain.movement import Movement
from shared.contracts.base import Contract, Points, Text, Version
from shared.contracts.facts import PagePlace, RankingRow, ResultState, Superseded
from shared.contracts.submissions import AreaClass
from shared.registry import Unit
from shared.rulebook import PointsRubric, Rubric
from shared.rulebook.ranking import PassFailMeasure, TieRule

_EXPANSION = 60
"""Decimal places of the mean in a rank key.

Why 60 are enough that no two different means share a key: a mean is Σ nᵢ/(dᵢ·tᵢ) / 3 (or of fewer, where some are not
applicable) with counts dᵢ ≤ 2·10⁸ and constants tᵢ of the rubric, so it is a fraction whose denominator divides
c·d₁·d₂·d₃ ≤ c·8·10²⁴, where c comes from the thresholds alone (36 for those of Circular 25/2023). Two different ones
differ by at least 1/(c·(8·10²⁴)²) = 1/(c·6.4·10⁴⁹), which for every c ≤ 10¹⁰ is more than 10⁻⁶⁰. Numbers at least 10⁻⁶⁰
apart are cut to different expansions, equal ones to equal ones.
"""


def points_key(total: Decimal) -> str:
    """Sorts as totals do: ten-thousandths of a point, eight digits (contracts allow four places and at most 1000)."""
    return f"{int(total * 10_000):08d}"


def pass_fail_key(
    level: int,
    met_l1: Fraction | int,
    met_l2: Fraction | int,
    ratios: Sequence[Fraction],
    order: Sequence[PassFailMeasure] = get_args(PassFailMeasure),
) -> str:
    """Sorts as the ranking policy says: equal results, and only they, give equal keys.

    Args:
        level: 0, 1 or 2.
        met_l1: targets met at level 1, of as many as the rubric has. Where some are not applicable, the same share of
            all as is met of the others: 13 of 14 stand as 13.93 of 15, between 13 and 14, and 14 of 14 as 15.
        met_l2: likewise at level 2.
        ratios: value ÷ own area's level-1 threshold, of the same targets for everybody but those that are not
            applicable (the policy's "− 1" is the same for all of them and changes no order). Without any the mean
            excess is 0: neither above nor below the threshold.
        order: what decides, the weightiest first (`shared.rulebook.ranking.Order.pass_fail`).
    """
    mean = sum(ratios, Fraction(0)) / len(ratios) if ratios else Fraction(1)
    expansion = mean.numerator * 10**_EXPANSION // mean.denominator
    measures: dict[PassFailMeasure, str] = {
        "level": f"{level}",
        "met_level_1": _count_key(met_l1),
        "met_level_2": _count_key(met_l2),
        "mean_over_own_threshold": f"{expansion:0{_EXPANSION + 12}d}",
    }
    return ".".join(measures[each] for each in order)


def _count_key(met: Fraction | int) -> str:
    """Two digits, and six of what is beyond a whole number. With at most 99 targets two such shares differ by 1/99 or
    more; `~` sorts behind the `.` that follows a whole number."""
    whole, beyond = divmod(Fraction(met), 1)
    return f"{whole:02d}" + (f"~{int(beyond * 10**6):06d}" if beyond else "")


class Standing(Contract):
    """The part of a commune's result that a ranking looks at."""

    unit_id: str
    version: Version
    rubric: str
    point_table: str | None
    state: ResultState
    total: Points | None
    grade: str | None
    level: int | None
    missing: list[str]
    rank_key: str | None
    area_class: AreaClass | None = None
    hash: str = ""
    supersedes: Superseded | None = None


def rank(
    units: Iterable[Unit],
    results: Mapping[str, Standing],
    rubric: Rubric,
    movements: Mapping[str, Movement] | None = None,
) -> list[RankingRow]:
    """Rank all units of a scope: 1, 2, 2, 4; equal results share the rank, nothing but the rule breaks a tie.

    Every unit has exactly one row: ranked ones by rank then code, then the others by code, each with its reason.

    Args:
        units: each once.
        results: by unit id; those of other units are ignored.
        rubric: the one in force; results of another one are not comparable.
        movements: by unit id, what is known of the period before.
    """
    known = movements or {}
    rows = [row_of(unit, results.get(unit.unit_id), rubric, known.get(unit.unit_id)) for unit in units]
    return numbered(in_order(rows))


def row_of(unit: Unit, result: Standing | None, rubric: Rubric, movement: Movement | None) -> RankingRow:
    """A unit's row without its rank, which depends on the others."""
    reason = _unranked(result, rubric)
    return RankingRow(
        rank=None,
        unit_id=unit.unit_id,
        code=unit.code,
        name=unit.name,
        holder=unit.province_code,
        total=result.total if result else None,
        grade=result.grade if result else None,
        level=result.level if result else None,
        reason=reason,
        result_version=result.version if result else None,
        result_hash=result.hash if result else None,
        area_class=result.area_class if result else None,
        rank_key=result.rank_key if result and reason is None else None,
        previous_rank=movement.previous.rank if movement and movement.previous else None,
        previous=movement.previous if movement else None,
        no_movement=movement.reason if movement else None,
    )


def _unranked(result: Standing | None, rubric: Rubric) -> Text | None:
    """Why a unit is not ranked; `None` if it is."""
    if result is None:
        return Text(vi="Chưa có hồ sơ được tiếp nhận.", en="No submission was accepted.")
    if result.state == "unassessed":
        return Text(
            vi="Hồ sơ đã được nơi gửi rút: chưa đánh giá.",
            en="The submission was withdrawn by its sender: unassessed.",
        )
    if (result.rubric, result.point_table) != (rubric.id, table_of(rubric)):
        used = result.point_table or result.rubric
        return Text(
            vi=f"Chấm theo bảng điểm khác ({used}), không so sánh được.",
            en=f"Scored by another point table ({used}), so not comparable.",
        )
    if result.rank_key is None:
        ids = ", ".join(result.missing)
        return Text(vi=f"Chưa đủ dữ liệu: {ids}.", en=f"Incomplete: {ids}.")
    return None


def table_of(rubric: Rubric) -> str | None:
    """Identity of a rubric's point table; `None` under pass/fail."""
    return rubric.point_table.id if isinstance(rubric, PointsRubric) else None


def in_order(rows: Iterable[RankingRow]) -> list[RankingRow]:
    """Ranked rows by descending key, then the unranked; inside each group of equals by code, which means nothing."""
    by_code = sorted(rows, key=lambda row: row.code)
    by_code.sort(key=lambda row: row.rank_key or "", reverse=True)  # stable
    return [row for row in by_code if row.rank_key is not None] + [row for row in by_code if row.rank_key is None]


def numbered(rows: Iterable[RankingRow], start: int = 1, before: PagePlace | None = None) -> list[RankingRow]:
    """Rows in order with their ranks.

    Args:
        rows: consecutive rows of a ranking.
        start: place of the first of them in the whole ranking, from 1.
        before: the row before the first one, whose rank the first one may share.
    """
    rank, key = (before.rank, before.rank_key) if before else (None, None)
    found = []
    for place, row in enumerate(rows, start):
        if row.rank_key != key:
            rank, key = (place if row.rank_key is not None else None), row.rank_key
        found.append(row if row.rank == rank else row.model_copy(update={"rank": rank}))
    return found


class Cut(Contract):
    """Where a cut-off falls."""

    places: int
    ties: TieRule
    taken: int
    """Units inside: more than `places` where equals were included, fewer where they were excluded."""
    tied_rank: int | None
    """Rank of the equals among whom the last place falls; `None`: it falls between two different results."""
    tied_units: int
    """How many they are."""
    rows: list[RankingRow]
    """The units inside, in order."""


def cut_off(rows: Iterable[RankingRow], places: int, ties: TieRule) -> Cut:
    """The first `places` units of a ranking. Equals are all inside or all outside, never some of them.

    Args:
        rows: a ranking in order; it may end behind the group of equals in which the last place falls.
        places: how many units are to be inside, at least 1.
        ties: where the last place falls among equals, take all of them (`include`) or none (`exclude`).
    """
    ranked = [row for row in rows if row.rank is not None]
    inside, rank = ranked[:places], None
    if len(ranked) > places and ranked[places].rank == ranked[places - 1].rank:
        rank = ranked[places].rank
        last = [row for row in ranked if row.rank == rank]
        inside = [row for row in inside if row.rank != rank] + (last if ties == "include" else [])
    tied = sum(row.rank == rank for row in ranked) if rank is not None else 0
    return Cut(places=places, ties=ties, taken=len(inside), tied_rank=rank, tied_units=tied, rows=inside)
