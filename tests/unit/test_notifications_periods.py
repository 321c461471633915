"""A reopened period is told to all whom it touches, with scope, ground and time limit, until it is closed again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.notifications.decisions import Said, routes
from services.notifications.decisions.periods import STANDING_OPENINGS, OpeningOrder
from services.notifications.domain import reopened_alerts
from shared.contracts.facts import Alert, PeriodReopened, ReopeningEnded
from shared.messaging.decide.asking import STALE, Due, Outcome
from shared.messaging.operate.topics import province_codes
from tests.fakes.known import Documents
from tests.unit.test_notifications_handlers import alerts_of, cleared, handle

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


ENDED = ReopeningEnded(reason="Đã đủ", ended_by="an", ended_at=AT + timedelta(days=1))


def told(states: Documents, at: datetime = AT) -> Outcome:
    """What is said when a burst is over."""
    return states.run(STANDING_OPENINGS.decide, Due(OpeningOrder("MO-1"), at), at)


def stand(states: Documents) -> list[str]:
    return sorted(said.alert_id for said in states.values() if isinstance(said, Said) and said.cleared_at is None)


def test_what_is_open_is_told_once_and_is_over_when_its_time_is() -> None:
    states = Documents()
    handle(states, reopened())
    assert len(alerts_of(told(states))) == 34
    assert handle(states, reopened(), id="e-2").verdict == STALE
    assert told(states).events == []
    assert told(states, reopened().until - timedelta(seconds=1)).events == []
    assert len(cleared(told(states, reopened().until))) == 34
    assert stand(states) == []


def test_what_comes_when_its_time_is_over_is_not_told() -> None:
    states = Documents()
    handle(states, reopened())
    assert told(states, reopened().until).events == []


@pytest.mark.parametrize("order", list(permutations([1, 2])))
def test_an_early_end_is_told_as_another_matter_whatever_came_first(order: tuple[int, ...]) -> None:
    states, said = Documents(), []
    for version in order:
        fact = reopened(province="04", version=version, ended=ENDED if version == 2 else None)
        said += [*alerts_of(handle(states, fact, id=f"e-{version}")), *alerts_of(told(states))]
    assert stand(states) == ["period_reopened/MO-1/2/04"]
    (ended,) = [alert for alert in said if alert.alert_id in stand(states)]
    assert ended.due is None
    assert "từ 06/01/2027 09:00" in ended.text.vi
    assert "2027-01-06 09:00" in ended.text.en


def test_nothing_else_of_what_intake_accepts_is_looked_at() -> None:
    assert {type_ for type_ in routes if type_.startswith("langhoc.period")} == {"langhoc.period.reopened.v1"}
    assert [type_ for type_ in routes if type_.endswith(".accepted.v1")] == ["langhoc.registration.accepted.v1"]
