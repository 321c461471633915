"""Whom a caller means: a commune's code names a unit only together with a day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Query, Request

from shared.contracts.base import Text
from shared.contracts.series import series_of
from shared.registry import Registry, Unit
from shared.rulebook import HANOI
from shared.web.parameters import OnDay
from shared.web.problems import ApiProblem, refused

OF_COMMUNES = tuple(f"{series}/" for series in series_of("commune") if series != "commune")
"""How subjects begin that are communes under another series than their own."""
COMMUNE_CODE = re.compile(r"[0-9]{5}|D[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Subject:
    """A commune, a centre, or the subject of another assessment."""

    id: str
    """Unit id, centre id, or `<series>/<subject id>`: what results are filed under."""
    unit: Unit | None
    """The commune that it is, or that the other assessment is of."""

    @property
    def is_commune(self) -> bool:
        """Whether it is the commune itself."""
        return self.unit is not None and self.unit.unit_id == self.id

    @property
    def submitted_as(self) -> str:
        """What submissions call it: by code, where it is a unit."""
        series, _, _ = self.id.rpartition("/")
        return self.id if self.unit is None else f"{series}/{self.unit.code}".removeprefix("/")


Day = Annotated[OnDay | None, Query(description="Day on which a code is meant; else the period's last day, or today")]


def meant_day(request: Request, period: int | None, on: date | None) -> date:
    """The day on which a code is meant: as asked, else the period's last one, else today."""
    if on is not None or period:
        return on or date(period or 0, 12, 31)
    today: datetime = request.app.state.runtime.clock.now()
    return today.astimezone(HANOI).date()


def subject_named(register: Registry, asked: str, day: date | None) -> Subject:
    """Whom a commune code, unit id, centre id or `<series>/<subject>` means on a day; `None`: a code stays as it is.

    Raises:
        ApiProblem: 404, no commune had this code on that day.
    """
    series, _, code = asked.rpartition("/") if asked.startswith(OF_COMMUNES) else ("", "", asked)
    unit = register.by_id(code)
    if unit is None and day is not None and COMMUNE_CODE.fullmatch(code):
        unit = register.unit(code, day)
        if unit is None:
            raise _unknown(code, day, register.candidates(code, day))
    id = unit.unit_id if unit else code
    return Subject(f"{series}/{id}" if series else id, unit)


def _unknown(code: str, day: date, candidates: tuple[str, ...]) -> ApiProblem:
    near, mend = ", ".join(candidates), Text(vi="Kiểm tra mã và ngày.", en="Check the code and the day.")
    if near:
        mend = Text(vi=f"Có thể là một trong các mã: {near}.", en=f"One of these may be meant: {near}.")
    return refused("http.no_unit_on_day", code=code, day=day, mend=mend)
