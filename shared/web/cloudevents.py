"""CloudEvents 1.0 over HTTP: binary, structured and batched, taken apart into what Kafka's binary mode carries.

Whether an event is any good is for its reader to say; here only what cannot be taken apart is refused. The data of a
structured event are the bytes that stand there, not what a parser made of them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from shared.contracts.base import Problem
from shared.refusals import problem
from shared.web.problems import ApiProblem, refused

PREFIX = "ce-"
JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MOST_EVENTS = 500
"""Of one batch."""
_NAME = re.compile(r"[a-z0-9]{1,100}")
_BLANKS = " \t\r\n"
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
"""Numbers stay texts: only where a value begins and ends is of interest."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as Kafka's binary mode carries it."""

    headers: Sequence[tuple[str, bytes]]
    """`ce_*` and `content-type`; one that stood twice stands twice."""
    body: bytes


def read_event(headers: Headers, body: bytes) -> Event:
    """The one event of a request, in binary or structured mode. Raises `ApiProblem` (415, 422)."""
    media = _media(headers, JSON, STRUCTURED)
    if media == JSON:
        return Event([*_attributes(headers), ("content-type", headers["content-type"].encode())], body)
    text = _text(body)
    try:
        members, end = _members(text, _behind_blanks(text, 0))
        _at_end(text, end)
    except (ValueError, RecursionError) as error:
        raise _unreadable([_no_json(error)]) from error
    problems: list[Problem] = []
    event = _event(text, members, "", problems)
    if event is None:
        raise _unreadable(problems)
    return event


def read_batch(headers: Headers, body: bytes) -> list[Event]:
    """The events of a batch, in order. Raises `ApiProblem` (413, 415, 422): then nothing of it is taken."""
    _media(headers, BATCH)
    text = _text(body)
    problems: list[Problem] = []
    try:
        found = [_event(text, members, f"/{number}", problems) for number, members in enumerate(_elements(text))]
    except (ValueError, RecursionError) as error:
        raise _unreadable([_no_json(error)]) from error
    if problems:
        raise _unreadable(problems)
    if not found:
        raise refused("http.batch_empty")
    if len(found) > MOST_EVENTS:
        raise refused("http.batch_too_long", count=len(found), limit=MOST_EVENTS)
    return [event for event in found if event is not None]


def _media(headers: Headers, *known: str) -> str:
    """The media type of a body, one of the known ones, as it was sent and in UTF-8. Raises `ApiProblem`."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise refused("http.body_encoded", encoding=headers["content-encoding"][:80])
    said = headers.get("content-type", "")
    media, _, parameters = said.partition(";")
    charset = re.search(r'charset\s*=\s*"?([^";\s]*)', parameters, re.IGNORECASE)
    unknown = charset is not None and charset[1].lower() not in ("utf-8", "utf8")
    if media.strip().lower() not in known or unknown:
        raise refused("http.media_type", given=said[:80] or "–", known=", ".join(known))
    return media.strip().lower()


def _attributes(headers: Headers) -> Iterator[tuple[str, bytes]]:
    """Headers `ce-*`, unquoted and decoded once, as the binding for HTTP says (§ 3.1.3.2)."""
    for name, value in headers.items():
        if name.startswith(PREFIX):
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            yield f"ce_{name.removeprefix(PREFIX)}", unquote_to_bytes(value.encode("latin-1"))


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable([_no_json(error)]) from error


@dataclass(frozen=True, slots=True)
class _Member:
    value: Any
    begin: int
    end: int
    twice: bool = False


def _elements(text: str) -> Iterator[dict[str, _Member] | None]:
    """The members of each object of a list; `None` for what is no object. Raises `ValueError`, `RecursionError`."""
    place = _expected(text, _behind_blanks(text, 0), "[")
    if text[place : place + 1] == "]":
        _at_end(text, place + 1)
        return
    while True:
        if text[place : place + 1] == "{":
            members, place = _members(text, place)
            yield members
        else:
            _, place = _DECODER.raw_decode(text, place)
            yield None
        place = _behind_blanks(text, place)
        if text[place : place + 1] == "]":
            _at_end(text, place + 1)
            return
        place = _expected(text, place, ",")


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
        raise json.JSONDecodeError(f"Expecting {what!r}", text, place)
    return _behind_blanks(text, place + 1)


def _behind_blanks(text: str, place: int) -> int:
    while text[place : place + 1] and text[place] in _BLANKS:
        place += 1
    return place


def _at_end(text: str, place: int) -> None:
    if _behind_blanks(text, place) != len(text):
        raise json.JSONDecodeError("Extra data", text, place)


def _event(text: str, members: dict[str, _Member] | None, place: str, problems: list[Problem]) -> Event | None:
    """The event of an object; what cannot be carried is added to `problems`, and then there is none."""
    if members is None:
        problems.append(problem("http.event_no_object", place))
        return None
    before = len(problems)
    problems += [
        problem("bounds.key_twice", f"{place}/{_shown(name)}", text=_shown(name))
        for name, one in members.items()
        if one.twice
    ]
    body = _data(text, members, place, problems)
    headers = [("content-type", JSON.encode())]
    for name, one in members.items():
        if name in ("data", "data_base64") or one.value is None:
            continue
        raw = text[one.begin : one.end]
        value = one.value if raw.startswith('"') else raw
        if not _NAME.fullmatch(name) or isinstance(one.value, dict | list):
            problems.append(problem("http.event_attribute", f"{place}/{_shown(name)}", name=_shown(name)))
        elif name == "datacontenttype":
            headers[0] = ("content-type", _encoded(value))
        else:
            headers.append((f"ce_{name}", _encoded(value)))
    return Event(headers, body) if len(problems) == before else None


def _data(text: str, members: dict[str, _Member], place: str, problems: list[Problem]) -> bytes:
    plain, packed = members.get("data"), members.get("data_base64")
    if plain is not None and packed is not None:
        problems.append(problem("http.event_data_twice", f"{place}/data_base64"))
    if packed is not None and plain is None:
        try:
            return base64.b64decode(packed.value, validate=True) if isinstance(packed.value, str) else _no_base64()
        except (binascii.Error, ValueError):
            problems.append(problem("http.event_base64", f"{place}/data_base64"))
    return text[plain.begin : plain.end].encode() if plain is not None else b""


def _no_base64() -> bytes:
    raise ValueError("no text")


def _encoded(text: str) -> bytes:
    """Half a surrogate pair, which JSON can name and no text has, stays what no reader takes for a text."""
    return text.encode("utf-8", "surrogatepass")


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:80].replace("~", "~0").replace("/", "~1")


def _no_json(error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        return problem("http.event_too_deep")
    return problem("bounds.no_json", detail=error)


def _unreadable(problems: list[Problem]) -> ApiProblem:
    return refused("http.event_unreadable", problems)
