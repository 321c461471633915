"""What the attributes of a CloudEvent from outside must say, besides being there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from shared.contracts.base import Problem
from shared.refusals import problem

NO_JSON = "content_type_not_json"
"""Code of the problem after which nobody looks at the body: it is another one's."""
CONTENT_TYPES = ("content-type", "ce_datacontenttype")
"""CloudEvents' binding to Kafka writes the first; some libraries write the attribute itself."""
_MEDIA = re.compile(
    r"[a-z0-9!#$&^_.+-]+/(?:[a-z0-9!#$&^_.+-]+\+)?json(?P<parameters>\s*;.*)?", re.IGNORECASE | re.ASCII
)
"""CloudEvents (JSON format, 3.1): what ends in `/json` or `+json` is JSON."""
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:(?P<seconds>\d{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
"""RFC 3339."""


def attribute_problems(headers: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the attributes that are there; one that is empty is not there."""
    version = headers.get("ce_specversion", "")
    if version and version != "1.0":
        yield problem("envelope.specversion_unknown", given=version[:40])
    for given in dict.fromkeys(headers.get(name, "").strip() for name in CONTENT_TYPES):
        if given and not is_json(given):
            yield problem("envelope.content_type_not_json", given=given[:80])
    time = headers.get("ce_time", "")
    if time and not _is_instant(time):
        yield problem("envelope.time_no_instant", given=time[:40])


def is_json(given: str) -> bool:
    """JSON, in the one encoding that it has (RFC 8259)."""
    media = _MEDIA.fullmatch(given)
    charset = _CHARSET.search(media["parameters"] or "") if media else None
    return media is not None and (charset is None or charset[1].lower() in ("utf-8", "utf8", "us-ascii"))


def _is_instant(given: str) -> bool:
    found = _INSTANT.fullmatch(given)
    if found is None:
        return False
    if found["seconds"] == "60":  # a leap second, which RFC 3339 has
        first, last = found.span("seconds")
        given = f"{given[:first]}59{given[last:]}"
    try:
        datetime.fromisoformat(given.upper())
    except ValueError:  # 30 February, 25 o'clock
        return False
    return True
