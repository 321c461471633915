"""What intake says is wrong: complete texts, the right place, and no input that it cannot speak about."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import decisions, domain
from services.intake.problems import FORMS, MOST, at_most, of_unreadable
from shared.contracts.base import Problem
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt
from shared.contracts.people import PersonAdded
from shared.contracts.register import RegisterCorrection
from shared.contracts.submissions import AssessmentSubmitted, CentreRegistered, CommuneSubmitted, RecognitionSubmitted
from shared.messaging.consume import envelope
from shared.messaging.messages import Cut, Reason, Received, Unreadable
from shared.messaging.send import events
from shared.messaging.send.outbox import LARGEST_BODY
from shared.refusals import problem
from shared.registry import registry
from tests.fakes.known import Documents
from tests.unit.delivery_samples import AT, head, record

COMMUNE = EventType.COMMUNE_SUBMITTED


def unreadable(body: object, type_: str = COMMUNE) -> Received[Unreadable]:
    """A submission that cannot be read."""
    value = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = record(value, head(type_), topic="submissions.01")
    received: Received[Any] = envelope.read(sent, received_at=AT, trusted=False)
    assert isinstance(received.data, Unreadable)
    return received


def found(body: object) -> dict[str, str]:
    """The codes of all problems by their place."""
    named = of_unreadable(unreadable(body).data)
    assert len({problem.field for problem in named}) == len(named)
    return {problem.field: problem.code for problem in named}


def texts(problem: Problem) -> list[str]:
    """All six texts."""
    return [text for pair in (problem.message, problem.expected, problem.mend) for text in (pair.vi, pair.en)]


# ------------------------------------------------------------------------------------------------- catalogue


@pytest.mark.parametrize("reason", [Reason.BAD_HEADER, Reason.MISSING_HEADER, Reason.UNKNOWN_TYPE, Reason.NOT_UTF8])
def test_every_reason_of_unreadability_has_words(reason: Reason) -> None:
    (only,) = of_unreadable(Unreadable(reason, "traceparent\ud800\x00", None, None))
    assert only.code == reason.value
    assert all(texts(only))
    assert not re.search(r"[{}\x00\ud800]", "".join(texts(only)))


@pytest.mark.parametrize(
    ("reason", "code"), [(Reason.TOO_LARGE, "record_too_large"), (Reason.DAMAGED, "record_damaged")]
)
def test_a_record_that_nobody_can_read_is_answered_by_its_first_kilobyte(reason: Reason, code: str) -> None:
    detail, cut = "20,000,000 bytes instead of at most 262,144", Cut(20_000_000, "0f" * 32, 7)
    received = replace(unreadable(b"{"), data=Unreadable(reason, detail, COMMUNE, None, cut=cut), raw=b"x" * 1_024)
    outcome = Documents().decide(decisions.refusals, received)
    (event,) = outcome.events
    assert isinstance(event.data, Receipt)
    (only,) = event.data.problems
    assert (event.data.status, event.data.kind, only.code, only.field) == ("rejected", "commune", code, "")
    for said in (only.message.vi, only.message.en):
        assert cut.sha256 in said
    assert ("20.000.000" in only.message.vi, "20,000,000" in only.message.en) == (True, True)
    assert "bytes" not in only.message.vi
    assert event.data.body_hash == cut.sha256
    (kept,) = outcome.puts.values()
    assert kept.raw == b"x" * 1_024


def test_the_limit_of_a_record_is_that_of_its_topic() -> None:
    (only,) = of_unreadable(Unreadable(Reason.TOO_LARGE, "-", None, None, cut=Cut(300_000, "0f" * 32, 7)))
    assert "262.144" in only.expected.vi
    assert "262,144" in only.expected.en


def test_every_pattern_of_the_contract_is_said_in_words() -> None:
    models = (
        *(CommuneSubmitted, CentreRegistered, RecognitionSubmitted, AssessmentSubmitted),
        *(RegisterCorrection, PersonAdded),
    )
    schemas = json.dumps([model.model_json_schema() for model in models], ensure_ascii=False)
    patterns = {json.loads(f'"{found}"') for found in re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', schemas)}
    names = {json.loads(f'"{found}"') for found in re.findall(r'"patternProperties": \{"((?:[^"\\]|\\.)*)"', schemas)}
    assert patterns | names == FORMS.keys()


# ------------------------------------------------------------------------------------------------- places


def test_all_problems_of_one_input_at_once_each_in_its_place() -> None:
    """B1 to B10 of a fully wrong file: one round of mending, not ten."""
    assert found(
        {
            "submission_id": "",
            "unit_code": "4",
            "period": "2025",
            "corrects_version": 0,
            "super_admin": 1,
            "content": {
                "scoring": "pass_fail",
                "difficult": True,
                "targets": {
                    "C1.1": {"type": "boolean", "met": 17},
                    "C1.2": {"met": True},
                    "C1.3": {"type": "colour"},
                    "C3.1": {"type": "parts", "parts": {"office": "x"}},
                    "C4.1": {"type": "level", "level": 9},
                    "C5.1": {"type": "share", "share": {"numerator": -1, "denominator": -2}},
                    "C5.2": {"type": "share_pair", "trained": {"numerator": 1.5}, "university": None},
                    "share": {"type": "boolean", "met": True, "evidence": ["", "x"]},
                },
            },
        }
    ) == {
        "/submission_id": "pattern",
        "/unit_code": "pattern",
        "/period": "wrong_type",
        "/corrects_version": "out_of_range",
        "/super_admin": "field_unknown",
        "/rubric": "field_missing",
        "/content/difficult": "field_unknown",
        "/content/targets/C1.1/met": "wrong_type",
        "/content/targets/C1.2/type": "field_missing",
        "/content/targets/C1.3/type": "invalid_value",
        "/content/targets/C3.1/parts/office": "wrong_type",
        "/content/targets/C4.1/level": "out_of_range",
        "/content/targets/C5.1/share/numerator": "out_of_range",
        "/content/targets/C5.1/share/denominator": "out_of_range",
        "/content/targets/C5.2/trained/numerator": "wrong_type",
        "/content/targets/C5.2/trained/denominator": "field_missing",
        "/content/targets/C5.2/university": "wrong_type",
        "/content/targets/share": "pattern",
        "/content/targets/share/evidence/0": "out_of_range",
    }


def test_points_have_their_places_too() -> None:
    body = {
        "scoring": "points",
        "points": {"points": {"points": 1}, "N1": {"points": "x"}, "N2": {"points": -1}, "N3": 4},
    }
    places = found({"submission_id": "s", "unit_code": "00004", "period": 2022, "rubric": "r", "content": body})
    assert places == {
        "/content/points/points": "pattern",
        "/content/points/N1/points": "invalid_value",
        "/content/points/N2/points": "out_of_range",
        "/content/points/N3": "wrong_type",
    }


@pytest.mark.parametrize("written", ["25555", '"25555"', "-1", '"-1"', "1001", '"1001.5"', "1.12345", '"1.12345"'])
def test_a_number_out_of_bounds_is_shown_as_it_was_written(written: str) -> None:
    content = f'{{"scoring": "points", "points": {{"N1": {{"points": {written}}}}}}}'
    body = f'{{"submission_id": "s", "unit_code": "00004", "period": 2022, "rubric": "r", "content": {content}}}'
    (wrong,) = of_unreadable(unreadable(body.encode()).data)
    assert (wrong.code, wrong.field) == ("out_of_range", "/content/points/N1/points")
    assert written in wrong.message.vi.split()
    assert not any("Decimal(" in text for text in texts(wrong))


@pytest.mark.parametrize(
    ("content", "place"),
    [({"targets": {}}, "/content/scoring"), ({"scoring": "stars"}, "/content/scoring"), ([], "/content")],
)
def test_a_content_of_unknown_kind_is_pointed_at_where_the_kind_stands(content: object, place: str) -> None:
    base = {"submission_id": "s", "unit_code": "00004", "period": 2025, "rubric": "r"}
    assert list(found(base | {"content": content})) == [place]


def test_names_are_escaped_in_a_pointer() -> None:
    base = {"submission_id": "s", "unit_code": "00004", "period": 2025, "rubric": "r"}
    content = {"scoring": "points", "points": {}}
    assert found(base | {"content": content, "a/b~c": 1, "[key]": 2}) == {
        "/a~1b~0c": "field_unknown",
        "/[key]": "field_unknown",
    }


def test_a_pattern_is_said_in_words_and_the_given_value_shown() -> None:
    (wrong,) = (one for one in of_unreadable(unreadable({"unit_code": "Ba Đình"}).data) if one.field == "/unit_code")
    assert "Ba Đình" in wrong.message.vi
    assert "5 chữ số" in wrong.expected.vi
    assert "5 digits" in wrong.expected.en


# ------------------------------------------------------------------------------------------------- strange input


@pytest.mark.parametrize(
    "body",
    [
        b'{"submission_id": "\\ud800"}',
        b'{"unit_code": "a\\u0000b"}',
        b'{"a\\u0000b": 1}',
        b"[]",
        b"null",
        b"NaN",
        b'"text"',
        b'{"period": 1e999}',
        b'{"period": ' + b"9" * 4_000 + b"}",
        b'{"content": ' + b"[" * 150 + b"]" * 150 + b"}",
        b'{"period": 2025, "period": 2024}',
    ],
)
def test_strange_input_is_answered_in_text_that_can_be_stored(body: bytes) -> None:
    receipt = answer(unreadable(body))
    assert receipt.problems
    for one in receipt.problems:
        assert "\x00" not in one.field + "".join(texts(one))
    receipt.model_dump_json().encode("utf-8")


@pytest.mark.parametrize(
    "body",
    [
        {f"field_{number}": 1 for number in range(20_000)},
        {"content": {"scoring": "points", "points": {f"A{number}": {"points": -1} for number in range(100)}}},
        {"x" * 900_000: 1},
        {"unit_code": "4" * 900_000},
        {"unit_code": ["4"] * 200_000},
    ],
    ids=["many-fields", "many-points", "long-name", "long-code", "long-list"],
)
def test_a_receipt_fits_into_a_record_however_much_is_wrong(body: object) -> None:
    """Otherwise a sender's fault would end in our dead letters, and fifty of them would stop its channel."""
    receipt = answer(unreadable(body))
    assert len(receipt.problems) <= MOST + 1
    assert len(events.body_of(receipt)) < LARGEST_BODY / 2


def test_of_very_many_problems_the_number_is_said() -> None:
    many = [problem("intake.field_missing", f"/{number}") for number in range(MOST + 7)]
    assert at_most(many[:MOST]) == many[:MOST]
    *shown, last = at_most(many)
    assert shown == many[:MOST]
    assert (last.code, last.field) == ("more_problems", "")
    assert "7" in last.message.en


def test_hundreds_of_unknown_criteria_are_one_receipt_too() -> None:
    points: dict[str, Any] = {f"A{a}.{b}": {"points": 1} for a in range(5) for b in range(99)}
    data = CommuneSubmitted.model_validate(
        {
            "submission_id": "s", "unit_code": "00004", "period": 2022, "rubric": "lc_commune_44_2014",
            "content": {"scoring": "points", "points": points},
        }
    )  # fmt: skip
    sent = record(data.model_dump_json().encode(), head(COMMUNE), topic="submissions.01")
    received = envelope.read(sent, received_at=AT, trusted=False)
    outcome = Documents().decide(decisions.routes[COMMUNE], received)
    receipt = outcome.events[0].data
    assert isinstance(receipt, Receipt)
    assert receipt.problems[-1].code == "more_problems"
    assert domain.check_commune(data, domain.Arrival("01", AT), domain.Known(registry())).problems[MOST:], (
        "more were found than are named"
    )


def answer(received: Received[Unreadable]) -> Receipt:
    """The receipt for what could not be read."""
    receipt = Documents().decide(decisions.refusals, received).events[0].data
    assert isinstance(receipt, Receipt)
    return receipt


@given(body=st.recursive(st.none() | st.integers() | st.text() | st.booleans(), lambda inner: st.dictionaries(
    st.sampled_from([*CommuneSubmitted.model_fields, "scoring", "points", "targets", "C1.1", "type"]) | st.text(), inner
)))  # fmt: skip
def test_whatever_cannot_be_read_is_answered(body: object) -> None:
    value = json.dumps(body).encode()
    received: Received[Any] = envelope.read(
        record(value, head(COMMUNE), topic="submissions.01"), received_at=AT, trusted=False
    )
    if isinstance(received.data, Unreadable):
        receipt = answer(received)
        assert receipt.problems
        assert all(all(texts(one)) for one in receipt.problems)
