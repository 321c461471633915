"""Many results → one ranking: the order of results as a string, ranks with ties, pages to publish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from shared.contracts.base import Contract, Points, Text, Version, content_hash
from shared.contracts.facts import RankingPage, RankingPublished, RankingRow
from shared.registry import Unit
from shared.rulebook import PointsRubric, Rubric

ROWS_PER_PAGE = 500
_EXPANSION = 60
"""Decimal places of the mean in a rank key.

Why 60 are enough that no two different means share a key: a mean is Σ nᵢ/(dᵢ·tᵢ) / 3 with counts dᵢ ≤ 2·10⁸ and
constants tᵢ of the rubric, so it is a fraction whose denominator divides c·d₁·d₂·d₃ ≤ c·8·10²⁴, where c comes from the
thresholds alone (18 for those of Circular 25/2023). Two different ones differ by at least 1/(c·(8·10²⁴)²) =
1/(c·6.4·10⁴⁹), which for every c ≤ 10¹⁰ is more than 10⁻⁶⁰. Numbers at least 10⁻⁶⁰ apart are cut to different
expansions, equal ones to equal ones.
"""


def points_key(total: Decimal) -> str:
    """Sorts as totals do: ten-thousandths of a point, eight digits (contracts allow four places and at most 1000)."""
    return f"{int(total * 10_000):08d}"


def pass_fail_key(level: int, met_l1: int, met_l2: int, ratios: Sequence[Fraction]) -> str:
    """Sorts by level, targets met at level 1, at level 2, then the mean of value ÷ own area's level-1 threshold.

    (The rule's "− 1" is the same for everybody and changes no order.) Equal results, and only they, give equal keys.
    """
    mean = sum(ratios, Fraction(0)) / len(ratios)
    expansion = mean.numerator * 10**_EXPANSION // mean.denominator
    return f"{level}.{met_l1:02d}.{met_l2:02d}.{expansion:0{_EXPANSION + 12}d}"


class Standing(Contract):
    """The part of a commune's result that a ranking looks at."""

    unit_id: str
    version: Version
    rubric: str
    point_table: str | None
    state: Literal["scored", "incomplete"]
    total: Points | None
    grade: str | None
    level: int | None
    missing: list[str]
    rank_key: str | None


def rank(units: Iterable[Unit], results: Mapping[str, Standing], rubric: Rubric) -> list[RankingRow]:
    """Rank all units of a scope: 1, 2, 2, 4; equal results share the rank, nothing but the rule breaks a tie.

    Every unit has exactly one row: ranked ones by rank then code, then the others by code, each with its reason.
    """
    ranked: list[tuple[Unit, Standing, str]] = []
    unranked: list[RankingRow] = []
    for unit in units:
        result = results.get(unit.unit_id)
        reason = _unranked(result, rubric)
        if result is not None and result.rank_key is not None and reason is None:
            ranked.append((unit, result, result.rank_key))
        else:
            unranked.append(_row(unit, result, None, reason))
    ranked.sort(key=lambda entry: entry[0].code)
    ranked.sort(key=lambda entry: entry[2], reverse=True)  # stable: equal keys stay in order of code
    rows: list[RankingRow] = []
    rank, previous = 0, None
    for place, (unit, result, key) in enumerate(ranked, start=1):
        if key != previous:
            rank, previous = place, key
        rows.append(_row(unit, result, rank, None))
    return rows + sorted(unranked, key=lambda row: row.code)


def _unranked(result: Standing | None, rubric: Rubric) -> Text | None:
    """Why a unit is not ranked; `None` if it is."""
    table = rubric.point_table.id if isinstance(rubric, PointsRubric) else None
    if result is None:
        return Text(vi="Chưa có hồ sơ được tiếp nhận.", en="No submission was accepted.")
    if result.rubric != rubric.id or result.point_table != table:
        used = result.point_table or result.rubric
        return Text(
            vi=f"Chấm theo bảng điểm khác ({used}), không so sánh được.",
            en=f"Scored by another point table ({used}), so not comparable.",
        )
    if result.rank_key is None:
        ids = ", ".join(result.missing)
        return Text(vi=f"Chưa đủ dữ liệu: {ids}.", en=f"Incomplete: {ids}.")
    return None


def _row(unit: Unit, result: Standing | None, rank: int | None, reason: Text | None) -> RankingRow:
    return RankingRow(
        rank=rank,
        unit_id=unit.unit_id,
        code=unit.code,
        name=unit.name,
        holder=unit.province_code,
        total=result.total if result else None,
        grade=result.grade if result else None,
        level=result.level if result else None,
        reason=reason,
        result_version=result.version if result else None,
    )


def rows_hash(rows: Iterable[RankingRow]) -> str:
    """SHA-256 over all rows in order: the identity of a ranking, whatever its version or time."""
    return content_hash([row.model_dump(mode="json") for row in rows])


def pages(
    rows: Sequence[RankingRow], scope: str, period: int, version: int, rubric: Rubric, published_at: datetime
) -> tuple[RankingPublished, list[RankingPage]]:
    """Cut a ranking into pages of at most 500 rows, numbered from 1, under one head with the hash over all rows."""
    cut = [
        RankingPage(
            scope=scope,
            period=period,
            version=version,
            page=number,
            rows=list(rows[start : start + ROWS_PER_PAGE]),
        )
        for number, start in enumerate(range(0, len(rows), ROWS_PER_PAGE), start=1)
    ]
    ranked = sum(row.rank is not None for row in rows)
    head = RankingPublished(
        scope=scope,
        period=period,
        version=version,
        rubric=rubric.id,
        ranked=ranked,
        unranked=len(rows) - ranked,
        pages=len(cut),
        hash=rows_hash(rows),
        published_at=published_at,
    )
    return head, cut
