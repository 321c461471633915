"""Handlers of scoring over plain dictionaries: versions, and recognitions in any order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.scoring.decisions import (
    RANKING,
    RECOGNITIONS,
    RESULTS,
    SETS,
    routes,
)
from services.scoring.decisions.documents import Result
from services.scoring.decisions.results import published
from shared.contracts.catalogue import CONTRACTS, EventType
from shared.contracts.facts import CentreScored, CommuneScored
from shared.messaging.decide.asking import Outcome
from shared.messaging.decide.documents import content_of
from shared.messaging.decide.engine import Run
from shared.messaging.decide.sets import Sets
from shared.registry import registry
from tests.fakes.known import Documents
from tests.unit.scoring_samples import UNIT, centre, commune, points, received, recognition, targets

AT = datetime(2026, 3, 1, tzinfo=UTC)
CONTINUING = next(unit for unit in registry().units(date(2025, 12, 31)) if registry().continues(unit))


SOURCES = Sets(SETS)


class Store(Documents):
    """Runs decisions as the pipeline does."""

    rankings: list[tuple[Any, ...]]
    """Those that the last one asked for."""

    def take(self, type_: EventType, data: Any) -> Outcome:
        outcome = self.decide(routes[type_], received(data, type_))
        asked = [each for ref, state in outcome.puts.items() for each in SOURCES.touched(ref, self[ref], state)]
        self.rankings = list(dict.fromkeys(each.key for each in asked if each.set == RANKING.name))
        return self.apply(outcome)

    def result(self, subject: str, period: int = 2025) -> Result:
        result = self[RESULTS.ref(subject, period)]
        assert result is not None
        return result


def test_every_route_is_an_accepted_fact_or_a_person() -> None:
    assert {CONTRACTS[type_].family for type_ in routes} == {"intake.accepted", "people"}


def test_a_commune_is_scored_published_and_ranked_anew() -> None:
    store = Store()
    outcome = store.take(EventType.COMMUNE_ACCEPTED, commune(targets(1)))
    (event,) = outcome.events
    assert (event.topic, event.key, event.subject) == ("scores", UNIT, UNIT)
    assert isinstance(event.data, CommuneScored)
    assert store.rankings == [("province-01", 2025), ("nation", 2025)]
    document = store.result(UNIT)
    assert (document.kind, document.subject, document.holder, document.period) == ("commune", UNIT, "01", 2025)
    assert (document.version, document.input_version) == (1, 1)
    assert published(document.result, document.accepted, document.inputs) == event.data
    assert event.data.content == document.accepted.content
    assert document.accepted.submission_id == "s-1"
    assert document.traceparent is not None
    assert document.traceparent.startswith("00-")
    assert RESULTS.model.validate_python(content_of(RESULTS.written(document))) == document


def test_a_correction_makes_the_next_version_and_an_old_one_changes_nothing() -> None:
    store = Store()
    store.take(EventType.COMMUNE_ACCEPTED, commune(targets(1), version=2))
    newer = store.take(
        EventType.COMMUNE_ACCEPTED, commune(targets(1, C1_1={"type": "boolean", "met": False}), version=5)
    )
    assert isinstance(newer.events[0].data, CommuneScored)
    assert (newer.events[0].data.version, newer.events[0].data.input_version) == (2, 5)
    before = dict(store)
    for version in (1, 2, 5):
        outcome = store.take(EventType.COMMUNE_ACCEPTED, commune(targets(1), version=version))
        assert outcome == Outcome(verdict="stale")
    assert store == before


def test_periods_and_units_do_not_touch_each_other() -> None:
    store = Store()
    store.take(EventType.COMMUNE_ACCEPTED, commune(targets(1)))
    store.take(EventType.COMMUNE_ACCEPTED, commune(targets(1), period=2026))
    store.take(EventType.COMMUNE_ACCEPTED, commune(points("lc_commune_44_2014")))
    results = {ref.id for ref in store if ref.collection == RESULTS.name}
    assert results == {f"{UNIT}/2025", f"{UNIT}/2026", "00004@pre-2025-07/2022"}


def test_a_centre_is_scored_without_a_ranking() -> None:
    store = Store()
    outcome = store.take(EventType.CENTRE_ACCEPTED, centre(points("clc_2553_2013")))
    (event,) = outcome.events
    assert isinstance(event.data, CentreScored)
    assert (event.key, event.subject, store.rankings) == ("TT/1", "TT/1", [])
    assert (store.result("TT/1").kind, store.result("TT/1").feeds) == ("centre", UNIT)
    assert store.take(EventType.CENTRE_ACCEPTED, centre(points("clc_2553_2013"))).verdict == "stale"
    again = store.take(EventType.CENTRE_ACCEPTED, centre(points("clc_2553_2013", N1="0"), version=2))
    assert isinstance(again.events[0].data, CentreScored)
    assert again.events[0].data.version == 2


# ------------------------------------------------------------------------------------------------ recognitions


def test_a_recognition_before_the_assessment_counts() -> None:
    store = Store()
    outcome = store.take(EventType.RECOGNITION_ACCEPTED, recognition())
    assert not outcome.events
    assert not store.rankings
    store.take(EventType.COMMUNE_ACCEPTED, commune(targets()))
    assert store.result(UNIT).result.level == 2


def test_a_recognition_after_the_assessment_scores_it_again() -> None:
    store = Store()
    store.take(EventType.COMMUNE_ACCEPTED, commune(targets()))
    assert store.result(UNIT).result.level == 1
    outcome = store.take(EventType.RECOGNITION_ACCEPTED, recognition())
    (event,) = outcome.events
    assert isinstance(event.data, CommuneScored)
    assert (event.data.level, event.data.version, event.data.input_version) == (2, 2, 1)
    assert store.rankings == [("province-01", 2025), ("nation", 2025)]


def test_both_orders_end_in_the_same_result() -> None:
    facts = [(EventType.COMMUNE_ACCEPTED, commune(targets())), (EventType.RECOGNITION_ACCEPTED, recognition())]
    ends = []
    for order in (facts, facts[::-1]):
        store = Store()
        for type_, data in order:
            store.take(type_, data)
        ends.append(store.result(UNIT).result.model_copy(update={"version": None, "supersedes": None}))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("content", [targets(), targets(C1_1=None)])
def test_a_recognition_that_changes_no_result_publishes_nothing(content: Any) -> None:
    store = Store()
    store.take(EventType.COMMUNE_ACCEPTED, commune(content))
    before = store.result(UNIT)
    outcome = store.take(EventType.RECOGNITION_ACCEPTED, recognition(period=2026, decided_on=date(2025, 3, 1)))
    assert not outcome.events
    assert not store.rankings
    assert list(outcome.puts) == [RECOGNITIONS.ref(UNIT), RESULTS.ref(UNIT, 2025)]
    after = store.result(UNIT)
    assert after.inputs.recognitions, "what it would be judged on is known, whether or not it changes anything"
    assert after.model_copy(update={"inputs": before.inputs}) == before


def test_only_the_three_years_of_validity_are_touched() -> None:
    store = Store()
    for period in range(2024, 2030):
        store.take(EventType.COMMUNE_ACCEPTED, commune(targets(), period=period))
    store.take(EventType.RECOGNITION_ACCEPTED, recognition())
    levels = {period: store.result(UNIT, period).result.level for period in range(2024, 2030)}
    assert levels == {2024: 2, 2025: 2, 2026: 2, 2027: 2, 2028: 1, 2029: 1}


def test_a_corrected_recognition_replaces_the_one_before() -> None:
    store = Store()
    store.take(EventType.COMMUNE_ACCEPTED, commune(targets()))
    store.take(EventType.RECOGNITION_ACCEPTED, recognition(decided_on=date(2024, 3, 15)))
    assert store.result(UNIT).result.level == 2
    store.take(EventType.RECOGNITION_ACCEPTED, recognition(version=2, decided_on=date(2021, 12, 15)))
    assert store.result(UNIT).result.level == 1
    assert store.result(UNIT).version == 3
    stale = store.take(EventType.RECOGNITION_ACCEPTED, recognition(version=1))
    assert stale == Outcome(verdict="stale")


def test_recognitions_of_several_periods_are_kept_side_by_side() -> None:
    store = Store()
    store.take(EventType.RECOGNITION_ACCEPTED, recognition(period=2024, decided_on=date(2025, 3, 1)))
    store.take(EventType.RECOGNITION_ACCEPTED, recognition(period=2020, decided_on=date(2021, 3, 1)))
    document = store[RECOGNITIONS.ref(UNIT)]
    assert document is not None
    assert [item.period for item in document.items] == [2020, 2024]


@pytest.mark.parametrize("assessment_first", [True, False])
def test_the_recognition_of_a_continuing_unit_goes_on_counting(assessment_first: bool) -> None:
    predecessor = registry().continues(CONTINUING)
    assert predecessor is not None
    assessed = commune(targets(), unit_id=CONTINUING.unit_id, code=CONTINUING.code, holder=CONTINUING.province_code)
    decided = recognition(unit_id=predecessor.unit_id, code=predecessor.code)
    facts = [(EventType.COMMUNE_ACCEPTED, assessed), (EventType.RECOGNITION_ACCEPTED, decided)]
    store = Store()
    for type_, data in facts if assessment_first else facts[::-1]:
        store.take(type_, data)
    assert store.result(CONTINUING.unit_id).result.level == 2
    own = store[RECOGNITIONS.ref(CONTINUING.unit_id)]
    assert own is None or own.items == (), "history stays where it was"


def test_the_recognition_of_a_unit_that_went_elsewhere_does_not_count() -> None:
    store = Store()
    store.take(EventType.RECOGNITION_ACCEPTED, recognition(unit_id="00004@pre-2025-07"))
    store.take(EventType.COMMUNE_ACCEPTED, commune(targets()))
    assert store.result(UNIT).result.level == 1


def test_an_absurd_date_asks_for_few_documents() -> None:
    record = received(recognition(decided_on=date(9999, 1, 1)))
    run = Run(routes[EventType.RECOGNITION_ACCEPTED], record, Documents(), AT)
    assert run.result().puts
    assert len(run.ask.reads) < 20
