"""Until when what was sent for a period may still be changed by who sent it. No law says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, NamedTuple, Self, get_args

from pydantic import Field, model_validator

from shared.contracts.base import Text
from shared.contracts.facts import Closable
from shared.contracts.series import SERIES, kind_of
from shared.refusals.validation import no_day
from shared.rulebook.errors import Unfit
from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.rubrics import HANOI, cut_off
from shared.rulebook.source import Dated, Grounded

FILE = "periods.yaml"
_NAMES: Mapping[Closable, Text] = {
    "commune": Text(vi="đánh giá cộng đồng học tập cấp xã", en="assessments of communes"),
    "centre": Text(vi="đánh giá trung tâm học tập cộng đồng", en="assessments of community learning centres"),
    **{series: about.name for series, about in SERIES.items()},
    "envelope": Text(vi="kinh phí của tỉnh", en="envelopes of provinces"),
    "support": Text(vi="mức hỗ trợ trung tâm", en="support of centres"),
}


class ClosingDay(Grounded):
    """Last day of a period, included: a calendar day, or the same one in every year, counted from the period's."""

    last_day: date | None = None
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    day: Annotated[int, Field(ge=1, le=31)] | None = None
    years_after: Annotated[int, Field(ge=0, le=10)] | None = None

    @model_validator(mode="after")
    def _one_day(self) -> Self:
        yearly = (self.month, self.day, self.years_after)
        if (self.last_day is None) == (None in yearly) or (
            self.last_day is not None and any(each is not None for each in yearly)
        ):
            raise Unfit("rulebook.closing_day_unclear")
        try:
            self.last(2023 - (self.years_after or 0))  # 29 February would not exist every year
        except ValueError as error:
            raise Unfit("rulebook.no_calendar_day", reason=no_day(error)) from None
        return self

    def last(self, period: int) -> date:
        """The last day of a period or year."""
        if self.last_day is not None:
            return self.last_day
        assert self.month is not None
        assert self.day is not None
        assert self.years_after is not None
        return date(period + self.years_after, self.month, self.day)


class PeriodPolicy(Dated):
    """When the periods (budget years) close whose last day lies in this version's time."""

    closes: dict[Closable, ClosingDay]
    """A series that stands here not by itself closes with the first one of its kind of subject."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := sorted({_ground_of(what) for what in get_args(Closable)} - self.closes.keys()):
            raise Unfit("rulebook.closing_missing", missing=", ".join(missing))
        return self


_ALONE = frozenset[Closable]({"universal_education", "learning_models", "envelope", "support"})
"""What every policy names by itself, beside the first series of each kind of subject."""


def _ground_of(what: Closable) -> Closable:
    """With what a kind of submission closes where the policy does not name it."""
    kind = kind_of(what)
    if what in _ALONE or kind is None:
        return what
    return "province" if kind in ("vocational_centre", "centre_merger") else kind


class Closing(NamedTuple):
    """When a period closes, and on which ground."""

    at: datetime
    """First instant at which it is closed."""
    ground: ClosingDay

    @property
    def last(self) -> date:
        """The last day on which it is open."""
        return (self.at - timedelta(days=1)).date()


@lru_cache
def period_policies(places: Sequence[Path]) -> Layers[PeriodPolicy]:
    """All of these folders. Raises `RulebookError`."""
    return load_layers(places, FILE, PeriodPolicy)


def closing(what: Closable, period: int) -> Closing:
    """When a period of this kind closes for its senders: the ministry's day, else the working default.

    It binds files, corrections and withdrawals, never decisions of authorities, register and rule changes.

    Raises:
        NoRuleInForce: no policy covers the period.
        RulebookError: a file cannot be used.
    """
    closes = period_policies(folders()).in_force(cut_off(period)).closes
    ground = closes[what] if what in closes else closes[_ground_of(what)]
    last = ground.last(period)
    return Closing(datetime(last.year, last.month, last.day, tzinfo=HANOI) + timedelta(days=1), ground)


def named_closable(what: Closable) -> Text:
    """What it is whose periods close, in words within a sentence."""
    return _NAMES[what]
