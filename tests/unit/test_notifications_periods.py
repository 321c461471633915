"""A reopened period is told to all whom it touches: once each, with scope, ground and time limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.notifications.decisions import routes
from services.notifications.domain import reopened_alerts
from shared.contracts.facts import Alert, PeriodReopened, ReopeningEnded
from shared.messaging.operate.topics import province_codes
from tests.fakes.known import Documents
from tests.unit.test_notifications_handlers import handle

AT = datetime(2027, 1, 5, 2, tzinfo=UTC)


def reopened(**changes: Any) -> PeriodReopened:
    """Communes of 2025, until the end of 31 January 2027."""
    given = {
        "order_id": "MO-1", "version": 1, "what": "commune", "period": 2025, "reason": "Lũ quét.",
        "until": datetime(2027, 1, 31, 17, tzinfo=UTC), "ordered_by": "an", "ordered_at": AT,
    }  # fmt: skip
    return PeriodReopened(**(given | changes))


def alerts(fact: PeriodReopened) -> list[Alert]:
    return reopened_alerts(fact, "e-1", AT)


def test_a_reopening_for_all_is_told_to_every_province() -> None:
    told = alerts(reopened())
    assert [alert.audience for alert in told] == province_codes()
    assert {alert.subject for alert in told if alert.audience == "04"} == {"04"}
    assert len({alert.alert_id for alert in told}) == 34


def test_what_is_told_says_scope_ground_and_until_when() -> None:
    (alert,) = alerts(reopened(province="04", subject="01273", decision_number="7/QĐ-BGDĐT"))
    assert (alert.audience, alert.subject, alert.period, alert.due) == ("04", "01273", 2025, reopened().until)
    assert alert.text.vi == (
        "Bộ mở lại kỳ 2025 (đánh giá cộng đồng học tập cấp xã) cho 01273 theo 7/QĐ-BGDĐT. Lý do: Lũ quét."
    )
    assert alert.text.en == (
        "The ministry opened the period 2025 (assessments of communes) for 01273 again by 7/QĐ-BGDĐT. Reason: Lũ quét."
    )
    assert "24:00 ngày 31/01/2027" in alert.action.vi
    assert "must be sent again" in alert.action.en


def test_an_early_end_is_told_as_another_matter() -> None:
    ended = ReopeningEnded(reason="Đã đủ", ended_by="an", ended_at=AT + timedelta(days=1))
    states = Documents()
    for fact in (reopened(province="04"), reopened(province="04", version=2, ended=ended)):
        (event,) = states.apply(handle(states, fact)).events
        told = event.data
    assert isinstance(told, Alert)
    assert told.due is None
    assert "từ 06/01/2027 09:00" in told.text.vi
    assert "2027-01-06 09:00" in told.text.en


def test_each_version_is_told_once() -> None:
    states = Documents()
    assert len(states.apply(handle(states, reopened())).events) == 34
    repeated = handle(states, reopened(), id="e-2")
    assert (repeated.events, repeated.verdict) == ([], "repeated")


def test_nothing_else_of_what_intake_accepts_is_looked_at() -> None:
    assert {type_ for type_ in routes if type_.startswith("langhoc.period")} == {"langhoc.period.reopened.v1"}
    assert not [type_ for type_ in routes if type_.endswith(".accepted.v1")]
