"""Parameters that many routes have, within bounds; and that no other ones are given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.contracts.base import FIRST_OF_SUPPORT, FIRST_YEAR, LAST_YEAR, Problem
from shared.contracts.bounds import MOST
from shared.refusals import problem
from shared.registry import REORGANISATION, registry
from shared.web.problems import SHOWN, refused


def _as_written(value: Any) -> Any:
    """Pydantic reads `2_025`, `+2025` and `2025.0` as a number, and `1751328000` as a day; an address has one form."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,20}", value):
        raise PydanticCustomError("int_parsing", "Input should be a whole number, in digits")
    return value


def _as_day(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise PydanticCustomError("date_type", "Input should be a day like 2026-03-31")
    return value


def _as_flag(value: Any) -> Any:
    if isinstance(value, str) and value not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "Input should be true or false")
    return value


def _period(year: int) -> int:
    if year and not FIRST_OF_SUPPORT <= year <= LAST_YEAR:
        raise PydanticCustomError(
            "period_unknown",
            "Input should be a year from {first} to {last}",
            {"first": FIRST_OF_SUPPORT, "last": LAST_YEAR},
        )
    return year


provinces = registry().province_codes
"""Codes of all provinces that ever were: those of today, and those before July 2025."""


def _province(code: str) -> str:
    if code not in provinces:
        near = get_close_matches(code[:SHOWN].strip().zfill(2), provinces, n=3, cutoff=0.5)
        raise PydanticCustomError(
            "province_unknown",
            "Input should be the code of a province, perhaps {near}",
            {"near": ", ".join(near) or "01"},
        )
    return code


Whole = BeforeValidator(_as_written)
"""A whole number as an address writes it."""
KnownYear = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR), Whole]
"""A budget year, or the period of a ranking."""
AnyYear = Annotated[int, Field(ge=0, le=LAST_YEAR), AfterValidator(_period), Whole]
"""A period or year as submissions have it: 0 = without one."""
OnDay = Annotated[date, Field(ge=date(1990, 1, 1), le=date(LAST_YEAR, 12, 31)), BeforeValidator(_as_day)]
Flag = Annotated[bool, BeforeValidator(_as_flag)]
Number = Annotated[int, Field(ge=1, le=10**9), Whole]
"""Of a version or release: they count from 1."""
PageNumber = Annotated[int, Field(ge=0, le=10**9), Whole]
Province = Annotated[str, Field(json_schema_extra={"enum": list(provinces)}), AfterValidator(_province)]
"""Code of a province that is or was; what is asked of another one is a mistake, and no empty list."""
Name = Annotated[str, Field(min_length=1, max_length=300)]
"""What something is called: an id, a code, a subject."""


# ------------------------------------------------------------------------------------------- no other ones


async def only_known(request: Request) -> None:
    """FastAPI dependency of every route: a parameter that it does not have, or that is given twice, is refused.

    Whoever writes `provnce=01` would otherwise be answered for the whole nation, and take it for one province.
    """
    route = request.scope.get("route")
    dependant = getattr(route, "dependant", None)
    known = sorted(_names(dependant)) if isinstance(dependant, Dependant) else []
    if problems := [*_misnamed(request, known), *_of_another_time(request)]:
        raise refused("http.invalid_parameters", problems[:MOST])


def _misnamed(request: Request, known: list[str]) -> Iterator[Problem]:
    given = [name for name, _ in request.query_params.multi_items()]
    for name in dict.fromkeys(given):
        shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}…"
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5) or known
            yield problem("http.parameter_unknown", f"/query/{shown}", name=shown, known=", ".join(near) or "–")
        elif given.count(name) > 1:
            yield problem("http.parameter_repeated", f"/query/{shown}", name=shown, count=given.count(name))


def _of_another_time(request: Request) -> Iterator[Problem]:
    """A province that is known, asked for in a year in which there was none of this code."""
    for place, given in (("path", request.path_params), ("query", request.query_params)):
        code = given.get("province")
        asked = request.path_params | dict(request.query_params)
        year = next((str(asked[name]) for name in ("year", "period", "last") if name in asked), "")
        if code in provinces and re.fullmatch(r"2[01][0-9]{2}", year):
            days = date(int(year), 1, 1), date(int(year), 12, 31)
            if not any(registry().province(code, on) for on in days):
                successor = registry().speaker(code, REORGANISATION - timedelta(days=1))
                yield problem("http.province_ended", f"/{place}/province", code=code, year=year, successor=successor)


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _names(inner)
