"""How much a client may move on Kafka: dated settings, by kind of principal."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.contracts.rights import SERVICES, province_of

FILE = Path(__file__).parent / "quotas.yaml"


class Quota(BaseModel):
    """What one principal may move over all its connections to a broker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    written_bytes: Annotated[int, Field(ge=1_024)]
    """A second."""
    read_bytes: Annotated[int, Field(ge=1_024)]
    """A second."""
    request_percent: Annotated[int, Field(ge=1, le=1_000)]
    """Time of the broker's threads for requests; 100 is one thread."""


class Quotas(BaseModel):
    """The quotas from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    begin: Annotated[date, Field(alias="from")]
    portal: Quota | None
    treasury: Quota | None
    service: Quota | None


@cache
def quotas() -> tuple[Quotas, ...]:
    """All that were set, oldest first."""
    found = TypeAdapter(list[Quotas]).validate_python(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda each: each.begin))


def quota(principal: str, on: date) -> Quota | None:
    """What holds for a principal on a day; `None`: it is not limited. `KeyError` for nobody of ours."""
    (*_, now) = [each for each in quotas() if each.begin <= on] or [quotas()[0]]
    if principal in SERVICES:
        return now.service
    if principal == "treasury":
        return now.treasury
    if province_of(principal):
        return now.portal
    raise KeyError(principal)
