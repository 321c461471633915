"""Topic files: one YAML file per family of topics, with everything a broker or an integrator must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parent / "topics"
MINISTRY = "ministry"
Party = Literal["portal", "intake", "scoring", "funding", "notifications", "treasury"]


class TopicFamily(BaseModel):
    """One topic, or one per province (`{province}`) or per audience (`{audience}`: provinces and the ministry)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    key: str
    producers: list[Party]
    consumers: list[Party]
    partitions: Annotated[int, Field(ge=1)]
    nature: Literal["state", "occurrence"]
    retention_days: int | None
    """`None`: kept for ever (state facts, from which views are rebuilt)."""
    compacted: bool = False
    """Of each key only the last record is kept for good: what it said before can be forgotten."""
    max_record_bytes: Annotated[int, Field(ge=1_024, le=1_048_576)] = 1_048_576
    """What a record may have at most, packed (the broker sees to it) and unpacked (its reader does); smaller for
    outside senders, so that what is made of a record fits too."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One concrete topic."""

    name: str
    partitions: int
    retention_ms: int
    """-1: for ever."""
    max_record_bytes: int
    compacted: bool


@cache
def families() -> dict[str, TopicFamily]:
    """All topic files by file name without ending."""
    return {
        path.stem: TopicFamily.model_validate(yaml.safe_load(path.read_text()))
        for path in sorted(FOLDER.glob("*.yaml"))
    }


def topic_names(family: str, provinces: Sequence[str]) -> list[str]:
    """The concrete topics of one family."""
    pattern = families()[family].name
    if "{province}" in pattern:
        return [pattern.format(province=code) for code in provinces]
    if "{audience}" in pattern:
        return [pattern.format(audience=code) for code in (*provinces, MINISTRY)]
    return [pattern]


def all_topics(provinces: Sequence[str]) -> list[Topic]:
    """Every topic the platform needs."""
    return [
        Topic(name, family.partitions, retention_ms(family), family.max_record_bytes, family.compacted)
        for stem, family in families().items()
        for name in topic_names(stem, provinces)
    ]


def retention_ms(family: TopicFamily) -> int:
    """How long a record is kept; -1: for ever."""
    return -1 if family.retention_days is None else family.retention_days * 86_400_000


def family_of(topic: str) -> str:
    """The family a concrete topic belongs to; `KeyError` if it is none of ours."""
    for stem, family in families().items():
        prefix = family.name.split("{", 1)[0]
        if topic == family.name or ("{" in family.name and topic.startswith(prefix)):
            return stem
    raise KeyError(topic)


@cache
def largest_record(topic: str) -> int:
    """Bytes that a record of this topic may have, unpacked: key, value and headers together."""
    try:
        return families()[family_of(topic)].max_record_bytes
    except KeyError:  # none of ours
        return 1_048_576


def sender_of(topic: str) -> str:
    """The province whose channel `submissions.<province>` is: the sender's identity."""
    return topic.rsplit(".", 1)[1]


def submission_key(data: Mapping[str, Any], province: str) -> str:
    """Key of a submission's record, what it speaks of: its payment, centre, unit, other subject or commune, or the
    province."""
    names = ("payment_id", "centre_id", "unit_code", "subject", "commune_code")
    named = (*(data.get(name) for name in names), province)
    return next(one for one in named if isinstance(one, str) and one)
