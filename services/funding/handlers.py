"""What funding does with each event, and how a province's proposal is made of what it then knows.

Documents, by collection and `_id`:

| collection | `_id` | document |
|---|---|---|
| `centres` | centre id | the latest `RegistrationAccepted` |
| `supports` | `<centre id>/<year>` | the latest `SupportAccepted` |
| `envelopes` | `<province>/<year>` | the latest `EnvelopeAccepted` |
| `years` | province | `years`: the budget years that have an envelope |
| `scores` | `<centre id>/<period>` | what counts of the latest `CentreScored`, with its `traceparent` |
| `pending` | `<province>/<centre id>/<period>` | a file that was rejected, held or in conflict, until a result stands |
| `allocations` | `<centre id>/<year>` | the latest `BudgetProposed` |
| `runs` | `<province>/<year>` | the latest `BudgetRunProposed` |

The first six are inputs: a handler keeps the newest version and asks for a recalculation. The last two are the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.funding.domain import (
    Assessment,
    Centre,
    Grade,
    allocate,
    grade_of,
    head_of,
    withdrawn,
)
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import (
    Allocation,
    BudgetProposed,
    CentreScored,
    EnvelopeAccepted,
    Receipt,
    RegistrationAccepted,
    SupportAccepted,
)
from shared.messaging.handling import (
    STALE,
    Document,
    Outcome,
    Outgoing,
    Recalculation,
    Received,
    Ref,
    Route,
    States,
)
from shared.rulebook import funding_norms, funding_policy

TOPIC = "budgets"
IGNORED = "ignored"
UNSETTLED = frozenset({Status.REJECTED, Status.HELD, Status.CONFLICT})
PERIODS = range(2013, 2101)
"""The periods that contracts admit (`shared.contracts.base.Year`); a receipt only repeats what a sender claimed."""


def budget_year(period: int) -> int:
    """The budget year that an assessment period decides."""
    return period + 1


# ------------------------------------------------------------------------------------------------- inputs


def _is_newer(version: int, known: Document | None) -> bool:
    return known is None or version > known["version"]


def _years(states: States, province: str) -> list[int]:
    known = states[Ref("years", province)]
    return known["years"] if known else []


def _on_registration(event: Received[RegistrationAccepted], states: States) -> Outcome:
    data = event.data
    ref = Ref("centres", data.centre_id)
    known = states[ref]
    if not _is_newer(data.version, known):
        return Outcome(verdict=STALE)
    # A centre that moved must also leave the proposals of the province that it comes from.
    provinces = {data.province} | ({known["province"]} if known else set())
    years = _years(states, data.province)
    return Outcome(
        puts={ref: data.model_dump(mode="json")},
        requests=[Recalculation(province, year) for province in sorted(provinces) for year in years],
    )


def _on_envelope(event: Received[EnvelopeAccepted], states: States) -> Outcome:
    data = event.data
    ref, years_ref = Ref("envelopes", f"{data.province}/{data.year}"), Ref("years", data.province)
    if not _is_newer(data.version, states[ref]):
        return Outcome(verdict=STALE)
    puts: dict[Ref, Document] = {ref: data.model_dump(mode="json")}
    years = _years(states, data.province)
    if data.year not in years:
        puts[years_ref] = {"years": sorted([*years, data.year])}
    return Outcome(puts=puts, requests=[Recalculation(data.province, data.year)])


def _on_support(event: Received[SupportAccepted], states: States) -> Outcome:
    data = event.data
    ref = Ref("supports", f"{data.centre_id}/{data.year}")
    if not _is_newer(data.version, states[ref]):
        return Outcome(verdict=STALE)
    return Outcome(puts={ref: data.model_dump(mode="json")}, requests=[Recalculation(data.province, data.year + 1)])


def _on_score(event: Received[CentreScored], states: States) -> Outcome:
    data = event.data
    ref = Ref("scores", f"{data.centre_id}/{data.period}")
    if not _is_newer(data.version, states[ref]):
        return Outcome(verdict=STALE)
    document: Document = {
        **data.model_dump(
            mode="json", include={"centre_id", "period", "province", "version", "state", "rubric", "grade"}
        ),
        "traceparent": event.traceparent,
    }
    # Later years too: there the grade stands in for a file that is still pending.
    later = [year for year in _years(states, data.province) if year > data.period]
    years = sorted({budget_year(data.period), *later})
    return Outcome(puts={ref: document}, requests=[Recalculation(data.province, year) for year in years])


def _pending_ref(receipt: Receipt) -> Ref | None:
    """The file that the receipt leaves open, if it does.

    The province is part of the key: a sender may have named a centre that is not its own.
    """
    if receipt.kind != "centre" or receipt.status not in UNSETTLED:
        return None
    if not receipt.subject or receipt.period not in PERIODS:
        return None
    return Ref("pending", f"{receipt.province}/{receipt.subject}/{receipt.period}")


def _on_receipt(event: Received[Receipt], states: States) -> Outcome:
    data = event.data
    ref = _pending_ref(data)
    if ref is None or data.period is None or states[ref] is not None:
        return Outcome(verdict=IGNORED)
    document: Document = {
        "centre_id": data.subject,
        "period": data.period,
        "province": data.province,
        "status": data.status.value,
        "receipt_id": data.receipt_id,
    }
    return Outcome(puts={ref: document}, requests=[Recalculation(data.province, budget_year(data.period))])


def _receipt_needs(event: Received[Receipt]) -> Iterable[Ref]:
    ref = _pending_ref(event.data)
    return [ref] if ref else []


ROUTES: Mapping[str, Route[Any]] = {
    EventType.REGISTRATION_ACCEPTED: Route(
        lambda event: [Ref("centres", event.data.centre_id), Ref("years", event.data.province)],
        _on_registration,
    ),
    EventType.ENVELOPE_ACCEPTED: Route(
        lambda event: [
            Ref("envelopes", f"{event.data.province}/{event.data.year}"),
            Ref("years", event.data.province),
        ],
        _on_envelope,
    ),
    EventType.SUPPORT_ACCEPTED: Route(
        lambda event: [Ref("supports", f"{event.data.centre_id}/{event.data.year}")], _on_support
    ),
    EventType.CENTRE_SCORED: Route(
        lambda event: [
            Ref("scores", f"{event.data.centre_id}/{event.data.period}"),
            Ref("years", event.data.province),
        ],
        _on_score,
    ),
    EventType.RECEIPT_ISSUED: Route(_receipt_needs, _on_receipt),
}


# ------------------------------------------------------------------------------------------------- proposal


@dataclass(frozen=True, slots=True)
class ProvinceInputs:
    """All input documents of one province, without `_id` (see the table above).

    More years than needed do no harm: each proposal picks its own.
    """

    province: str
    year: int
    envelope: Document | None
    """Of the province and year."""
    centres: Sequence[Document]
    """Of the province."""
    scores: Sequence[Document]
    """Of the province, at least of every period before the year: an earlier grade stands in for a pending file."""
    supports: Sequence[Document]
    """Of the province, at least of the year before."""
    pending: Sequence[Document]
    """Of the province, at least of the period before the year."""


def propose(
    inputs: ProvinceInputs,
    previous_run: Document | None,
    previous_allocations: Iterable[Document],
    proposed_at: datetime,
) -> Outcome:
    """The province's proposal for one budget year, as far as it differs from the previous one.

    Publishes one `BudgetProposed` per centre whose line changed, hung under that centre's latest scored
    event, and the `BudgetRunProposed` that proves the whole. Nothing is published where nothing changed or no
    envelope is known.

    Args:
        inputs: what is known of the province.
        previous_run: the document of `runs`, or `None` for the first proposal.
        previous_allocations: the documents of `allocations` of that year, of the province and of its centres (a
            centre that has moved carries its versions on).
        proposed_at: business time of the proposal.

    Raises:
        RulebookError: no norms or policy cover the year, or they do not fit the centres (see `allocate`).
        LookupError: the rulebook does not know a result's rubric or grade.
    """
    if inputs.envelope is None:
        return Outcome(verdict="no_envelope")
    envelope = EnvelopeAccepted.model_validate(inputs.envelope)
    norms, policy = funding_norms(date(inputs.year, 1, 1)), funding_policy(date(inputs.year, 1, 1))
    budget = allocate(_centres(inputs), envelope.amount, period=inputs.year - 1, norms=norms, policy=policy)

    before = {line["allocation"]["centre_id"]: line for line in previous_allocations}
    lines = {line.centre_id: line for line in budget.lines}
    for centre_id in sorted(before.keys() - lines.keys()):
        if before[centre_id]["province"] == inputs.province:
            lines[centre_id] = withdrawn(Allocation.model_validate(before[centre_id]["allocation"]), policy)
    changed = [line for line in lines.values() if not _same(before.get(line.centre_id), inputs.province, line)]

    version = previous_run["version"] + 1 if previous_run else 1
    head = head_of(budget, province=inputs.province, year=inputs.year, version=version, proposed_at=proposed_at)
    run = head.model_dump(mode="json")
    if not changed and previous_run and _proves_the_same(run, previous_run):
        return Outcome(verdict="unchanged")

    traces = _latest_traces(inputs)
    outcome = Outcome()
    for line in changed:
        last_line = before.get(line.centre_id)
        proposed = BudgetProposed(
            province=inputs.province,
            year=inputs.year,
            version=last_line["version"] + 1 if last_line else 1,
            run_version=version,
            allocation=line,
            previous_amount=last_line["allocation"]["amount"] if last_line else None,
        )
        outcome.puts[Ref("allocations", f"{line.centre_id}/{inputs.year}")] = proposed.model_dump(mode="json")
        outcome.events.append(
            Outgoing(TOPIC, line.centre_id, line.centre_id, proposed, parent=traces.get(line.centre_id))
        )
    outcome.puts[Ref("runs", f"{inputs.province}/{inputs.year}")] = run
    outcome.events.append(Outgoing(TOPIC, inputs.province, inputs.province, head))
    return outcome


def _same(document: Document | None, province: str, line: Allocation) -> bool:
    """Whether a line says what was already proposed."""
    return (
        document is not None
        and document["province"] == province
        and document["allocation"] == line.model_dump(mode="json")
    )


def _proves_the_same(run: Document, previous: Document) -> bool:
    return all(previous[name] == run[name] for name in run.keys() - {"version", "proposed_at"})


def _centres(inputs: ProvinceInputs) -> list[Centre]:
    """The eligible centres: those that exist by the end of the budget year (policy `proration: none`)."""
    period = inputs.year - 1
    supports = {
        support["centre_id"]: SupportAccepted.model_validate(support).amount
        for support in inputs.supports
        if support["year"] == period
    }
    pending = {file["centre_id"] for file in inputs.pending if file["period"] == period}
    scores: dict[str, dict[int, Document]] = {}
    for score in inputs.scores:
        scores.setdefault(score["centre_id"], {})[score["period"]] = score

    centres = []
    for document in inputs.centres:
        data = RegistrationAccepted.model_validate(document)
        if data.opened_on.year > inputs.year:
            continue
        known = scores.get(data.centre_id, {})
        assessment, grade = _standing(known, period, file_open=data.centre_id in pending)
        centres.append(
            Centre(
                centre_id=data.centre_id,
                name=data.name,
                commune_code=data.commune_code,
                area_class=data.area_class,
                population_served=data.population_served,
                last_year=supports.get(data.centre_id),
                assessment=assessment,
                grade=grade,
                result_version=known[period]["version"] if period in known else None,
            )
        )
    return centres


def _standing(scores: Mapping[int, Document], period: int, *, file_open: bool) -> tuple[Assessment, Grade | None]:
    """Where a centre's assessment stands, and the grade that counts.

    A grade of the period stands until it is corrected: a correction that was rejected or held takes nothing
    away. An incomplete result, or a file that intake did not let through, is pending; then the latest earlier
    grade counts.
    """
    current = scores.get(period)
    if current and current["state"] == "scored" and current["grade"]:
        return "scored", grade_of(current["rubric"], current["grade"], period)
    if current is None and not file_open:
        return "not_submitted", None
    for earlier in sorted((p for p in scores if p < period), reverse=True):
        if scores[earlier]["grade"]:
            return "pending", grade_of(scores[earlier]["rubric"], scores[earlier]["grade"], earlier)
    return "pending", None


def _latest_traces(inputs: ProvinceInputs) -> dict[str, str | None]:
    """Per centre the trace of its latest score that could have moved the money."""
    ordered = sorted(inputs.scores, key=lambda score: score["period"])
    return {score["centre_id"]: score["traceparent"] for score in ordered if score["period"] < inputs.year}
