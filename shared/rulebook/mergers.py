"""Mergers of public district centres: what each text says of which parts, from which day until which."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import CriterionId
from shared.rulebook.basis import unique
from shared.rulebook.errors import Unfit
from shared.rulebook.source import Grounded, Rule

Ids = Annotated[list[CriterionId], Field(min_length=1)]


class MergerRule(Grounded):
    """What one text says of the mergers that were proposed from `since` until the day before `until`."""

    id: Nfc
    since: date
    until: date | None = None
    outcome: Literal["allowed", "not_allowed", "review_only"] | None = None
    """`None`: it decides nothing and is only told."""
    each_of: list[Ids] = []
    """It speaks of mergers in which of each of these lists at least one kind takes part."""
    only: list[CriterionId] = []
    """It speaks of mergers of nothing but these kinds; empty: of any."""
    needs: CriterionId | None = None
    """Field of the conditions that it makes: where one of them is not there, the merger is not allowed."""
    text: Text
    """A whole sentence."""

    @model_validator(mode="after")
    def _ever(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise Unfit("rulebook.dates_reversed", end=self.until, start=self.since)
        return self

    def speaks_of(self, on: date, kinds: frozenset[str]) -> bool:
        """Whether it speaks of a merger of these kinds of parts that was proposed on that day."""
        in_time = self.since <= on and (self.until is None or on < self.until)
        takes_part = all(kinds.intersection(one) for one in self.each_of)
        return in_time and takes_part and (not self.only or kinds <= set(self.only))


class MergerRules(Rule):
    """How a report on a merger is judged. The first rule with an outcome that speaks of it counts."""

    day: CriterionId
    """Field of the day of the proposal, which picks the rules."""
    parts: Annotated[list[CriterionId], Field(min_length=2)]
    """Fields that count the parts, one for each kind."""
    carried_out: CriterionId
    """Field that says whether it was carried out."""
    decision: list[CriterionId]
    """Fields of the decision on it: wanted as soon as it was carried out."""
    review: dict[CriterionId, Text]
    """Fields with a figure before and after, and what it counts: wanted as soon as it was carried out."""
    no_rule: Nfc
    """Id of the gap that is shown where no rule speaks of a merger."""
    rules: Annotated[list[MergerRule], Field(min_length=1)]

    @model_validator(mode="after")
    def _known_parts(self) -> Self:
        unique("rule", [one.id for one in self.rules])
        for rule in self.rules:
            for one in (*rule.only, *(id for each in rule.each_of for id in each)):
                if one not in self.parts:
                    raise Unfit("rulebook.unknown_reference", id=rule.id, reference=one, known=", ".join(self.parts))
        return self

    def fields(self) -> dict[str, str]:
        """Every field that is named, with the type that it must have."""
        of_parts = dict.fromkeys(self.parts, "count")
        conditions = {one.needs: "parts" for one in self.rules if one.needs is not None}
        review = dict.fromkeys(self.review, "change")
        return {self.day: "day", self.carried_out: "boolean"} | of_parts | conditions | review
