"""No change of the contracts breaks whoever joined by the last release: readers of topics, senders, and ourselves.

The contracts of the last release are `released.json` beside this file; `make contracts RELEASE=1` writes it with the
next one. A change that is refused here is a new version of its event: another type, and the former one is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, StringConstraints, create_model

from deploy import contracts
from shared.contracts.base import Claim, CommuneCode, Contract, Growing, Quantity, Text
from shared.contracts.compatibility import Break, Published, bare, breaks
from shared.contracts.schemas import schema_of
from shared.contracts.submissions import CountTarget, MetTarget, ShareTarget

TOPIC = {"name": "t", "nature": "state", "partitions": 8, "readers": ["portal"], "writers": ["scoring"]}
EVENT = "langhoc.thing.told.v1"
GONE = object()
"""No such field."""


ON_PURPOSE = re.compile(r"/kind: .*: title is not known$")
"""Titles (ADR 63) are one more kind of submission; readers are upgraded before a province sends one. Gone with the next
release."""


def test_nothing_breaks_whoever_joined_by_the_last_release() -> None:
    found = breaks(contracts.released(), contracts.published(contracts.schemas()))
    assert [str(each) for each in found if not ON_PURPOSE.search(str(each))] == [], (
        "a new version (`.v2`) is wanted, or a field that may be missing: docs/contracts.md, How contracts change"
    )


def told(outside: bool, *, topic: Any = TOPIC, **fields: Any) -> dict[str, Published]:
    """A contract with these fields, each a type, or a type and its default."""
    given: dict[str, Any] = {
        name: field if isinstance(field, tuple) else (field, ...) for name, field in fields.items() if field is not GONE
    }
    model: type[BaseModel] = create_model("Thing", __base__=Claim if outside else Contract, id=(str, ...), **given)
    return {EVENT: Published(topic, bare(schema_of(model, name=EVENT, outside=outside)), outside)}


class Child(Contract):
    """Something inside."""

    name: str
    level: int | None = None


class OlderChild(Contract):
    """The same without its level."""

    name: str


class NewerChild(Child):
    """With one field more, which may be missing."""

    share: str | None = None


class StricterChild(Child):
    """With one field more, which may not."""

    share: str


class Filled(Contract):
    """Something that stands for itself where it is missing."""

    name: str = ""


class FilledMore(Filled):
    """With one field more."""

    level: int | None = None


class FilledOtherwise(Contract):
    """The same, and what it stands for is something else."""

    name: str = "x"


class Opened(Contract):
    """A thing that may have further fields."""

    met: bool


class Counted(Claim):
    """The same closed, as what a sender has written lies inside of a fact."""

    met: bool


class CountedMore(Counted):
    """The same with one field more."""

    why: str = ""


Kind = Literal["one", "two"]
MoreKinds = Literal["one", "two", "three"]
Small, Large = Annotated[int, Field(ge=0, le=10)], Annotated[int, Field(ge=0, le=100)]
Short, Long = Annotated[str, StringConstraints(max_length=5)], Annotated[str, StringConstraints(max_length=50)]
Tagged = Annotated[MetTarget | CountTarget, Field(discriminator="type")]
MoreTagged = Annotated[MetTarget | CountTarget | ShareTarget, Field(discriminator="type")]
Growth = Annotated[Kind, Growing()]
MoreGrowth = Annotated[MoreKinds, Growing()]
BOTH, FACT, SUBMISSION = (False, True), (False,), (True,)

BREAKING: dict[str, tuple[tuple[bool, ...], Any, Any, str]] = {
    # what is done: of facts (False) and submissions (True), before, after, the field that is named
    "a field is gone": (BOTH, str, GONE, "/field"),
    "a field that might be missing is gone": (BOTH, (str | None, None), GONE, "/field"),
    "a field may be missing": (FACT, str, (str | None, None), "/field"),
    "a field must be there": (BOTH, (str, ""), str, "/field"),
    "a new field must be there": (BOTH, GONE, str, "/field"),
    "it may be null": (FACT, str, str | None, "/field"),
    "it may no longer be null": (BOTH, str | None, str, "/field"),
    "another type": (BOTH, int, str, "/field"),
    "a number of any kind for a whole one": (FACT, int, float, "/field"),
    "a whole number for one of any kind": (BOTH, float, int, "/field"),
    "an exact number for a whole one": (FACT, int, Quantity, "/field"),
    "a list for one": (BOTH, str, list[str], "/field"),
    "elements of another type": (BOTH, list[int], list[str], "/field/*"),
    "values of another type": (BOTH, dict[str, int], dict[str, str], "/field/*"),
    "a name of a list is gone": (BOTH, MoreKinds, Kind, "/field"),
    "a list has a new name": (FACT, Kind, MoreKinds, "/field"),
    "a list for any text": (BOTH, str, Kind, "/field"),
    "any text for a list": (FACT, Kind, str, "/field"),
    "a constant is another": (BOTH, Literal["one"], Literal["two"], "/field"),
    "a narrower range": (BOTH, Large, Small, "/field"),
    "a wider range": (FACT, Small, Large, "/field"),
    "a range where there was none": (BOTH, int, Small, "/field"),
    "a shorter text": (BOTH, Long, Short, "/field"),
    "a longer text": (FACT, Short, Long, "/field"),
    "another pattern": (BOTH, CommuneCode, Annotated[str, StringConstraints(pattern="^[0-9]{5}$")], "/field"),
    "a pattern where there was none": (BOTH, str, CommuneCode, "/field"),
    "fewer elements": (SUBMISSION, list[str], Annotated[list[str], Field(max_length=5)], "/field"),
    "what is missing means something else": (BOTH, (bool, False), (bool, True), "/field"),
    "what is missing inside means something else": (FACT, Filled, FilledOtherwise, "/field/name"),
    "a field inside is gone": (FACT, Child, OlderChild, "/field/level"),
    "a field inside is new and must be there": (FACT, Child, StricterChild, "/field/share"),
    "a field inside a list is gone": (FACT, list[Child], list[OlderChild], "/field/*/level"),
    "a new field in what takes no further one": (FACT, Counted, CountedMore, "/field/why"),
    "further fields were ignored and are refused": (FACT, Opened, Counted, "/field"),
    "one of several kinds is gone": (BOTH, MoreTagged, Tagged, "/field"),
    "a new one of several kinds": (FACT, Tagged, MoreTagged, "/field"),
    "a list that grows is complete": (FACT, Growth, Kind, "/field"),
}
COMPATIBLE: dict[str, tuple[tuple[bool, ...], Any, Any]] = {
    "nothing": (BOTH, str, str),
    "a new field may be missing": (BOTH, GONE, (str | None, None)),
    "a new field has a default": (BOTH, GONE, (int, 0)),
    "a sender may leave out a field": (SUBMISSION, str, (str | None, None)),
    "a sender may write null": (SUBMISSION, str, str | None),
    "a sender may write any number": (SUBMISSION, int, float),
    "a sender has a new name": (SUBMISSION, Kind, MoreKinds),
    "a sender may write any text": (SUBMISSION, Kind, str),
    "a sender has a wider range": (SUBMISSION, Small, Large),
    "a sender may write longer texts": (SUBMISSION, Short, Long),
    "a sender has no range": (SUBMISSION, Small, int),
    "a sender has no pattern": (SUBMISSION, CommuneCode, str),
    "a sender may write more elements": (SUBMISSION, Annotated[list[str], Field(max_length=5)], list[str]),
    "a sender may write another kind": (SUBMISSION, Tagged, MoreTagged),
    "a new field inside may be missing": (FACT, Child, NewerChild),
    "a new field inside a list may be missing": (FACT, list[Child], list[NewerChild]),
    "a new field inside several kinds may be missing": (FACT, Child | None, NewerChild | None),
    "a field inside is new in what a sender may fill in": (SUBMISSION, Counted, CountedMore),
    "a list that grows has a new name": (FACT, Growth, MoreGrowth),
    "what stands for a missing one has a new field itself": (FACT, (Filled, Filled()), (FilledMore, FilledMore())),
    "the same union in another order": (BOTH, int | str, str | int),
    "the same in other words": (BOTH, Annotated[str, Field(description="a")], Annotated[str, Field(description="b")]),
    "of the same name in the same place": (FACT, Text, Text),
}


@pytest.mark.parametrize(
    ("outside", "before", "after", "field"),
    [
        pytest.param(outside, *row[1:], id=f"{name}, {'submission' if outside else 'fact'}")
        for name, row in BREAKING.items()
        for outside in row[0]
    ],
)
def test_a_change_that_breaks_is_named_with_event_and_field(outside: bool, before: Any, after: Any, field: str) -> None:
    found = breaks(told(outside, field=before), told(outside, field=after))
    assert {(each.event, each.field) for each in found} == {(EVENT, field)}, [str(each) for each in found]


@pytest.mark.parametrize(
    ("outside", "before", "after"),
    [
        pytest.param(outside, *row[1:], id=f"{name}, {'submission' if outside else 'fact'}")
        for name, row in COMPATIBLE.items()
        for outside in row[0]
    ],
)
def test_the_nearest_change_that_breaks_nobody_passes(outside: bool, before: Any, after: Any) -> None:
    assert [str(each) for each in breaks(told(outside, field=before), told(outside, field=after))] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "elsewhere"}, "name of its topic was t and is elsewhere"),
        ({"nature": "occurrence"}, "nature"),
        ({"partitions": 16}, "partitions"),
        ({"readers": []}, "portal may no longer read"),
        ({"writers": ["funding"]}, "scoring may no longer write"),
    ],
)
def test_a_topic_that_others_know_stays(change: Any, why: str) -> None:
    (found,) = breaks(told(False, field=str), told(False, field=str, topic=TOPIC | change))
    assert why in found.why


def test_a_topic_gains_readers_and_the_catalogue_gains_events() -> None:
    more = TOPIC | {"readers": ["portal", "treasury"]}
    assert (
        breaks(
            told(False, field=str), told(False, field=str, topic=more) | {"langhoc.new.v1": told(True, a=int)[EVENT]}
        )
        == []
    )


def test_an_event_that_is_gone_is_named() -> None:
    (found,) = breaks(told(False, field=str), {})
    assert str(found).startswith(f"{EVENT} (event): is gone")


def test_a_keyword_that_nobody_compares_is_no_silent_pass() -> None:
    odd = told(False, field=str)
    odd[EVENT].schema["properties"]["field"]["contentEncoding"] = "base64"
    with pytest.raises(ValueError, match="contentEncoding"):
        breaks(told(False, field=str), odd)


# ------------------------------------------------------------------------------------------------- the real ones


Place = tuple[str, ...]


def objects(schema: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every object with fields within a schema."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield place
        for name, inner in schema.items():
            yield from objects(inner, (*place, name))


def at(schema: Any, place: Place) -> Any:
    for each in place:
        schema = schema[each]
    return schema


def released_objects() -> Iterator[tuple[str, Published, Place]]:
    """Every object of the released contracts, each in the first event that has it."""
    seen: set[tuple[str, bool]] = set()
    for event, one in contracts.released().items():
        for place in objects(one.schema):
            spelled = json.dumps(at(one.schema, place))
            if (spelled, one.outside) not in seen:
                seen.add((spelled, one.outside))
                yield event, one, place


def changed(event: str, one: Published, place: Place, change: Callable[[Any], None]) -> list[Break]:
    """What breaks when this happens to that object."""
    schema = json.loads(json.dumps(one.schema))
    change(at(schema, place))
    return breaks({event: one}, {event: Published(one.topic, schema, one.outside)})


def dropped(name: str) -> Callable[[Any], None]:
    def change(thing: Any) -> None:
        del thing["properties"][name]
        thing["required"] = [each for each in thing.get("required", []) if each != name]

    return change


def retyped(name: str) -> Callable[[Any], None]:
    return lambda thing: thing["properties"].update({name: {"type": "array", "items": {"type": "boolean"}}})


def demanded(name: str) -> Callable[[Any], None]:
    def change(thing: Any) -> None:
        thing["properties"][name] = {"type": "string"}
        thing["required"] = [*thing.get("required", []), name]

    return change


@pytest.mark.parametrize("change", [dropped, retyped])
def test_every_field_of_every_released_event_is_held(change: Callable[[str], Callable[[Any], None]]) -> None:
    """One after the other is taken away, or made something else."""
    tried = 0
    for event, one, place in released_objects():
        for name in at(one.schema, place)["properties"]:
            found = changed(event, one, place, change(name))
            assert any(each.event == event and name in each.field.split("/") for each in found), (event, place, name)
            tried += 1
    assert tried > 500


def test_no_released_object_gains_a_field_that_must_be_there_and_each_that_takes_more_one_that_may() -> None:
    tried = 0
    for event, one, place in released_objects():
        found = changed(event, one, place, demanded("added"))
        assert any(each.event == event and each.field.endswith("/added") for each in found), (event, place)
        if one.outside or at(one.schema, place).get("additionalProperties") is not False:
            assert not changed(event, one, place, lambda thing: thing["properties"].update(added={"type": "string"}))
            tried += 1
    assert tried > 100
