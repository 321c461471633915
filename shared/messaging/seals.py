"""Every stored document carries a seal: that what is read is what this service wrote, in this place.

A seal is a keyed hash over a document's place and content, made when the document is written and compared whenever it
is read. Whoever changes a figure, takes a field away, hides a document or moves it to another place without the key is
found out by the next reader (`Altered`), which names the document. What a seal cannot show is that a whole document
was put back to how it once was; of decided money the chain of the journal shows that (ADR 40).

Fields that are documents, lists or bytes are covered by a hash of their own, so that a reader may leave them out.
The keys are the process's own (`use`): the first seals, every one is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import bson

Document = dict[str, Any]
SEAL = "_seal"
"""Beside each document: `{key, hash, apart}`: id of the key, keyed hash, hashes of the fields that are documents."""
_BESIDE = frozenset({SEAL, "_id", "_rev", "_stamp"})
"""What is no content: the identity is part of the place, the others tell when it was written."""
_APART = (dict, list)
_BYTES = 16
UNENCODABLE = (bson.errors.BSONError, OverflowError, UnicodeEncodeError)
"""What sealing raises of a document that the database could not keep either."""


class Altered(RuntimeError):
    """A stored document does not say what this service wrote."""

    def __init__(self, *places: str) -> None:
        """`places`: of each document its collection and identity."""
        super().__init__(f"altered outside the service: {', '.join(places)}")
        self.places = places


class UnknownKey(RuntimeError):
    """The documents were sealed with a key that this process does not have."""


@dataclass(frozen=True)
class Ring:
    """Secrets, of which the first seals. Without any the seal is a plain hash: it shows mistakes, not intent."""

    secrets: tuple[str, ...] = ("",)

    @classmethod
    def of(cls, text: str) -> Ring:
        """From a setting: one secret, or several apart by white space, the one that seals first."""
        return cls(tuple(text.split()) or ("",))

    @cached_property
    def _keys(self) -> Mapping[str, bytes]:
        keys = [hashlib.sha512(secret.encode()).digest() if secret else b"" for secret in self.secrets]
        return {hashlib.sha256(b"langhoc seal" + key).hexdigest()[:8]: key for key in keys}

    @property
    def id(self) -> str:
        """Of the key that seals; tells nothing of the key."""
        return next(iter(self._keys))

    @property
    def secret_ids(self) -> list[str]:
        """Of the keys that not everybody has."""
        return [id for id, key in self._keys.items() if key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def also(self, *secrets: str) -> Ring:
        """The same, and further ones that are believed."""
        return Ring((*self.secrets, *secrets))

    def sealed(self, collection: str, id: str, document: Document) -> Document:
        """A document with its seal. Raises `UNENCODABLE`."""
        flat, apart = _parted(document)
        key, secret = next(iter(self._keys.items()))
        seal = {"key": key, "hash": _hash(secret, collection, id, flat, apart), "apart": apart}
        return {**document, SEAL: seal}

    def fits(self, collection: str, found: Mapping[str, Any], without: Collection[str] = ()) -> bool:
        """Whether a stored document says what was sealed in its place.

        `without`: fields that the reader left out; they must be documents, lists or bytes, and named by the seal.
        """
        match found.get(SEAL):
            case {"key": str(key), "hash": str(hash), "apart": dict(told)} if key in self._keys:
                flat, apart = _parted(found, told)
                left_out = {name: told[name] for name in without if name in told}
                return hash == _hash(self._keys[key], collection, str(found["_id"]), flat, left_out | apart)
        return False


def _hash(key: bytes, collection: str, id: str, flat: Mapping[str, Any], apart: Mapping[str, str]) -> str:
    """`flat` comes in order."""
    said = {"place": [collection, id], "flat": flat, "apart": dict(sorted(apart.items()))}
    return hashlib.blake2b(bson.encode(said), key=key, digest_size=_BYTES).hexdigest()


def _parted(document: Mapping[str, Any], told: Collection[str] | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """A document's content: what is plain, in order, and hashes of what is covered apart.

    `told`: names of its seal; in one of a release before, bytes were not apart.
    """
    flat: dict[str, Any] = {}
    apart: dict[str, str] = {}
    for name in sorted(document):
        if name in _BESIDE:
            continue
        value = document[name]
        if isinstance(value, _APART) or (isinstance(value, bytes) and (told is None or name in told)):
            apart[name] = hashlib.blake2b(bson.encode({"": value}), digest_size=_BYTES).hexdigest()
        else:
            flat[name] = value
    return flat, apart


_rings = [Ring()]
_found: dict[str, None] = {}
_MOST_FOUND = 1_000


def use(ring: Ring) -> None:
    """Seal and believe with these keys from now on: once, when a process starts."""
    _rings[:] = [ring]


def ring() -> Ring:
    """The keys of this process."""
    return _rings[0]


def sealed(collection: str, id: str, document: Document) -> Document:
    """A document as it is to be stored. Raises `UNENCODABLE`."""
    return _rings[0].sealed(collection, id, document)


def check(collection: str, found: Mapping[str, Any], without: Collection[str] = ()) -> None:
    """Raises `Altered` of a stored document that does not say what was sealed (`Ring.fits`)."""
    place = f"{collection}/{found['_id']}"
    if _rings[0].fits(collection, found, without):
        _found.pop(place, None)
        return
    if len(_found) < _MOST_FOUND:
        _found[place] = None
    raise Altered(place)


def check_all(collection: str, rows: Iterable[Mapping[str, Any]], without: Collection[str] = ()) -> None:
    """Likewise of many at once: raises `Altered` with the places of all that do not fit."""
    altered = list[str]()
    for row in rows:
        try:
            check(collection, row, without)
        except Altered as error:
            altered += error.places
    if altered:
        raise Altered(*altered)


def covers(found: Mapping[str, Any], name: str) -> bool:
    """Whether a field may be left out by who reads this document: its seal covers it by a hash of its own."""
    match found.get(SEAL):
        case {"apart": dict(apart)}:
            return name in apart
    return False


def found_altered() -> list[str]:
    """Documents that this process found altered and has not read whole since; at most a thousand."""
    return list(_found)
