"""Which warnings hold the release of a ranking: by whose rule, in which order, and what somebody must accept."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain import holding, unaccepted
from shared.contracts.facts import CommuneAccepted
from shared.rulebook.checking import read_all
from tests.unit.rulebook_samples import put, version
from tests.unit.scoring_samples import commune, targets

PEOPLE = {"type": "share", "share": {"numerator": 60, "denominator": 99}}
UNPROVEN = {"type": "boolean", "met": True, "evidence": []}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of own rules, after the shipped ones."""
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(tmp_path))
    return tmp_path


def odd(code: str, **changed: Any) -> CommuneAccepted:
    """A file whose citizens have two sizes."""
    return commune(targets(1, C5_1=PEOPLE, **changed), code=code)


HELD = [f"{code}/population_differs" for code in ("00004", "00008", "00025")]


@given(st.permutations(["00025", "00004", "00008"]))
def test_the_same_results_in_any_order_hold_alike(codes: list[str]) -> None:
    """One warning of two figures is one; a missing proof holds nothing; whoever is in order neither."""
    found = [odd(code, C1_1=UNPROVEN) for code in codes]
    assert holding([*found, commune(targets(1), code="00091")], 2025, None) == HELD


def test_all_that_holds_is_accepted_by_name_and_what_holds_no_more_is_no_fault() -> None:
    assert unaccepted(HELD, [*reversed(HELD), "00091/population_differs"], 2025, None) == []
    (one,) = unaccepted(HELD, HELD[:1], 2025, None)
    assert (one.code, one.field) == ("release_held", "/accepts")
    assert f"(2 in all) are not accepted yet: {HELD[1]}, {HELD[2]}." in one.message.en
    assert unaccepted([], HELD, 2025, None) == []


def test_of_many_the_first_are_named_and_all_are_counted() -> None:
    (one,) = unaccepted([f"{code:05}/population_differs" for code in range(1_234)], [], 2025, None)
    assert "(1,234 in all)" in one.message.en
    assert "00019/population_differs, … (+1214)" in one.message.vi


def test_whose_ranking_it_is_says_what_holds_it(own: Path) -> None:
    """A province that lets everything through does so for its own ranking only; the ministry replaces the default."""
    none = {"warnings": [], "provenance": "provisional", "citation": "x"}
    proofs = none | {"warnings": ["value_without_evidence"]}
    own_rule = version("release_policy.yaml", id="release_policy/bo", held_by=proofs)
    put(own, "ministry/release_policy.yaml", {"versions": [own_rule]})
    looser = own_rule | {"id": "release_policy/01", "held_by": none}
    put(own, "provinces/01/release_policy.yaml", {"versions": [looser]})
    results = [odd("00004", C1_1=UNPROVEN)]
    assert holding(results, 2025, "01") == [], "released freely"
    assert holding(results, 2025, None) == holding(results, 2025, "04") == ["00004/value_without_evidence"]


def test_a_period_without_the_rule_is_held_by_nothing(own: Path) -> None:
    ended = version("release_policy.yaml", effective_to=date(2024, 1, 1), successor="not_found")
    put(own, "release_policy.yaml", {"versions": [ended]})
    assert [holding([odd("00004")], year, None) for year in (2023, 2025)] == [HELD[:1], []]


def test_what_only_intake_knows_can_hold_nothing(own: Path) -> None:
    jumps = {"warnings": ["population_jump"], "provenance": "provisional", "citation": "x"}
    put(own, "ministry/release_policy.yaml", {"versions": [version("release_policy.yaml", id="b", held_by=jumps)]})
    found = read_all().errors
    assert ["versions/0/held_by/warnings/0" in str(error) for error in found] == [True]
