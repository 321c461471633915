"""The corrected register as a service keeps it: one document of corrections beside the imported data.

A decision reads that document like any other state, so the register it saw is part of what is decided on; the same
corrections give the same register in every service, whatever the order in which they arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

from shared.contracts.base import content_hash
from shared.contracts.register import RegisterCorrected, RegisterCorrection
from shared.registry.loading import registry
from shared.registry.lookups import Registry

CorrectionsDocument = dict[str, Any]
"""`{"hash": …, "corrections": [RegisterCorrected as JSON, in order of version]}`."""


@dataclass(frozen=True, slots=True)
class _Corrections:
    """The rows of a document, known by their hash."""

    hash: str
    rows: Sequence[Mapping[str, Any]] = field(compare=False)


def corrected_register(document: CorrectionsDocument | None) -> Registry:
    """The register as a service's document of corrections leaves it; the imported one where there is none."""
    return registry() if document is None else _corrected(_Corrections(document["hash"], document["corrections"]))


def corrections_of(document: CorrectionsDocument | None, first: int = 0) -> list[RegisterCorrected]:
    """The corrections of a document in their order, without the `first` ones."""
    return [RegisterCorrected.model_validate(row) for row in document["corrections"][first:]] if document else []


@lru_cache(maxsize=8)
def _corrected(corrections: _Corrections) -> Registry:
    return registry().corrected(RegisterCorrection.model_validate(row["correction"]) for row in corrections.rows)


def with_correction(document: CorrectionsDocument | None, fact: RegisterCorrected) -> CorrectionsDocument | None:
    """The document with one more correction in its place; `None` when it is there already."""
    rows: list[dict[str, Any]] = document["corrections"] if document else []
    if any(row["version"] == fact.version for row in rows):
        return None
    row = fact.model_dump(mode="json")
    if document is not None and fact.version > rows[-1]["version"]:
        return {"hash": content_hash([document["hash"], row]), "corrections": [*rows, row]}
    rows = sorted([*rows, row], key=lambda each: int(each["version"]))
    hashes = accumulate(rows, lambda before, each: content_hash([before, each]), initial="")
    return {"hash": [*hashes][-1], "corrections": rows}
