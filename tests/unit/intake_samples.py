"""Submissions for the tests of intake, and intake's routes over a dictionary."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.intake import decisions
from services.intake.domain import Known
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt
from shared.contracts.submissions import (
    AssessmentSubmitted,
    CentreRegistered,
    CommuneSubmitted,
    RecognitionSubmitted,
    Submission,
)
from shared.contracts.topics import submission_key
from shared.messaging.consume import envelope
from shared.messaging.decide.asking import Outcome
from shared.messaging.messages import Received, Unreadable
from shared.registry import registry
from tests.fakes.known import Documents
from tests.unit.delivery_samples import AT, head, record

KNOWN = Known(registry(), {"C-1": None})


def commune(**changes: Any) -> CommuneSubmitted:
    """An assessment of Ba Đình for 2025, sent by Hà Nội (01)."""
    return CommuneSubmitted.model_validate(
        {
            "submission_id": "HN-1",
            "unit_code": "00004",
            "period": 2025,
            "rubric": "lc_commune_25_2023",
            "content": {
                "scoring": "pass_fail",
                "targets": {"C1.1": {"type": "boolean", "met": True, "evidence": ["BB 1"]}},
            },
        }
        | changes
    )


def registration(**changes: Any) -> CentreRegistered:
    """A centre in Ba Đình."""
    return CentreRegistered.model_validate(
        {
            "submission_id": "HN-R1",
            "centre_id": "C-1",
            "name": "TTHTCĐ Ba Đình",
            "commune_code": "00004",
            "area_class": "other",
            "population_served": 12_000,
            "opened_on": "2010-09-05",
        }
        | changes
    )


def assessment(series: str, subject: str, period: int = 2024, **changes: Any) -> AssessmentSubmitted:
    """An assessment under one of the other rubrics, without values."""
    rules = {
        "district": ("lc_district_25_2023", "pass_fail"),
        "province": ("lc_province_25_2023", "pass_fail"),
        "learning_unit": ("lu_unit_24_2023", "pass_fail"),
        "universal_education": ("pcgd_xmc_20_2014", "pass_fail"),
        "learning_models": ("learning_models_387_2022", "pass_fail"),
        "vocational_centre": ("vocational_centre_39_2015", "pass_fail"),
        "centre_merger": ("centre_mergers_39_2015", "pass_fail"),
    }
    rubric, scoring = rules[series]
    values: dict[str, Any] = {"targets": {}} if scoring == "pass_fail" else {"points": {}}
    if series == "learning_unit":
        values["traits"] = ["province_unit", "state_agency", "no_school"]
    return AssessmentSubmitted.model_validate(
        {
            "submission_id": f"A-{series}-{subject}-{period}",
            "series": series,
            "subject": subject,
            "period": period,
            "rubric": rubric,
            "content": {"scoring": scoring, **values},
        }
        | changes
    )


def recognition(**changes: Any) -> RecognitionSubmitted:
    """The recognition of Ba Đình at level 1 for 2025."""
    return RecognitionSubmitted.model_validate(
        {
            "submission_id": "CN-1",
            "unit_code": "00004",
            "period": 2025,
            "level": 1,
            "decision_number": "12/QĐ-UBND",
            "decided_on": "2026-01-09",
            "decided_by": "UBND thành phố Hà Nội",
        }
        | changes
    )


class Intake:
    """Intake's routes over a dictionary, as the pipeline calls them."""

    def __init__(self) -> None:
        self.states = Documents()
        self._offset = 0

    def receive(
        self,
        type_: str,
        data: Submission | bytes,
        province: str = "01",
        at: datetime = AT,
    ) -> tuple[Receipt, Outcome]:
        """Send one record; returns its receipt and everything it led to."""
        self._offset += 1
        value = data if isinstance(data, bytes) else data.model_dump_json().encode()
        key = None if isinstance(data, bytes) else submission_key(data.model_dump(), province)
        sent = record(value, head(type_), topic=f"submissions.{province}", offset=self._offset, key=key)
        received: Received[Any] = envelope.read(sent, received_at=at, trusted=False)
        unreadable = isinstance(received.data, Unreadable)
        decide = decisions.refusals if unreadable else decisions.routes[received.type]
        outcome = self.states.run(decide, received)
        answer = outcome.events[0].data
        assert isinstance(answer, Receipt)
        assert outcome.events[0].topic == f"receipts.{province}"
        assert outcome.verdict == answer.status
        return answer, outcome

    def commune(self, province: str = "01", at: datetime = AT, **changes: Any) -> Receipt:
        """Send an assessment."""
        return self.receive(EventType.COMMUNE_SUBMITTED, commune(**changes), province, at)[0]

    def assess(self, series: str, subject: str, province: str = "01", at: datetime = AT, **changes: Any) -> Receipt:
        """Send an assessment under one of the other rubrics."""
        return self.receive(EventType.ASSESSMENT_SUBMITTED, assessment(series, subject, **changes), province, at)[0]

    def register(self, province: str = "01", **changes: Any) -> Receipt:
        """Send a centre's registration."""
        return self.receive(EventType.CENTRE_REGISTERED, registration(**changes), province)[0]
