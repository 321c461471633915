"""Assessments of districts, provinces, learning units and per commune; registrations with ends; recognitions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.intake.decisions import AGGREGATES
from services.intake.decisions.submissions import ACCEPTED_TOPIC
from services.intake.domain import Arrival, check_recognition, check_registration
from services.intake.domain.checking import opening
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import (
    AssessmentAccepted,
    CommuneAccepted,
    Receipt,
    RecognitionAccepted,
    RegistrationAccepted,
)
from shared.registry import REORGANISATION
from shared.rulebook import HANOI, rubric_for
from tests.unit.delivery_samples import AT
from tests.unit.intake_samples import KNOWN, Intake, assessment, commune, recognition, registration

SUMMER = datetime(2025, 3, 20, tzinfo=HANOI)


def codes(receipt: Receipt) -> list[str]:
    """What was refused."""
    return [found.code for found in receipt.problems]


def warnings(receipt: Receipt) -> list[str]:
    """What was doubted."""
    return [found.code for found in receipt.warnings]


# ------------------------------------------------------------------------------------------------- assessments


@pytest.mark.parametrize(
    ("series", "subject", "period", "province", "subject_id", "name", "holder"),
    [
        # The unit of the cut-off date: code 00004 was Trúc Bạch in 2024 and is Ba Đình in 2025.
        ("universal_education", "00004", 2024, "01", "00004@pre-2025-07", "Phường Trúc Bạch", "01"),
        ("universal_education", "00004", 2025, "01", "00004@2025-07", "Phường Ba Đình", "01"),
        ("learning_models", "00004", 2025, "01", "00004@2025-07", "Phường Ba Đình", "01"),
        # Hà Giang (02) went to Tuyên Quang (08), which speaks for what Hà Giang held.
        ("learning_models", "00688", 2024, "08", "00688@pre-2025-07", "Phường Quang Trung", "02"),
        ("district", "001", 2024, "01", "001", "Quận Ba Đình", "01"),
        ("district", "024", 2024, "08", "024", "Thành phố Hà Giang", "02"),
        ("province", "01", 2025, "01", "01", "Thành phố Hà Nội", "01"),
        ("province", "02", 2024, "08", "02", "Tỉnh Hà Giang", "02"),
        ("learning_unit", "HN/unit-7", 2025, "01", "HN/unit-7", "HN/unit-7", "01"),
    ],
)
def test_the_subject_is_what_its_series_and_the_cut_off_date_say(
    series: str, subject: str, period: int, province: str, subject_id: str, name: str, holder: str
) -> None:
    receipt, outcome = Intake().receive(
        EventType.ASSESSMENT_SUBMITTED, assessment(series, subject, period), province, AT
    )
    assert receipt.status in (Status.ACCEPTED, Status.ACCEPTED_LATE), codes(receipt)
    assert (receipt.kind, receipt.subject, receipt.period) == ("assessment", f"{series}/{subject}", period)
    _, event = outcome.events
    fact = event.data
    assert isinstance(fact, AssessmentAccepted)
    assert (event.topic, event.key, event.subject) == (
        ACCEPTED_TOPIC,
        f"{series}/{subject_id}",
        f"{series}/{subject_id}",
    )
    assert (fact.series, fact.subject_id, fact.name, fact.holder) == (series, subject_id, name, holder)
    assert AGGREGATES.ref("assessment", series, subject, period) in outcome.puts


@pytest.mark.parametrize(
    ("series", "subject", "period", "province", "problems"),
    [
        ("universal_education", "00004", 2025, "04", ["not_entitled"]),
        ("universal_education", "99999", 2025, "01", ["unit_unknown"]),
        ("universal_education", "4", 2025, "01", ["subject_form"]),
        ("learning_models", "001", 2025, "01", ["subject_form"]),
        ("district", "00004", 2024, "01", ["subject_form"]),
        ("district", "001", 2024, "04", ["not_entitled"]),
        ("province", "1", 2025, "01", ["subject_form"]),
        ("province", "02", 2025, "08", ["province_unknown"]),
        ("province", "02", 2024, "04", ["not_entitled"]),
        ("province", "01", 2025, "04", ["not_entitled"]),
    ],
)
def test_a10_a_province_speaks_only_for_what_it_or_its_predecessors_held(
    series: str, subject: str, period: int, province: str, problems: list[str]
) -> None:
    """A10, D3: rights by province and date, for every series."""
    receipt = Intake().assess(series, subject, province, period=period)
    assert receipt.status is Status.REJECTED
    assert codes(receipt) == problems
    assert receipt.problems[0].field == "/subject"


def test_d7_no_district_is_assessed_after_its_level_was_closed() -> None:
    """D7: the level is data with an end; the period's cut-off date decides, not the day of reception."""
    intake = Intake()
    assert intake.assess("district", "001", period=2024, at=SUMMER).status is Status.ACCEPTED
    receipt = intake.assess("district", "001", period=2025)
    assert receipt.status is Status.REJECTED
    assert codes(receipt) == ["level_closed", "no_rubric"]
    closed = receipt.problems[0]
    assert closed.field == "/series"
    assert "01/07/2025" in closed.message.vi
    assert "2025-07-01" in closed.message.en


def test_d7_a_district_that_the_register_does_not_reach_is_held() -> None:
    receipt = Intake().assess("district", "999", period=2024, at=SUMMER)
    assert (receipt.status, codes(receipt)) == (Status.HELD, ["register_gap"])


def test_a_learning_unit_belongs_to_the_first_province_that_named_it() -> None:
    """A10: its id is opaque; a refused submission claims nothing."""
    intake = Intake()
    refused = intake.assess("learning_unit", "U-7", "04", period=2025, rubric="lu_unit_22_2020")
    assert codes(refused) == ["wrong_rubric"]
    assert intake.assess("learning_unit", "U-7", "01", period=2025).status is Status.ACCEPTED
    stolen = intake.assess("learning_unit", "U-7", "04", period=2026, at=datetime(2026, 12, 20, tzinfo=HANOI))
    assert codes(stolen) == ["subject_of_other_province"]
    again = intake.assess("learning_unit", "U-7", "01", period=2026, at=datetime(2026, 12, 20, tzinfo=HANOI))
    assert again.status is Status.ACCEPTED


def test_a_mistyped_commune_of_an_assessment_is_answered_with_the_one_that_was_meant() -> None:
    """B1."""
    (found,) = Intake().assess("learning_models", "0004", period=2025).problems
    assert "00004" in found.expected.vi
    assert "00004" in found.expected.en


@pytest.mark.parametrize(
    ("name", "warned"), [("Phường Ba Đình", []), ("PHƯỜNG BA ĐÌNH", []), ("Ba Đình", ["name_differs"])]
)
def test_b10_a_name_is_a_label(name: str, warned: list[str]) -> None:
    receipt = Intake().assess("learning_models", "00004", period=2025, name=name)
    assert receipt.status is Status.ACCEPTED_LATE
    assert warnings(receipt) == warned


def test_b10_the_name_of_another_unit_is_refused() -> None:
    """A commune of Thanh Hóa is called so."""
    receipt = Intake().assess("learning_models", "00004", period=2025, name="Xã Ba Đình")
    assert codes(receipt) == ["name_of_other_unit"]


def test_lateness_is_that_of_the_series_own_deadline() -> None:
    """Learning models are due on 15 December of the period itself (Decision 448), learning units on 15 January."""
    last = datetime(2025, 12, 15, 23, 59, 59, tzinfo=HANOI)
    intake = Intake()
    assert intake.assess("learning_models", "00004", period=2025, at=last).status is Status.ACCEPTED
    late = intake.assess("learning_models", "00008", period=2025, at=datetime(2025, 12, 16, tzinfo=HANOI))
    assert late.status is Status.ACCEPTED_LATE
    assert late.deadline == datetime(2025, 12, 16, tzinfo=HANOI)


@pytest.mark.parametrize(
    ("series", "period", "first_day"),
    [
        ("commune", 2025, date(2025, 12, 1)),
        ("commune", 2022, date(2022, 12, 1)),  # due on 31 December itself
        ("province", 2025, date(2025, 12, 1)),
        ("learning_models", 2025, date(2025, 1, 1)),
        ("universal_education", 2025, date(2025, 1, 1)),
    ],
)
def test_a_period_opens_before_its_rule_closes_it(series: Any, period: int, first_day: date) -> None:
    """C1: a rule that is due within the year must be open within the year."""
    assert opening(rubric_for(series, period), period) == first_day


def test_an_assessment_outside_its_window_is_told_the_day() -> None:
    receipt = Intake().assess("universal_education", "00004", period=2025, at=datetime(2024, 12, 31, tzinfo=HANOI))
    (found,) = receipt.problems
    assert found.code == "period_not_open"
    assert "01/01/2025" in found.message.vi


def test_an_assessment_is_corrected_by_naming_its_version() -> None:
    intake = Intake()
    intake.assess("province", "01", period=2025)
    conflict = intake.assess("province", "01", period=2025, submission_id="A-2", name="Hà Nội")
    assert conflict.status is Status.CONFLICT
    assert intake.assess("province", "01", period=2025, submission_id="A-3", name="x", corrects_version=1).version == 2


# ------------------------------------------------------------------------------------------------- communes


def test_a_communes_area_class_travels_on_and_without_its_list_is_doubted() -> None:
    receipt, outcome = Intake().receive(EventType.COMMUNE_SUBMITTED, commune(area_class="region_3"))
    assert (receipt.status, warnings(receipt)) == (Status.ACCEPTED, ["area_class_without_basis"])
    fact = outcome.events[1].data
    assert isinstance(fact, CommuneAccepted)
    assert fact.area_class == "region_3"
    based = Intake().commune(area_class="region_3", area_class_basis="Quyết định 861/QĐ-TTg")
    assert warnings(based) == []


# ------------------------------------------------------------------------------------------------- registrations


def test_a_registration_carries_its_end_and_its_predecessors() -> None:
    intake = Intake()
    intake.register(centre_id="C-0", submission_id="R-0")
    receipt, outcome = intake.receive(
        EventType.CENTRE_REGISTERED, registration(closed_on="2027-01-01", predecessors=["C-0", "C-9"])
    )
    assert (receipt.status, warnings(receipt)) == (Status.ACCEPTED, ["predecessor_unknown"])
    assert receipt.warnings[0].field == "/predecessors/1"
    fact = outcome.events[1].data
    assert isinstance(fact, RegistrationAccepted)
    assert (fact.closed_on, fact.predecessors) == (date(2027, 1, 1), ["C-0", "C-9"])


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"closed_on": "2010-09-05"}, [("closed_before_opened", "/closed_on")]),
        ({"closed_on": "2010-09-06"}, []),
        ({"predecessors": ["C-1"]}, [("predecessor_is_itself", "/predecessors/0")]),
        ({"predecessors": ["C-0", "C-0"]}, [("predecessor_twice", "/predecessors/1")]),
        ({"predecessors": ["C-04"]}, [("centre_of_other_province", "/predecessors/0")]),
        (
            {"closed_on": "2001-01-01", "predecessors": ["C-1", "C-0", "C-0"]},
            [
                ("closed_before_opened", "/closed_on"),
                ("predecessor_is_itself", "/predecessors/0"),
                ("predecessor_twice", "/predecessors/2"),
            ],
        ),
    ],
)
def test_what_can_be_wrong_with_a_centres_life(changes: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    intake = Intake()
    intake.register(centre_id="C-0", submission_id="R-0")
    intake.register("04", centre_id="C-04", submission_id="R-04", commune_code="01273")
    receipt = intake.register(**changes)
    assert [(found.code, found.field) for found in receipt.problems] == problems
    assert receipt.status is (Status.REJECTED if problems else Status.ACCEPTED)


# ------------------------------------------------------------------------------------------------- recognitions


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({}, []),
        ({"level": None}, [("level_or_grade", "/level")]),
        ({"grade": "tot"}, [("level_or_grade", "/level")]),
        ({"level": None, "grade": "tot"}, [("recognition_needs_level", "/grade")]),
        ({"period": 2022, "decided_on": "2023-01-20"}, [("recognition_needs_grade", "/level")]),
        ({"period": 2022, "decided_on": "2023-01-20", "level": None, "grade": "kha"}, []),
        ({"period": 2022, "decided_on": "2023-01-20", "level": None, "grade": "yeu"}, [("grade_unknown", "/grade")]),
        # Decided under the new circular about a period of the old one: the authority's own rule counts as well.
        ({"period": 2023, "decided_on": "2024-03-20"}, []),
        ({"period": 2023, "decided_on": "2024-03-20", "level": None, "grade": "tot"}, []),
        ({"period": 2023, "decided_on": "2024-01-05"}, [("recognition_needs_grade", "/level")]),
    ],
)
def test_a_recognition_names_a_level_or_a_grade_of_its_rubric(
    changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    findings = check_recognition(recognition(**changes), Arrival("01", AT), KNOWN)
    assert [(found.code, found.field) for found in findings.problems] == problems


def test_an_accepted_recognition_carries_the_grade() -> None:
    data = recognition(period=2022, decided_on="2023-01-20", level=None, grade="kha")
    _, outcome = Intake().receive(EventType.RECOGNITION_SUBMITTED, data)
    fact = outcome.events[1].data
    assert isinstance(fact, RecognitionAccepted)
    assert (fact.unit_id, fact.level, fact.grade) == ("00004@pre-2025-07", None, "kha")


# ------------------------------------------------------------------------------------------------- codes of their day


def test_every_commune_that_ended_in_2025_had_centres_that_can_be_registered_under_its_code() -> None:
    """A centre that closed with its commune speaks of the days before: the code may be another unit's since."""
    before = REORGANISATION - timedelta(days=1)
    units = KNOWN.register.units(before)
    assert len(units) > 10_000
    for unit in units:
        sender = KNOWN.register.speaker(unit.province_code, before)
        data = registration(commune_code=unit.code, closed_on=REORGANISATION)
        findings = check_registration(data, Arrival(sender, AT), KNOWN)
        assert (findings.problems, findings.held, findings.unit) == ([], [], unit)


def test_a_centre_that_is_open_lies_in_a_commune_of_today() -> None:
    """Also one whose end is only announced."""
    for changes in ({}, {"closed_on": "2099-01-01"}):
        findings = check_registration(registration(**changes), Arrival("01", AT), KNOWN)
        assert findings.unit is not None
        assert findings.unit.unit_id == "00004@2025-07"
