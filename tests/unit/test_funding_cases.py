"""Cases that hurt others (group F of the case list, and merged grants), each as a test of this funding."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from services.funding.decisions import rules_in_force
from services.funding.domain import (
    Budget,
    Centre,
    Equipment,
    Registered,
    Stake,
    adjust,
    allocate,
    base_of,
    freeze,
    grade_of,
    head_of,
    participants,
    proof_of,
    rerun,
    solve,
    standing,
)
from services.funding.domain.corrections import corrected
from shared.contracts.facts import Allocation
from shared.rulebook import FundingPolicy, funding_norms, funding_policy
from shared.rulebook.overlays import SETTING
from shared.rulebook.source import DATA
from tests.funding_rules import changed
from tests.funding_words import run_of, steps_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = date(2026, 1, 1)
POLICY = funding_policy(DAY)
BEFORE = funding_policy(date(2025, 1, 1))
"""Of the years in which a change was measured by the year before it."""


def centre(key: str, grade: str | None = "kha", last_year: int | None = 20_000_000, **more: Any) -> Centre:
    given = {
        "name": f"TTHTCĐ {key}",
        "commune_code": "01273",
        "area_class": "region_1",
        "population_served": 8_000,
        "assessment": "scored" if grade else "not_submitted",
        "grade": grade_of("clc_2553_2013", grade, 2025) if grade else None,
    }
    return Centre(centre_id=key, last_year=last_year, **{**given, **more})


def budget(*centres: Centre, envelope: int, policy: FundingPolicy = POLICY, **more: Any) -> Budget:
    return allocate(centres, envelope, period=2025, norms=funding_norms(DAY), policy=policy, **more)


def values_of(value: Any) -> list[Any]:
    """Every single value inside, at any depth."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [each for field in dataclasses.fields(value) for each in values_of(getattr(value, field.name))]
    if isinstance(value, BaseModel):
        return values_of(value.model_dump())
    if isinstance(value, dict):
        return [each for item in value.values() for each in values_of(item)]
    if isinstance(value, list | tuple):
        return [each for item in value for each in values_of(item)]
    return [value]


def test_f1_money_is_whole_dong_and_shares_are_fractions_nowhere_a_float() -> None:
    """0.1 + 0.2: a third of 68,000,008 is a third, and no đồng is lost on the way."""
    run = budget(*(centre(key, last_year=None) for key in "abc"), envelope=68_000_008)
    frozen = freeze(run, province="04", year=2026, run_version=1)
    raised = Stake("a", 20_000_000, 20_000_000, None, Fraction(5, 4))
    one = adjust(frozen, raised, standing(frozen))
    found = [*values_of(run), *values_of(frozen), *values_of(one)]
    assert not [value for value in found if isinstance(value, float)]
    assert run.lambda_ == Fraction(8_000_008, 3)
    assert sum(line.amount for line in run.lines) == 68_000_008


def test_f2_the_numbers_add_up_and_the_event_carries_the_proof() -> None:
    run = budget(
        centre("a", "tot"), centre("b", "yeu"), centre("n", None, None, equipment=Equipment("due")),
        envelope=100_000_001,
        carried={"a": 777},
    )  # fmt: skip
    head = head_of(run, province="04", year=2026, version=1, proposed_at=NOW)
    assert head.carried + head.equipment + head.allocated + head.reserve == head.envelope == 100_000_001
    assert (head.carried, head.equipment) == (777, 30_000_000)
    assert sum(line.amount for line in run.lines) == head.allocated
    proof = proof_of(head, run.lines)
    assert proof.holds
    texts = " ".join(statement.what.vi for statement in proof.statements)
    assert "777 + 30.000.000 + 69.999.224 + 0 = 100.000.001 đồng, đúng bằng kinh phí" in texts


@pytest.mark.parametrize(
    "change",
    [
        {"reserve": 1},
        {"allocated": 43_500_001},
        {"envelope": 43_500_001},
        {"centres": 3},
        {"hash": "0" * 64},
        {"case": "below_legal_minimum"},
        {"equipment": 1},
    ],
)
def test_f2_a_head_that_does_not_fit_its_lines_is_no_proof(change: dict[str, Any]) -> None:
    run = budget(centre("a", "tot"), centre("b", "yeu"), envelope=43_500_000)
    head = head_of(run, province="04", year=2026, version=1, proposed_at=NOW)
    assert proof_of(head, run.lines).holds
    assert not proof_of(head.model_copy(update=change), run.lines).holds


@pytest.mark.parametrize("change", [{"amount": 22_500_001}, {"exact": "22500001"}, {"lower": 22_500_001}, {"upper": 1}])
def test_f2_a_line_that_was_changed_is_no_proof(change: dict[str, Any]) -> None:
    run = budget(centre("a", "tot"), centre("b", "yeu"), envelope=43_500_000)
    head = head_of(run, province="04", year=2026, version=1, proposed_at=NOW)
    lines = [run.lines[0].model_copy(update=change), run.lines[1]]
    assert not proof_of(head, lines).holds
    assert not proof_of(head, [*run.lines, run.lines[1]]).holds
    assert not proof_of(head, run.lines[:1]).holds


def failing(run: Budget, lines: Sequence[Allocation], **changes: Any) -> list[str]:
    head = head_of(run, province="04", year=2026, version=1, proposed_at=NOW)
    proof = proof_of(head.model_copy(update=changes), lines)
    return [statement.what.en.split(" is ")[0] for statement in proof.statements if not statement.holds]


def test_f2_the_page_says_what_does_not_hold() -> None:
    run = budget(centre("a", "tot"), centre("b", "yeu"), envelope=43_500_000)
    a, b = run.lines
    assert failing(run, run.lines) == []
    assert failing(run, run.lines, allocated=1) == ["Sum of the amounts", "The sum before rounding"]
    whole = "0 + 0 + 43,500,000 + 1 = 43,500,001 đồng, the envelope"
    assert failing(run, run.lines, reserve=1) == ["Reserve", whole]
    below = b.model_copy(update={"amount": 19_999_999, "lower": 0})
    assert "Centres below the minimum" in failing(run, [a, below])
    assert failing(run, run.lines, hash="x") == ["Hash x"]
    assert failing(run, run.lines, centres=3) == ["Centres, each counted once"]


def test_f2_closing_lines_are_no_part_of_the_proof() -> None:
    run = budget(centre("a", "tot"), envelope=22_500_000)
    head = head_of(run, province="04", year=2026, version=1, proposed_at=NOW)
    gone: Allocation = run.lines[0].model_copy(update={"centre_id": "z", "amount": 0, "flags": ["withdrawn"]})
    assert proof_of(head, [gone, *run.lines]).holds


def test_f3_the_odd_dong_goes_by_remainder_then_by_code_never_by_place_in_the_list() -> None:
    centres = [centre(key, last_year=None) for key in ("c", "a", "b")]
    for order in permutations(centres):
        lines = budget(*order, envelope=100_000_000).lines
        assert [(line.centre_id, line.amount) for line in lines] == [
            ("a", 33_333_334),
            ("b", 33_333_333),
            ("c", 33_333_333),
        ]


def test_f3_a_late_raise_of_less_than_a_dong_does_not_cost_the_odd_one() -> None:
    run = budget(*(centre(key, last_year=None) for key in "abc"), envelope=100_000_000)
    frozen = freeze(run, province="04", year=2026, run_version=1)
    line = frozen.by_centre["a"]
    a_little_more = Stake("a", line.stake.floor, line.stake.lower, None, line.stake.weight + Fraction(1, 10**8))
    one = adjust(frozen, a_little_more, standing(frozen))
    assert line.exact < one.exact < line.amount
    assert (one.after, one.delta) == (33_333_334, 0)


def test_f4_a_centre_is_counted_once_per_year_and_purpose() -> None:
    with pytest.raises(ValueError, match="twice"):
        budget(centre("a"), centre("a", "tot"), envelope=1)
    with pytest.raises(ValueError, match="twice"):
        solve([Stake("a", 0, 0, None, Fraction(1))] * 2, 1)
    with pytest.raises(ValueError, match="twice"):
        participants([Registered("a", 1, DAY), Registered("a", 2, DAY)], 2026, POLICY, {})


def test_f4_a_centre_and_its_successor_are_never_both_paid_for_the_same_time() -> None:
    merged = date(2026, 7, 1)
    register = [
        Registered("a", 5_000, date(2010, 1, 1), merged),
        Registered("b", 5_000, date(2010, 1, 1), merged),
        Registered("c", 10_000, merged, None, ("a", "b")),
    ]
    assert participants(register, 2026, POLICY, {}).keys() == {"c"}
    months = changed(POLICY, {"proration": {"use": "months", "counts": "first_day"}})
    found = participants(register, 2026, months, {})
    assert {key: part.months for key, part in found.items()} == {"a": 6, "b": 6, "c": 6}
    assert participants(register, 2027, months, {}).keys() == {"c"}


def test_f8_the_rounding_step_is_data_with_its_ground_and_told_on_every_line() -> None:
    rounded = changed(POLICY, {"rounding": {"step": 1000, "citation": "Nghị quyết của tỉnh"}})
    run = budget(centre("a"), centre("b"), envelope=43_500_999, policy=rounded)
    assert all(line.amount % 1000 == 0 for line in run.lines)
    assert run.reserve == 999
    for line in run.lines:
        last = steps_of(run, line, norms=funding_norms(DAY), policy=rounded)[-1]
        assert "đơn vị 1.000 đồng" in last.what.vi
        assert "in steps of 1,000 đồng" in last.what.en
        assert last.citation == "Nghị quyết của tỉnh"


def test_f9_each_year_keeps_the_rules_of_its_first_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that a province changes on 1 July holds from the next year on; the years before keep theirs."""
    version = yaml.safe_load((DATA / "funding_policy.yaml").read_text(encoding="utf-8"))["versions"][-1]
    new = {
        **version,
        "id": "policy/04",
        "effective_from": date(2026, 7, 1),
        "rounding": {**version["rounding"], "step": 1000},
    }
    file = tmp_path / "provinces" / "04" / "funding_policy.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump({"versions": [new]}, allow_unicode=True), encoding="utf-8")
    monkeypatch.setenv(SETTING, str(tmp_path))
    steps = {year: rules_in_force(year, "04").policy.rounding.step for year in (2025, 2026, 2027)}
    assert steps == {2025: 1, 2026: 1, 2027: 1000}
    assert rules_in_force(2027, "01").policy.rounding.step == 1


def test_f9_a_retroactive_change_is_a_new_run_with_a_delta_for_everybody_it_moves() -> None:
    run = budget(centre("a", "tot"), centre("b", "yeu"), envelope=43_500_000)
    frozen = freeze(run, province="04", year=2026, run_version=1)
    grades = {"tot": "1.5", "kha": 1, "trung_binh": "0.75", "yeu": "0.5"}
    ordered = changed(POLICY, {"id": "ordered", "performance": {"by_grade": grades}})
    again = budget(centre("a", "tot"), centre("b", "yeu"), envelope=frozen.operating, policy=ordered)
    deltas = rerun(frozen, again.stakes, standing(frozen), ordered)
    assert [(one.centre_id, one.delta) for one in deltas] == [("b", -125_000), ("a", 125_000)]
    assert "theo chính sách ordered" in corrected(deltas[0].correction, run_of(run), ordered)[-1].what.vi
    assert standing(frozen, deltas).paid == {line.centre_id: line.amount for line in again.lines}


@pytest.mark.parametrize(
    ("year", "own", "base"),
    [
        (2025, None, 44_000_000),
        (2026, 30_000_000, 44_000_000),
        (2026, 50_000_000, 50_000_000),
        (2027, 30_000_000, 44_000_000),
        (2028, 30_000_000, 30_000_000),
    ],
)
def test_d11_a_merged_centre_keeps_what_its_predecessors_had_for_the_years_of_the_policy(
    year: int, own: int | None, base: int
) -> None:
    register = [
        Registered("a", 5_000, date(2010, 1, 1), date(2025, 7, 1)),
        Registered("b", 5_000, date(2010, 1, 1), date(2025, 7, 1)),
        Registered("c", 10_000, date(2025, 7, 1), None, ("a", "b")),
    ]
    supports = {("a", 2024): 24_000_000, ("b", 2024): 20_000_000}
    if own is not None:
        supports["c", year - 1] = own
    part = participants(register, year, POLICY, supports)["c"]
    taken = centre("c", last_year=part.last_year, lineage=part.lineage)
    assert base_of(taken, year, POLICY) == base


def test_d11_the_parts_of_a_split_centre_are_the_whole_and_nothing_is_passed_on_twice() -> None:
    """In 2024 p is split into s and t, which merge again in 2026. The merged centre has their support, not p's too."""
    register = [
        Registered("p", 9_000, date(2010, 1, 1), date(2024, 1, 1)),
        Registered("s", 6_001, date(2024, 1, 1), date(2026, 1, 1), ("p",)),
        Registered("t", 3_000, date(2024, 1, 1), date(2026, 1, 1), ("p",)),
        Registered("u", 9_001, date(2026, 1, 1), None, ("s", "t", "p", "u", "unknown")),
    ]
    supports = {("p", 2023): 30_000_001, ("s", 2025): 21_000_000, ("t", 2025): 11_000_000}
    split = participants(register, 2024, BEFORE, supports)
    parts = {key: part.succession.parts for key, part in split.items() if part.succession}
    assert {key: [part.amount for part in found] for key, found in parts.items()} == {
        "s": [20_001_112],
        "t": [9_998_889],
    }
    merged = participants(register, 2026, BEFORE, supports)["u"].succession
    assert merged is not None
    assert [(part.predecessor, part.amount) for part in merged.parts] == [("s", 21_000_000), ("t", 11_000_000)]
    assert merged.total == 32_000_000


def test_d11_a_centre_that_names_itself_continues_nobody() -> None:
    register = [Registered("a", 8_000, date(2024, 1, 1), None, ("a",))]
    assert participants(register, 2026, POLICY, {("a", 2025): 20_000_000, ("a", 2023): 1})["a"].succession is None


def test_d11_nobody_served_means_equal_parts() -> None:
    register = [
        Registered("p", 0, date(2010, 1, 1), date(2026, 1, 1)),
        *(Registered(key, 0, date(2026, 1, 1), None, ("p",)) for key in ("s", "t")),
    ]
    found = participants(register, 2026, BEFORE, {("p", 2025): 5})
    assert {key: part.succession.total for key, part in found.items() if part.succession} == {"s": 3, "t": 2}
    found = participants(register, 2026, POLICY, {("p", 2025): 5})
    assert {key: part.lineage.last.worth() for key, part in found.items() if part.lineage} == {"s": 3, "t": 2}
