"""A centre's id belongs to the province that it names: as the centre itself, and as the predecessor of another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.intake.decisions import AGGREGATES
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt, RegistrationAccepted
from tests.unit.intake_samples import Intake, registration

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("centres.yaml").read_text(encoding="utf-8"))
COMMUNES = {"01": "00004", "04": "01273", "08": "00691", "79": "25747"}
"""A commune of each sender since July 2025."""
each = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))


def register(intake: Intake, province: str, centre_id: str, **changes: Any) -> Receipt:
    """Register a centre in a commune of the sender's own."""
    data = registration(
        **{"centre_id": centre_id, "commune_code": COMMUNES[province], "submission_id": "R-1", **changes}
    )
    return intake.receive(EventType.CENTRE_REGISTERED, data, province)[0]


def of_the_id(receipt: Receipt, pointer: str) -> list[str]:
    """What was refused of the id in this place."""
    return [found.code for found in receipt.problems if found.field == pointer]


@each
def test_nobody_is_the_first_to_use_an_id_of_another_province(case: dict[str, Any]) -> None:
    receipt = register(Intake(), case["from"], case["id"])
    assert of_the_id(receipt, "/centre_id") == [code for code in [case.get("code")] if code]
    assert (receipt.status is Status.ACCEPTED) == ("code" not in case)


@each
def test_nobody_continues_a_centre_by_an_id_of_another_province(case: dict[str, Any]) -> None:
    receipt = register(Intake(), case["from"], "NEW", predecessors=[case["id"]])
    assert of_the_id(receipt, "/predecessors/0") == [code for code in [case.get("code")] if code]


def test_who_registered_an_id_before_keeps_it() -> None:
    """What an older release took stays with whoever registered it: a rule that comes later moves no centre."""
    intake, named = Intake(), "TTHTCD-79-000001"
    register(intake, "01", "C-1")
    kept = intake.states[AGGREGATES.ref("registration", "C-1", 0)]
    assert kept is not None
    assert isinstance(kept.accepted, RegistrationAccepted)
    former = kept.accepted.model_copy(update={"centre_id": named})
    intake.states[AGGREGATES.ref("registration", named, 0)] = kept.model_copy(
        update={"subject": named, "accepted": former}
    )
    changed = register(intake, "01", named, submission_id="R-2", corrects_version=1, name="TTHTCĐ khác")
    assert changed.status is Status.ACCEPTED
    assert of_the_id(register(intake, "79", named), "/centre_id") == ["centre_of_other_province"]
