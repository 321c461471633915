"""The body of a ministry's order: read with everything that is wrong with it, and refused in the same form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from services.intake.problems import of_validation
from shared.contracts.base import Problem
from shared.outside import text_problems
from shared.web.problems import ApiProblem, refused

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], body: dict[str, Any]) -> M:
    """The order. Raises `ApiProblem`."""
    if wrong := text_problems(body):
        raise unsound(wrong)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise unsound([of_validation(each) for each in error.errors(include_url=False)]) from error


def unsound(problems: Sequence[Problem]) -> ApiProblem:
    """Nothing of the order is done."""
    return refused("intake.order_unsound", problems, count=len(problems))
