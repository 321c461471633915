"""The retention policy: dated rules, each with its reason (`retention.yaml`, ADR 42)."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from shared.contracts.base import Provenance, Text

FILE = Path(__file__).parent / "retention.yaml"


class Rule(BaseModel):
    """How long one thing is kept, from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    rule: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    what: Text
    where: str
    """Service and collection, topics, or a place outside of Langhoc."""
    effective_from: Annotated[date, Field(alias="from")]
    days: Annotated[int, Field(ge=1)] | None
    """`None`: no term; the reason says who decides."""
    then: Literal["hash", "words", "delete", "stays"]
    by: Literal["platform", "database", "broker", "operator"]
    reason: Text
    citation: str
    provenance: Provenance

    @model_validator(mode="after")
    def _a_term_has_an_end(self) -> Rule:
        if (self.days is None) != (self.then == "stays"):
            raise ValueError(f"{self.rule}: what stays has no term, and what has a term does not stay")
        return self


@cache
def rules() -> tuple[Rule, ...]:
    """All rules there ever were, by their day. Raises `ValidationError` of a file that is none."""
    found = TypeAdapter(list[Rule]).validate_python(yaml.safe_load(FILE.read_bytes()))
    return tuple(sorted(found, key=lambda each: each.effective_from))


def policy_on(day: date) -> dict[str, Rule]:
    """The rules in force on a day, by name."""
    return {each.rule: each for each in rules() if each.effective_from <= day}


def rule_on(name: str, day: date) -> Rule | None:
    """One of them; `None` before there was one."""
    return policy_on(day).get(name)
