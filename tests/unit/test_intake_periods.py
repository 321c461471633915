"""Periods that close and open again: decided by arrival alone, whoever reads what in which order."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.decisions import DEEDS, RELEASE, Code, Unsound, reopening
from services.intake.decisions.documents import REOPENED, REOPENINGS, Reopened
from services.intake.domain import closable
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import MinistryOrder, PeriodReopened, Receipt
from shared.contracts.orders import PeriodReopening, ReopeningEnd
from shared.contracts.submissions import CommuneWithdrawn, EnvelopeSubmitted
from shared.messaging.decide.asking import Due, Order, Outcome
from shared.messaging.decide.register import REGISTER
from shared.registry import with_correction
from shared.rulebook import closing
from shared.rulebook.rubrics import ruled
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import Intake, commune, recognition
from tests.unit.register_samples import fact, gap_filled

CLOSED = closing("commune", 2025).at
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OTHER: dict[str, Any] = {"content": {"scoring": "pass_fail", "targets": {"C1.1": {"type": "boolean", "met": False}}}}


def reopen(intake: Intake, at: datetime, order_id: str = "MO-1", **changes: Any) -> Outcome:
    """The ministry opens communes of 2025 again for ten days."""
    wanted = {"what": "commune", "period": 2025, "reason": "lũ quét", "until": at + 10 * DAY, **changes}
    order = reopening.Reopening(PeriodReopening(order_id=order_id, **wanted), "an")
    return intake.states.run(reopening.reopen, Order(order.id, order, at), at)


def end(intake: Intake, at: datetime, reason: str = "đủ", who: str = "an", order_id: str = "MO-1") -> Outcome:
    """The ministry ends it."""
    order = reopening.Ending(order_id, ReopeningEnd(reason=reason), who)
    return intake.states.run(reopening.end, Order(order.id, order, at), at)


def refused(intake: Intake, at: datetime, **changes: Any) -> list[tuple[str, str]]:
    """Codes and places with which an order is refused."""
    with pytest.raises(Unsound) as unsound:
        reopen(intake, at, **changes)
    return sorted((problem.code, problem.field) for problem in unsound.value.problems)


def codes(receipt: Receipt) -> list[str]:
    return [problem.code for problem in receipt.problems]


# ------------------------------------------------------------------------------------------------- closing


def test_a_period_is_open_to_the_end_of_its_last_day() -> None:
    assert Intake().commune(at=CLOSED - MINUTE).status is Status.ACCEPTED_LATE
    receipt = Intake().commune(at=CLOSED)
    (problem,) = receipt.problems
    assert (receipt.status, problem.code, problem.field) == (Status.REJECTED, "period_closed", "/period")
    assert "31/12/2026" in problem.message.vi
    assert "2026-12-31" in problem.message.en
    assert "Mặc định của Langhoc" in problem.message.en, "on which ground"
    assert "ministry" in problem.mend.en


def test_a_refused_submission_may_be_sent_again_under_its_id() -> None:
    intake = Intake()
    assert intake.commune(at=CLOSED).status is Status.REJECTED
    reopen(intake, CLOSED + DAY)
    assert intake.commune(at=CLOSED + 2 * DAY).status is Status.ACCEPTED_LATE


def test_what_changes_nothing_is_answered_as_ever() -> None:
    intake = Intake()
    assert intake.commune().version == 1
    assert intake.commune(at=CLOSED).status is Status.DUPLICATE
    assert intake.commune(at=CLOSED, submission_id="HN-2").status is Status.UNCHANGED
    assert codes(intake.commune(at=CLOSED, **OTHER)) == ["submission_id_reused"]
    assert codes(intake.commune(at=CLOSED, submission_id="HN-3", corrects_version=1, **OTHER)) == ["period_closed"]


def test_money_names_its_year() -> None:
    envelope = EnvelopeSubmitted(submission_id="E-1", year=2026, amount=10**9)
    receipt, _ = Intake().receive(EventType.ENVELOPE_SUBMITTED, envelope, at=CLOSED)
    assert [(problem.code, problem.field) for problem in receipt.problems] == [("period_closed", "/year")]


def test_an_authoritys_decision_and_the_register_of_centres_are_bound_by_nothing() -> None:
    intake = Intake()
    receipt, _ = intake.receive(EventType.RECOGNITION_SUBMITTED, recognition(), at=CLOSED + 800 * DAY)
    assert receipt.status is Status.ACCEPTED
    assert intake.register().status is Status.ACCEPTED


@pytest.mark.parametrize("deed", DEEDS.values(), ids=lambda deed: str(deed.type))
def test_every_type_is_bound_by_its_own_closing_or_by_none(deed: Any) -> None:
    """A type that is added later says here whether closing binds it."""
    data = deed.type.model.model_construct(series="learning_models")
    bound = {"commune", "centre", "assessment", "envelope", "support"}
    expected = None if deed.kind.name not in bound else deed.kind.name
    assert closable(deed.kind.name, data) == ("learning_models" if expected == "assessment" else expected)
    assert deed.act != "revocation" or expected is None


def test_a_withdrawal_is_bound_like_what_it_takes_back() -> None:
    said = {"submission_id": "W-1", "unit_code": "00004", "period": 2025, "corrects_version": 1, "reason": "gửi nhầm"}
    withdrawal = CommuneWithdrawn.model_validate(said)
    for at, problems in ((CLOSED - MINUTE, []), (CLOSED, ["period_closed"])):
        intake = Intake()
        intake.commune()
        receipt, _ = intake.receive(EventType.COMMUNE_WITHDRAWN, withdrawal, at=at)
        assert codes(receipt) == problems


# ----------------------------------------------------------------------------------------------- reopening


def test_a_reopening_takes_what_arrives_from_its_order_to_its_end() -> None:
    at = CLOSED + DAY
    inside = {-MINUTE: False, timedelta(0): True, 10 * DAY - MINUTE: True, 10 * DAY: False}
    for offset, taken in inside.items():
        intake = Intake()
        reopen(intake, at)
        receipt = intake.commune(at=at + offset)
        assert receipt.status is (Status.ACCEPTED_LATE if taken else Status.REJECTED), offset
        assert receipt.under == (MinistryOrder(kind="reopening", id="MO-1") if taken else None)


def test_the_fact_names_the_order() -> None:
    intake = Intake()
    reopen(intake, CLOSED, decision_number="7/QĐ")
    _, outcome = intake.receive(EventType.COMMUNE_SUBMITTED, commune(), at=CLOSED)
    told: Any = outcome.events[1].data
    assert told.late
    assert told.under == MinistryOrder(kind="reopening", id="MO-1", decision_number="7/QĐ")


def test_the_arrival_decides_not_when_it_is_read() -> None:
    """The order was ended before the record is read; it arrived while the period was open."""
    intake = Intake()
    reopen(intake, CLOSED)
    end(intake, CLOSED + 2 * DAY)
    assert intake.commune(at=CLOSED + DAY).status is Status.ACCEPTED_LATE
    assert codes(intake.commune(at=CLOSED + 2 * DAY, submission_id="HN-2", corrects_version=1, **OTHER)) == [
        "period_closed"
    ]


@pytest.mark.parametrize(
    ("scope", "taken"),
    [
        ({}, True),
        ({"province": "01"}, True),
        ({"province": "01", "subject": "00004"}, True),
        ({"province": "01", "subject": "00008"}, False),
        ({"province": "04"}, False),
        ({"period": 2024}, False),
        ({"what": "learning_models"}, False),
    ],
)
def test_a_reopening_opens_what_it_names_and_nothing_else(scope: dict[str, Any], taken: bool) -> None:
    intake = Intake()
    reopen(intake, CLOSED, **scope)
    assert (intake.commune(at=CLOSED + DAY).status is Status.ACCEPTED_LATE) is taken


def test_a_subject_of_an_assessment_is_named_without_its_series() -> None:
    intake = Intake()
    reopen(intake, CLOSED, what="learning_models", province="01", subject="00004")
    taken = intake.assess("learning_models", "00004", at=CLOSED + DAY, period=2025)
    assert taken.under == MinistryOrder(kind="reopening", id="MO-1")
    assert codes(intake.assess("learning_models", "00008", at=CLOSED + DAY, period=2025)) == ["period_closed"]


def test_the_same_order_again_does_nothing_and_another_under_its_id_is_refused() -> None:
    intake = Intake()
    first = reopen(intake, CLOSED, until=CLOSED + DAY)
    (event,) = first.events
    assert (event.topic, event.subject, event.data.version) == (  # type: ignore[attr-defined]
        "intake.accepted", "period/MO-1", 1,
    )  # fmt: skip
    assert reopen(intake, CLOSED + MINUTE, until=CLOSED + DAY).events == []
    assert refused(intake, CLOSED, until=CLOSED + 2 * DAY) == [("order_id_reused", "/order_id")]
    assert intake.states[REOPENED.ref("commune", 2025)] == Reopened(orders=["MO-1"])


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"until": CLOSED}, [("reopening_in_past", "/until")]),
        ({"until": CLOSED + 367 * DAY}, [("reopening_too_long", "/until")]),
        ({"period": 2026}, [("period_still_open", "/period")]),
        ({"province": "99", "until": CLOSED}, [("province_unknown", "/province"), ("reopening_in_past", "/until")]),
        ({"subject": "00004"}, [("reopening_needs_province", "/province")]),
        ({"province": "04", "subject": "00004"}, [("not_entitled", "/subject")]),
        ({"province": "01", "subject": "99999"}, [("unit_unknown", "/subject")]),
        ({"province": "01", "subject": "C-1", "what": "centre"}, [("centre_unknown", "/subject")]),
        ({"province": "01", "subject": "1", "what": "province"}, [("subject_form", "/subject")]),
        ({"province": "01", "subject": "01", "what": "envelope"}, [("reopening_without_subject", "/subject")]),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_all_that_is_wrong(
    changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    assert refused(Intake(), CLOSED, **changes) == problems


def test_a_centre_of_another_province_is_not_opened_in_this_ones_name() -> None:
    intake = Intake()
    intake.register()
    assert refused(intake, CLOSED, what="centre", province="04", subject="C-1") == [
        ("centre_of_other_province", "/subject")
    ]
    assert reopen(intake, CLOSED, what="centre", province="01", subject="C-1").events


def test_a_period_may_be_opened_beyond_its_closing_before_it_closes() -> None:
    intake = Intake()
    reopen(intake, CLOSED - DAY)
    assert intake.commune(at=CLOSED - MINUTE).under is None
    assert intake.commune(at=CLOSED, submission_id="HN-2", corrects_version=1, **OTHER).under is not None


def test_there_are_not_ever_more_orders_to_look_at() -> None:
    intake = Intake()
    many = Reopened(orders=[f"X-{number}" for number in range(reopening.MOST_REOPENINGS)])
    intake.states[REOPENED.ref("commune", 2025)] = many
    assert refused(intake, CLOSED) == [("too_many_reopenings", "/period")]


# ---------------------------------------------------------------------------------------------- ended early


def test_an_end_is_a_later_version_of_the_order() -> None:
    intake = Intake()
    reopen(intake, CLOSED)
    (event,) = end(intake, CLOSED + DAY).events
    told = event.data
    assert isinstance(told, PeriodReopened)
    assert (told.version, told.until, told.closes_at) == (2, CLOSED + 10 * DAY, CLOSED + DAY)
    assert intake.states[REOPENINGS.ref("MO-1")] == told
    assert end(intake, CLOSED + 2 * DAY).events == [], "the same end again"
    for reason, who in (("khác", "an"), ("đủ", "ba")):
        with pytest.raises(Unsound) as unsound:
            end(intake, CLOSED + 2 * DAY, reason, who)
        assert [problem.code for problem in unsound.value.problems] == ["reopening_over"]


def test_what_is_over_cannot_be_ended_and_what_is_unknown_changes_nothing() -> None:
    intake = Intake()
    reopen(intake, CLOSED)
    with pytest.raises(Unsound):
        end(intake, CLOSED + 10 * DAY)
    outcome = end(intake, CLOSED, order_id="MO-2")
    assert (outcome.events, outcome.puts) == ([], {})


# ----------------------------------------------------------------------------------------------------- held

OLD: dict[str, Any] = {
    "unit_code": "00999", "period": 2022, "rubric": "lc_commune_44_2014",
    "content": {"scoring": "points", "points": {}},
}  # fmt: skip


def test_what_was_held_is_released_as_on_its_arrival_before_the_closing() -> None:
    intake = Intake()
    arrived = closing("commune", 2022).at - MINUTE
    assert intake.commune(at=arrived, **OLD).status is Status.HELD
    assert release(intake).status is Status.ACCEPTED_LATE


def test_what_was_held_under_an_order_is_released_under_it() -> None:
    intake = Intake()
    reopen(intake, CLOSED, period=2022)
    assert intake.commune(at=CLOSED + DAY, **OLD).status is Status.HELD
    end(intake, CLOSED + 2 * DAY)
    receipt = release(intake)
    assert (receipt.status, receipt.under) == (Status.ACCEPTED_LATE, MinistryOrder(kind="reopening", id="MO-1"))


def release(intake: Intake) -> Receipt:
    """The register comes to know the code, long after the closing."""
    intake.states[REGISTER] = with_correction(None, fact(1, gap_filled()))
    outcome = intake.states.run(RELEASE.decide, Due(Code("00999", 2022), CLOSED + 400 * DAY), CLOSED + 400 * DAY)
    (receipt,) = [event.data for event in outcome.events if isinstance(event.data, Receipt)]
    return receipt


# ----------------------------------------------------------------------------------------------------- HTTP


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Still(CLOSED + DAY))


ORDER: dict[str, Any] = {
    "order_id": "MO/1", "what": "commune", "period": 2025, "province": "04", "reason": "lũ quét",
    "until": (CLOSED + 5 * DAY).isoformat(),
}  # fmt: skip


async def test_the_ministry_orders_and_everybody_sees_what_concerns_him(bench: Bench) -> None:
    async with bench.http() as ministry, bench.http("province", "01") as other, bench.http("province", "04") as own:
        first = await ministry.post("/periods/reopenings", json=ORDER)
        again = await ministry.post("/periods/reopenings", json=ORDER)
        assert first.status_code == again.status_code == 200
        assert first.json() == again.json()
        assert (first.json()["ordered_by"], first.json()["version"]) == ("local:an", 1)
        assert [len((await who.get("/periods/reopenings")).json()) for who in (ministry, other, own)] == [1, 0, 1]
        assert (await ministry.get("/periods/reopenings", params={"period": 2024})).json() == []
        ended = await ministry.post("/periods/reopenings/MO/1/end", json={"reason": "đủ"})
        assert ended.json()["ended"]["reason"] == "đủ"
        assert (await ministry.post("/periods/reopenings/MO/1/end", json={"reason": "đủ"})).json() == ended.json()
    assert [event["version"] for event in bench.events("intake.accepted")] == [1, 2]


async def test_only_the_ministry_orders(bench: Bench) -> None:
    for role, province in (("province", "04"), ("finance", None), ("auditor", None)):
        async with bench.http(role, province) as http:  # type: ignore[arg-type]
            assert (await http.post("/periods/reopenings", json=ORDER)).status_code == 403
            assert (await http.post("/periods/reopenings/MO/1/end", json={"reason": "x"})).status_code == 403


async def test_every_fault_of_a_body_is_named_at_once(bench: Bench) -> None:
    async with bench.http() as http:
        answer = await http.post(
            "/periods/reopenings", json={**ORDER, "what": "everything", "until": "hôm nay", "x": 1}
        )
        missing = await http.post("/periods/reopenings/MO/9/end", json={"reason": "đủ"})
    assert (answer.status_code, missing.status_code) == (422, 404)
    assert {problem["field"] for problem in answer.json()["problems"]} == {"/what", "/until", "/x"}


async def test_closings_of_a_year_with_their_ground(bench: Bench) -> None:
    async with bench.http("province", "04") as http:
        found = (await http.get("/periods", params={"year": 2025})).json()
        current = (await http.get("/periods")).json()
    filed = dict.fromkeys(ruled() - {"learning_citizen"}, True)
    assert {one["what"]: one["closed"] for one in found} == filed | {"envelope": True, "support": False}
    assert {one["provenance"] for one in found} == {"provisional"}
    assert datetime.fromisoformat(found[0]["closes_at"]) == CLOSED
    assert {one["period"] for one in current} == {2027}
