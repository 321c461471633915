"""Facts outside the life of their centre: held for another registration, decided again by it, told where they stay."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import domain
from services.intake.decisions import RECEIPTS, RELEASE
from services.intake.domain.lifetimes import check_lifetime
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt, RegistrationAccepted
from shared.contracts.lifetimes import existed, existed_in
from shared.contracts.submissions import CentreSubmitted, RegistrationWithdrawn, SupportSubmitted, SupportWithdrawn
from shared.registry import registry
from tests.unit.delivery_samples import AT
from tests.unit.intake_bench import Bench
from tests.unit.intake_samples import registration

FILE: dict[str, Any] = {
    "submission_id": "HN-C1",
    "centre_id": "C-1",
    "period": 2023,
    "rubric": "clc_2553_2013",
    "content": {"scoring": "points", "points": {}},
}
PAID: dict[str, Any] = {"submission_id": "HN-S1", "centre_id": "C-1", "year": 2023, "amount": 20_000_000}
LATER = {"opened_on": "2025-09-01"}


def file(**changes: Any) -> CentreSubmitted:
    """An assessment of the centre for 2023."""
    return CentreSubmitted.model_validate(FILE | changes)


def paid(**changes: Any) -> SupportSubmitted:
    """Its support of 2023."""
    return SupportSubmitted.model_validate(PAID | changes)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def register(bench: Bench, id: str, **changes: Any) -> Receipt:
    return await bench.receive(EventType.CENTRE_REGISTERED, registration(submission_id=id, **changes))


async def test_what_waits_for_a_registration_is_decided_by_the_next_one_that_reaches_it(bench: Bench) -> None:
    """One that still does not reach it changes nothing, and the third does: each file is decided once."""
    await register(bench, "R1", **LATER)
    first = await bench.receive(EventType.CENTRE_SUBMITTED, file())
    other = await bench.receive(EventType.SUPPORT_SUBMITTED, paid())
    await bench.settle()
    assert (first.status, other.status) == (Status.HELD, Status.HELD)
    await register(bench, "R2", corrects_version=1, opened_on="2024-01-01")
    await bench.settle()
    assert len(bench.receipts(Status.HELD)) == 2, "nothing is said anew of what still waits"
    assert bench.receipts(Status.ACCEPTED_LATE) == []
    await register(bench, "R3", corrects_version=2)
    await bench.settle()
    await bench.settle()
    (second,) = bench.receipts(Status.ACCEPTED_LATE)
    assert second.original is not None
    assert (second.original.receipt_id, second.received_at) == (first.receipt_id, first.received_at)
    accepted = bench.events("intake.accepted")
    assert [fact.get("period", fact.get("year")) for fact in accepted if "opened_on" not in fact] == [2023, 2023]


async def test_what_waits_for_a_centre_is_not_what_waits_for_a_code_that_reads_alike(bench: Bench) -> None:
    """A centre may be called as a commune is coded."""
    await register(bench, "R1", centre_id="00999", **LATER)
    held = await bench.receive(EventType.CENTRE_SUBMITTED, file(centre_id="00999"))
    answer = await bench.mongo.find(RECEIPTS.name, {"_id": held.receipt_id})
    assert [row["awaits"] for row in answer] == ["registration/00999"]
    assert domain.resolves(registry(), "registration/00999", AT.date()) is False


async def test_a_first_registration_asks_for_nothing(bench: Bench) -> None:
    """A whole country is registered at once, and nothing can wait for a centre that was unknown."""
    await register(bench, "R1")
    assert await bench.mongo.find("recalculations", {"set": RELEASE.name}) == []
    await register(bench, "R2", corrects_version=1, name="TTHTCĐ Trúc Bạch")
    (asked,) = await bench.mongo.find("recalculations", {"set": RELEASE.name})
    assert asked["key"] == '["registration/C-1", null]'


async def test_a_correction_of_an_accepted_file_waits_too_and_a_withdrawal_does_not(bench: Bench) -> None:
    await register(bench, "R1")
    await bench.receive(EventType.SUPPORT_SUBMITTED, paid())
    narrowed = await register(bench, "R2", corrects_version=1, **LATER)
    (left,) = narrowed.warnings
    assert (left.code, left.field) == ("left_outside_life", "/opened_on")
    assert "support of 2023 (version 1)" in left.message.en
    same = await bench.receive(EventType.SUPPORT_SUBMITTED, paid(submission_id="HN-S2"))
    other = await bench.receive(EventType.SUPPORT_SUBMITTED, paid(submission_id="HN-S3", corrects_version=1, amount=1))
    assert (same.status, other.status) == (Status.UNCHANGED, Status.HELD)
    back = SupportWithdrawn(submission_id="HN-S4", corrects_version=1, reason="gửi nhầm", centre_id="C-1", year=2023)
    gone = await bench.receive(EventType.SUPPORT_WITHDRAWN, back)
    assert gone.status is Status.ACCEPTED


async def test_a_closing_that_leaves_files_outside_is_told_with_them_and_a_wider_life_with_nothing(
    bench: Bench,
) -> None:
    await register(bench, "R1")
    for year in (2022, 2023):
        await bench.receive(EventType.SUPPORT_SUBMITTED, paid(submission_id=f"S{year}", year=year))
    await bench.receive(EventType.CENTRE_SUBMITTED, file())
    closed = await register(bench, "R2", corrects_version=1, closed_on="2023-01-01")
    (left,) = closed.warnings
    assert (left.code, left.field) == ("left_outside_life", "/closed_on")
    assert "the assessment of 2023 (version 1); support of 2023 (version 1)" in left.message.en
    wider = await register(bench, "R3", corrects_version=2)
    assert wider.warnings == []


async def test_a_centre_registered_anew_is_told_of_what_its_withdrawn_registration_left(bench: Bench) -> None:
    await register(bench, "R1")
    await bench.receive(EventType.SUPPORT_SUBMITTED, paid())
    withdrawn = RegistrationWithdrawn(submission_id="R2", corrects_version=1, reason="gửi nhầm", centre_id="C-1")
    await bench.receive(EventType.REGISTRATION_WITHDRAWN, withdrawn)
    anew = await register(bench, "R3", **LATER)
    assert [warning.code for warning in anew.warnings] == ["left_outside_life"]


days = st.dates(min_value=date(2005, 1, 1), max_value=AT.date())


@given(days, st.none() | st.integers(1, 6_000), st.integers(2008, 2027), st.booleans())
def test_support_and_file_wait_exactly_where_no_day_of_theirs_is_one_of_the_centres(
    opened: date, lived: int | None, year: int, equipment: bool
) -> None:
    """Day by day: a year of support has one day in common with the life, the cut-off date of a period lies in it."""
    closed = None if lived is None else opened + timedelta(days=lived)
    centre = RegistrationAccepted.model_validate(
        registration(opened_on=opened, closed_on=closed).model_dump()
        | {"version": 1, "receipt_id": "r", "province": "01", "received_at": AT, "unit_id": "00004@2025-07"}
    )
    known = domain.Known(registry(), {"C-1": centre})
    in_year = [date(year, 1, 1) + timedelta(days=each) for each in range(366)]
    shared = any(opened <= day and (closed is None or day < closed) for day in in_year if day.year == year)
    assert existed_in(centre, year) is shared
    assert existed(centre, date(year, 12, 31)) is (
        opened <= date(year, 12, 31) and not (closed and closed.year <= year)
    )

    findings = domain.Findings()
    check_lifetime(findings, paid(year=year, purpose="equipment" if equipment else "operating"), known)
    assert (len(findings.held), len(findings.warnings)) == ((0, 0) if shared else (0, 1) if equipment else (1, 0))
    assert (findings.awaited is None) is (not findings.held)
