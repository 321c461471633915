"""A rule as it holds on one day: parts of it begin or end within its own time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.rulebook.basis import Authority, Gap, RubricBase
from shared.rulebook.standards import Condition
from shared.rulebook.targets import NotComputable

M = TypeVar("M", bound=BaseModel)


def on_day(rule: M, on: date) -> M:
    """The rule without what had ended on that day or had not begun.

    Authorities that decide, conditions that a later rule added, targets that cannot be computed any more; and the gaps
    that these leave, once they do. Thresholds and grounds are the rule's own: they change with its version alone.
    """
    later: set[str] = set()
    if isinstance(rule, RubricBase):
        ends = [one.until for one in rule.decided_by if one.until is not None and on < one.until]
        later = {f"decided_by_after_{until:%Y_%m_%d}" for until in ends}
    found: M = _held(rule, on, later | _not_yet(rule, on))
    return found


def _not_yet(value: Any, on: date) -> set[str]:
    """Gaps that `NotComputable` parts name which have not begun."""
    match value:
        case NotComputable(since=since, gap=gap):
            return {gap} if on < since else set()
        case BaseModel():
            parts = [getattr(value, name) for name in type(value).model_fields]
        case dict():
            parts = list(value.values())
        case list():
            parts = value
        case _:
            return set()
    return {gap for part in parts for gap in _not_yet(part, on)}


def _holds(value: Any, on: date, later: Collection[str]) -> bool:
    match value:
        case Authority(until=date() as until):
            return on < until
        case Condition(effective_from=date() as start) | NotComputable(since=start):
            return start <= on
        case Gap(id=id):
            return id not in later
        case _:
            return True


def _held(value: Any, on: date, later: Collection[str]) -> Any:
    match value:
        case BaseModel():
            parts = {name: getattr(value, name) for name in type(value).model_fields}
            held = {name: _held(part, on, later) if _holds(part, on, later) else None for name, part in parts.items()}
            return value.model_copy(update=held)
        case list():
            return [_held(part, on, later) for part in value if _holds(part, on, later)]
        case _:
            return value
