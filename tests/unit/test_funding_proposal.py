"""A province's proposal: which centres take part and how, what is published, and when nothing is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.funding.decisions import ALLOCATIONS, RUNS, ProvinceInputs, propose
from services.funding.domain import Centre, Grade, allocate, explained
from shared.contracts.base import Provenance, Text, content_hash
from shared.contracts.facts import BudgetProposed, BudgetRunProposed
from shared.messaging.decide.asking import Outcome
from shared.messaging.decide.documents import Document
from shared.rulebook import RulebookError, funding_norms, funding_policy

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
ACCEPTED: Document = {
    "version": 1,
    "submission_id": "s-1",
    "receipt_id": "r-1",
    "province": "04",
    "received_at": "2026-03-01T02:00:00Z",
}


def centre(centre_id: str, **changes: Any) -> Document:
    return {
        **ACCEPTED,
        "centre_id": centre_id,
        "name": f"TTHTCĐ {centre_id}",
        "commune_code": "01273",
        "unit_id": "01273",
        "area_class": "region_1",
        "population_served": 8_000,
        "opened_on": "2010-01-01",
        **changes,
    }


def score(centre_id: str, grade: str | None, period: int = 2025, **changes: Any) -> Document:
    return {
        "centre_id": centre_id,
        "period": period,
        "province": "04",
        "version": 1,
        "state": "scored" if grade else "incomplete",
        "rubric": "clc_2553_2013",
        "grade": grade,
        "traceparent": f"trace-{centre_id}-{period}",
        **changes,
    }


def support(centre_id: str, amount: int, year: int = 2025) -> Document:
    return {**ACCEPTED, "centre_id": centre_id, "year": year, "purpose": "operating", "amount": amount}


def file(centre_id: str, period: int = 2025) -> Document:
    return {"centre_id": centre_id, "period": period, "province": "04", "status": "rejected", "receipt_id": "r-9"}


def inputs(amount: int | None = 43_500_000, **changes: Any) -> ProvinceInputs:
    """Two centres, one good, one weak; see `performance.yaml` for the sum."""
    envelope = {**ACCEPTED, "year": 2026, "purpose": "operating", "amount": amount}
    facts: dict[str, Any] = {
        "province": "04",
        "year": 2026,
        "envelope": None if amount is None else envelope,
        "centres": [centre("b"), centre("a")],
        "scores": [score("a", "tot"), score("b", "yeu")],
        "supports": [support("a", 20_000_000), support("b", 20_000_000)],
        "pending": [],
    }
    return ProvinceInputs(**{**facts, **changes})


class Stored:
    """What the store holds between two recalculations."""

    def __init__(self) -> None:
        self.run: BudgetRunProposed | None = None
        self.allocations: dict[str, BudgetProposed] = {}

    def propose(self, given: ProvinceInputs, at: datetime = NOW) -> Outcome:
        outcome = propose(given, self.run, list(self.allocations.values()), at)
        for ref, state in outcome.puts.items():
            if ref == RUNS.ref("04", 2026):
                self.run = state
            else:
                assert ref.collection == ALLOCATIONS.name
                self.allocations[ref.id] = state
        return outcome


def lines_of(outcome: Outcome) -> dict[str, BudgetProposed]:
    return {event.key: event.data for event in outcome.events if isinstance(event.data, BudgetProposed)}


def head_of(outcome: Outcome) -> BudgetRunProposed:
    (head,) = [event.data for event in outcome.events if isinstance(event.data, BudgetRunProposed)]
    return head


def test_without_an_envelope_nothing_is_proposed() -> None:
    outcome = propose(inputs(None), None, [], NOW)
    assert (outcome.puts, outcome.events) == ({}, [])


def test_the_first_proposal_publishes_every_line_and_the_proof() -> None:
    outcome = Stored().propose(inputs())
    lines, head = lines_of(outcome), head_of(outcome)
    assert {key: line.allocation.amount for key, line in lines.items()} == {"a": 22_500_000, "b": 21_000_000}
    assert all(line.version == line.run_version == 1 and line.previous_amount is None for line in lines.values())
    assert (head.version, head.envelope, head.allocated, head.reserve) == (1, 43_500_000, 43_500_000, 0)
    assert (head.case, head.lambda_, head.theta, head.centres) == ("performance", "2000000", None, 2)
    assert head.hash == content_hash([["a", 22_500_000], ["b", 21_000_000]])
    assert head.provenance is Provenance.PROVISIONAL
    assert {event.topic for event in outcome.events} == {"budgets"}


def test_a_line_hangs_under_its_centres_latest_score() -> None:
    given = inputs(
        scores=[score("a", "tot"), score("a", "kha", 2023), score("b", "yeu", 2024), score("a", "yeu", 2026)],
        pending=[file("b")],
    )
    parents = {event.key: event.parent for event in Stored().propose(given).events}
    assert parents == {"a": "trace-a-2025", "b": "trace-b-2024", "04": None}


def test_nothing_changed_nothing_published() -> None:
    stored = Stored()
    stored.propose(inputs())
    outcome = stored.propose(inputs(), NOW + timedelta(hours=1))
    assert (outcome.verdict, outcome.puts, outcome.events) == ("unchanged", {}, [])


def test_only_changed_lines_get_a_new_version() -> None:
    """Both stand on their caps before and after; only b's grade, and so its explanation, is another."""
    stored = Stored()
    stored.propose(inputs(60_000_000))
    outcome = stored.propose(inputs(60_000_000, scores=[score("a", "tot"), score("b", "trung_binh", version=2)]))
    lines = lines_of(outcome)
    assert lines.keys() == {"b"}
    assert (lines["b"].version, lines["b"].run_version, lines["b"].previous_amount) == (2, 2, 25_000_000)
    assert head_of(outcome).version == 2
    assert stored.allocations["a/2026"].version == 1


def test_a_changed_envelope_moves_everybody() -> None:
    stored = Stored()
    stored.propose(inputs())
    outcome = stored.propose(inputs(48_000_000))
    assert {k: (v.version, v.previous_amount, v.allocation.amount) for k, v in lines_of(outcome).items()} == {
        "a": (2, 22_500_000, 25_000_000),
        "b": (2, 21_000_000, 23_000_000),
    }


def test_the_order_of_the_documents_does_not_matter() -> None:
    given = inputs()
    turned = {name: getattr(given, name)[::-1] for name in ("centres", "scores", "supports")}
    assert propose(given, None, [], NOW) == propose(given.model_copy(update=turned), None, [], NOW)


def test_documents_of_other_years_do_no_harm() -> None:
    supports = [support(centre_id, 20_000_000) for centre_id in "ab"]
    more = inputs(
        supports=[*supports, support("a", 90_000_000, 2024), support("a", 90_000_000, 2026)],
        scores=[score("a", "tot"), score("b", "yeu"), score("a", "yeu", 2026)],
        pending=[file("a", 2024)],
    )
    amounts = {k: v.allocation.amount for k, v in lines_of(propose(more, None, [], NOW)).items()}
    assert amounts == {"a": 22_500_000, "b": 21_000_000}


@pytest.mark.parametrize(
    ("scores", "pending", "assessment", "grade"),
    [
        ([score("a", "tot")], [], "scored", "tot"),
        ([score("a", "tot")], [2025], "scored", "tot"),
        ([], [], "not_submitted", None),
        ([score("a", "kha", 2024)], [], "not_submitted", None),
        ([], [2025], "pending", None),
        ([], [2024], "not_submitted", None),
        ([score("a", None)], [], "pending", None),
        ([score("a", None), score("a", "yeu", 2022), score("a", "kha", 2023)], [], "pending", "kha"),
        ([score("a", None, 2024), score("a", "tot", 2023)], [2025], "pending", "tot"),
    ],
    ids=[
        "a grade of the period counts",
        "a refused correction takes nothing away",
        "nothing there",
        "an old grade alone is no submission",
        "refused, never graded",
        "refused in another period",
        "incomplete, never graded",
        "incomplete, the latest earlier grade counts",
        "refused, incomplete before, graded before that",
    ],
)
def test_where_an_assessment_stands(
    scores: list[Document], pending: list[int], assessment: str, grade: str | None
) -> None:
    given = inputs(
        centres=[centre("a")],
        scores=scores,
        pending=[file("a", period) for period in pending],
    )
    line = lines_of(propose(given, None, [], NOW))["a"].allocation
    assert (line.assessment, line.grade) == (assessment, grade)
    assert ("pending" in line.flags) == (assessment == "pending")


def test_a_centre_that_opens_after_the_budget_year_waits() -> None:
    given = inputs(centres=[centre("a"), centre("b", opened_on="2027-01-01")])
    assert lines_of(propose(given, None, [], NOW)).keys() == {"a"}


def test_a_centre_that_drops_out_is_withdrawn_once() -> None:
    stored = Stored()
    stored.propose(inputs())
    without_b = inputs(centres=[centre("a")])
    outcome = stored.propose(without_b)
    line = lines_of(outcome)["b"]
    assert (line.version, line.previous_amount, line.allocation.amount) == (2, 21_000_000, 0)
    assert line.allocation.flags == ["withdrawn"]
    head = head_of(outcome)
    assert (head.centres, head.allocated, head.reserve) == (1, 25_000_000, 18_500_000)
    assert stored.propose(without_b).verdict == "unchanged"

    back = lines_of(stored.propose(inputs()))["b"]
    assert (back.version, back.previous_amount, back.allocation.amount) == (3, 0, 21_000_000)


def test_a_centre_that_moved_carries_its_versions_on() -> None:
    """Its line belongs to the new province, so the old one does not withdraw it any more."""
    stored = Stored()
    stored.propose(inputs())
    moved = stored.allocations["b/2026"].model_copy(update={"province": "08", "version": 7})
    outcome = propose(inputs(centres=[centre("a")]), stored.run, [stored.allocations["a/2026"], moved], NOW)
    assert lines_of(outcome).keys() == {"a"}
    here = propose(inputs(), stored.run, [stored.allocations["a/2026"], moved], NOW)
    assert {key: line.version for key, line in lines_of(here).items()} == {"b": 8}


def test_every_amount_says_in_both_languages_what_made_it() -> None:
    outcome = propose(inputs(), None, [], NOW)
    steps = explained(lines_of(outcome)["a"].allocation, head_of(outcome))
    vi = " ".join(step.what.vi for step in steps)
    en = " ".join(step.what.en for step in steps)
    assert "khu vực I): 20.000.000 đồng" in vi
    assert "xếp loại Tốt; hệ số hiệu quả 1,25" in vi
    assert "từ 20.000.000 đến 25.000.000 đồng" in vi
    assert "λ = 2.000.000 đồng: 22.500.000 đồng" in vi
    assert "λ = 2,000,000 đồng: 22,500,000 đồng" in en
    assert [step.provenance for step in steps[:2]] == [Provenance.PARTLY, Provenance.FOUND]
    assert "96/2008" in steps[1].citation
    assert {step.provenance for step in steps[2:]} == {Provenance.PROVISIONAL}


def known(centre_id: str, grade: str) -> Centre:
    name = Text(vi=grade, en=grade)
    return Centre(centre_id, "x", "01273", "region_1", 8_000, None, "scored", Grade(grade, name, 2025), 1)


def test_a_grade_without_factor_stops_the_proposal() -> None:
    on = date(2026, 1, 1)
    with pytest.raises(RulebookError, match="by_grade/xuat_sac"):
        allocate([known("a", "xuat_sac")], 0, period=2025, norms=funding_norms(on), policy=funding_policy(on))


def test_a_step_that_cannot_express_the_minimum_stops_the_proposal() -> None:
    on = date(2026, 1, 1)
    policy = funding_policy(on)
    odd = policy.model_copy(update={"rounding": policy.rounding.model_copy(update={"step": 3})})
    with pytest.raises(RulebookError, match="rounding/step"):
        allocate([known("a", "kha")], 0, period=2025, norms=funding_norms(on), policy=odd)


def test_a_centre_is_counted_once() -> None:
    on = date(2026, 1, 1)
    with pytest.raises(ValueError, match="twice"):
        allocate([known("a", "kha")] * 2, 0, period=2025, norms=funding_norms(on), policy=funding_policy(on))
