"""What comes from outside is bounded before anything is made of it: JSON, contracts, and submissions on their way."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.contracts.base import MAX_DIGITS, Claim, Points, Quantity, Status
from shared.contracts.bounds import MAX_DEPTH, MAX_VALUES, MOST
from shared.contracts.catalogue import CONTRACTS, EXAMPLES
from shared.contracts.facts import Receipt
from shared.contracts.register import RegisterCorrection
from shared.contracts.submissions import Submission
from shared.outside import OutOfBounds, read_json
from tests.unit.delivery_samples import head, record
from tests.unit.hostile_values import NUMBERS, STRUCTURES, TEXTS, VALUES, places, unbounded, with_value
from tests.unit.intake_bench import Bench

# ------------------------------------------------------------------------------------------------------- JSON


LARGEST = 10**MAX_DIGITS - 1
UNSEEN = "\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159"
LETTERS = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters=UNSEEN))
PLAIN = st.decimals(-(10**9), 10**9, places=4).map(float).filter(lambda number: "e" not in repr(number))
SCALARS = st.none() | st.booleans() | LETTERS | st.integers(-LARGEST, LARGEST) | PLAIN


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(LETTERS, inner)))
def test_what_is_within_bounds_is_what_json_says(value: Any) -> None:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only)
        assert read_json(text) == json.loads(text)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_kept_as_it_is_written_or_refused(number: Decimal) -> None:
    try:
        kept = read_json(str(number))
    except OutOfBounds:
        return
    assert Decimal(repr(kept)) == number


@pytest.mark.parametrize("text", ["5.0000", "-0", "0.1", "-12.5", "100000000000000.5"])
def test_numbers_as_people_and_programs_write_them_are_kept(text: str) -> None:
    assert repr(read_json(text)) == repr(json.loads(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456789012345.1234", "number_not_exact"),
        ("1e400", "number_with_exponent"),
        ("1E-2", "number_with_exponent"),
        ("-Infinity", "no_number"),
    ],
)
def test_a_number_that_is_not_what_is_written_is_refused_in_its_place(text: str, code: str) -> None:
    with pytest.raises(OutOfBounds) as refused:
        read_json(f'{{"a/b": [0, {text}]}}')
    (problem,) = refused.value.problems
    assert (problem.code, problem.field) == (code, "/a~1b/1")


def test_the_limits_are_where_they_are_said_to_be() -> None:
    at, beyond = MAX_DEPTH, MAX_DEPTH + 1
    assert read_json("[" * at + "]" * at)
    assert len(read_json(json.dumps([0] * (MAX_VALUES - 1)))) == MAX_VALUES - 1
    assert read_json("9" * MAX_DIGITS) == 10**MAX_DIGITS - 1
    for text, code in {
        "[" * beyond + "]" * beyond: "too_deep",
        json.dumps([0] * MAX_VALUES): "too_many_values",
        "9" * (MAX_DIGITS + 1): "number_too_long",
    }.items():
        with pytest.raises(OutOfBounds, match=code):
            read_json(text)


def test_all_places_are_named_at_once_and_of_very_many_the_first() -> None:
    with pytest.raises(OutOfBounds) as refused:
        read_json('{"a": ' + "1" * 30 + ', "b": [1e400, ' + "2" * 30 + "]}")
    assert [one.field for one in refused.value.problems] == ["/a", "/b/0", "/b/1"]
    with pytest.raises(OutOfBounds) as refused:
        read_json("[" + ", ".join(["1e400"] * 1_000) + "]")
    assert len(refused.value.problems) == MOST


# -------------------------------------------------------------------------------------------------- contracts

OUTSIDE: list[type[BaseModel]] = [
    *(contract.model for contract in CONTRACTS.values() if issubclass(contract.model, Submission)),
    RegisterCorrection,
]


@pytest.mark.parametrize("model", OUTSIDE, ids=lambda model: model.__name__)
def test_every_number_text_and_list_from_outside_is_bounded(model: type[BaseModel]) -> None:
    """Another sender's number, one day: whoever adds a field says how large it can be."""
    assert issubclass(model, Claim)
    assert list(unbounded(model.model_json_schema())) == []


@pytest.mark.parametrize("number", [Points, Quantity])
@pytest.mark.parametrize("text", [*NUMBERS.values(), "0e19", "0e-19", "0." + "0" * 19, "NaN", "Infinity"])
def test_no_exact_number_of_a_contract_has_an_exponent_without_bounds(number: Any, text: str) -> None:
    """Of a zero no limit of digits sees the exponent; written out, it filled the memory of scoring."""
    with pytest.raises(ValidationError):
        TypeAdapter(number).validate_python(text)


@pytest.mark.parametrize("number", [Points, Quantity])
@pytest.mark.parametrize("text", ["0", "0.0000", "5.00000", "1e2", "0e5", "12.3456"])
def test_exact_numbers_as_they_were_always_written_stand(number: Any, text: str) -> None:
    assert str(TypeAdapter(number).validate_python(text)) == str(Decimal(text))


# ------------------------------------------------------------------------------------- submissions on their way

SUBMITTED = sorted(type_ for type_, contract in CONTRACTS.items() if issubclass(contract.model, Submission))
DEEP = ("large exponent", "zero with a large exponent, as text", "5,000 digits", "5,000 digits, as text")
"""What is tried in the many places inside of contents; everything else is tried around them."""


def example(type_: str) -> Any:
    return json.loads((EXAMPLES / f"{type_}.json").read_text(encoding="utf-8"))["data"]


async def received(intake: Bench, type_: str, *bodies: str) -> list[Receipt]:
    """The receipts of these bodies, each sent as a record of its own."""
    for offset, body in enumerate(bodies):
        await intake.pipeline.process([record(body.encode(), head(type_), topic="submissions.04", offset=offset)])
    assert intake.mongo.all("dead_letters") == []
    return intake.receipts()


@pytest.mark.parametrize("type_", SUBMITTED)
async def test_whatever_stands_in_a_place_of_a_submission_it_has_one_receipt(type_: str, tmp_path: Path) -> None:
    sent = [
        with_value(example(type_), place, text)
        for place in places(example(type_))
        for name, text in VALUES.items()
        if len(place) < 3 or name in DEEP
    ]
    receipts = await received(Bench(tmp_path), type_, *sent)
    assert len(receipts) == len(sent)
    for receipt in receipts:
        assert receipt.problems or receipt.status is not Status.REJECTED
        for problem in receipt.problems:
            assert problem.code
            assert all(text.vi and text.en for text in (problem.message, problem.expected, problem.mend))
            assert len(problem.model_dump_json()) < 2_000


WRITTEN = [text for text in (*NUMBERS.values(), *TEXTS.values()) if text != NUMBERS["zero with a large exponent"]]
"""As a number of JSON a zero is a zero; as an exact text it has its exponent."""


@pytest.mark.parametrize("place", [("content", "points", "N1", "points"), ("corrects_version",), ("period",)])
@pytest.mark.parametrize("text", WRITTEN, ids=lambda text: text[:24])
async def test_a_number_out_of_bounds_is_refused_in_its_place(
    place: tuple[str, ...], text: str, tmp_path: Path
) -> None:
    type_ = "langhoc.centre.submitted.v1"
    body = with_value({**example(type_), "corrects_version": 1}, place, text)
    (receipt,) = await received(Bench(tmp_path), type_, body)
    assert receipt.status is Status.REJECTED
    assert {problem.field for problem in receipt.problems} == {"/" + "/".join(place)}
    assert receipt.submission_id == example(type_)["submission_id"]


@pytest.mark.parametrize("name", STRUCTURES)
async def test_a_structure_out_of_bounds_is_refused_as_a_whole(name: str, tmp_path: Path) -> None:
    type_ = "langhoc.commune.submitted.v1"
    body = with_value(example(type_), ("content",), STRUCTURES[name])
    (receipt,) = await received(Bench(tmp_path), type_, body)
    assert [problem.code for problem in receipt.problems] in (["too_deep"], ["too_many_values"])
