"""What other systems join by: schemas, AsyncAPI document and page are those of the contracts, and hold alone."""

from __future__ import annotations

import copy
import json
import lzma
import re
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from deploy import contracts
from shared.contracts.asyncapi import example_of
from shared.contracts.catalogue import CONTRACTS, EventType
from shared.contracts.former import FORMER

OFFICIAL = Path(__file__).parents[1] / "fixtures" / "asyncapi" / "3.0.0.json.xz"
SUBMITTED = [each for each in CONTRACTS.values() if each.family == "submissions"]
FACTS = [each for each in CONTRACTS.values() if each.family != "submissions"]
ALL = sorted({*CONTRACTS, *FORMER})
MEANT = {
    "date_from_datetime_parsing",
    "decimal_max_digits",
    "decimal_max_places",
    "decimal_max_exponent",
    "decimal_whole_digits",
}
"""Refusals for what a value means, which no schema can say."""


@cache
def schema_of(event_type: str) -> dict[str, Any]:
    """The schema as it is published."""
    found: dict[str, Any] = json.loads((contracts.SCHEMAS / f"{event_type}.json").read_text(encoding="utf-8"))
    return found


@cache
def judge(event_type: str) -> Any:
    """The published schema at work; formats bind."""
    return jsonschema_rs.Draft202012Validator(schema_of(event_type), validate_formats=True)


@cache
def asyncapi() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((contracts.FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
    return found


# ------------------------------------------------------------------------------------------------- written


def test_what_is_published_is_what_the_contracts_say() -> None:
    written = contracts.files()
    stale = [place.name for place, text in written.items() if not place.exists() or place.read_text("utf-8") != text]
    assert stale == [], "run `make contracts`, and look at the difference"
    assert {path for path in contracts.FOLDER.rglob("*") if path.is_file()} == written.keys() - {contracts.PAGE}


def test_the_schema_of_a_former_type_stays_as_it_was_released() -> None:
    now, released = contracts.published(contracts.schemas()), contracts.released()
    gone = [each for each in FORMER if each in released]
    assert gone
    assert [each for each in gone if now[each].schema != released[each].schema] == []


@pytest.mark.parametrize("event_type", ALL)
def test_a_schema_is_one_and_says_what_its_event_is(event_type: str) -> None:
    schema = schema_of(event_type)
    jsonschema_rs.meta.validate(schema)
    assert schema["title"] == event_type
    assert schema["description"].startswith(f"`{event_type}`")
    assert not re.search(r"`(None|True|False)`", json.dumps(schema))


# ------------------------------------------------------------------------------------------------- judged


@pytest.mark.parametrize("event_type", ALL)
def test_an_example_is_valid_under_its_schema(event_type: str) -> None:
    assert [error.message for error in judge(event_type).iter_errors(example_of(event_type)["data"])] == []


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a value."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for each in path:
        value = value[each]
    return value


OTHERS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 5, 12.5, -0.5, 10**17, 2012, 2025, "", " ", "x", "x" * 301, "00004", "0004", "12",
    "-1", "1.5", "01.5", "1e3", "1.000", "1,5", "123456", "2025-02-28", "2025-02-30", "2025-2-3", "0", "operating",
    "points", "boolean", "share", "commune", [], [1], ["x"], [""], ["x"] * 101, {}, {"x": 1},
    {"numerator": 1, "denominator": 2}, {"type": "boolean", "met": True}, {"met": True}, {"type": "none"},
    {"scoring": "points", "points": {}}, {"points": {}}, {"C1": {"points": "2.5"}}, {"not a criterion": {"points": 1}},
    "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "yesterday",
)  # fmt: skip
"""In the place of anything: each is right somewhere and wrong elsewhere."""


@st.composite
def altered(draw: st.DrawFn, among: list[EventType]) -> tuple[EventType, Any]:
    """An example in which one to three things are otherwise: changed, missing, or too many."""
    contract = draw(st.sampled_from(among))
    data = copy.deepcopy(example_of(contract.value)["data"])
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(data))))
        above: Any = at(data, path[:-1])
        what = draw(st.sampled_from(["change", "change", "drop", "add"]))
        if what == "add" and isinstance(at(data, path), dict):
            name = draw(st.sampled_from(["x", "C1", "grade", "level", "reason", "period", "closed_on"]))
            at(data, path)[name] = copy.deepcopy(draw(st.sampled_from(OTHERS)))
        elif path and what == "drop":
            del above[path[-1]]
        elif path:
            above[path[-1]] = copy.deepcopy(draw(st.sampled_from(OTHERS)))
    return contract, data


@settings(max_examples=300, deadline=None)
@given(altered(SUBMITTED))
def test_what_a_sender_may_not_write_its_schema_refuses_and_nothing_else(case: tuple[EventType, Any]) -> None:
    contract, data = case
    refused = refusals(contract.claim.of_sender, data)
    if not refused:
        assert judge(contract.value).is_valid(stripped(data)), list(judge(contract.value).iter_errors(data))
    elif any(one["type"] not in MEANT and not in_text(one) for one in refused):
        assert not judge(contract.value).is_valid(data), refused


def refusals(read: Callable[[str], Any], data: Any) -> list[Any]:
    """What is wrong with it by the contract."""
    try:
        read(json.dumps(data))
    except ValidationError as error:
        return list(error.errors())
    return []


def in_text(error: Any) -> bool:
    """A bound of a number, and it was written as a text: a schema has bounds for numbers alone."""
    bounds = ("greater_than_equal", "less_than_equal", "less_than")
    return error["type"] in bounds and isinstance(error["input"], str)


def stripped(value: Any) -> Any:
    """As a service takes it: blanks around a text say nothing."""
    match value:
        case dict():
            return {name: stripped(each) for name, each in value.items()}
        case list():
            return [stripped(each) for each in value]
        case _:
            return value.strip() if isinstance(value, str) else value


@settings(max_examples=300, deadline=None)
@given(altered(FACTS))
def test_what_no_service_reads_no_schema_takes(case: tuple[EventType, Any]) -> None:
    contract, data = case
    refused = refusals(contract.model.model_validate_json, data)
    if any(one["type"] not in MEANT and not in_text(one) and not grows(contract, one) for one in refused):
        assert not judge(contract.value).is_valid(stripped(data)), refused


def grows(contract: EventType, error: Any) -> bool:
    """An unknown name of a list that will grow: it is for readers to show."""
    field = schema_of(contract.value)["properties"].get(error["loc"][0], {})
    return "x-extensible-enum" in field and isinstance(error["input"], str)


@pytest.mark.parametrize(
    ("event_type", "path", "value"),
    [
        ("langhoc.commune.submitted.v1", ("unit_code",), 4),
        ("langhoc.commune.submitted.v1", ("unit_code",), "0004"),
        ("langhoc.commune.submitted.v1", ("period",), 2012),
        ("langhoc.commune.submitted.v1", ("period",), "2025"),
        ("langhoc.commune.submitted.v1", ("unknown",), 1),
        ("langhoc.commune.submitted.v1", ("area_class",), "region_4"),
        ("langhoc.commune.submitted.v1", ("content", "targets", "one"), {"type": "boolean", "met": True}),
        ("langhoc.commune.submitted.v1", ("content", "targets", "1.1"), {"met": True}),
        ("langhoc.centre.submitted.v1", ("content", "points", "C1"), {"points": "1.000"}),
        ("langhoc.centre.submitted.v1", ("content", "points", "C1"), {"points": "2,5"}),
        ("langhoc.centre.submitted.v1", ("content", "points", "C1"), {"points": 1001}),
        ("langhoc.centre.registered.v1", ("name",), "  "),
        ("langhoc.centre.registered.v1", ("name",), "x" * 301),
        ("langhoc.centre.registered.v1", ("opened_on",), "2010-5-1"),
        ("langhoc.centre.registered.v1", ("predecessors",), ["x"] * 51),
        ("langhoc.envelope.submitted.v1", ("amount",), -1),
        ("langhoc.envelope.submitted.v1", ("amount",), 1.5),
    ],
)
def test_a_schema_refuses_for_its_form(event_type: str, path: tuple[str, ...], value: Any) -> None:
    data = example_of(event_type)["data"]
    at(data, path[:-1])[path[-1]] = value
    with pytest.raises(ValidationError):
        CONTRACTS[event_type].claim.of_sender(json.dumps(data))
    assert not judge(event_type).is_valid(data)


# ------------------------------------------------------------------------------------------------- AsyncAPI


def test_the_document_is_one_by_the_official_schema() -> None:
    official = jsonschema_rs.validator_for(json.loads(lzma.decompress(OFFICIAL.read_bytes())))
    assert [error.message for error in official.iter_errors(asyncapi())] == []
    broken = copy.deepcopy(asyncapi())
    del broken["channels"]["scores"]["messages"]["langhoc.centre.scored.v2"]["$ref"]
    broken["channels"]["scores"]["messages"]["langhoc.centre.scored.v2"]["payload_"] = {}
    assert not official.is_valid(broken), "it judges"


def test_every_reference_leads_somewhere() -> None:
    document, found = asyncapi(), 0
    for path in places(document):
        if path and path[-1] == "$ref":
            *inside, last = at(document, path).removeprefix("#/").split("/")
            assert last in at(document, tuple(inside))
            found += 1
    assert found > 200


def test_the_document_has_every_topic_and_every_event_once() -> None:
    channels = asyncapi()["channels"]
    lying = [name for channel in channels.values() for name in channel["messages"]]
    assert sorted(lying) == ALL == sorted(asyncapi()["components"]["messages"])
    assert {operation["channel"]["$ref"] for operation in asyncapi()["operations"].values()} == {
        f"#/channels/{name}" for name in channels
    }


@pytest.mark.parametrize("event_type", ALL)
def test_a_message_takes_its_example_in_headers_and_body(event_type: str) -> None:
    components = asyncapi()["components"]
    message = components["messages"][event_type]
    (example,) = message["examples"]
    assert example == {name: example_of(event_type)[of] for name, of in (("headers", "headers"), ("payload", "data"))}
    for schema, value in ((message["headers"], example["headers"]), (message["payload"], example["payload"])):
        whole = jsonschema_rs.Draft7Validator({"components": components, "allOf": [schema]}, validate_formats=True)
        assert [error.message for error in whole.iter_errors(value)] == []
        for name in message["headers"]["required"] if schema is message["headers"] else ():
            assert not whole.is_valid({key: each for key, each in value.items() if key != name})


# ------------------------------------------------------------------------------------------------- the page


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attributes if name in ("href", "src") and value]


def test_every_link_of_the_page_is_served_and_of_the_text_is_there() -> None:
    links = _Links()
    links.feed((contracts.FOLDER / "index.html").read_text(encoding="utf-8"))
    ours = [each for each in links.found if not each.startswith("https://cloudevents.io")]
    assert len(ours) == 2 * len(ALL) + 1
    for each in ours:
        folder, name = each.removeprefix("/contracts/").rpartition("/")[::2]
        beside = contracts.FOLDER.parent if folder == "examples" else contracts.FOLDER
        assert (beside / folder / name).is_file(), each
    for each in re.findall(r"\]\((?!https)([^)]+)\)", contracts.PAGE.read_text(encoding="utf-8")):
        assert (contracts.PAGE.parent / each).is_file(), each


def test_the_sample_of_a_reader_is_python() -> None:
    (sample,) = re.findall(r"```python\n(.*?)```", contracts.PAGE.read_text(encoding="utf-8"), re.DOTALL)
    compile("async def read():\n" + "".join(f"    {line}\n" for line in sample.splitlines()), "sample", "exec")
