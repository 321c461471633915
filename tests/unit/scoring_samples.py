"""Accepted facts for the tests of scoring: whole and valid, with single things changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from shared.contracts.facts import (
    AssessmentAccepted,
    CentreAccepted,
    CommuneAccepted,
    RecognitionAccepted,
    Revocation,
    Withdrawn,
)
from shared.contracts.submissions import PointsContent, TargetsContent
from shared.messaging.messages import Position, Received
from shared.rulebook import PassFailRubric, PointsRubric, rubric
from shared.rulebook.targets import BooleanRule, LevelRule, PartsRule, ShareRule

RECEIVED_AT = datetime(2026, 1, 10, 3, tzinfo=UTC)
UNIT = "00004@2025-07"


def points(rubric_id: str, **changed: str | None) -> PointsContent:
    """Every criterion at its maximum with evidence; `changed` sets single ones, `None` leaves one out."""
    rule = rubric(rubric_id)
    assert isinstance(rule, PointsRubric)
    given = {one.id: str(rule.maximum(one.id)) for one in rule.criteria} | changed
    return PointsContent.model_validate(
        {
            "points": {
                id: {"points": value, "evidence": ["biên bản"]} for id, value in given.items() if value is not None
            }
        }
    )


def share(numerator: int, denominator: int = 100) -> dict[str, int]:
    """A share of people."""
    return {"numerator": numerator, "denominator": denominator}


def targets(level: int = 2, *, difficult_area_basis: str | None = None, **changed: Any) -> TargetsContent:
    """Every target at a level's thresholds with evidence; `changed` (`C5_1=...`) sets single ones, `None` omits."""
    rule = rubric("lc_commune_25_2023")
    assert isinstance(rule, PassFailRubric)
    given: dict[str, Any] = {}
    for target in rule.targets:
        match target:
            case BooleanRule():
                given[target.id] = {"type": "boolean", "met": True}
            case PartsRule():
                given[target.id] = {"type": "parts", "parts": dict.fromkeys(target.parts, True)}
            case LevelRule():
                given[target.id] = {"type": "level", "level": target.min_level["L2" if level == 2 else "L1"]}
            case ShareRule():
                given[target.id] = {"type": "share", "share": share(80 if level == 2 else 60)}
            case _:
                pair = (60, 15) if level == 2 else (50, 12)
                given[target.id] = {"type": "share_pair", "trained": share(pair[0]), "university": share(pair[1])}
    given |= {id.replace("_", "."): value for id, value in changed.items()}
    return TargetsContent.model_validate(
        {
            "targets": {id: {"evidence": ["biên bản"]} | value for id, value in given.items() if value is not None},
            "difficult_area": difficult_area_basis is not None,
            "difficult_area_basis": difficult_area_basis,
        }
    )


def commune(content: PointsContent | TargetsContent, **changed: Any) -> CommuneAccepted:
    """An accepted assessment of Ba Đình for 2025 (points: 2022)."""
    pass_fail = isinstance(content, TargetsContent)
    return CommuneAccepted.model_validate(
        {
            "version": 1,
            "submission_id": "s-1",
            "receipt_id": "r-1",
            "province": "01",
            "received_at": RECEIVED_AT,
            "unit_id": UNIT if pass_fail else "00004@pre-2025-07",
            "code": "00004",
            "name": "Phường Ba Đình",
            "holder": "01",
            "period": 2025 if pass_fail else 2022,
            "rubric": "lc_commune_25_2023" if pass_fail else "lc_commune_44_2014",
            "content": content,
        }
        | changed
    )


def centre(content: PointsContent, **changed: Any) -> CentreAccepted:
    """An accepted assessment of one centre for 2025."""
    return CentreAccepted.model_validate(
        {
            "version": 1,
            "submission_id": "s-1",
            "receipt_id": "r-1",
            "province": "01",
            "received_at": RECEIVED_AT,
            "centre_id": "TT/1",
            "name": "TTHTCĐ Ba Đình",
            "commune_code": "00004",
            "period": 2025,
            "rubric": "clc_2553_2013",
            "content": content,
        }
        | changed
    )


def recognition(**changed: Any) -> RecognitionAccepted:
    """Level 1 of Ba Đình for 2023, decided in March 2024."""
    return RecognitionAccepted.model_validate(
        {
            "version": 1,
            "submission_id": "q-1",
            "receipt_id": "r-9",
            "province": "01",
            "received_at": RECEIVED_AT,
            "unit_id": UNIT,
            "code": "00004",
            "period": 2023,
            "level": 1,
            "decision_number": "12/QĐ-PGDĐT",
            "decided_on": date(2024, 3, 15),
            "decided_by": "Trưởng phòng GDĐT",
        }
        | changed
    )


def revocation(effective_from: date) -> Revocation:
    """That a decision no longer holds from a day on."""
    return Revocation(
        decision_number="3/QĐ",
        decided_on=date(2025, 6, 1),
        decided_by="Giám đốc Sở GDĐT",
        effective_from=effective_from,
        reason="Không còn đủ điều kiện",
    )


def withdrawn(fact: Any, **changed: Any) -> Withdrawn:
    """That the sender takes back an accepted fact: the version after it."""
    match fact:
        case CommuneAccepted():
            kind, subject = "commune", fact.unit_id
        case CentreAccepted():
            kind, subject = "centre", fact.centre_id
        case AssessmentAccepted():
            kind, subject = "assessment", f"{fact.series}/{fact.subject_id}"
        case _:
            parts = [fact.series, fact.unit_id, *([fact.standard] if fact.standard else [])]
            kind, subject = "recognition", fact.unit_id if fact.series == "commune" else "/".join(parts)
    return Withdrawn.model_validate(
        {
            "version": fact.version + 1,
            "submission_id": "w-1",
            "receipt_id": "r-w",
            "province": fact.province,
            "received_at": RECEIVED_AT,
            "kind": kind,
            "subject": subject,
            "period": fact.period,
            "withdraws": fact.version,
            "reason": "Gửi nhầm",
        }
        | changed
    )


def received(data: Any, type: str = "") -> Received[Any]:
    """A record as the pipeline hands it to a handler."""
    return Received(
        data=data,
        event_id="e-1",
        type=type,
        source="intake",
        subject="",
        version=data.version,
        received_at=RECEIVED_AT,
        position=Position("intake.accepted", 0, 1),
        raw=b"",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
