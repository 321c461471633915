"""What each event leaves behind: a handler keeps the newest version of its document and asks for a recalculation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import CentreScored, EnvelopeAccepted, Receipt, RegistrationAccepted, SupportAccepted
from shared.messaging.decide.handling import STALE, Document, Outcome, Recalculation, Ref, Route, States
from shared.messaging.messages import Received

IGNORED = "ignored"
UNSETTLED = frozenset({Status.REJECTED, Status.HELD, Status.CONFLICT})
PERIODS = range(2013, 2101)
"""The periods that contracts admit (`shared.contracts.base.Year`); a receipt only repeats what a sender claimed."""


def budget_year(period: int) -> int:
    """The budget year that an assessment period decides."""
    return period + 1


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
    requests = [Recalculation(province, data.year + 1) for province in _concerned(data, states)]
    return Outcome(puts={ref: data.model_dump(mode="json")}, requests=requests)


def _on_score(event: Received[CentreScored], states: States) -> Outcome:
    data = event.data
    ref = Ref("scores", f"{data.centre_id}/{data.period}")
    if not _is_newer(data.version, states[ref]):
        return Outcome(verdict=STALE)
    document: Document = {
        **data.model_dump(
            mode="json", include={"centre_id", "period", "province", "version", "state", "rubric", "grade", "total"}
        ),
        "traceparent": event.traceparent,
    }
    # Later years too: there the grade stands in for a file that is still pending.
    later = [year for year in _years(states, data.province) if year > data.period]
    years = sorted({budget_year(data.period), *later})
    provinces = _concerned(data, states)
    return Outcome(puts={ref: document}, requests=[Recalculation(each, year) for each in provinces for year in years])


def _concerned(data: CentreScored | SupportAccepted, states: States) -> list[str]:
    """The province that a fact comes from, and the one that has the centre by now."""
    centre = states[Ref("centres", data.centre_id)]
    return sorted({data.province} | ({centre["province"]} if centre else set()))


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
        lambda event: [
            Ref("supports", f"{event.data.centre_id}/{event.data.year}"),
            Ref("centres", event.data.centre_id),
        ],
        _on_support,
    ),
    EventType.CENTRE_SCORED: Route(
        lambda event: [
            Ref("scores", f"{event.data.centre_id}/{event.data.period}"),
            Ref("centres", event.data.centre_id),
            Ref("years", event.data.province),
        ],
        _on_score,
    ),
    EventType.RECEIPT_ISSUED: Route(_receipt_needs, _on_receipt),
}
