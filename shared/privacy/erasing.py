"""What stands in the place of bytes and words that were erased, and where a text lies in a document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.contracts.base import Contract, Instant, Problem, Text, to_nfc
from shared.refusals import refusal

RETENTION = "retention"
"""In whose name bytes go when their time is over."""
ERASED_LINE = "[đã xóa / erased]"
"""In the place of a sender's own words where there is one line for both languages. It is no empty place: a value that
had evidence had it."""


class Erased(Contract):
    """What is kept of bytes that are gone: enough to prove which they were to whoever still has them."""

    sha256: str
    size: int
    """Bytes."""
    at: Instant
    by: str
    """The order to erase, or `retention`."""

    @classmethod
    def of(cls, raw: bytes, *, at: Instant, by: str) -> Erased:
        """The mark of these bytes."""
        return cls(sha256=hashlib.sha256(raw).hexdigest(), size=len(raw), at=at, by=by)


def erased_text() -> Text:
    """What is said in the place of words that were erased."""
    return refusal("privacy.erased").message


def erased_words(problems: Sequence[Problem]) -> list[Problem]:
    """The same problems without a sender's words: the code stays, the place in the body does not (a key is a word)."""
    words = refusal("privacy.erased")
    return [
        Problem(code=one.code, field="", message=words.message, expected=words.expected, mend=words.mend)
        for one in problems
    ]


def found_in(document: Mapping[str, Any], text: str) -> list[str]:
    """The places of a stored document in which a text occurs, in any case and either form of Unicode.

    Bytes are read as UTF-8, and as JSON where letters are written as escapes. Keys count like values.
    """
    wanted = _folded(text)
    return [place for place, value in _leaves(document, "") if wanted in _folded(value)]


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for name, inner in value.items():
                yield place or name, str(name)
                yield from _leaves(inner, f"{place}.{name}" if place else str(name))
        case str():
            yield place, value
        case bytes():
            yield place, _read(value)
        case list() | tuple():
            for number, inner in enumerate(value):
                yield from _leaves(inner, f"{place}.{number}")


def _read(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    if "\\u" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _folded(text: str) -> str:
    return to_nfc(text.casefold())
