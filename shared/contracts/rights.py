"""Who may do what on Kafka: a pure reading of the topic files, which name each family's producers and consumers."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, get_args

from shared.contracts.topics import Party, TopicFamily, families

GROUP_PREFIX = "langhoc-"
"""What a service's consumer group begins with, before the service's name."""
SERVICES: tuple[Party, ...] = tuple(party for party in get_args(Party) if party not in ("portal", "treasury"))
_OUR_GROUPS = [(GROUP_PREFIX, True), ("province-", True), ("treasury.", True)]
_PROVINCE = re.compile(r"province-([0-9]{2})")


class Right(NamedTuple):
    """One thing that a principal may do. Reading and writing a topic include asking what it is."""

    resource: Literal["topic", "group"]
    name: str
    prefixed: bool
    """Whether it holds for all whose names begin so."""
    operation: Literal["read", "write"]


def rights(principal: str, *, group_prefix: str = GROUP_PREFIX) -> frozenset[Right]:
    """All that a principal may do: a service by its name, `province-01`, `treasury`. `KeyError` for anybody else.

    A service has one group, `<group_prefix><service>`; whoever is outside names its own behind its principal and a dot.
    """
    if principal in SERVICES:
        return _on_topics(principal) | {Right("group", f"{group_prefix}{principal}", False, "read")}
    if principal == "treasury":
        party, province = "treasury", None
    elif province_of(principal):
        party, province = "portal", province_of(principal)
    else:
        raise KeyError(principal)
    return _on_topics(party, province) | {Right("group", f"{principal}.", True, "read")}


def is_party(principal: str) -> bool:
    """Whether the contracts know this principal."""
    return principal in SERVICES or principal == "treasury" or province_of(principal) is not None


def reaches_ours(resource: Literal["topic", "group"], name: str, *, prefixed: bool) -> bool:
    """Whether a right on a topic or group of this name, or on all whose names begin so, is one on any of ours."""
    if name == "*" and not prefixed:
        return True
    ours = _OUR_GROUPS if resource == "group" else [_named(family, None) for family in families().values()]
    return any(
        (prefixed and own.startswith(name)) or (name.startswith(own) if all_of_them else name == own)
        for own, all_of_them in ours
    )


def province_of(principal: str) -> str | None:
    """The province whose portal this principal is."""
    found = _PROVINCE.fullmatch(principal)
    return found[1] if found else None


def _on_topics(party: str, province: str | None = None) -> frozenset[Right]:
    reads = [Right("topic", *_named(each, province), "read") for each in families().values() if party in each.consumers]
    writes = [
        Right("topic", *_named(each, province), "write") for each in families().values() if party in each.producers
    ]
    return frozenset(reads + writes)


def _named(family: TopicFamily, province: str | None) -> tuple[str, bool]:
    """A family's topics: of one province, else of all of them, whichever will be added."""
    begin, brace, _ = family.name.partition("{")
    if not brace:
        return family.name, False
    return (f"{begin}{province}", False) if province else (begin, True)
