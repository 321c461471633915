"""Rules that come in the body of a request, to be proven beside those in use: for every service that rehearses them."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import copy_context
from functools import partial
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.base import OneLine, Problem
from shared.rulebook.given import Misplaced
from shared.rulebook.proposed import Tried, tried
from shared.web.beside import Beside
from shared.web.problems import refused

PROVING = Beside(2)
"""Rulebooks that are read at once."""
File = Annotated[str, StringConstraints(max_length=200_000, strip_whitespace=False)]
Where = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._/-]+$"), OneLine]
Files = Annotated[dict[Where, File], Field(min_length=1, max_length=100)]
"""Text by place in a rulebook's folder. All of a body together is bounded too (`shared.web.bodies`)."""


async def proven(files: Mapping[str, str]) -> Tried:
    """The rules in use with these behind them. Raises `ApiProblem` (422) with all that is wrong, by file and place."""
    found = await PROVING.run(partial(copy_context().run, _tried, files))
    if found.faults:
        problems = [_placed(each.file, each.problem) for each in found.faults]
        raise refused("rulebook.unsound", problems, count=len(problems))
    return found


def _placed(file: str, problem: Problem) -> Problem:
    return problem.model_copy(update={"field": f"{file} {problem.field}".strip()})


def _tried(files: Mapping[str, str]) -> Tried:
    try:
        return tried(files)
    except Misplaced as error:
        raise refused("rulebook.no_place", file=error.place) from error
