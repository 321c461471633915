"""The rules as they were released: what an event's verdicts are joined with, by whoever wants to know why (ADR 45)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import StringConstraints

from shared.contracts.base import Contract, Nfc, Version

Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RuleReleased(Contract):
    """`langhoc.rule.released.v1`, subject = `<id>@<revision>`: one rule document, whole, with every word of it.

    A revision never changes but for its end. Corrected words are another revision of the same identity.
    """

    id: Nfc
    revision: Revision
    """SHA-256 over all of it but its end: which words, and which figures."""
    identity: Revision
    """SHA-256 over what computes: two revisions of one identity judge alike (ADR 25)."""
    version: Version
    """1; one more each time an end is set or taken back."""
    kind: str
    """`rubric`, `point_table`, or the name of its file: `readings`, `ranking_policy`, `goals`, `funding_norms`, …"""
    series: str | None = None
    """Of a rubric: whom it judges."""
    owner: str
    """Who goes by it: `nation`, `ministry` or the code of a province."""
    effective_from: date | None
    """`None`: each entry of the document says for itself from when it holds (`goals`)."""
    effective_to: date | None = None
    """First day on which it is no longer in force."""
    content: dict[str, Any]
    """The rule as it stands in its file, as JSON: ids, names (`vi`, `en`), thresholds (exact numbers as text: `3/5`),
    citations, provenance."""


class RulebookReleased(Contract):
    """`langhoc.rulebook.released.v1`, subject = its revision: all rules that stood beside each other."""

    revision: Revision
    """SHA-256 over `rules`."""
    version: Version
    """Always 1."""
    rules: dict[str, Revision]
    """Revision of each rule, by its id."""
