"""A ranking that was released or taken back is told to all who are in it: the last act, whatever came first."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest

from services.notifications.decisions import Said
from services.notifications.decisions.releases import STANDING_RELEASES, RankingYear
from services.notifications.domain import released_alerts
from shared.contracts.facts import RankingPublished, RankingReleased
from shared.messaging.decide.asking import STALE, Due
from shared.messaging.operate.topics import province_codes
from tests.fakes.known import Documents
from tests.unit.test_notifications_handlers import handle

AT = datetime(2026, 5, 5, 2, tzinfo=UTC)


def act(version: int = 1, scope: str = "nation", **changes: Any) -> RankingReleased:
    """A release, or what `changes` says."""
    ranking = RankingPublished(
        scope=scope, period=2025, version=7, rubric="r", ranked=3_000, unranked=321, pages=17, hash="0" * 64,
        published_at=AT,
    )  # fmt: skip
    given = {
        "scope": scope, "period": 2025, "version": version, "state": "released", "ranking": ranking,
        "decision_number": "9/QĐ", "decided_on": date(2026, 5, 4), "signed_by": "Vụ trưởng", "order_id": f"o-{version}",
        "released_by": "an", "role": "ministry", "released_at": AT,
    }  # fmt: skip
    return RankingReleased(**(given | changes))


WITHDRAWN = act(2, state="withdrawn", reason="Có khiếu nại.", supersedes=1)


def test_a_release_of_the_nation_is_told_to_every_province() -> None:
    alerts = released_alerts(act(), "e-1", AT)
    assert [alert.audience for alert in alerts] == province_codes()
    assert alerts[0].text.vi == (
        "Bảng xếp hạng kỳ 2025 toàn quốc được công bố theo quyết định 9/QĐ ngày 04/05/2026 (Vụ trưởng ký): 3.000 đơn "
        "vị được xếp hạng, 321 không xếp hạng."
    )
    assert alerts[0].text.en == (
        "The ranking 2025 of the nation was released by decision 9/QĐ of 2026-05-04, signed by Vụ trưởng: 3,000 units "
        "are ranked, 321 are not."
    )
    assert "`langhoc rankings --period 2025 --version 7`" in alerts[0].action.en


@pytest.mark.parametrize(
    ("scope", "told", "whose", "command"),
    [
        ("province-04", ["04"], "của Tỉnh Cao Bằng (04)", "--province 04"),
        ("area-region_3", province_codes(), "khu vực III", "--area region_3"),
    ],
)
def test_a_release_is_told_to_whom_it_concerns(scope: str, told: list[str], whose: str, command: str) -> None:
    alerts = released_alerts(act(scope=scope), "e-1", AT)
    assert [alert.audience for alert in alerts] == told
    assert whose in alerts[0].text.vi
    assert command in alerts[0].action.vi


@pytest.mark.parametrize("order", list(permutations([act(), WITHDRAWN])))
def test_the_last_act_stands_whatever_came_first(order: tuple[RankingReleased, ...]) -> None:
    states, key = Documents(), Due(RankingYear("nation", 2025), AT)
    for number, fact in enumerate(order):
        handle(states, fact, id=f"e-{number}")
        states.run(STANDING_RELEASES.decide, key, AT)
    assert handle(states, order[0], id="e-9").verdict == STALE
    assert states.run(STANDING_RELEASES.decide, key, AT).events == []
    stands = [said for said in states.values() if isinstance(said, Said) and said.cleared_at is None]
    assert len(stands) == 34
    assert {said.severity for said in stands} == {"warning"}
    assert "Việc công bố bảng xếp hạng kỳ 2025 toàn quốc bị thu hồi" in stands[0].text.vi
    assert stands[0].text.en.endswith("Reason: Có khiếu nại.")
