"""The demonstration's messages: the same every time, true to the contracts, each with the fate that it announces."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pytest

from cli.publishing import headers_of, topic_of
from demo.synthetic import (
    ABOVE_CAPS,
    AFTER_DEADLINE,
    BELOW_FLOORS,
    BUDGET_YEAR,
    ON_TIME,
    PERIOD,
    RELAXED,
    Demonstration,
    Message,
    expected_tally,
)
from services.funding.domain import Centre, allocate, grade_of
from services.intake.decisions import refusals, routes
from services.scoring.domain import score_centre, score_commune
from shared.contracts.base import Status
from shared.contracts.catalogue import CONTRACTS, EventType
from shared.contracts.explained import CentreExplained, CommuneExplained
from shared.contracts.facts import (
    CentreAccepted,
    CommuneAccepted,
    EnvelopeAccepted,
    Receipt,
    Recognition,
    RecognitionAccepted,
    RegistrationAccepted,
    SupportAccepted,
)
from shared.messaging.consume.envelope import read
from shared.messaging.consume.pipeline import Handle, classify
from shared.messaging.decide.asking import Consumer
from shared.registry import registry
from shared.rulebook import funding_norms, funding_policy
from tests.fakes.known import Documents

TWO = ("12", "44")
"""A small world; province 44 also sends the legacy province's files."""
TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-00"


def stages(demonstration: Demonstration) -> list[tuple[datetime, list[Message]]]:
    """All messages with the moment at which they arrive."""
    return [
        (ON_TIME, [*demonstration.setup(), *demonstration.assessments(), *demonstration.legacy()]),
        (AFTER_DEADLINE, list(demonstration.late())),
    ]


@dataclass
class Record:
    """What intake reads of a Kafka record."""

    topic: str
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    partition: int = 0
    timestamp: int = 0


class Intake:
    """Intake's own handlers over plain dictionaries."""

    def __init__(self) -> None:
        self.states = Documents()
        self.offset = 0
        self.facts: list[object] = []
        """Everything accepted, in order."""
        self._consumer = Consumer("intake", (), routes, refusals)

    def receive(self, messages: Iterable[Message], at: datetime) -> list[Receipt]:
        """One receipt for each message."""
        return [self._receive(message, at) for message in messages]

    def _receive(self, message: Message, at: datetime) -> Receipt:
        headers = headers_of(message, at, TRACEPARENT)
        record = Record(topic_of(message), self.offset, message.key.encode(), message.body, headers)
        self.offset += 1
        decision = classify(read(record, received_at=at, trusted=False), self._consumer)
        assert isinstance(decision, Handle)
        outcome = self.states.run(decision.decide, decision.received)
        receipt, *facts = (event.data for event in outcome.events)
        assert isinstance(receipt, Receipt)
        self.facts += facts
        return receipt


def accepted_from(provinces: Iterable[str]) -> Intake:
    """Intake after a demonstration of these provinces."""
    intake = Intake()
    for at, messages in stages(Demonstration(tuple(provinces))):
        intake.receive(messages, at)
    return intake


def centre_results(intake: Intake) -> dict[str, CentreExplained]:
    """The last result of each centre."""
    accepted = [fact for fact in intake.facts if isinstance(fact, CentreAccepted)]
    return {fact.centre_id: score_centre(fact, 1) for fact in accepted}


def commune_results(intake: Intake, period: int) -> dict[str, CommuneExplained]:
    """The last result of each commune."""
    recognitions: dict[str, list[Recognition]] = defaultdict(list)
    for fact in intake.facts:
        if isinstance(fact, RecognitionAccepted):
            for unit_id in registry().lineage(fact.unit_id):
                recognitions[unit_id].append(Recognition.of(fact))
    accepted = [fact for fact in intake.facts if isinstance(fact, CommuneAccepted) and fact.period == period]
    return {fact.unit_id: score_commune(fact, recognitions[fact.unit_id], (), 1) for fact in accepted}


def tally(receipts: Iterable[Receipt]) -> dict[Status, int]:
    """How many receipts have which status."""
    return dict.fromkeys(Status, 0) | Counter(receipt.status for receipt in receipts)


# ------------------------------------------------------------------------------------------- what is generated


def test_the_same_seed_gives_the_same_messages_and_another_seed_others() -> None:
    assert stages(Demonstration(TWO)) == stages(Demonstration(TWO))
    bodies = {message.body for message in Demonstration(TWO).assessments()}
    assert bodies.isdisjoint(message.body for message in Demonstration(TWO, seed=2).setup())


def test_there_is_one_centre_with_an_opaque_id_in_every_commune_in_force() -> None:
    setup = list(Demonstration().setup())
    registered = [json.loads(message.body) for message in setup if message.type == EventType.CENTRE_REGISTERED]
    codes = {unit.code for unit in registry().units(ON_TIME.date())}
    assert len(registered) == len(codes) == 3_321
    assert {one["commune_code"] for one in registered} == codes
    assert len({one["centre_id"] for one in registered}) == 3_321
    envelopes = Counter(message.province for message in setup if message.type == EventType.ENVELOPE_SUBMITTED)
    assert set(envelopes) == {province.code for province in registry().provinces(ON_TIME.date())}


def test_what_must_be_accepted_is_valid_and_says_that_it_is_synthetic() -> None:
    for _, messages in stages(Demonstration(TWO)):
        for message in messages:
            if message.expected is not Status.REJECTED:
                data = CONTRACTS[message.type].model.model_validate_json(message.body)
                assert getattr(data, "submission_id", "").startswith("SYN-")
                amounts_only = message.type in (EventType.ENVELOPE_SUBMITTED, EventType.SUPPORT_SUBMITTED)
                assert amounts_only or "dữ liệu tổng hợp" in message.body.decode()


def test_a_province_that_is_not_in_force_is_refused() -> None:
    with pytest.raises(ValueError, match="45"):
        Demonstration(["44", "45"])


def test_a_message_of_unknown_fate_has_no_expected_tally() -> None:
    with pytest.raises(ValueError, match="C-1"):
        expected_tally([Message("01", "C-1", "type", b"{}")])


# ------------------------------------------------------------------------------------------- what becomes of it


def test_intake_decides_every_message_as_announced_the_first_and_the_second_time() -> None:
    intake = Intake()
    for again in (False, True):
        for at, messages in stages(Demonstration(TWO)):
            receipts = intake.receive(messages, at)
            for message, receipt in zip(messages, receipts, strict=True):
                assert expected_tally([message], again=again)[receipt.status] == 1, (message, receipt)
                if not again and message.expected in (Status.REJECTED, Status.CONFLICT, Status.HELD):
                    assert message.note in {problem.code for problem in receipt.problems}, (message, receipt)
            expected = expected_tally(messages, again=again)
            assert tally(receipts) == expected
            assert sum(expected.values()) == len(messages)


def test_every_status_occurs() -> None:
    messages = [message for _, messages in stages(Demonstration(["46"])) for message in messages]
    assert all(expected_tally(messages).values())


def test_level_2_is_reached_where_level_1_was_recognised_for_an_earlier_period() -> None:
    intake = accepted_from(["38"])  # with the most communes that continue
    results = commune_results(intake, PERIOD)
    levels = Counter(result.level for result in results.values())
    assert levels[0] > 50
    assert levels[1] > 50
    reached = {unit_id for unit_id, result in results.items() if result.level == 2}
    decided = {fact.unit_id for fact in intake.facts if isinstance(fact, RecognitionAccepted)}
    capped = {
        unit_id
        for unit_id, result in results.items()
        if result.level == 1 and all(criterion.met["L2"] for criterion in result.criteria)
    }
    assert reached
    assert all(decided.intersection(registry().lineage(unit_id)) for unit_id in reached)
    assert capped
    assert not any(decided.intersection(registry().lineage(unit_id)) for unit_id in capped)


def test_the_borderline_cases_come_out_as_meant() -> None:
    results = commune_results(accepted_from(["44"]), 2022)
    assert len(results) == 120
    by_total = {str(result.total): result.grade for result in results.values()}
    assert by_total["84.5"] == "kha"
    assert by_total["69.5"] == "trung_binh"
    zeros = [result for result in results.values() if any(one.points == 0 for one in result.criteria)]
    assert [(str(result.total), result.grade) for result in zeros] == [("90.0", "chua_dat")]
    assert {result.grade for result in results.values()} == {"tot", "kha", "trung_binh", "chua_dat"}


def test_centres_get_the_grade_that_their_note_names() -> None:
    results = centre_results(accepted_from(["46"]))
    graded = [one for one in Demonstration(["46"]).assessments() if one.note in ("tot", "kha", "trung_binh", "yeu")]
    assert len(graded) > 20
    assert all(results[message.key].grade == message.note for message in graded)


@pytest.mark.parametrize(
    ("province", "case"),
    [
        (BELOW_FLOORS, "below_legal_minimum"),
        (RELAXED, "hold_harmless_relaxed"),
        (ABOVE_CAPS, "above_caps"),
        ("46", "performance"),
    ],
)
def test_each_envelope_falls_into_the_case_that_it_is_made_for(province: str, case: str) -> None:
    intake = accepted_from([province])
    results = centre_results(intake)
    facts = intake.facts
    support = {fact.centre_id: fact.amount for fact in facts if isinstance(fact, SupportAccepted)}
    envelope = [fact.amount for fact in facts if isinstance(fact, EnvelopeAccepted)][-1]
    centres = [
        centre_of(fact, support.get(fact.centre_id), results.get(fact.centre_id))
        for fact in facts
        if isinstance(fact, RegistrationAccepted)
    ]
    day = date(BUDGET_YEAR, 1, 1)
    budget = allocate(centres, envelope, period=PERIOD, norms=funding_norms(day), policy=funding_policy(day))
    assert budget.case == case
    assert (budget.reserve > 0) == (case == "above_caps")


def centre_of(fact: RegistrationAccepted, last_year: int | None, result: CentreExplained | None) -> Centre:
    """The centre as funding sees it."""
    grade = grade_of(result.rubric, result.grade, PERIOD) if result and result.grade else None
    return Centre(
        centre_id=fact.centre_id,
        name=fact.name,
        commune_code=fact.commune_code,
        area_class=fact.area_class,
        population_served=fact.population_served,
        last_year=last_year,
        assessment="scored" if grade else "pending" if result else "awaited",
        grade=grade,
    )
