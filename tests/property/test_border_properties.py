"""Whatever a field of a submission is given that it is not: it is refused in its place, in words, and never taken for
something else."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core._pydantic_core import list_all_errors

from services.intake.problems import of_errors
from shared.contracts.base import Claim, Problem
from shared.contracts.catalogue import CONTRACTS, EXAMPLES, EventType
from shared.refusals.validation import _OTHER, expected_of

SUBMISSIONS = [each for each in CONTRACTS.values() if each.family == "submissions"]
TARGETS = {
    "C1.1": {"type": "boolean", "met": True, "evidence": ["BC 1"]},
    "C3.1": {"type": "parts", "parts": {"office": True}},
    "C4.1": {"type": "level", "level": 1},
    "C5.1": {"type": "share", "share": {"numerator": 1, "denominator": 2}},
    "C5.2": {
        "type": "share_pair",
        "trained": {"numerator": 1, "denominator": 2},
        "university": {"numerator": 1, "denominator": 2},
    },
    "C6.1": {"type": "count", "count": 3},
    "C6.2": {"type": "change", "previous": "48.5", "current": 52.1},
    "C7.1": {"type": "money", "amount": 25000000},
    "C7.2": {"type": "day", "day": "2025-03-05"},
    "C7.3": {"type": "text", "text": "12/QĐ-UBND"},
}
CONTENTS: tuple[dict[str, Any], ...] = (
    {"scoring": "points", "points": {"N1": {"points": "8.5", "evidence": ["BC 1"]}}, "indicators": TARGETS},
    {
        "scoring": "pass_fail",
        "targets": TARGETS,
        "difficult_area": True,
        "difficult_area_basis": "QĐ 1",
        "specially_difficult": False,
        "specially_difficult_basis": "QĐ 2",
        "traits": ["school"],
    },
)
"""Every kind of value that there is."""
SAID: dict[str, Any] = {
    "corrects_version": 1,
    "code_system": "2025-07",
    "reason": "sửa",
    "unit_name": "Phường Ba Đình",
    "name": "Trung tâm",
    "area_class": "region_1",
    "area_class_basis": "Danh sách",
    "standard": "primary",
    "level": 1,
    "grade": "tot",
    "closed_on": "2025-07-01",
    "predecessors": ["TT-0"],
    "suspended_on": "2020-01-01",
    "resumed_on": "2021-01-01",
    "act": "merged",
    "decision_number": "1/QĐ",
    "decided_on": "2025-01-01",
    "decided_by": "UBND",
    "effective_from": "2025-01-01",
    "series": "universal_education",
    "purpose": "operating",
    "direction": "paid",
    "ends_on": "2030-01-01",
    "by_decision": {"GD1": {"existing": 7, "recognised": 3, "evidence": ["QĐ 1"]}},
}
"""Values of optional fields."""
OTHERS: tuple[Any, ...] = (
    True,
    False,
    0,
    1,
    1.5,
    "",
    "on",
    "2e1",
    "1.000",
    "0",
    "٣",
    "1_0",
    [],
    {},
    [1],
    {"a": 1},
    "\u00a0",
)
"""Each JSON type, and spellings that some library takes for another one's value."""
ENGLISH = re.compile(r"\b(?:should|input|valid|must|expected|instead of|missing|Expecting|or)\b", re.IGNORECASE)


def whole(type_: EventType) -> list[dict[str, Any]]:
    """Bodies of a kind in which every field says something."""
    example: dict[str, Any] = json.loads((EXAMPLES / f"{type_.value}.json").read_text(encoding="utf-8"))["data"]
    optional = {name: value for name, value in SAID.items() if name in type_.model.model_fields and name not in example}
    if "content" not in example:
        return [example | optional]
    return [example | optional | {"content": content} for content in CONTENTS]


def places(value: Any, path: tuple[int | str, ...] = ()) -> Iterator[tuple[int | str, ...]]:
    """Where a value stands, at every depth."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield (*path, name)
        yield from places(inner, (*path, name))


def put(body: dict[str, Any], path: tuple[int | str, ...], value: Any) -> dict[str, Any]:
    """The body with another value in one place."""
    made: Any = copy.deepcopy(body)
    inside = made
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    assert isinstance(made, dict)
    return made


def at(model: Any, path: tuple[int | str, ...]) -> Any:
    """What was made of the value in one place."""
    for step in path:
        model = getattr(model, str(step)) if isinstance(model, BaseModel) else model[step]
    return model


def same(made: Any, given: Any) -> bool:
    """Whether it is what was sent: of the same type, or a text as the contract writes a number or a day."""
    match made:
        case bool() | int() | float() | None:
            return type(made) is type(given) and bool(made == given)
        case str():
            return isinstance(given, str) and made == given.strip(" \t\r\n")
        case Decimal():
            spelled = isinstance(given, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", given, re.ASCII)
            return bool(spelled or type(given) in (int, float)) and made == Decimal(str(given))
        case date():
            return bool(made.isoformat() == given)
        case BaseModel():
            return isinstance(given, dict) and all(same(getattr(made, name), each) for name, each in given.items())
        case dict():
            return (
                isinstance(given, dict) and made.keys() == given.keys() and all(same(made[k], given[k]) for k in made)
            )
        case list():
            return isinstance(given, list) and len(made) == len(given) and all(map(same, made, given))
    return False


def read(model: type[Claim], body: dict[str, Any]) -> Claim | list[Problem]:
    """The claim, or what is wrong with it."""
    try:
        return model.of_sender(json.dumps(body))
    except ValidationError as error:
        return of_errors(error.errors(include_url=False), body)


@pytest.mark.parametrize("type_", SUBMISSIONS, ids=lambda type_: type_.value)
def test_no_value_is_taken_for_another_and_every_refusal_names_its_place_in_both_languages(type_: EventType) -> None:
    for body in whole(type_):
        assert isinstance(read(type_.claim, body), Claim), "and as it stands it is taken"
        for path in places(body):
            for other in (*OTHERS, None):
                changed = put(body, path, other)
                found = read(type_.claim, changed)
                if isinstance(found, Claim):
                    assert same(at(found, path), other), (path, other)
                    continue
                pointer = "".join(f"/{step}" for step in path)
                assert found, (path, other)
                for one in found:
                    assert one.field.startswith(pointer), (path, other, one)
                    for text in (one.message, one.expected, one.mend):
                        assert text.vi.strip(), (path, other, one)
                        assert text.en.strip(), (path, other, one)
                        assert not ENGLISH.search(text.vi), (path, other, text.vi)


@pytest.mark.parametrize("type_", SUBMISSIONS, ids=lambda type_: type_.value)
def test_every_field_is_tried(type_: EventType) -> None:
    said = {name for body in whole(type_) for name in body}
    assert said == type_.model.model_fields.keys()


def test_no_kind_of_error_is_told_in_english_to_a_vietnamese_reader() -> None:
    for one in list_all_errors():
        context = {name: name for name in re.findall(r"{(\w+)}", one["message_template_python"])}
        context |= one["example_context"] or {}
        said = expected_of({"type": one["type"], "msg": one["example_message_python"], "ctx": context})
        assert said.vi == _OTHER or not ENGLISH.search(said.vi), said.vi
