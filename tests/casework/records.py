"""A record in a case's short form → the record that a province's portal publishes.

`commune: 01273` is a whole, passing file: what a case does not say comes from `templates.yaml`.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from cli.publishing import Message, key_of
from shared.contracts.catalogue import CONTRACTS, EventType
from tests.casework.plain_yaml import documents

Data = dict[str, Any]
Code = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
"""Text; the code 26734 needs no quotes either."""
Province = Annotated[Code, Field(pattern=r"^[0-9]{2}$")]
TYPES: Mapping[str, EventType] = {
    "commune": EventType.COMMUNE_SUBMITTED,
    "centre": EventType.CENTRE_SUBMITTED,
    "assessment": EventType.ASSESSMENT_SUBMITTED,
    "registration": EventType.CENTRE_REGISTERED,
    "envelope": EventType.ENVELOPE_SUBMITTED,
    "support": EventType.SUPPORT_SUBMITTED,
    "recognition": EventType.RECOGNITION_SUBMITTED,
}
_SUBJECT = {
    "commune": "unit_code", "centre": "centre_id", "registration": "centre_id", "support": "centre_id",
    "recognition": "unit_code",
}  # fmt: skip
_ANY = "any"


class Strict(BaseModel):
    """A part of a case: a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@cache
def templates() -> Mapping[str, Mapping[str, Data]]:
    """By kind and name: the data of a whole record; `default` is what a record begins with."""
    (found,) = documents(Path(__file__).with_name("templates.yaml"))
    return dict(found.content)


class Record(Strict):
    """One record. Contract fields stand beside these keys."""

    id: Code = ""
    """Submission id, and the name under which `expect` speaks of the receipt. Left out: kind and subject."""
    as_: str | None = Field(None, alias="as")
    """A variant of the kind's template."""
    with_: Data = Field({}, alias="with")
    """Laid over the body, also what the contract does not know."""
    without: list[str] = []
    """Pointers of what is taken out of the body."""
    province: Province | None = None
    key: str | None = None
    headers: dict[str, str | None] = {}
    """Instead of the usual ones; `null` leaves one out."""
    text: str | None = None
    """The whole value, instead of a body."""

    @property
    def kind(self) -> str:
        """Which short form it is."""
        return next(name for name in (*TYPES, "type") if name in type(self).model_fields)

    @property
    def label(self) -> str:
        """Under which `expect` speaks of it."""
        return self.id or f"{self.kind} {getattr(self, self.kind)}"

    @model_validator(mode="after")
    def _variant_exists(self) -> Record:
        if self.as_ is not None and self.as_ not in templates().get(self.kind, {}):
            known = ", ".join(templates().get(self.kind, {})) or "none"
            raise ValueError(f"no template {self.as_!r} of {self.kind}; there is: {known}")
        return self

    def message(self, province: str) -> Message:
        """As the portal of the province publishes it."""
        sender = self.province or province
        body = self.body()
        value = json.dumps(body, ensure_ascii=False) if self.text is None else self.text
        headers = {name: None if text is None else text.encode() for name, text in self.headers.items()}
        type_ = getattr(self, "type", None) or TYPES[self.kind].value
        return Message(sender, self.key or key_of(body, sender), type_, value.encode(), headers)

    def body(self) -> Data:
        """What it says."""
        body: Data = {}
        for name in ("default", self.as_):
            _lay_over(body, templates().get(self.kind, {}).get(name or "", {}))
        _lay_over(body, self._named())
        given = {name: getattr(self, name) for name in self.model_fields_set - Record.model_fields.keys() - {self.kind}}
        _lay_over(body, given.pop("data", {}))
        given.pop("type", None)
        _lay_over(body, given)
        _lay_over(body, self.with_)
        for pointer in self.without:
            *outer, last = pointer.strip("/").split("/")
            inside = body
            for step in outer:
                inside = inside[step]
            del inside[last]
        return body

    def _named(self) -> Data:
        """What the short form says: whom it speaks of, and under which id."""
        named: Data = {"submission_id": re.sub("[^A-Za-z0-9._:/-]+", "-", self.label)}
        value = getattr(self, self.kind)
        if self.kind in _SUBJECT:
            named[_SUBJECT[self.kind]] = value
        elif self.kind == "envelope":
            named["year"] = int(value)
        elif self.kind == "assessment":
            named["series"], _, named["subject"] = value.partition("/")
            _lay_over(named, templates()["assessment"].get(named["series"], {}))
        else:
            return {}
        if self.kind == "registration":
            named["name"] = f"Trung tâm học tập cộng đồng {value}"
        return named


def _lay_over(body: Data, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        whole = isinstance(value, dict) and "scoring" in value  # a content that says how it is judged is a whole one
        if isinstance(value, dict) and isinstance(body.get(name), dict) and not whole:
            _lay_over(body[name], value)
        else:
            body[name] = copy.deepcopy(value)


def _model(kind: str) -> Any:
    fields = CONTRACTS[TYPES[kind]].model.model_fields.keys() - {"submission_id"}
    names: dict[str, Any] = {name: (Any, None) for name in fields}
    return create_model(f"{kind.title()}Record", __base__=Record, **names, **{kind: (Code, ...)})


class RawRecord(Record):
    """A record of any type with any data."""

    type: str
    data: Data = {}


def _kind_of(value: Any) -> str | None:
    if isinstance(value, Record):
        return value.kind if value.kind in TYPES else _ANY
    found = [kind for kind in TYPES if isinstance(value, dict) and kind in value]
    return found[0] if len(found) == 1 else _ANY


_FORMS = [Annotated[_model(kind), Tag(kind)] for kind in TYPES]
AnyRecord = Annotated[
    # One alternative per kind, so that an unknown key is told with the keys of its kind only.
    _FORMS[0] | _FORMS[1] | _FORMS[2] | _FORMS[3] | _FORMS[4] | _FORMS[5] | _FORMS[6] | Annotated[RawRecord, Tag(_ANY)],
    Discriminator(_kind_of),
]
TAGS = frozenset({*TYPES, _ANY})
"""What pydantic puts into a place beside the keys of the file."""
