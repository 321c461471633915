"""The words of a scored event: judged again from what it holds and the rules, as scoring does for its answers."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from services.scoring.decisions.documents import AcceptedAssessment, StoredAccepted, StoredScored
from services.scoring.decisions.results import score
from shared.contracts.explained import AnyExplained
from shared.contracts.facts import Inputs

_SCORED: TypeAdapter[Any] = TypeAdapter(StoredScored)
_ACCEPTED: TypeAdapter[AcceptedAssessment] = TypeAdapter(StoredAccepted)
_NOTHING = {"scoring": "points", "points": {}}
"""In the place of what was sent and taken back: nothing is read of it."""


def explained(event: dict[str, Any]) -> AnyExplained:
    """The result of a scored event (JSON) with its words. It needs nothing but the event and the rules in use."""
    scored = _SCORED.validate_python(event)
    inputs: Inputs = scored.inputs
    filed = {"submission_id": "-", "receipt_id": "-", "version": scored.input_version}
    accepted = _ACCEPTED.validate_python({**event, **filed, "content": event.get("content", _NOTHING)})
    again = score(accepted, inputs, scored.version)
    return again.model_copy(update={"supersedes": scored.supersedes})
