"""A result with its words → what is published of it: verdicts by id, and no word of a rule (ADR 45)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_WORDS = frozenset({"criteria", "explanation", "next_step", "references"})


def verdicts(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result with its words, as JSON, without them: as a scored event says it, but for what it was judged on."""
    criteria: Sequence[Mapping[str, Any]] = result.get("criteria", ())
    nobody = [one["id"] for each in criteria for one in each.get("targets", ()) if not one.get("applicable", True)]
    return {
        **{name: value for name, value in result.items() if name not in _WORDS},
        "criteria": {each["id"]: _verdict(each) for each in criteria},
        **({"not_applicable": [*dict.fromkeys(nobody)]} if nobody else {}),
    }


def _verdict(criterion: Mapping[str, Any]) -> dict[str, Any]:
    targets = {one["id"]: one["met"] for one in criterion.get("targets", ())}
    found = {"points": criterion.get("points"), "met": criterion.get("met"), "targets": targets}
    return {name: value for name, value in found.items() if value not in (None, {})}
