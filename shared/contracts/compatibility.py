"""What a change of the contracts breaks, and for whom: a comparison of schemas over what our models come to. Pure.

Of facts each side must get along with the other: yesterday's readers with today's events, since others are upgraded
when they like, and today's readers with yesterday's, since a topic is read from its beginning. Of submissions what
senders may write by the released contract must still be taken. A keyword that nobody has taught this module is an error
and never passed by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from shared.contracts.schemas import Schema

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SAME = ("pattern", "format", "not", "propertyNames")
_WORDS = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "x-extensible-enum"})
_KNOWN = _WORDS | {
    "type", "enum", "const", "items", "properties", "required", "additionalProperties", "patternProperties",
    *_LOWER, *_UPPER, *_SAME,
}  # fmt: skip
_NAMES = ("properties", "$defs", "patternProperties")
_ALTERNATIVES = ("anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Published:
    """What others know of an event type."""

    topic: Mapping[str, Any]
    """Its name, nature, partitions, writers and readers."""
    schema: Schema
    outside: bool
    """Whether senders outside write it."""


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that breaks."""

    event: str
    """Type and version."""
    field: str
    """Path from the body on; `*` stands for each element or key; empty: the event as a whole."""
    why: str

    def __str__(self) -> str:
        return f"{self.event} {self.field or '(event)'}: {self.why}"


def breaks(released: Mapping[str, Published], now: Mapping[str, Published]) -> list[Break]:
    """Everything that breaks between the contracts of the last release and those of now, by event and field."""
    found: list[Break] = []
    for event, old in released.items():
        new = now.get(event)
        if new is None:
            found.append(Break(event, "", "is gone; a type that is replaced stays as a former one, with its schema"))
            continue
        found += [Break(event, "", why) for why in _of_topic(old.topic, new.topic)]
        if not old.outside:
            gaps = _Reading(new.schema, old.schema, whole=True).gaps()
            found += [Break(event, place, f"yesterday's readers meet today's events: {why}") for place, why in gaps]
        who = "yesterday's senders meet today's intake" if old.outside else "today's readers meet yesterday's events"
        gaps = _Reading(old.schema, new.schema, whole=False).gaps()
        found += [Break(event, place, f"{who}: {why}") for place, why in gaps]
    return found


def bare(schema: Any) -> Any:
    """A schema without its words: what is compared."""
    if isinstance(schema, list):
        return [bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {each: bare(inner) for each, inner in value.items()} if name in _NAMES else bare(value)
        for name, value in schema.items()
        if name not in ("title", "description", "$schema", "$id")
    }


def _of_topic(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for what in ("name", "nature", "partitions"):
        if old[what] != new[what]:
            yield f"{what} of its topic was {old[what]} and is {new[what]}"
    for what, may in (("readers", "read"), ("writers", "write")):
        if lost := sorted({*old[what]} - {*new[what]}):
            yield f"{', '.join(lost)} may no longer {may} its topic"


_Gap = tuple[str, str]


class _Reading:
    """What a reader who knows one schema cannot take of what is written by another.

    `whole`: the reader has fields of its own that it wants, also those that may be missing.
    """

    def __init__(self, written: Schema, read: Schema, *, whole: bool) -> None:
        self._written, self._read, self._whole = written, read, whole
        self._open: set[tuple[str, str]] = set()

    def gaps(self) -> list[_Gap]:
        """Each with its place."""
        return list(self._between(self._written, self._read, ""))

    def _between(self, written: Schema, read: Schema, place: str) -> Iterator[_Gap]:
        pair = (written.get("$ref", ""), read.get("$ref", ""))
        if all(pair):
            if pair in self._open:
                return
            self._open.add(pair)
        writers, readers = [*_alternatives(written, self._written)], [*_alternatives(read, self._read)]
        for each in writers:
            found = [(_unlike(each, one), list(self._of_one(each, one, place))) for one in readers]
            unlike, gaps = min(found, key=lambda tried: (bool(tried[1]), tried[0], len(tried[1])))
            if gaps and unlike and len(writers) + len(readers) > 2 and (tags := _tags(each)):
                gaps = [(place, f"{', '.join(map(str, tags.values()))} is one of several kinds, and is not known")]
            yield from gaps
        self._open.discard(pair)

    def _of_one(self, written: Schema, read: Schema, place: str) -> Iterator[_Gap]:
        if unknown := (written.keys() | read.keys()) - _KNOWN:
            raise ValueError(f"{place}: nobody has said how {', '.join(sorted(unknown))} is compared")
        if not read.keys() - _WORDS:
            return  # takes anything
        kinds = (written.get("type"), read.get("type"))
        if kinds[0] != kinds[1] and kinds != ("integer", "number"):
            yield place, f"{kinds[0] or 'anything'} is written where {kinds[1] or 'a certain value'} is read"
            return
        yield from ((place, why) for why in chain(_of_values(written, read), _of_bounds(written, read)))
        if "items" in read:
            yield from self._between(written.get("items", {}), read["items"], f"{place}/*")
        if "properties" in read or "properties" in written:
            yield from self._of_fields(written, read, place)
        yield from self._of_keys(written, read, place)

    def _of_fields(self, written: Schema, read: Schema, place: str) -> Iterator[_Gap]:
        fields, wanted = written.get("properties", {}), read.get("properties", {})
        must = {*read.get("required", ())}
        always = {*written.get("required", ())}
        for name in sorted(must - always):
            yield f"{place}/{name}", "may be missing where it is required" if name in fields else "is required and new"
        for name in sorted(wanted.keys() - fields.keys() - must) if self._whole else ():
            yield f"{place}/{name}", "is no longer written"
        for name, field in fields.items():
            if name in wanted:
                yield from self._between(field, wanted[name], f"{place}/{name}")
                was, now = field.get("default"), wanted[name].get("default")
                if not self._whole and name not in always | must and not _alike(was, now):
                    yield f"{place}/{name}", f"missing, it was read as {was!r} and is read as {now!r}"
            elif read.get("additionalProperties") is False:
                yield f"{place}/{name}", "is written where no further field is taken"

    def _of_keys(self, written: Schema, read: Schema, place: str) -> Iterator[_Gap]:
        """Of maps, whose keys are no names of fields."""
        mine, theirs = written.get("patternProperties", {}), read.get("patternProperties", {})
        for pattern, value in mine.items():
            if pattern in theirs:
                yield from self._between(value, theirs[pattern], f"{place}/*")
            elif read.get("additionalProperties") is False:
                yield place, f"keys like {pattern} are written where others are taken"
        free, taken = written.get("additionalProperties", True), read.get("additionalProperties", True)
        if isinstance(taken, dict):
            yield from self._between(free if isinstance(free, dict) else {}, taken, f"{place}/*")
        elif taken is False and isinstance(free, dict):
            yield place, "any key is written where only certain ones are taken"
        elif taken is False and free is True and not self._whole:
            yield place, "further fields were ignored and are refused"


def _alternatives(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The schemas of which a value must fit one, each whole."""
    if "$ref" in schema:
        more = {name: value for name, value in schema.items() if name not in {"$ref", *_WORDS}}
        yield from _alternatives({**root["$defs"][schema["$ref"].removeprefix("#/$defs/")], **more}, root)
        return
    several = next((name for name in _ALTERNATIVES if name in schema), None)
    if several is None:
        yield schema
        return
    if unknown := schema.keys() - {several, "required"} - _WORDS:
        raise ValueError(f"nobody has said how {', '.join(sorted(unknown))} beside {several} is compared")
    for one in chain.from_iterable(_alternatives(each, root) for each in schema[several]):
        yield {**one, "required": [*one.get("required", ()), *schema["required"]]} if "required" in schema else one


def _alike(was: Any, now: Any) -> bool:
    """Whether two defaults are one, but for fields that only one of them has: those are compared by themselves."""
    if isinstance(was, dict) and isinstance(now, dict):
        return all(_alike(was[name], now[name]) for name in was.keys() & now.keys())
    return bool(was == now)


def _unlike(one: Schema, other: Schema) -> bool:
    """Whether they are two of several kinds, and not two versions of one."""
    tags, others = _tags(one), _tags(other)
    return one.get("type") != other.get("type") or any(others.get(name, tag) != tag for name, tag in tags.items())


def _tags(schema: Schema) -> dict[str, Any]:
    return {name: field["const"] for name, field in schema.get("properties", {}).items() if "const" in field}


def _of_values(written: Schema, read: Schema) -> Iterator[str]:
    known, said = _listed(read), _listed(written)
    if known is None:
        return
    if said is None:
        yield f"any value is written where {', '.join(map(str, known))} are known"
    elif unknown := [each for each in said if each not in known]:
        yield f"{', '.join(map(str, unknown))} is not known"


def _listed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _of_bounds(written: Schema, read: Schema) -> Iterator[str]:
    for keyword in (*_LOWER, *_UPPER):
        own, limit = written.get(keyword), read.get(keyword)
        if limit is not None and (own is None or (own < limit if keyword in _LOWER else own > limit)):
            yield f"{keyword} is {'none' if own is None else own} where {limit} is read"
    for keyword in _SAME:
        if read.get(keyword) not in (None, written.get(keyword)):
            yield f"{keyword} is {written.get(keyword, 'none')} where {read[keyword]} is read"
