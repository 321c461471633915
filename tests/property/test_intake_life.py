"""Any sequence of filing, correcting, withdrawing and filing anew: versions count one by one, and sums add up."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from services.intake.decisions import AGGREGATES, RECEIPTS, VERSIONS
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Accepted, Receipt, Withdrawn
from shared.contracts.submissions import EnvelopeSubmitted, EnvelopeWithdrawn
from tests.unit.intake_samples import Intake

YEARS = (2026, 2027)


class Sent(NamedTuple):
    """One record about a year's envelope: an amount to file, or none to withdraw."""

    year: int
    amount: int | None
    names: int | None
    """The version that it names, counted from the one that stands (0)."""
    resends: bool
    """Under the id of the record before it."""


SENT = st.builds(
    Sent,
    st.sampled_from(YEARS),
    st.none() | st.sampled_from((10, 20)),
    st.none() | st.integers(-1, 1),
    st.sampled_from((False, False, False, True)),
)


class Model:
    """What must stand, said in the simplest way: per year the versions, each an amount or `None` for a withdrawal."""

    def __init__(self) -> None:
        self.versions: dict[int, list[int | None]] = {year: [] for year in YEARS}

    def expects(self, sent: Sent, named: int | None) -> Status:
        """What becomes of a record under an id of its own, which is kept."""
        versions = self.versions[sent.year]
        stands = versions[-1] if versions else None
        if sent.amount is None:
            if stands is None or named != len(versions):
                return Status.CONFLICT
        elif stands is None:
            if named not in ((None, len(versions)) if versions else (None,)):
                return Status.CONFLICT
        elif stands == sent.amount:
            return Status.UNCHANGED
        elif named != len(versions):
            return Status.CONFLICT
        versions.append(sent.amount)
        return Status.ACCEPTED


@given(st.lists(SENT, max_size=14))
def test_versions_count_one_by_one_and_nothing_earlier_revives(records: list[Sent]) -> None:
    intake, model, facts = Intake(), Model(), list[Accepted]()
    last: tuple[EventType, Any, Receipt] | None = None
    for number, sent in enumerate(records):
        if sent.resends and last is not None:
            type_, body, before = last
            receipt, made = intake.receive(type_, body)
            taken = before.status in (Status.ACCEPTED, Status.UNCHANGED, Status.DUPLICATE)
            assert receipt.status is (Status.DUPLICATE if taken else before.status)
        else:
            named = None if sent.names is None else max(1, len(model.versions[sent.year]) + sent.names)
            named = named or (1 if sent.amount is None else None)  # a withdrawal must name one
            type_, body = _record(f"s-{number}", sent, named)
            receipt, made = intake.receive(type_, body)
            assert receipt.status is model.expects(sent, named)
        last = (type_, body, receipt)
        facts += [event.data for event in made.events[1:] if isinstance(event.data, Accepted)]
        assert all(event.subject == "01" for event in made.events[1:])

    for year, versions in model.versions.items():
        ref = AGGREGATES.ref("envelope", "01", year)
        stands = intake.states[ref]
        assert (stands.version if stands else 0) == len(versions)
        published = [fact for fact in facts if (fact.period if isinstance(fact, Withdrawn) else _year(fact)) == year]
        assert [fact.version for fact in published] == [*range(1, len(versions) + 1)]
        assert [None if isinstance(fact, Withdrawn) else fact.model_dump()["amount"] for fact in published] == versions
        lines = [intake.states[VERSIONS.ref(ref.id, f"{number:07}")] for number in range(1, len(versions) + 1)]
        acts = ["withdrawal" if amount is None else "submission" for amount in versions]
        assert [line.act for line in lines if line] == acts
        if stands:
            assert stands.act == acts[-1]
    answers = [state for ref, state in intake.states.items() if ref.collection == RECEIPTS.name]
    assert sum(Counter(answer.status for answer in answers).values()) == len(records)
    assert sum(answer.status is Status.ACCEPTED for answer in answers) == len(facts)


def _year(fact: Accepted) -> int:
    return int(fact.model_dump()["year"])


def _record(id: str, sent: Sent, named: int | None) -> tuple[EventType, Any]:
    if sent.amount is None:
        gone = EnvelopeWithdrawn(submission_id=id, year=sent.year, corrects_version=named or 1, reason="nhầm")
        return EventType.ENVELOPE_WITHDRAWN, gone
    filed = EnvelopeSubmitted(submission_id=id, year=sent.year, amount=sent.amount, corrects_version=named)
    return EventType.ENVELOPE_SUBMITTED, filed
