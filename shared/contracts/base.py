"""Building blocks of every contract: strictness, bilingual text, exact numbers."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from numbers import Real
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import CoreSchema, PydanticCustomError

from shared.texts import code_point, stranger


class Contract(BaseModel):
    """A fact published by Langhoc itself: immutable; unknown fields are ignored, so that old readers read new facts."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


_OF_SENDER: Mapping[str, bool] = {"of_sender": True}
"""Tells the validators below that a sender wrote it, and not an older release of ours."""


class Claim(BaseModel):
    """What an outside sender says: immutable; an unknown field is an error, never silently dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @classmethod
    def of_sender(cls, raw: str | bytes) -> Self:
        """The claim as a sender wrote it in JSON, within the bounds of `shared.outside`.

        Nothing is made of a value but what it is: only `true` is true (`1` and `"on"` are not), a count is a JSON
        integer, an exact number a JSON number or a text as `DECIMAL` has it, a day a text as `DAY` has it. What is
        stored already is read by `model_validate_json`: older borders let more through, and it stays readable.

        Raises `ValidationError`.
        """
        return cls.model_validate_json(raw, strict=True, context=_OF_SENDER)


class Growing:
    """Marks a list of names that gains some with later releases: whoever reads it elsewhere shows an unknown one as it
    is, or leaves out what it is about. Kinds of alerts, which no service of ours reads, and series, whose readers of
    ours are upgraded before anybody sends a new one (ADR 60); any other list is known to its readers to the last
    name."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The names, as what is known so far."""
        found = handler(schema)
        each = found.get("anyOf", [found])
        names = [name for one in each for name in one.get("enum", [one.get("const")])]
        return {"type": "string", "x-extensible-enum": names}


class Text(Contract):
    """One message in the two languages every message has."""

    vi: str
    en: str


def to_nfc(value: str) -> str:
    """Vietnamese has two spellings of the same letter in Unicode; ours is NFC."""
    return unicodedata.normalize("NFC", value)


def _text_to_nfc(value: object) -> object:
    return to_nfc(value) if isinstance(value, str) else value


MAX_DIGITS = 18
"""Of a whole number, and of an exact decimal before and after its point: what is whole fits into 64 bits, as the
database asks, and sums and products of fractions stay short."""


def _of_bounded_exponent(value: Decimal) -> Decimal:
    """A zero may have any exponent: `0e-999999999` passes every limit of digits, and written out it has a billion.

    A zero has no sign: -0 is 0, and shown as such.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > MAX_DIGITS:
        raise PydanticCustomError(
            "decimal_max_exponent",
            "Decimal input should have an exponent from -{limit} to {limit}",
            {"limit": MAX_DIGITS},
        )
    return value if value else value.copy_abs()


Exponent = AfterValidator(_of_bounded_exponent)
"""Every exact number from outside has this limit, besides those of its digits."""
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
"""An exact number as a text: digits and a decimal point. No exponent, no groups, no further signs: `Decimal` itself
takes `2e1`, `1_000`, and the digits of every script."""
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
"""A day as a text; Pydantic takes `"0"` for the first of 1970."""
LIKE_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}", re.ASCII)
"""`1.000` is one in JSON and a thousand in Vietnamese; a longer or shorter fraction cannot be mistaken, and a JSON
number is written by a program."""


def _spelled_decimal(value: object, info: ValidationInfo) -> object:
    if info.context is not _OF_SENDER:
        return value
    match value:
        case str() if LIKE_THOUSANDS.fullmatch(value):
            raise PydanticCustomError("decimal_ambiguous", "Input should be a number that has no second reading")
        case str() if DECIMAL.fullmatch(value):
            return Decimal(value)
        case str():
            raise PydanticCustomError("decimal_parsing", "Input should be a number: digits, a point before decimals")
        case Real() if not isinstance(value, bool):
            return Decimal(repr(value))  # as written: the border took no other one
        case _:
            raise PydanticCustomError("decimal_type", "Input should be a number")


def _spelled_day(value: object, info: ValidationInfo) -> object:
    if info.context is not _OF_SENDER or not isinstance(value, str):
        return value
    try:
        if DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:  # 30 February
        pass
    raise PydanticCustomError("date_parsing", "Input should be a day of the calendar as YYYY-MM-DD")


Spelled = BeforeValidator(_spelled_decimal)
"""An exact number, as the contract writes it."""
Day = Annotated[date, BeforeValidator(_spelled_day)]
Nfc = Annotated[str, AfterValidator(to_nfc)]
Label = Annotated[str, BeforeValidator(_text_to_nfc), StringConstraints(min_length=1, max_length=300)]
"""At most 300 characters as we keep it, so that whoever reads it again finds it as valid as it was."""


def _of_one_line(value: str) -> str:
    found = stranger(value)
    if found is not None:
        raise PydanticCustomError(
            "text_unclean", "Text should have one line without the character {found}", {"found": code_point(found)}
        )
    return value


OneLine = AfterValidator(_of_one_line)
"""For texts of requests, whose bodies may have files of many lines. Texts of facts need no such rule: the border held
it when they came, and those that are older than the border are still read."""
Line = Annotated[Label, OneLine]
"""A label in the body of a request."""
IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$"
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
CommuneCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{5}|D[0-9]{3})$")]
ProvinceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
FIRST_YEAR, FIRST_OF_SUPPORT, LAST_YEAR = 2013, 2008, 2100
"""Support is paid since Circular 96/2008/TT-BTC, earlier than anything is assessed."""
Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR, strict=True)]
SupportYear = Annotated[int, Field(ge=FIRST_OF_SUPPORT, le=LAST_YEAR, strict=True)]
"""A year of which support can be told."""
Dong = Annotated[int, Field(ge=0, le=10**15, strict=True)]
"""Money: whole đồng. The upper limit is about half of what the state spends on everything in a year (some 2·10^15), so
no amount for learning centres comes near it, and 9,000 such amounts still add up within 64 bits."""
People = Annotated[int, Field(ge=0, le=200_000_000, strict=True)]
Points = Annotated[Decimal, Field(ge=0, le=1000, max_digits=8, decimal_places=4), Exponent, Spelled]
Quantity = Annotated[Decimal, Field(ge=0, lt=10**16, max_digits=20, decimal_places=4), Exponent, Spelled]
"""A measured quantity that is no count of people and no money: exact, at most four places."""
Version = Annotated[int, Field(ge=1, le=10**9, strict=True)]
"""Versions count one by one; no subject ever has that many."""
Instant = AwareDatetime


class Provenance(StrEnum):
    """How well a value of the rulebook is supported by a source (kept all the way to the screen)."""

    FOUND = "found"
    PARTLY = "partly"
    READING = "reading"
    """Ours, of a text that leaves it open."""
    PROVISIONAL = "provisional"
    """A working default of ours where the law leaves the value open or its text was not found."""
    NOT_FOUND = "not_found"
    """Something the law must say and that nobody found: told, never guessed."""


class Status(StrEnum):
    """The one list of what can become of a submission; received = the sum of all of them."""

    ACCEPTED = "accepted"
    ACCEPTED_LATE = "accepted_late"
    HELD = "held"
    REJECTED = "rejected"
    CONFLICT = "conflict"
    DUPLICATE = "duplicate"
    UNCHANGED = "unchanged"


class Problem(Contract):
    """One thing wrong (or doubtful) in one place of a submission, and how to mend it."""

    code: str
    """Stable, machine-readable."""
    field: str
    """JSON pointer into the submission's body; empty for the submission as a whole."""
    message: Text
    expected: Text
    mend: Text

    @property
    def said(self) -> Text:
        """What is wrong and what was expected, a sentence each."""
        vi, en = (text if text.endswith((".", "?", "!")) else f"{text}." for text in (self.message.vi, self.message.en))
        return Text(vi=f"{vi} Cần: {self.expected.vi}.", en=f"{en} Expected: {self.expected.en}.")


class Step(Contract):
    """One line of an explanation: what was done, by which rule, on which ground."""

    what: Text
    citation: str
    provenance: Provenance


class RuleRef(Contract):
    """A rule that something was computed by: the words for it stand there, and are joined by who shows them."""

    id: str
    revision: str
    """SHA-256 over all of it that computes (`identity`), as `released.yaml` lists it: citations may be corrected."""


_GROUNDS = frozenset({"citation", "provenance"})


def ungrounded(value: Any) -> Any:
    """A JSON value without citations and how well they are supported: these may be corrected, and nothing is another
    for it (ADR 25)."""
    match value:
        case dict():
            return {name: ungrounded(each) for name, each in value.items() if name not in _GROUNDS}
        case list():
            return [ungrounded(each) for each in value]
        case _:
            return value


def figures(value: Any) -> Any:
    """A JSON value without any words for it: what `ungrounded` leaves, with nothing in the place of texts."""
    match value:
        case {"vi": str(), "en": str(), **more} if not more:
            return None
        case dict():
            return {name: figures(each) for name, each in value.items() if name not in _GROUNDS}
        case list():
            return [figures(each) for each in value]
        case _:
            return value


def canonical(value: Any) -> bytes:
    """The defined form over which contents are hashed: UTF-8, sorted keys, no white space, text in NFC."""
    return to_nfc(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))).encode()


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of the defined form of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()
