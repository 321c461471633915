"""CloudEvents 1.0 in their JSON format, taken apart into what binary mode carries: one reader for every door. Pure.

Whether an event is any good is for its judge to say; here only what cannot be taken apart is a problem. The data of a
structured event are the bytes that stand there, not what a parser made of them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from shared.contracts.base import Problem
from shared.contracts.bounds import MAX_DEPTH, MOST
from shared.outside import OutOfBounds
from shared.refusals import problem

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
ATTRIBUTE = "ce_"
"""What the name of a header begins with that carries an attribute."""
CONTENT_TYPE = "content-type"
"""The header that carries the attribute `datacontenttype`."""
_NAME = re.compile(r"[a-z0-9]{1,100}")
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
"""Numbers stay texts: only where a value begins and ends is of interest."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as Kafka's binary mode carries it."""

    headers: Sequence[tuple[str, bytes]]
    """`ce_*` and `content-type`; one that stood twice stands twice."""
    body: bytes


def media_of(content_type: str) -> str:
    """The media type alone, without what is said of it."""
    return content_type.partition(";")[0].strip().lower()


def read_event(text: str) -> tuple[Event | None, list[Problem]]:
    """The event, and everything that is wrong with its envelope; `None` where its data cannot be had.

    Raises:
        OutOfBounds: it is deeper than any stack.
        ValueError: it is no JSON.
    """
    faults = _Faults()
    try:
        members, end = _element(text, _behind_blanks(text, 0))
        _at_end(text, end)
    except RecursionError:
        raise _too_deep() from None
    return _event(text, members, "", faults), faults.told


def read_events(text: str) -> tuple[list[Event], list[Problem]]:
    """The events of a batch, in order, and everything that is wrong with their envelopes. Raises as `read_event`."""
    faults = _Faults()
    try:
        found = [_event(text, members, f"/{number}", faults) for number, members in enumerate(_elements(text))]
    except RecursionError:
        raise _too_deep() from None
    return [event for event in found if event is not None], faults.told


def contradictions(event: Event, headers: Iterable[tuple[str, bytes | None]]) -> list[Problem]:
    """Headers `ce_*` beside a structured event that say something else. What it does not say they do not add."""
    return list(islice(_contradictions(dict(event.headers), headers), MOST))


def _contradictions(said: dict[str, bytes], headers: Iterable[tuple[str, bytes | None]]) -> Iterator[Problem]:
    for header, value in headers:
        name = header.removeprefix(ATTRIBUTE)
        own = said.get(CONTENT_TYPE if name == "datacontenttype" else header)
        if name != header and own is not None and own != (value or b""):
            shown, beside = _cut(own), _cut(value or b"")
            yield problem("envelope.attribute_contradicts", f"/{name}", name=name, said=shown, header=beside)


class _Faults:
    """What is wrong; of very many the first, and how many more there are: each costs its words in two languages."""

    def __init__(self) -> None:
        self._first: list[Problem] = []
        self._more = 0

    def note(self, key: str, place: str, /, **values: object) -> None:
        if len(self._first) < MOST:
            self._first.append(problem(key, place, **values))
        else:
            self._more += 1

    @property
    def told(self) -> list[Problem]:
        if not self._more:
            return self._first
        return [*self._first[:-1], problem("bounds.more_problems", more=self._more + 1)]


def _too_deep() -> OutOfBounds:
    return OutOfBounds([problem("bounds.too_deep", limit=MAX_DEPTH)])


@dataclass(frozen=True, slots=True)
class _Member:
    value: Any
    begin: int
    end: int
    twice: bool = False


def _elements(text: str) -> Iterator[dict[str, _Member] | None]:
    """Each element of a list. Raises `ValueError`, `RecursionError`."""
    place = _expected(text, _behind_blanks(text, 0), "[")
    if text[place : place + 1] == "]":
        _at_end(text, place + 1)
        return
    while True:
        members, place = _element(text, place)
        yield members
        place = _behind_blanks(text, place)
        if text[place : place + 1] == "]":
            _at_end(text, place + 1)
            return
        place = _expected(text, place, ",")


def _element(text: str, place: int) -> tuple[dict[str, _Member] | None, int]:
    """The members of the object that begins here, `None` for what is no object; and where it ends."""
    if text[place : place + 1] == "{":
        return _members(text, place)
    _, end = _DECODER.raw_decode(text, place)
    return None, end


def _members(text: str, place: int) -> tuple[dict[str, _Member], int]:
    """The members of the object that begins here, each with its place, and where the object ends."""
    place = _expected(text, place, "{")
    members: dict[str, _Member] = {}
    if text[place : place + 1] == "}":
        return members, place + 1
    while True:
        name, place = _DECODER.raw_decode(text, place)
        if not isinstance(name, str):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, place)
        begin = _expected(text, _behind_blanks(text, place), ":")
        value, end = _DECODER.raw_decode(text, begin)
        members[name] = _Member(value, begin, end, twice=name in members)
        place = _behind_blanks(text, end)
        if text[place : place + 1] == "}":
            return members, place + 1
        place = _expected(text, place, ",")


def _expected(text: str, place: int, what: str) -> int:
    """Where the value behind this sign begins. Raises `ValueError`."""
    if text[place : place + 1] != what:
        raise json.JSONDecodeError(f"Expecting {what!r} delimiter", text, place)
    return _behind_blanks(text, place + 1)


def _behind_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


def _at_end(text: str, place: int) -> None:
    if _behind_blanks(text, place) != len(text):
        raise json.JSONDecodeError("Extra data", text, place)


def _event(text: str, members: dict[str, _Member] | None, place: str, faults: _Faults) -> Event | None:
    """The event of an object; `None` where its data cannot be had."""
    if members is None:
        faults.note("envelope.event_no_object", place)
        return None
    for name, one in members.items():
        if one.twice:
            faults.note("bounds.key_twice", f"{place}/{_shown(name)}", text=_shown(name))
    body = _data(text, members, place, faults)
    headers = [(CONTENT_TYPE, JSON.encode())]
    for name, one in members.items():
        if name in ("data", "data_base64") or one.value is None:
            continue
        raw = text[one.begin : one.end]
        value = one.value if raw.startswith('"') else raw
        if not _NAME.fullmatch(name) or isinstance(one.value, dict | list):
            faults.note("envelope.event_attribute", f"{place}/{_shown(name)}", name=_shown(name))
        elif name == "datacontenttype":
            headers[0] = (CONTENT_TYPE, _encoded(value))
        else:
            headers.append((f"{ATTRIBUTE}{name}", _encoded(value)))
    return None if body is None else Event(headers, body)


def _data(text: str, members: dict[str, _Member], place: str, faults: _Faults) -> bytes | None:
    """The data, none where there are none; `None` where nobody can tell."""
    plain, packed = members.get("data"), members.get("data_base64")
    if plain is not None and packed is not None:
        faults.note("envelope.event_data_twice", f"{place}/data_base64")
    if plain is not None:
        return text[plain.begin : plain.end].encode()
    if packed is None:
        return b""
    if text[packed.begin] == '"':
        with suppress(ValueError):
            return base64.b64decode(packed.value, validate=True)
    faults.note("envelope.event_base64", f"{place}/data_base64")
    return None


def _encoded(text: str) -> bytes:
    """Half a surrogate pair, which JSON can name and no text has, stays what no reader takes for a text."""
    return text.encode("utf-8", "surrogatepass")


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:80].replace("~", "~0").replace("/", "~1")


def _cut(value: bytes) -> str:
    return value[:160].decode("utf-8", "replace")[:40]
