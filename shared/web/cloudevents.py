"""CloudEvents 1.0 over HTTP: binary, structured and batched, as the events that Kafka's binary mode carries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from shared.cloudevents import ATTRIBUTE, BATCH, CONTENT_TYPE, JSON, STRUCTURED, Event, contradictions, media_of
from shared.cloudevents import read_event as opened
from shared.cloudevents import read_events as all_opened
from shared.contracts.base import Problem
from shared.outside import OutOfBounds
from shared.refusals import problem
from shared.refusals.validation import json_fault
from shared.web.problems import ApiProblem, refused

T = TypeVar("T")
PREFIX = "ce-"
MOST_EVENTS = 500
"""Of one batch."""


def read_event(headers: Headers, body: bytes) -> Event:
    """The one event of a request, in binary or structured mode. Raises `ApiProblem` (415, 422)."""
    media = _media(headers, JSON, STRUCTURED)
    if media == JSON:
        return Event([*_attributes(headers), (CONTENT_TYPE, headers[CONTENT_TYPE].encode())], body)
    event, problems = _read(opened, body)
    if event is not None:
        problems = [*problems, *contradictions(event, _attributes(headers))]
    if event is None or problems:
        raise _unreadable(problems)
    return event


def read_batch(headers: Headers, body: bytes) -> list[Event]:
    """The events of a batch, in order. Raises `ApiProblem` (413, 415, 422): then nothing of it is taken."""
    _media(headers, BATCH)
    events, problems = _read(all_opened, body)
    if problems:
        raise _unreadable(problems)
    if not events:
        raise refused("http.batch_empty")
    if len(events) > MOST_EVENTS:
        raise refused("http.batch_too_long", count=len(events), limit=MOST_EVENTS)
    return events


def _media(headers: Headers, *known: str) -> str:
    """The media type of a body, one of the known ones, as it was sent and in UTF-8. Raises `ApiProblem`."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise refused("http.body_encoded", encoding=headers["content-encoding"][:80])
    said = headers.get(CONTENT_TYPE, "")
    media, parameters = media_of(said), said.partition(";")[2]
    charset = re.search(r'charset\s*=\s*"?([^";\s]*)', parameters, re.IGNORECASE)
    unknown = charset is not None and charset[1].lower() not in ("utf-8", "utf8")
    if media not in known or unknown:
        raise refused("http.media_type", given=said[:80] or "–", known=", ".join(known))
    return media


def _attributes(headers: Headers) -> Iterator[tuple[str, bytes]]:
    """Headers `ce-*`, unquoted and decoded once, as the binding for HTTP says (§ 3.1.3.2)."""
    for name, value in headers.items():
        if name.startswith(PREFIX):
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            yield f"{ATTRIBUTE}{name.removeprefix(PREFIX)}", unquote_to_bytes(value.encode("latin-1"))


def _read(read: Callable[[str], T], body: bytes) -> T:
    """What a body in JSON says. Raises `ApiProblem` (422)."""
    try:
        return read(body.decode("utf-8"))
    except OutOfBounds as error:
        raise _unreadable(error.problems) from error
    except ValueError as error:
        raise _unreadable([problem("bounds.no_json", detail=json_fault(str(error)))]) from error


def _unreadable(problems: Sequence[Problem]) -> ApiProblem:
    return refused("http.event_unreadable", problems)
