"""Whatever intake accepts, everything made of it fits: the largest submissions, through all services, byte by byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.funding.decisions import SYSTEM, Command, refused
from services.funding.domain.life import Life
from services.intake import decisions as intake
from services.intake.decisions import register as register_handlers
from services.intake.domain import check_correction
from services.intake.domain.checking import MOST_CONTENT
from services.intake.domain.register import MOST_NAME
from services.notifications.domain import Proposal, digest_alert, unknown_alerts
from services.notifications.domain.budgets import MOST
from services.scoring.decisions.documents import MOST_REFERENCES, in_order
from services.scoring.domain.indicators import MOST_SHOWN
from services.scoring.domain.movement import Movement
from services.scoring.domain.ranking import row_of
from services.scoring.domain.results import score_commune
from services.scoring.domain.revision import difference
from services.scoring.domain.verdicts import without_words
from shared.contracts.base import Label, Status, Text
from shared.contracts.bounds import MOST as MOST_PROBLEMS
from shared.contracts.catalogue import EventType
from shared.contracts.facts import PreviousPlace, RankingChanges, RankingPage, Reference
from shared.contracts.life import State
from shared.contracts.submissions import CommuneSubmitted, PointsContent
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.envelope import size_of
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Ask, Consumer, Outcome
from shared.messaging.messages import Cut, Position, Reason, Received, Unreadable
from shared.messaging.send.events import body_of
from shared.messaging.send.outbox import LARGEST_BODY
from shared.refusals import problem
from shared.registry import registry
from shared.rulebook import rubric
from shared.wording import EN
from tests.fakes.known import Documents
from tests.fakes.memory import LARGEST_DOCUMENT, MemoryMongo
from tests.unit import register_samples, scoring_samples
from tests.unit import test_notifications_alerts as notified
from tests.unit.delivery_samples import head, record
from tests.unit.intake_bench import Bench as IntakeBench
from tests.unit.ranking_samples import standing
from tests.unit.size_samples import LENGTH, LIMIT, ROOM, Body, Chain, assessed, encoded, filled

EVENT, DOCUMENT = 400_000, 2_000_000
"""Bytes of the largest event and document that any submission may lead to (docs/guarantees.md); the walls stand at
`LARGEST_BODY` and `LARGEST_DOCUMENT`."""
ALERT = 100_000
"""Bytes of the largest alert, a digest."""
COMMUNE, CENTRE, ASSESSMENT = (
    EventType.COMMUNE_SUBMITTED,
    EventType.CENTRE_SUBMITTED,
    EventType.ASSESSMENT_SUBMITTED,
)
KINDS: dict[str, tuple[EventType, int, dict[str, Any]]] = {
    "commune by targets": (COMMUNE, 2025, {"unit_code": "00004", "unit_name": "x" * 300, "area_class": "region_1"}),
    "commune by points": (COMMUNE, 2022, {"unit_code": "00001"}),
    "centre": (CENTRE, 2025, {"centre_id": "C" * 100}),
    "district": (ASSESSMENT, 2024, {"series": "district", "subject": "001"}),
    "province": (ASSESSMENT, 2024, {"series": "province", "subject": "01"}),
    "learning unit": (
        ASSESSMENT,
        2025,
        {
            "series": "learning_unit",
            "subject": "U" * 100,
            "name": "x" * 300,
            "traits": ["province_unit", "state_agency", "no_school"],
        },
    ),
    "learning unit by points": (ASSESSMENT, 2021, {"series": "learning_unit", "subject": "U" * 100}),
    "universal education": (ASSESSMENT, 2025, {"series": "universal_education", "subject": "00004"}),
    "learning models": (ASSESSMENT, 2025, {"series": "learning_models", "subject": "00004"}),
    "learning models before": (ASSESSMENT, 2018, {"series": "learning_models", "subject": "00001"}),
}


def registration(character: str = "x") -> Body:
    """The largest registration of a centre."""
    return {
        "submission_id": "R" * 100,
        "centre_id": "C" * 100,
        "name": character * 300,
        "commune_code": "00004",
        "area_class": "other",
        "population_served": 200_000_000,
        "opened_on": "2010-09-05",
        "predecessors": [f"{number:03}" + "P" * 97 for number in range(50)],
    }


async def chain() -> Chain:
    """The services, with the centre that assessments speak of."""
    services = await Chain().start()
    assert (await services.submit(EventType.CENTRE_REGISTERED, registration())).status is Status.ACCEPTED
    return services


def body(kind: str, *, met: bool) -> tuple[EventType, Body]:
    """An assessment of a kind, without evidence yet."""
    type_, period, about = KINDS[kind]
    return type_, assessed(type_, period, met=met, **about)


def fits(services: Chain) -> None:
    """All that was sent and kept is far below what broker and database take, and nothing was left behind."""
    assert services.dead_letters() == []
    assert services.largest_event() < EVENT < LARGEST_BODY
    assert services.largest_document() < DOCUMENT < LARGEST_DOCUMENT


@pytest.mark.parametrize("met", [True, False])
@pytest.mark.parametrize("kind", KINDS)
async def test_everything_that_is_made_of_the_largest_submission_fits(kind: str, met: bool) -> None:
    services = await chain()
    type_, largest = body(kind, met=met)
    receipt = await services.submit(type_, filled(largest, "ế"))
    assert receipt.status in (Status.ACCEPTED, Status.ACCEPTED_LATE), receipt.problems
    fits(services)


async def test_the_dead_letter_of_the_largest_fact_fits_though_its_failure_quotes_all_of_it() -> None:
    async def fails(received: Received[Any], ask: Ask) -> Outcome:
        raise ValueError(repr(received.raw))

    mongo = MemoryMongo()
    consumer = Consumer("c", ("scores",), {EventType.COMMUNE_SCORED: fails})
    pipeline = Pipeline("c", consumer, mongo, clock=BusinessClock(), brake=Brake(5))
    scored = score_commune(scoring_samples.commune(scoring_samples.points("lc_commune_44_2014")), [], references(50), 1)
    largest = without_words(scored, "0" * 64).model_copy(update={"missing": ["\x01" * (EVENT // 6)]})
    await pipeline.process([record(body_of(largest), head(EventType.COMMUNE_SCORED), topic="scores")])
    (letter,) = mongo.all("dead_letters")
    assert bytes(letter["value"]) == body_of(largest)
    assert len(bson.encode(letter)) < DOCUMENT < LARGEST_DOCUMENT


# ------------------------------------------------------------------------------------------------- text that grows


@pytest.mark.parametrize("kind", ["commune by targets", "commune by points", "centre"])
@pytest.mark.parametrize("character", ["\u0958", "\U0001d160", "\ufb2c", "\x01", '"', "\U00020000"])
async def test_text_that_is_longer_in_nfc_fits_or_is_refused_by_a_receipt_that_fits(kind: str, character: str) -> None:
    services = await chain()
    type_, largest = body(kind, met=False)
    receipt = await services.submit(type_, filled(largest, character))
    codes = [problem.code for problem in receipt.problems]
    refused = (
        ["content_too_large"] if character != "\x01" else [*["text_unclean"] * (MOST_PROBLEMS - 1), "more_problems"]
    )
    assert codes == (refused if receipt.status is Status.REJECTED else [])
    fits(services)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=LENGTH // 18))
def test_no_text_becomes_longer_on_its_way_than_three_times_what_was_sent(text: str) -> None:
    """Unicode promises it of NFC in UTF-8; of JSON it holds because both sides escape the same characters."""
    label = TypeAdapter(Label)
    assert len(label.dump_json(label.validate_python(text))) - 2 <= 3 * (
        len(encoded({"": text})) - len(encoded({"": ""}))
    )


async def test_one_byte_more_than_a_record_may_have_is_refused() -> None:
    services = await chain()
    type_, largest = body("centre", met=True)
    blanks = LIMIT - size_of(record(encoded(filled(largest, "ế")), head(type_)))
    receipt = await services.submit(type_, largest, blanks + 1)
    assert (receipt.status, [one.code for one in receipt.problems]) == (Status.REJECTED, ["record_too_large"])
    assert (await services.submit(type_, largest, blanks)).status is Status.ACCEPTED
    fits(services)


def test_a_label_that_was_taken_is_taken_again_by_whoever_reads_the_fact() -> None:
    """As it is kept it counts: what is longer in NFC may be too long, and what is shorter may be sent."""
    label = TypeAdapter(Label)
    assert label.validate_python("e\u0301" * LENGTH) == "é" * LENGTH
    kept = label.validate_python("\u0958" * (LENGTH // 2))
    assert label.validate_python(kept) == kept
    with pytest.raises(ValidationError):
        label.validate_python("\u0958" * (LENGTH // 2 + 1))


async def test_one_byte_more_than_a_content_may_have_is_refused() -> None:
    services = await chain()
    type_, largest = body("commune by targets", met=False)
    values = cycle(largest["content"]["targets"].values())
    while (room := MOST_CONTENT - _content_size(largest)) > 2_000:
        next(values)["evidence"].append("\u0958" * (LENGTH // 2))
    while room := MOST_CONTENT - _content_size(largest):
        evidence = next(values)["evidence"]
        evidence.append("x" * (room - 3 if room <= LENGTH + 3 else LENGTH - 10))
    assert (await services.submit(type_, largest)).status is Status.ACCEPTED
    fits(services)
    evidence[-1] += "x"
    receipt = await services.submit(type_, {**largest, "submission_id": "S-2", "corrects_version": 1})
    assert [(one.code, one.field) for one in receipt.problems] == [("content_too_large", "/content")]
    assert EN(MOST_CONTENT + 1) in receipt.problems[0].message.en


def _content_size(assessment: Body) -> int:
    """Bytes of the content as facts repeat it."""
    return len(CommuneSubmitted.model_validate(assessment).content.model_dump_json().encode())


# ------------------------------------------------------------------------------------------------- one item more


async def one_more(services: Chain, type_: EventType, changed: Body, field: str) -> None:
    """It is refused for this field, and nothing that follows is too large."""
    receipt = await services.submit(type_, changed)
    assert receipt.status is Status.REJECTED
    assert [problem.field for problem in receipt.problems] == [field]
    fits(services)


async def test_one_item_or_character_more_is_refused_in_its_place() -> None:
    services = await chain()
    type_, full = body("commune by targets", met=True)
    evidence = full["content"]["targets"]["C1.1"]["evidence"]
    evidence.extend(["x" * LENGTH] * 51)
    await one_more(services, type_, full, "/content/targets/C1.1/evidence")
    evidence[:] = ["x" * (LENGTH + 1)]
    await one_more(services, type_, full, "/content/targets/C1.1/evidence/0")
    more = registration()
    more["predecessors"].append("C-51")
    await one_more(services, EventType.CENTRE_REGISTERED, more, "/predecessors")
    await one_more(services, EventType.CENTRE_REGISTERED, registration() | {"name": "x" * (LENGTH + 1)}, "/name")


@pytest.mark.parametrize("reason", [Reason.TOO_LARGE, Reason.DAMAGED])
def test_a_record_that_is_too_large_is_answered_by_a_receipt_that_fits(reason: Reason) -> None:
    kilobyte = b"\xff" * 1_024
    place = Position("submissions.01", 1, 2**63 - 1)
    received: Received[Any] = Received(
        data=Unreadable(reason, "x" * LIMIT, "y" * LIMIT, None, cut=Cut(2**63, "0" * 64, 0)),
        event_id="z" * 100,
        type="y" * LIMIT,
        source="",
        subject="",
        version=None,
        received_at=datetime(2026, 1, 10, tzinfo=UTC),
        position=place,
        raw=kilobyte,
    )
    outcome = Documents().decide(intake.refusals, received)
    assert len(body_of(outcome.events[0].data)) < 10_000
    assert all(len(bson.encode(ref.kind.written(put))) < 10_000 for ref, put in outcome.puts.items())


async def test_the_most_problems_that_one_submission_can_have_are_a_receipt_that_fits() -> None:
    services = await chain()
    type_, full = body("commune by targets", met=True)
    full["content"]["traits"] = [f"{letter}{'x' * 49}" for letter in "abcdefghijklmnopqrst"]
    parts = next(one for one in full["content"]["targets"].values() if one["type"] == "parts")["parts"]
    number = 0
    while len(encoded(full)) < ROOM - 200:
        number += 1
        parts[f"{number:05}" + "/" * 95] = True
    receipt = await services.submit(type_, full)
    assert receipt.status is Status.REJECTED
    assert receipt.problems[-1].code == "more_problems"
    fits(services)


@pytest.mark.parametrize("character", ["x", "\x01", "\U00020000", "/"])
async def test_the_most_that_can_be_wrong_in_a_body_that_is_no_submission_is_a_receipt_that_fits(
    character: str,
) -> None:
    services = await chain()
    type_, full = body("commune by targets", met=True)
    wrong: Body = {}
    full["content"]["targets"] = wrong
    while len(encoded(full)) < ROOM - 3_000:
        key = character * 120 + str(len(wrong))
        wrong[key] = {"type": "parts", "parts": {key: key}, key: key} if len(wrong) % 2 else {"type": key}
    receipt = await services.submit(type_, full)
    assert (receipt.status, receipt.problems[-1].code) == (Status.REJECTED, "more_problems")
    fits(services)


# ------------------------------------------------------------------------------------------------- what others make


def references(count: int, *, good: int | None = None) -> list[Reference]:
    """Centres of one commune; only one of them is graded as the rule asks."""
    return [
        Reference(
            series="centre",
            subject=f"{number:05}" + "C" * 95,
            period=2022,
            version=999_999_999,
            rubric="clc_2553_2013",
            outcome={"grade": "tot" if number == good else "trung_binh"},
            hash="0" * 64,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("good", [None, MOST_REFERENCES - 1])
def test_a_commune_may_rest_on_very_many_centres_and_its_result_names_those_that_decide(good: int | None) -> None:
    content = scoring_samples.points("lc_commune_44_2014").model_dump(mode="json")
    whole = PointsContent.model_validate(content)
    used = references(MOST_REFERENCES, good=good)
    scored = score_commune(scoring_samples.commune(whole), [], used, 1)
    assert len(scored.references) == MOST_SHOWN
    (target,) = [one for each in scored.criteria for one in each.targets if "trung_binh" in (one.value or "")]
    assert target.met == {"met": good is not None}
    assert (target.value or "").endswith(f"(+{MOST_REFERENCES - MOST_SHOWN})")
    assert any(one.outcome["grade"] == "tot" for one in scored.references) is (good is not None)
    spare = EVENT - MOST_CONTENT
    assert len(body_of(scored)) - len(body_of(scoring_samples.commune(whole))) < spare


def test_of_more_results_than_a_commune_can_rest_on_the_same_ones_are_kept_in_whatever_order_they_came() -> None:
    many = references(MOST_REFERENCES + 200)
    assert in_order(many) == in_order(reversed(many)) == tuple(many[:MOST_REFERENCES])
    assert len(bson.encode({"items": [one.model_dump(mode="json") for one in in_order(many)]})) < DOCUMENT / 2


def test_a_page_of_a_ranking_and_of_changes_fits_with_the_longest_names_and_reasons() -> None:
    unit = replace(registry().units(date(2025, 12, 31))[0], name="\x01" * MOST_NAME)
    rule = rubric("lc_commune_25_2023")
    missing = [target.id for target in getattr(rule, "targets", ())]
    place = PreviousPlace(unit_id=unit.unit_id, rank=99_999, total=None, level=2)
    other = Text(
        vi="Kỳ 2024 chấm theo bộ tiêu chí hoặc bảng điểm khác (x), không so sánh được." + "x" * 50,
        en="2024 was scored by another rubric or point table (x), so the ranks cannot be compared." + "x" * 50,
    )
    rows = []
    for version, key in ((1, None), (2, "9" * 300)):
        result = standing(unit, key, version, missing=missing if key is None else [], hash="0" * 64)
        rows.append(row_of(unit, result, rule, Movement(place, other)))
    page = RankingPage(scope="area-region_1", period=2025, version=1, page=1, rows=[max(rows, key=_size)] * 500)
    assert len(body_of(page)) < LARGEST_BODY * 0.9
    ((change,), _) = difference(rows[:1], [rows[0].model_copy(update={"result_version": 7})], {})
    changes = RankingChanges(
        scope="area-region_1", period=2025, version=2, supersedes=1, page=1, pages=1, changes=[change] * 500, shifted=0
    )
    assert len(body_of(changes)) < LARGEST_BODY * 0.9


def _size(model: Any) -> int:
    return len(body_of(model))


async def test_a_budget_line_of_a_centre_that_fifty_were_merged_into_fits() -> None:
    services = await Chain().start()
    merged = registration("ế") | {"opened_on": "2025-07-01", "submission_id": "merged"}
    for former in merged["predecessors"]:
        one = registration("ế") | {"centre_id": former, "submission_id": former, "predecessors": []}
        assert (await services.submit(EventType.CENTRE_REGISTERED, one | {"closed_on": "2025-07-01"})).problems == []
        support = {"submission_id": f"s{former[:90]}", "centre_id": former, "year": 2025, "amount": 999_999_999_999}
        assert (await services.submit(EventType.SUPPORT_SUBMITTED, support)).problems == []
    await services.submit(EventType.CENTRE_REGISTERED, merged)
    await services.submit(EventType.ENVELOPE_SUBMITTED, {"submission_id": "e", "year": 2026, "amount": 10**15})
    assert EventType.BUDGET_PROPOSED in {type_ for type_, _ in services.sent}
    fits(services)


def test_the_digest_of_thousands_of_centres_fits() -> None:
    """It counts all of them, lists some and names a few."""
    name, id = "ế" * 300, "x" * 90
    line = notified.line(10**15, 1, name=name, assessment="pending")
    lines = [line.model_copy(update={"centre_id": f"{id}{number}"}) for number in range(9_000)]
    run = notified.run(centres=9_000, last_year_unknown=[each.centre_id for each in lines], equipment=10**15)
    proposal = Proposal(run, lines, [1] * len(lines))
    said = [digest_alert(proposal, "c", notified.NOW), *unknown_alerts(run, "c", notified.NOW)]
    assert len(said[0].centres) == MOST
    assert all(len(body_of(alert)) < ALERT for alert in said)


def test_a_budget_that_does_not_fit_in_thousands_of_lines_leaves_a_record_that_fits() -> None:
    life = Life(province="01", year=2026, state=State.APPROVED, version=1, hash="h")
    command = Command("c", "publish", "budget", SYSTEM, "x" * 2_000, 1, "h", datetime(2026, 1, 1, tzinfo=UTC))
    problems = [problem("funding.not_complete", found="x" * 300, approved="y" * 300) for _ in range(30_000)]
    outcome = refused(life, command, problems)
    assert all(len(bson.encode(ref.kind.written(state))) < DOCUMENT for ref, state in outcome.puts.items())


# ------------------------------------------------------------------------------------------------- the register


def reform(units: int, name: str = "ế" * 100) -> Any:
    """A correction that adds so many communes."""
    added = [
        register_samples.unit(
            f"{91_000 + number}",
            name=f"{name[:95]}{number:05}",
            type="ế" * 200,
            district_code="999",
            district_name="ế" * 200,
        )
        for number in range(units)
    ]
    return register_samples.correction("REFORM", added=added)


async def test_a_correction_of_the_register_is_taken_as_far_as_it_can_be_told_to_all(tmp_path: Path) -> None:
    bench = IntakeBench(tmp_path)
    most = next(n for n in range(500, 0, -1) if _fact_size(reform(n)) <= register_handlers.MOST_BYTES)
    assert most < 500, "the limit of bytes comes first"
    async with bench.http() as http:
        more = await http.post("/register/corrections", json=reform(most + 1).model_dump(mode="json"))
        taken = await http.post("/register/corrections", json=reform(most).model_dump(mode="json"))
    assert more.status_code == 422
    assert [(one["code"], one["field"]) for one in more.json()["problems"]] == [("correction_too_large", "")]
    assert taken.status_code == 200, taken.text[:500]
    (event,) = bench.mongo.all("outbox")
    assert len(event["value"]) <= register_handlers.MOST_BYTES < LARGEST_BODY
    assert all(len(bson.encode(row)) < DOCUMENT for row in bench.mongo.all("register"))


def _fact_size(correction: Any) -> int:
    return len(body_of(register_samples.fact(1, correction))) + 20


def test_a_name_that_no_page_of_a_ranking_could_hold_is_refused() -> None:
    fits, long = (reform(1, "ế" * 95) for _ in range(2))
    long = register_samples.correction("LONG", added=[register_samples.unit("91000", name="ế" * (MOST_NAME + 1))])
    assert check_correction(registry(), fits) == []
    (problem,) = check_correction(registry(), long)
    assert (problem.code, problem.field) == ("unit_name_too_long", "/added/0/name")
    assert str(MOST_NAME) in problem.expected.vi
