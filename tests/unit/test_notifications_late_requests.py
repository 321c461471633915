"""A request for late acceptance stands with the ministry until it is decided; its province is answered once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.notifications.decisions import Said
from services.notifications.decisions.late_requests import STANDING_REQUESTS, Asked
from services.notifications.domain import decided_alert, requested_alert
from shared.contracts.facts import LateDecided, LateDecision, LateRequested, RequestWithdrawn
from shared.messaging.decide.asking import STALE, Due, Outcome
from tests.fakes.known import Documents
from tests.unit.test_notifications_handlers import alerts_of, cleared, handle

AT = datetime(2027, 1, 5, 2, tzinfo=UTC)
DECIDE_BY = datetime(2027, 2, 4, 17, tzinfo=UTC)
ASKED: dict[str, Any] = {
    "request_id": "YC-1", "version": 1, "province": "08", "what": "commune", "period": 2025, "subject": "00691",
    "receipt_id": "r-1", "reason": "Lũ quét.", "requested_by": "lan", "requested_at": AT, "decide_by": DECIDE_BY,
}  # fmt: skip
WITHDRAWN = RequestWithdrawn(reason="thôi", withdrawn_by="lan", withdrawn_at=AT + timedelta(days=1))


def asked(**changes: Any) -> LateRequested:
    return LateRequested(**ASKED | changes)


def decided(granted: bool, **changes: Any) -> LateDecided:
    """On the day after."""
    at, until = AT + timedelta(days=1), datetime(2027, 1, 19, 17, tzinfo=UTC)
    how = {"until": until, "order_id": "late/08/YC-1"} if granted else {}
    decision = LateDecision(granted=granted, reason="Đã xem.", decided_by="an", decided_at=at, **how)
    return LateDecided(**ASKED | {"version": 2, "decision": decision} | changes)


def told(states: Documents, at: datetime = AT) -> Outcome:
    """What is said when a burst is over."""
    return states.run(STANDING_REQUESTS.decide, Due(Asked("08", "YC-1"), at), at)


def stand(states: Documents) -> list[str]:
    return sorted(one.alert_id for one in states.values() if isinstance(one, Said) and one.cleared_at is None)


def test_while_it_waits_the_ministry_is_told_and_again_when_it_is_overdue() -> None:
    states = Documents()
    handle(states, asked())
    (first,) = alerts_of(told(states))
    assert (first.audience, first.kind, first.severity, first.due) == (
        "ministry",
        "late_requested",
        "warning",
        DECIDE_BY,
    )
    assert "Tỉnh 08" in first.text.vi
    assert "24:00 ngày 04/02/2027" in first.action.vi
    assert told(states, DECIDE_BY - timedelta(seconds=1)).events == []
    (again,) = alerts_of(told(states, DECIDE_BY))
    assert (again.alert_id, again.version, again.severity) == (first.alert_id, 2, "urgent")
    assert "Quá hạn" in again.text.vi
    assert "overdue since 2027-02-05 00:00" in again.text.en
    assert told(states, DECIDE_BY + timedelta(days=99)).events == []


@pytest.mark.parametrize("end", [decided(True), decided(False), asked(version=2, withdrawn=WITHDRAWN)])
@pytest.mark.parametrize("order", list(permutations([0, 1])))
def test_it_stands_no_more_when_it_is_over_whatever_came_first(end: LateRequested, order: tuple[int, ...]) -> None:
    states, said = Documents(), []
    for place in order:
        fact = [asked(), end][place]
        said += alerts_of(handle(states, fact, id=f"e-{place}"))
        told(states)
    assert stand(states) == (["late_decided/08/YC-1"] if isinstance(end, LateDecided) else [])
    assert len(said) == isinstance(end, LateDecided)
    assert told(states, DECIDE_BY).events == []


def test_what_stood_is_cleared_by_the_answer() -> None:
    states = Documents()
    handle(states, asked())
    told(states)
    handle(states, decided(False), id="e-2")
    assert len(cleared(told(states))) == 1
    assert handle(states, decided(False), id="e-3").verdict == STALE


def test_the_answer_says_who_decided_what_until_when_and_why() -> None:
    granted = decided_alert(decided(True), "e-1", AT)
    assert (granted.audience, granted.subject, granted.due) == ("08", "00691", datetime(2027, 1, 19, 17, tzinfo=UTC))
    assert granted.text.vi == (
        "Bộ chấp thuận đề nghị YC-1 nhận hồ sơ sau khóa sổ (đánh giá cộng đồng học tập cấp xã, 00691, kỳ 2025), đến "
        "hết ngày 19/01/2027. Người quyết định: an. Lý do: Đã xem."
    )
    assert "Send the file that was refused again" in granted.action.en
    refused = decided_alert(decided(False, what="envelope", subject=None), "e-1", AT)
    assert (refused.subject, refused.due, refused.severity) == ("08", None, "warning")
    assert refused.text.en == (
        "The ministry refused the request YC-1 for late acceptance (envelopes of provinces, period 2025). Decided by: "
        "an. Reason: Đã xem."
    )
    assert requested_alert(asked(subject=None), "e-1", AT, overdue=False).subject == "08"
