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

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cli.publishing import Message
from shared.contracts.catalogue import CONTRACTS, EventType
from shared.contracts.topics import submission_key
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
    "payment": EventType.PAYMENT_SUBMITTED,
    "recognition": EventType.RECOGNITION_SUBMITTED,
    "revoke": EventType.RECOGNITION_REVOKED,
    "title": EventType.TITLE_SUBMITTED,
    "revoke title": EventType.TITLE_REVOKED,
}
WITHDRAWALS: Mapping[str, EventType] = {
    "commune": EventType.COMMUNE_WITHDRAWN,
    "centre": EventType.CENTRE_WITHDRAWN,
    "assessment": EventType.ASSESSMENT_WITHDRAWN,
    "registration": EventType.REGISTRATION_WITHDRAWN,
    "envelope": EventType.ENVELOPE_WITHDRAWN,
    "support": EventType.SUPPORT_WITHDRAWN,
    "payment": EventType.PAYMENT_WITHDRAWN,
    "recognition": EventType.RECOGNITION_WITHDRAWN,
    "title": EventType.TITLE_WITHDRAWN,
}
WITHDRAW = "withdraw"
"""Takes back a record of another kind: `withdraw: commune 01273`."""
ANY = "type"
"""A record of any type with any data."""
FORMS = (*TYPES, WITHDRAW, ANY)


class Strict(BaseModel):
    """A part of a case: a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@cache
def templates() -> Mapping[str, Mapping[str, Data]]:
    """By kind and name: the data of a whole record; `default` is what a record begins with."""
    (found,) = documents(Path(__file__).with_name("templates.yaml"))
    return dict(found.content)


class Record(Strict):
    """One record: `<kind>: <whom it speaks of>` with fields of its contract, or `type:` and `data:` of any other."""

    model_config = ConfigDict(extra="allow")

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
    def said(self) -> Data:
        """What stands beside these keys."""
        return self.model_extra or {}

    @property
    def kind(self) -> str:
        """Which short form it is."""
        return next(name for name in FORMS if name in self.said)

    @property
    def subject(self) -> str:
        """Whom it speaks of; of any other record its type."""
        return str(self.said[self.kind])

    @property
    def of(self) -> str:
        """Which kind it is of: a withdrawal of the one that it takes back, a revocation of a recognition."""
        named = {WITHDRAW: self.subject.partition(" ")[0], "revoke": "recognition", "revoke title": "title"}
        return named.get(self.kind, self.kind)

    @property
    def whom(self) -> str:
        """Whom the record speaks of, without the kind that a withdrawal names."""
        return self.subject.partition(" ")[2] if self.kind == WITHDRAW else self.subject

    @property
    def type_(self) -> str:
        """The `ce_type`."""
        if self.kind == ANY:
            return self.subject
        return (WITHDRAWALS[self.of] if self.kind == WITHDRAW else TYPES[self.kind]).value

    @property
    def label(self) -> str:
        """Under which `expect` speaks of it."""
        return self.id or f"{self.kind} {self.subject}"

    @model_validator(mode="after")
    def _sound(self) -> Record:
        if len([name for name in FORMS if name in self.said]) != 1:
            raise ValueError(f"a record is one of {', '.join((*TYPES, WITHDRAW))}, or has a `type`")
        if self.kind == WITHDRAW and self.of not in WITHDRAWALS:
            raise ValueError(f"`withdraw` names a kind ({', '.join(WITHDRAWALS)}) and whom it speaks of")
        known = {"data"} if self.kind == ANY else CONTRACTS[self.type_].model.model_fields.keys()
        if unknown := sorted(self.said.keys() - known - {self.kind}):
            also = ", ".join(sorted({*known, *(field.alias or name for name, field in Record.model_fields.items())}))
            raise ValueError(f"unknown key {', '.join(unknown)}; beside `{self.kind}` there is {also}")
        variants = templates().get(self.kind, {})
        if self.as_ is not None and self.as_ not in variants:
            raise ValueError(f"no template {self.as_!r} of {self.kind}; there is {', '.join(variants) or 'none'}")
        return self

    def message(self, province: str) -> Message:
        """As the portal of the province publishes it."""
        body = self.body()
        value = json.dumps(body, ensure_ascii=False) if self.text is None else self.text
        headers = {name: None if text is None else text.encode() for name, text in self.headers.items()}
        return Message(province, self.key or submission_key(body, province), self.type_, value.encode(), headers)

    def body(self) -> Data:
        """What it says."""
        given = {name: value for name, value in self.said.items() if name != self.kind}
        layers = [given.get("data", {})] if self.kind == ANY else [*self._templates(), self._named(), given]
        body: Data = {}
        for layer in [*layers, self.with_]:
            _lay_over(body, layer)
        for pointer in self.without:
            *outer, last = pointer.strip("/").split("/")
            inside = body
            for step in outer:
                inside = inside[step]
            del inside[last]
        return body

    def _templates(self) -> list[Data]:
        """What lies under it: of an assessment also what its series has, of a withdrawal what its kind has."""
        series = {"assessment": self.subject.partition("/")[0], WITHDRAW: self.of}.get(self.kind, "")
        variants = templates().get(self.kind, {})
        return [variants[name] for name in ("default", series, self.as_ or "") if name in variants]

    def _named(self) -> Data:
        """What the short form says: whom it speaks of, and under which id."""
        named: Data = {"submission_id": re.sub("[^A-Za-z0-9._:/-]+", "-", self.label)}
        match self.of:
            case "envelope":
                named["year"] = int(self.whom)
            case "assessment":
                named["series"], _, named["subject"] = self.whom.partition("/")
            case "payment":
                named["payment_id"] = self.whom
            case "commune":
                named["unit_code"] = self.whom
            case "recognition":
                parts = self.whom.split("/")
                names = ("series", "unit_code", "standard") if len(parts) > 1 else ("unit_code",)
                named |= zip(names, parts, strict=False)
            case "title":
                named |= zip(("model", "commune_code", "holder_id"), self.whom.split("/"), strict=False)
            case _:
                named["centre_id"] = self.whom
        if self.kind == "registration":
            named["name"] = f"Trung tâm học tập cộng đồng {self.subject}"
        return named


def _lay_over(body: Data, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        whole = isinstance(value, dict) and "scoring" in value  # a content that says how it is judged is a whole one
        if isinstance(value, dict) and isinstance(body.get(name), dict) and not whole:
            _lay_over(body[name], value)
        else:
            body[name] = copy.deepcopy(value)
