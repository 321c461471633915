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
from shared.refusals.validation import no_day
from shared.rulebook.errors import Unfit
from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.rubrics import HANOI, cut_off
from shared.rulebook.source import Dated, Grounded

FILE = "periods.yaml"
_NAMES: Mapping[Closable, Text] = {
    "commune": Text(vi="đánh giá cộng đồng học tập cấp xã", en="assessments of communes"),
    "centre": Text(vi="đánh giá trung tâm học tập cộng đồng", en="assessments of community learning centres"),
    "district": Text(vi="đánh giá cộng đồng học tập cấp huyện", en="assessments of districts"),
    "province": Text(vi="đánh giá cộng đồng học tập cấp tỉnh", en="assessments of provinces"),
    "learning_unit": Text(vi="đánh giá đơn vị học tập", en="assessments of learning units"),
    "universal_education": Text(
        vi="đánh giá phổ cập giáo dục, xóa mù chữ", en="assessments of universal education and literacy"
    ),
    "learning_models": Text(vi="đánh giá các mô hình học tập", en="assessments of learning models"),
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

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := sorted(set(get_args(Closable)) - self.closes.keys()):
            raise Unfit("rulebook.closing_missing", missing=", ".join(missing))
        return self


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
    ground = period_policies(folders()).in_force(cut_off(period)).closes[what]
    last = ground.last(period)
    return Closing(datetime(last.year, last.month, last.day, tzinfo=HANOI) + timedelta(days=1), ground)


def named_closable(what: Closable) -> Text:
    """What it is whose periods close, in words within a sentence."""
    return _NAMES[what]
