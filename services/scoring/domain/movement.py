"""A unit's place in the period before: only of the *same* unit, and only where both were ranked by the same rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.base import Text
from shared.contracts.facts import PreviousPlace, RankingRow


@dataclass(frozen=True, slots=True)
class Movement:
    """The place before, and why it gives no rank to compare with (`None`: it gives one)."""

    previous: PreviousPlace | None
    reason: Text | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The same ranking of the period before, as it was last published."""

    period: int
    rule: tuple[str, str | None] | None
    """Rubric and point table; `None`: there is no such ranking."""
    rows: Mapping[str, RankingRow]
    """Its rows by unit id: at least those of the units that are asked for."""

    def movement(self, lineage: Sequence[str], existed: bool, rule: tuple[str, str | None]) -> Movement:
        """What is known of one unit.

        Args:
            lineage: all ids of the same unit.
            existed: whether the register of that period's cut-off date had it.
            rule: rubric and point table of the period that is ranked now.
        """
        if self.rule is None:
            return Movement(None, _no_ranking(self.period))
        if self.rule != rule:
            return Movement(None, _other_rule(self.period, self.rule[1] or self.rule[0]))
        row = next((self.rows[unit_id] for unit_id in lineage if unit_id in self.rows), None)
        if row is None:
            return Movement(None, _elsewhere(self.period) if existed else _new_unit())
        place = PreviousPlace.model_validate(dict(row))
        return Movement(place, None if place.rank is not None else _unranked(self.period))


def _no_ranking(period: int) -> Text:
    return Text(vi=f"Chưa có bảng xếp hạng này của kỳ {period}.", en=f"There is no such ranking of {period}.")


def _other_rule(period: int, used: str) -> Text:
    return Text(
        vi=f"Kỳ {period} chấm theo bộ tiêu chí hoặc bảng điểm khác ({used}), không so sánh được.",
        en=f"{period} was scored by another rubric or point table ({used}), so the ranks cannot be compared.",
    )


def _new_unit() -> Text:
    return Text(
        vi="Đơn vị mới do sắp xếp, không tiếp nối nguyên vẹn riêng một đơn vị cũ.",
        en="A new unit of the reorganisation: it does not continue one whole former unit.",
    )


def _elsewhere(period: int) -> Text:
    return Text(
        vi=f"Không có trong bảng xếp hạng này kỳ {period}.", en=f"It did not stand in this ranking in {period}."
    )


def _unranked(period: int) -> Text:
    return Text(vi=f"Kỳ {period} không được xếp hạng.", en=f"It was not ranked in {period}.")
