"""Event + state → outcome. Pure: the pipeline loads what `needs` names and writes what a handler puts.

Documents: `results/<unit or centre id>/<period>` (the last result and the accepted assessment behind it),
`recognitions/<unit id>`, `rankings/<scope>/<period>` (head of the last version) and
`ranking_pages/<scope>/<period>/<version>/<page>` (every version, as it was published).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from services.scoring.domain import Recognition, Standing, pages, rank, rows_hash, score_centre, score_commune
from shared.contracts.catalogue import EventType
from shared.contracts.facts import CentreAccepted, CentreScored, CommuneAccepted, CommuneScored, RecognitionAccepted
from shared.messaging.handling import STALE, Document, Outcome, Outgoing, Recalculation, Received, Ref, Route, States
from shared.registry import Unit, registry
from shared.rulebook import rubric_for

RESULTS = "results"
RECOGNITIONS = "recognitions"
RANKINGS = "rankings"
RANKING_PAGES = "ranking_pages"
SCORES_TOPIC = "scores"
RANKINGS_TOPIC = "rankings"
NATION = "nation"
UNCHANGED = "unchanged"


def result_ref(subject: str, period: int) -> Ref:
    """The result of a unit or centre for one period. Unit ids hold an `@`, centre ids never do."""
    return Ref(RESULTS, f"{subject}/{period}")


def recognitions_ref(unit_id: str) -> Ref:
    """All recognitions of one unit."""
    return Ref(RECOGNITIONS, unit_id)


def province_scope(holder: str) -> str:
    """Scope of a province's ranking, in the code of the cut-off date."""
    return f"province-{holder}"


# ----------------------------------------------------------------------------------------------- assessments


def _commune_needs(received: Received[CommuneAccepted]) -> Iterator[Ref]:
    yield result_ref(received.data.unit_id, received.data.period)
    yield from map(recognitions_ref, registry().lineage(received.data.unit_id))


def _commune(received: Received[CommuneAccepted], states: States) -> Outcome:
    accepted = received.data
    ref = result_ref(accepted.unit_id, accepted.period)
    stored = states[ref]
    if _stale(accepted, stored):
        return Outcome(verdict=STALE)
    recognitions = _recognitions(states, registry().lineage(accepted.unit_id))
    scored = score_commune(accepted, recognitions, _next_version(stored))
    outcome = Outcome()
    _publish_commune(outcome, ref, accepted, scored, received.traceparent)
    return outcome


def _centre_needs(received: Received[CentreAccepted]) -> Iterator[Ref]:
    yield result_ref(received.data.centre_id, received.data.period)


def _centre(received: Received[CentreAccepted], states: States) -> Outcome:
    accepted = received.data
    ref = result_ref(accepted.centre_id, accepted.period)
    stored = states[ref]
    if _stale(accepted, stored):
        return Outcome(verdict=STALE)
    scored = score_centre(accepted, _next_version(stored))
    document = _document(accepted, scored, received.traceparent) | {
        "kind": "centre",
        "centre_id": accepted.centre_id,
        "holder": accepted.province,
        "rank_key": None,
    }
    event = Outgoing(SCORES_TOPIC, key=accepted.centre_id, subject=accepted.centre_id, data=scored)
    return Outcome(puts={ref: document}, events=[event])


def _stale(accepted: CommuneAccepted | CentreAccepted, stored: Document | None) -> bool:
    return stored is not None and accepted.version <= stored["input_version"]


def _next_version(stored: Document | None) -> int:
    return stored["version"] + 1 if stored else 1


def _document(
    accepted: CommuneAccepted | CentreAccepted, scored: CommuneScored | CentreScored, traceparent: str | None
) -> Document:
    return {
        "period": scored.period,
        "version": scored.version,
        "input_version": scored.input_version,
        "result": scored.model_dump(mode="json"),
        "accepted": accepted.model_dump(mode="json"),
        "traceparent": traceparent,
    }


def _publish_commune(
    outcome: Outcome, ref: Ref, accepted: CommuneAccepted, scored: CommuneScored, traceparent: str | None
) -> None:
    """Keep a commune's new result, publish it, and have both rankings that it stands in recomputed."""
    outcome.puts[ref] = _document(accepted, scored, traceparent) | {
        "kind": "commune",
        "unit_id": scored.unit_id,
        "holder": scored.holder,
        "rank_key": scored.rank_key,
    }
    outcome.events.append(Outgoing(SCORES_TOPIC, key=scored.unit_id, subject=scored.unit_id, data=scored))
    outcome.requests += [
        Recalculation(province_scope(scored.holder), scored.period),
        Recalculation(NATION, scored.period),
    ]


# ---------------------------------------------------------------------------------------------- recognitions


def _recognition_needs(received: Received[RecognitionAccepted]) -> Iterator[Ref]:
    for unit_id in registry().lineage(received.data.unit_id):
        yield recognitions_ref(unit_id)
        for period in _periods_touched(received.data):
            yield result_ref(unit_id, period)


def _periods_touched(recognition: RecognitionAccepted) -> list[int]:
    """Periods whose result the decision may change: the three years of its validity after the year of the decision.

    A decision on a period falls in that year or, as a rule, in the next; both are covered, so that a correction of the
    date also reaches the results that the date before had touched.
    """
    years = {recognition.period, recognition.period + 1, recognition.decided_on.year}
    return sorted({year + after for year in years for after in (1, 2, 3)})


def _recognition(received: Received[RecognitionAccepted], states: States) -> Outcome:
    accepted = received.data
    ref = recognitions_ref(accepted.unit_id)
    items = _items(states[ref])
    if any(item.period == accepted.period and item.version >= accepted.version for item in items):
        return Outcome(verdict=STALE)
    kept = [item for item in items if item.period != accepted.period]
    items = sorted([*kept, Recognition.of(accepted)], key=lambda item: item.period)
    outcome = Outcome(puts={ref: {"items": [item.model_dump(mode="json") for item in items]}})

    lineage = registry().lineage(accepted.unit_id)
    others = _recognitions(states, [unit_id for unit_id in lineage if unit_id != accepted.unit_id])
    for unit_id in lineage:
        for period in _periods_touched(accepted):
            _rescore(outcome, result_ref(unit_id, period), states, items + others, received.traceparent)
    return outcome


def _rescore(
    outcome: Outcome, ref: Ref, states: States, recognitions: list[Recognition], traceparent: str | None
) -> None:
    """Score a stored assessment again; a result that stays the same is neither written nor published."""
    stored = states[ref]
    if stored is None:
        return
    accepted = CommuneAccepted.model_validate(stored["accepted"])
    scored = score_commune(accepted, recognitions, _next_version(stored))
    if scored.model_dump(mode="json") | {"version": stored["version"]} != stored["result"]:
        _publish_commune(outcome, ref, accepted, scored, traceparent)


def _recognitions(states: States, unit_ids: Iterable[str]) -> list[Recognition]:
    return [item for unit_id in unit_ids for item in _items(states[recognitions_ref(unit_id)])]


def _items(document: Document | None) -> list[Recognition]:
    return [Recognition.model_validate(item) for item in document["items"]] if document else []


routes: Mapping[str, Route[Any]] = {
    EventType.COMMUNE_ACCEPTED: Route(_commune_needs, _commune),
    EventType.CENTRE_ACCEPTED: Route(_centre_needs, _centre),
    EventType.RECOGNITION_ACCEPTED: Route(_recognition_needs, _recognition),
}


# -------------------------------------------------------------------------------------------------- rankings


def ranking_ref(scope: str, period: int) -> Ref:
    """The head of the last published version of one ranking."""
    return Ref(RANKINGS, f"{scope}/{period}")


def ranking(
    scope: str,
    period: int,
    results: Iterable[Document],
    units: Iterable[Unit],
    previous: Document | None,
    published_at: datetime,
) -> Outcome:
    """Rank a scope anew; a new version only if any row differs from the last published one.

    Args:
        scope: `nation` or `province-<code of the cut-off date>`.
        period: the assessment period.
        results: commune documents of `results` for the period (only `result` is read; others in it are ignored).
        units: the register's units of the scope on the cut-off date: each gets exactly one row.
        previous: the document of `ranking_ref(scope, period)`.
        published_at: business time.

    Raises:
        NoRuleInForce: no rubric was in force on the period's cut-off date.
    """
    rubric = rubric_for("commune", period)
    standings = [Standing.model_validate(document["result"]) for document in results]
    rows = rank(units, {standing.unit_id: standing for standing in standings}, rubric)
    if previous is not None and previous["hash"] == rows_hash(rows):
        return Outcome(verdict=UNCHANGED)
    head, cut = pages(rows, scope, period, _next_version(previous), rubric, published_at)
    puts: dict[Ref, Document] = {ranking_ref(scope, period): head.model_dump(mode="json")}
    for page in cut:
        puts[Ref(RANKING_PAGES, f"{scope}/{period}/{page.version}/{page.page}")] = page.model_dump(mode="json")
    events = [Outgoing(RANKINGS_TOPIC, key=scope, subject=scope, data=data) for data in (head, *cut)]
    return Outcome(puts=puts, events=events)
