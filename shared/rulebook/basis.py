"""What the kinds of rubric share: who decides, until when a dossier may come, what missing evidence counts as, gaps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import AssessmentSeries
from shared.refusals.validation import no_day
from shared.rulebook.errors import Unfit
from shared.rulebook.source import WORDING, Dated, Exact, Grounded, Rule

Series = Literal["commune", "centre", AssessmentSeries, "learning_citizen"]
"""What is assessed or reported; the rubrics of one series follow one another in time."""

Quantity = Annotated[
    Decimal,
    BeforeValidator(lambda value: Decimal(value) if type(value) is int else value),
    Field(ge=0, le=1000),
]
"""Points. Whole numbers in the file are welcome; floats cannot occur, the reader makes exact decimals."""

Threshold = Annotated[Exact, Field(gt=0, le=1)]
"""A minimum share of people ("at least"): an exact fraction."""


class Day(Rule):
    """The last day, included: `day`.`month` of the period's year + `years_after`."""

    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]
    years_after: Annotated[int, Field(ge=0, le=2)]

    @model_validator(mode="after")
    def _exists_every_year(self) -> Self:
        try:
            date(2023, self.month, self.day)  # 29 February would not
        except ValueError as error:
            raise Unfit("rulebook.no_calendar_day", reason=no_day(error)) from None
        return self


class Deadline(Grounded, Day):
    """Last day for the submission of a period."""


class Authority(Grounded):
    """Who decides, and until when (exclusive)."""

    name: Text
    until: date | None = None


class Gap(Rule):
    """Something the law must say and that was not found: shown, never guessed."""

    id: Nfc
    state: Literal["not_found"]
    text: Text


class NoEvidence(Grounded):
    """What a value without any evidence counts as."""

    counts_as: Literal["zero_points", "not_met", "as_reported"]


class Validity(Grounded):
    """How long a recognition is valid, counted from the end of the year of the decision."""

    months: Annotated[int, Field(ge=12, multiple_of=12)]


class LevelSource(Rule):
    """A level that another rubric's result holds (`outcome[standard]` of a frozen reference)."""

    series: Series
    standard: Nfc


class ShareSource(Rule):
    """A share that another rubric's result holds (`outcome[share]` of a frozen reference)."""

    series: Series
    share: Nfc


class Use(NamedTuple):
    """Something that one target or indicator takes from results under another rubric."""

    by: str
    """Id of the target or indicator."""
    series: Series
    outcome: str | None = None
    """A name among the `outcomes` of that rubric; `None` = recognitions alone."""
    level: int = 0
    """The highest level asked of it."""


class RankingRule(Grounded):
    """By what results are put in order, in words; no law gives an order."""

    rule: Text


class RubricBase(Dated):
    """What every rubric has, whatever its kind of scoring."""

    series: Series
    legal_reference: Annotated[Nfc, WORDING]
    deadline: Deadline
    no_evidence: NoEvidence
    decided_by: Annotated[list[Authority], Field(min_length=1)]
    gaps: Annotated[list[Gap], WORDING]
    validity: Validity | None = None
    """`None` = results under this rubric are not recognised by a decision."""
    ranking: RankingRule | None = None
    """`None` = results under this rubric are not ranked."""

    @property
    def uses(self) -> tuple[Use, ...]:
        """Everything that this rubric takes from results under other rubrics."""
        return ()

    @property
    def outcomes(self) -> Mapping[str, int]:
        """What others may take from results under this rubric: grades, shares, standards, and the levels these have."""
        return {}

    @property
    def refers_to(self) -> frozenset[Series]:
        """Series whose results this rubric uses."""
        return frozenset(use.series for use in self.uses)

    @model_validator(mode="after")
    def _authority_known(self) -> Self:
        last = self.decided_by[-1].until
        if last is not None and (self.effective_to is None or last < self.effective_to):
            wanted = f"decided_by_after_{last:%Y_%m_%d}"
            if wanted not in {gap.id for gap in self.gaps}:
                raise Unfit("rulebook.nobody_decides", day=last, gap=wanted)
        return self


def unique(what: str, ids: list[str]) -> None:
    """Raises `Unfit` if an id stands twice."""
    for one in ids:
        if ids.count(one) > 1:
            raise Unfit("rulebook.stands_twice", what=what, id=one)
