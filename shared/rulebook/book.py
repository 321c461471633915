"""All rules that are in use beside each other, each as a document, and the revision of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from shared.contracts.base import content_hash, ungrounded
from shared.rulebook.areas import area_lists
from shared.rulebook.checking import AREAS, LAYERED, Reader
from shared.rulebook.goals import goals
from shared.rulebook.overlays import NATION, folders
from shared.rulebook.rubrics import own_tables, rubrics
from shared.rulebook.source import Dated

GOALS = "goals"
"""Id and kind of the document that holds all goals: they have days of their own, and no version of all."""


@dataclass(frozen=True)
class Document:
    """One rule document as it is told: its identity and revision, and all of it as JSON."""

    kind: str
    owner: str
    """`nation`, `ministry` or the code of a province."""
    id: str
    identity: str
    revision: str
    series: str | None
    effective_from: date | None
    effective_to: date | None
    content: dict[str, Any]

    @classmethod
    def of(cls, kind: str, owner: str, rule: Dated) -> Document:
        """A version of a rule."""
        return cls(
            kind=kind,
            owner=owner or "nation",
            id=rule.id,
            identity=rule.identity,
            revision=rule.revision,
            series=getattr(rule, "series", None),
            effective_from=rule.effective_from,
            effective_to=rule.effective_to,
            content=rule.model_dump(mode="json"),
        )


@dataclass(frozen=True)
class Rulebook:
    """The rules of some folders, in order of id."""

    documents: tuple[Document, ...]

    @cached_property
    def revision(self) -> str:
        """SHA-256 over the ids and revisions of all of them."""
        return content_hash(self.revisions)

    @property
    def revisions(self) -> dict[str, str]:
        """Revision of each document, by its id."""
        return {each.id: each.revision for each in self.documents}


@lru_cache
def _rulebook(places: Sequence[Path]) -> Rulebook:
    found = [_all_goals(), *(Document.of("rubric", NATION, each) for each in rubrics())]
    tables = [placed for layers in own_tables().values() for placed in layers.all]
    found += [Document.of("point_table", placed.place.owner, placed.version) for placed in tables]
    readers: dict[str, Reader] = {**LAYERED, AREAS: area_lists}
    for file, load in readers.items():
        kind = file.removesuffix(".yaml")
        found += [Document.of(kind, placed.place.owner, placed.version) for placed in load(places).all]
    return Rulebook(tuple(sorted(found, key=lambda each: each.id)))


def _all_goals() -> Document:
    content = {GOALS: [each.model_dump(mode="json") for each in goals()]}
    return Document(
        kind=GOALS,
        owner="nation",
        id=GOALS,
        identity=content_hash(ungrounded(content)),
        revision=content_hash(content),
        series=None,
        effective_from=None,
        effective_to=None,
        content=content,
    )


def rulebook() -> Rulebook:
    """The rules in use. Raises `RulebookError`: a file cannot be used."""
    return _rulebook(folders())
