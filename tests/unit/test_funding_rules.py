"""Norms and policy of funding as files: what they give, and a message of its own for each malformed kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts.base import Provenance
from shared.rulebook import FundingNorms, FundingPolicy, RulebookError, funding_norms, funding_policy
from shared.rulebook.areas import area_list
from shared.rulebook.overlays import load_layers
from shared.rulebook.source import DATA
from tests.funding_rules import changed

DAY = date(2026, 1, 1)
Change = Callable[[dict[str, Any]], object]
LINE, BANDS = "by_score_line", "by_score_bands"


def _set(*path: str, to: Any) -> Change:
    def change(version: dict[str, Any]) -> None:
        for part in path[:-1]:
            version = version[part]
        version[path[-1]] = to

    return change


def _drop(*path: str) -> Change:
    def change(version: dict[str, Any]) -> None:
        for part in path[:-1]:
            version = version[part]
        del version[path[-1]]

    return change


def _performance(**scales: Any) -> Change:
    def change(version: dict[str, Any]) -> None:
        version["performance"] = {"provenance": "provisional", "citation": "x", **scales}

    return change


def _itself_as_minima(version: dict[str, Any]) -> None:
    version["minima"] = dict(version)


def _points(*pairs: tuple[int, str], name: str = "score") -> list[dict[str, Any]]:
    return [{name: score, "factor": factor} for score, factor in pairs]


NORMS: list[tuple[Change, str, str]] = [
    (_drop("yearly", "other"), "area_class_missing", ""),
    (_itself_as_minima, "minima_in_file", ""),
    (_drop("eligibility"), "entry_missing", "eligibility"),
    (_set("eligibility", "area_classes", to=[]), "wrong_value", "eligibility/area_classes"),
    (_set("eligibility", "area_classes", to=["region_9"]), "wrong_value", "eligibility/area_classes/0"),
    (_set("initial_equipment", "amount", to=1.5), "wrong_value", "initial_equipment/amount"),
    (_set("yearly", "region_1", "amount", to=-1), "wrong_value", "yearly/region_1/amount"),
    (_set("yearly", "region_1", "citation", to=" "), "entry_empty", "yearly/region_1/citation"),
    (_set("monthly", to={}), "unknown_key", "monthly"),
]
POLICY: list[tuple[Change, str, str]] = [
    (_performance(), "scale_not_one", "performance"),
    (_performance(by_grade={"tot": 1}, by_score_line=_points((0, "1"), (100, "1"))), "scale_not_one", "performance"),
    (_performance(by_grade={}), "scale_empty", "performance"),
    (_performance(by_grade={"tot": -1}), "wrong_value", "performance/by_grade/tot"),
    (_performance(by_score_line=_points((1, "1"), (100, "1"))), "scale_start", "performance"),
    (_performance(by_score_bands=_points((50, "1"), name="min")), "scale_start", "performance"),
    (_performance(by_score_line=_points((0, "1"), (99, "1"))), "scale_end", "performance"),
    (_performance(by_score_line=_points((0, "1"), (0, "1"), (100, "1"))), "scale_not_rising", "performance"),
    (_performance(by_score_bands=_points((0, "1"), (50, "1/2"), name="min")), "scale_falls", "performance"),
    (_performance(by_score_line=_points((0, "1"))), "wrong_value", "performance/by_score_line"),
    (_performance(by_score_line=_points((0, "1"), (101, "1"))), "wrong_value", "performance/by_score_line/1/score"),
    (_drop("not_due"), "entry_missing", "not_due"),
    (_drop("not_submitted", "provenance"), "entry_missing", "not_submitted/provenance"),
    (_set("not_submitted", "hold_harmless", to="no"), "wrong_value", "not_submitted/hold_harmless"),
    (_set("pending", "counts", to="best_result"), "wrong_value", "pending/counts"),
    (_drop("equity", "by_area_class", "region_2"), "area_class_missing", "equity"),
    (_set("size", "bands", to=[{"up_to": 9, "factor": 1}]), "size_bands_unclear", "size"),
    (_set("size", "bands", to=[{"up_to": None, "factor": 1}, {"up_to": 9, "factor": 1}]), "size_bands_unclear", "size"),
    (_set("change", "fall", to="1.5"), "wrong_value", "change/fall"),
    (_set("transition", "years", to=0), "wrong_value", "transition/years"),
    (_set("transition", "protected", to="3/2"), "wrong_value", "transition/protected"),
    (_set("transition", "hold_harmless", to="best"), "wrong_value", "transition/hold_harmless"),
    (_set("proration", "use", to="months"), "counting_day_unclear", "proration"),
    (_set("proration", "counts", to="first_day"), "counting_day_unclear", "proration"),
    (_set("equipment", "within_years", to=0), "wrong_value", "equipment/within_years"),
    (_set("rounding", "step", to=0), "wrong_value", "rounding/step"),
    (_set("surplus", "use", to="next_year"), "wrong_value", "surplus/use"),
    (_set("after_approval", "use", to="ignore"), "wrong_value", "after_approval/use"),
    (_set("effective_to", to=date(2020, 1, 1)), "no_successor", "successor"),
]


def _refused(folder: Path, name: str, model: type[Any], change: Change) -> RulebookError:
    content = yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
    change(content["versions"][0])
    file = folder / name
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(RulebookError) as caught:
        load_layers((folder,), name, model)
    return caught.value


@pytest.mark.parametrize(("change", "code", "path"), NORMS)
def test_malformed_norms_say_what_and_where(tmp_path: Path, change: Change, code: str, path: str) -> None:
    error = _refused(tmp_path, "funding_norms.yaml", FundingNorms, change)
    assert (error.problem.code, error.path) == (code, f"versions/0/{path}".rstrip("/"))
    assert error.problem.message.vi != error.problem.message.en


@pytest.mark.parametrize(("change", "code", "path"), POLICY)
def test_a_malformed_policy_says_what_and_where(tmp_path: Path, change: Change, code: str, path: str) -> None:
    error = _refused(tmp_path, "funding_policy.yaml", FundingPolicy, change)
    place = path if code == "no_successor" else f"versions/0/{path}"
    assert (error.problem.code, error.path) == (code, place)
    assert error.problem.mend.vi != error.problem.mend.en


def test_the_working_default_is_complete_and_marked() -> None:
    policy = funding_policy(DAY)
    for name in FundingPolicy.model_fields:
        rule = getattr(policy, name)
        if hasattr(rule, "provenance"):
            assert rule.provenance is Provenance.PROVISIONAL, name
    assert policy.not_submitted.factor == policy.not_due.factor == 0
    assert (policy.not_submitted.hold_harmless, policy.not_due.hold_harmless) == (False, True)
    assert (policy.pending.counts, policy.pending.hold_harmless) == ("last_result", True)
    assert (policy.proration.use, policy.surplus.use, policy.after_approval.use) == ("none", "reserve", "reserve")
    assert policy.transition.hold_harmless == "sum_of_predecessors"
    assert policy.transition.protected == 1


@pytest.mark.parametrize(
    ("year", "law"),
    [(2016, "301/2006"), (2020, "301/2006"), (2021, "33/2020"), (2025, "33/2020"), (2026, "272/2025")],
)
def test_the_minima_go_by_the_list_of_areas_of_their_year(year: int, law: str) -> None:
    first = date(year, 1, 1)
    assert law in area_list(first).legal_reference
    assert set(funding_norms(first).eligibility.area_classes) <= set(area_list(first).classes)


def test_points_are_weighed_in_bands_from_both_sides_of_each_edge() -> None:
    bands = _points((0, "0.5"), (50, "0.75"), (65, "1"), (80, "1.25"), name="min")
    rule = changed(funding_policy(DAY).performance, {"by_grade": None, BANDS: bands})
    weights = {
        points: rule.of_score(Decimal(points)) for points in ("0", "49.99", "50", "64.9", "65", "79.9", "80", "100")
    }
    assert list(weights.values()) == [Fraction(x, 4) for x in (2, 2, 3, 3, 4, 4, 5, 5)]


def test_points_are_weighed_along_a_line_exactly() -> None:
    rule = changed(
        funding_policy(DAY).performance,
        {"by_grade": None, LINE: _points((0, "0.5"), (30, "0.5"), (100, "1.25"))},
    )
    weights = [rule.of_score(Decimal(points)) for points in ("0", "30", "31", "65", "100")]
    assert weights == [
        Fraction(1, 2),
        Fraction(1, 2),
        Fraction(1, 2) + Fraction(3, 280),
        Fraction(7, 8),
        Fraction(5, 4),
    ]
    for outside in ("-0.1", "100.1"):
        with pytest.raises(LookupError):
            rule.of_score(Decimal(outside))


def test_a_province_may_only_grant_more() -> None:
    law = funding_norms(DAY)
    own = changed(law, {"id": "own", "yearly": {"other": {"amount": 5_000_000}}}).above(law)
    assert (own.floor("other").amount, own.legal("other").amount) == (5_000_000, 0)
    assert law.legal("region_1") is law.floor("region_1")
    for change, path in (
        ({"yearly": {"region_2": {"amount": 24_999_999}}}, "yearly/region_2/amount"),
        ({"initial_equipment": {"amount": 29_999_999}}, "initial_equipment/amount"),
    ):
        with pytest.raises(RulebookError, match="below the legal minimum") as caught:
            changed(law, {"id": "own", **change}).above(law)
        assert caught.value.path == path
