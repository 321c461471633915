"""A centre without activity for months in a row: which months are such, which rule speaks of them, and what is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.idle import Activity, idle, idle_alert
from shared.contracts.facts import RegistrationAccepted
from shared.contracts.submissions import PartsTarget, TargetsContent
from shared.rulebook import rubric
from shared.rulebook.centre_year import idle_rule
from shared.rulebook.errors import NoRuleInForce, RulebookError
from shared.rulebook.reports import ReportRubric

AT = datetime(2026, 2, 20, 3, tzinfo=UTC)
MONTHS = st.lists(st.sampled_from([True, False, False, False, None]), min_size=12, max_size=12)


def report(period: int, months: Sequence[bool | None] | str, **changed: Any) -> Activity:
    """`+` active, `-` idle, `?` unknown."""
    signs = {"+": True, "-": False, "?": None}
    told = [signs[each] for each in months] if isinstance(months, str) else list(months)
    about = {"centre_id": "TT-1", "name": "TT-1", "province": "01", "period": period, "version": 1, "months": told}
    return Activity(**{**about, "event_id": f"e{period}", "at": AT} | changed)


def centre(**changed: Any) -> RegistrationAccepted:
    about = {
        "version": 1,
        "submission_id": "S",
        "receipt_id": "R",
        "province": "01",
        "received_at": AT,
        "centre_id": "TT-1",
        "name": "TT-1",
        "commune_code": "00004",
        "unit_id": "00004@2025-07",
        "area_class": "region_1",
        "population_served": 6000,
        "opened_on": date(2010, 1, 1),
    }
    return RegistrationAccepted(**about | changed)


UNDER_46, UNDER_125 = "idle_centres/46-2017", "idle_centres/125-2024"
NEVER = "-" * 12
HALF = "+" * 6 + "-" * 6
IDLE_2023 = report(2023, "-" * 12)
ALL_OF_2023 = (date(2023, 1, 1), date(2023, 12, 31), UNDER_46)


@pytest.mark.parametrize(
    ("years", "registered", "expected"),
    [
        ([IDLE_2023], None, ALL_OF_2023),
        ([report(2023, "+" + "-" * 11)], None, None),
        ([report(2022, HALF), report(2023, "-" * 6 + "?" * 6)], None, (date(2022, 7, 1), date(2023, 6, 30), UNDER_46)),
        ([report(2022, HALF), report(2023, "-----?------")], None, None),
        ([report(2021, HALF), report(2023, "-" * 6 + "+" * 6)], None, None),
        ([report(2021, "-" * 12), report(2023, "?" * 12)], None, (date(2021, 1, 1), date(2021, 12, 31), UNDER_46)),
        ([IDLE_2023, report(2024, "?" * 11 + "+")], None, None),
        ([report(2023, "+" * 11 + "-"), report(2024, NEVER)], None, (date(2023, 12, 1), date(2024, 11, 30), UNDER_125)),
        ([report(2023, "+" * 10 + "--"), report(2024, NEVER)], None, (date(2023, 11, 1), date(2024, 10, 31), UNDER_46)),
        ([report(2015, "-" * 12)], None, None),
        ([report(2016, "-" * 12), report(2017, "---+++++++++")], None, None),
        ([report(2016, "-" * 12), report(2017, "----????????")], None, (date(2016, 1, 1), date(2017, 4, 30), UNDER_46)),
        ([IDLE_2023], centre(opened_on=date(2023, 1, 1)), ALL_OF_2023),
        ([IDLE_2023], centre(opened_on=date(2023, 1, 2)), None),
        ([IDLE_2023], centre(closed_on=date(2025, 7, 1)), None),
        ([IDLE_2023], centre(suspended_on=date(2026, 1, 5)), None),
        ([IDLE_2023], centre(suspended_on=date(2022, 1, 1), resumed_on=date(2023, 1, 1)), ALL_OF_2023),
        ([IDLE_2023], centre(suspended_on=date(2022, 1, 1), resumed_on=date(2023, 1, 2)), None),
    ],
)  # fmt: skip
def test_which_months_and_which_rule(
    years: list[Activity], registered: RegistrationAccepted | None, expected: tuple[date, date, str] | None
) -> None:
    found = idle(years, registered)
    assert (found and (found.first, found.complete, found.rule.id)) == expected


@given(st.dictionaries(st.integers(2018, 2026), MONTHS, min_size=1), st.randoms(use_true_random=False))
def test_told_of_exactly_the_months_that_reports_say_were_idle(years: dict[int, list[bool | None]], turn: Any) -> None:
    """By a second reading of the same law: twelve in a row, nothing after them known to be active; in any order."""
    reports = [report(period, months) for period, months in years.items()]
    found = idle(reports, None)
    turn.shuffle(reports)
    assert idle(reports, None) == found
    line = "".join(
        "".join({True: "+", False: "-", None: "?"}[each] for each in years.get(period, [None] * 12))
        for period in range(2018, 2027)
    )
    after = line[line.rfind("+") + 1 :]
    begun = len(line) - len(after)
    longest = [(begun + at, run) for at, run in _runs(after) if run >= 12]
    assert (found is not None) == bool(longest)
    if found is not None:
        at, run = longest[-1]
        assert (found.first.year - 2018) * 12 + found.first.month - 1 == at
        assert (found.last.year - 2018) * 12 + found.last.month - 1 == at + run - 1


def _runs(line: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    for part in line.replace("?", "+").split("+"):
        found.append((at, len(part)))
        at += len(part) + 1
    return found


def test_what_is_told_names_ground_and_who_decides_in_both_languages() -> None:
    alert = idle_alert([IDLE_2023], centre())
    assert alert is not None
    assert (alert.alert_id, alert.severity, alert.audience) == ("centre_idle/TT-1/2023-01", "warning", "01")
    assert "12 months in a row, from 2023-01-01 to 2023-12-31" in alert.text.en
    assert "Consider proposing a suspension; the chair of the commune People's Committee decides" in alert.action.en
    later = idle_alert([report(2025, "-" * 12)], centre())
    assert later is not None
    assert later.severity == "info"
    assert "no ground for a suspension was found" in later.text.en
    assert "không tìm thấy căn cứ đình chỉ" in later.text.vi
    assert "suspen" not in later.action.en
    assert "đình chỉ" not in later.action.vi


def test_no_rule_is_known_before_the_decree() -> None:
    with pytest.raises(NoRuleInForce):
        idle_rule(date(2017, 4, 20))


def test_months_are_read_in_the_order_of_the_form_and_what_was_not_sent_is_unknown() -> None:
    rule = rubric("centre_activity_2013")
    assert isinstance(rule, ReportRubric)
    sent = TargetsContent(targets={"HD1": PartsTarget(parts={"T12": False, "T02": True})})
    assert rule.activity(sent) == [None, True, *[None] * 9, False]
    assert rule.activity(TargetsContent(targets={})) == rule.activity(None) == [None] * 12


@pytest.mark.parametrize("changed", [{"months": "HD2"}, {"last_day": "HD1"}, {"days_open": "ZZ1"}])
def test_a_form_that_is_held_against_a_field_of_another_type_is_refused(changed: dict[str, str]) -> None:
    rule = rubric("centre_activity_2013")
    assert isinstance(rule, ReportRubric)
    assert rule.centre_year is not None
    year = rule.centre_year.model_copy(update=changed)
    with pytest.raises((ValueError, RulebookError)):
        ReportRubric.model_validate(dict(rule) | {"centre_year": year})
