"""Own tables and policies: the province's in force on the day, else the ministry's, else what is shipped."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.submissions import PointsContent
from shared.rulebook import (
    NoRuleInForce,
    PointsRubric,
    RulebookError,
    alert_policy,
    check_content,
    funding_norms,
    funding_policy,
    point_table_for,
    rubric,
    rubric_for,
)
from shared.rulebook.overlays import MINISTRY, NATION, Layers, Place, Placed, folders
from shared.rulebook.policies import AlertPolicy
from shared.rulebook.source import DATA
from tests.unit.rulebook_samples import MAXIMA, RUBRIC, put, shipped, table, version

DA_NANG, HANOI, QUANG_BINH = "48", "01", "44"
WORKING_DEFAULT = f"{RUBRIC}/working-default-1"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the platform reads after the shipped one."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(folder))
    return folder


def points(series_rubric: object) -> PointsRubric:
    assert isinstance(series_rubric, PointsRubric)
    return series_rubric


def of_ministry(**changes: Any) -> dict[str, Any]:
    return table(id=f"{RUBRIC}/bo-gddt-2018", effective_from=date(2018, 1, 1), citation="QĐ 1/QĐ-BGDĐT", **changes)


# --------------------------------------------------------------------------------------------------- precedence


def test_the_provinces_own_table_goes_before_the_ministrys_and_that_before_the_default(own: Path) -> None:
    put(own, f"provinces/{DA_NANG}/point_tables/2016.yaml", table())
    put(own, "ministry/point_tables/2018.yaml", of_ministry())
    rule = points(rubric(RUBRIC))
    in_force = {
        (province, period): point_table_for(rule, province, period).id
        for province in (DA_NANG, HANOI, None)
        for period in (2015, 2016, 2018, 2023)
    }
    assert in_force == {
        (DA_NANG, 2015): WORKING_DEFAULT,  # not yet decided
        (DA_NANG, 2016): f"{RUBRIC}/da-nang-2016",
        (DA_NANG, 2018): f"{RUBRIC}/da-nang-2016",
        (DA_NANG, 2023): f"{RUBRIC}/da-nang-2016",
        (HANOI, 2015): WORKING_DEFAULT,
        (HANOI, 2016): WORKING_DEFAULT,
        (HANOI, 2018): f"{RUBRIC}/bo-gddt-2018",
        (HANOI, 2023): f"{RUBRIC}/bo-gddt-2018",
        (None, 2015): WORKING_DEFAULT,
        (None, 2016): WORKING_DEFAULT,
        (None, 2018): f"{RUBRIC}/bo-gddt-2018",
        (None, 2023): f"{RUBRIC}/bo-gddt-2018",
    }


def test_a_table_that_has_ended_is_not_extended(own: Path) -> None:
    put(own, f"provinces/{DA_NANG}/point_tables/2016.yaml", table(effective_to=date(2019, 12, 31)))
    ids = [point_table_for(points(rubric(RUBRIC)), DA_NANG, period).id for period in (2018, 2019)]
    assert ids == [f"{RUBRIC}/da-nang-2016", WORKING_DEFAULT]


def test_points_are_checked_by_the_table_of_the_holder(own: Path) -> None:
    put(own, f"provinces/{DA_NANG}/point_tables/2016.yaml", table())
    content = PointsContent.model_validate({"points": {"TC1": {"points": "9"}}})
    there, elsewhere = (rubric_for("commune", 2020, province) for province in (DA_NANG, HANOI))
    assert points(there).maximum("TC1") == MAXIMA["TC1"] == 10
    assert points(elsewhere).maximum("TC1") == 7
    assert check_content(there, content)[0] == []
    (problem,) = check_content(elsewhere, content)[0]
    assert problem.code == "points_above_maximum"
    assert "working-default-1" in problem.expected.en
    assert there.id == elsewhere.id == RUBRIC
    assert rubric_for("commune", 2020, HANOI) is rubric(RUBRIC)
    assert rubric_for("commune", 2020, DA_NANG) is there


def test_a_province_may_set_its_own_bands_only_where_the_nations_are_provisional(own: Path) -> None:
    rule = shipped("rubrics/clc_2553_2013.yaml")
    bands = [
        band | {"provenance": "found", "citation": "QĐ 5/QĐ-SGDĐT", "min": low, "max": high}
        for band, (low, high) in zip(rule["grades"], [(0, 40), (40, 60), (60, 90), (90, 100)], strict=True)
    ]
    centre = table(
        rubric="clc_2553_2013",
        id="clc_2553_2013/da-nang-2016",
        maxima={"N1": 25, "N2": 25, "N3": 25, "N4": 25},
        grades=bands,
        effective_to=None,
        successor=None,
    )
    put(own, f"provinces/{DA_NANG}/point_tables/centres.yaml", centre)
    there, elsewhere = (points(rubric_for("centre", 2025, province)) for province in (DA_NANG, HANOI))
    assert [one.grade(Decimal(85)).id for one in (there, elsewhere)] == ["kha", "tot"]
    assert there.grade(Decimal(100)).citation == "QĐ 5/QĐ-SGDĐT"


def test_policies_have_the_same_precedence(own: Path) -> None:
    day = date(2026, 1, 1)
    alert = version("alert_policy.yaml", id="alert_policy/da-nang", effective_from=day)
    put(own, f"provinces/{DA_NANG}/alert_policy.yaml", {"versions": [alert]})
    put(own, "ministry/alert_policy.yaml", {"versions": [alert | {"id": "alert_policy/bo"}]})
    funding = version("funding_policy.yaml", id="funding_policy/da-nang", effective_from=day)
    funding["rounding"] = funding["rounding"] | {"step": 1000}
    put(own, f"provinces/{DA_NANG}/funding_policy.yaml", {"versions": [funding]})
    assert alert_policy(day, DA_NANG).id == "alert_policy/da-nang"
    assert alert_policy(day, HANOI).id == alert_policy(day).id == "alert_policy/bo"
    assert alert_policy(date(2025, 12, 31), DA_NANG).id == "alert_policy/working-default-1"
    assert [funding_policy(day, province).rounding.step for province in (DA_NANG, HANOI, None)] == [1000, 1, 1]


def test_a_province_may_grant_more_than_the_legal_minimum(own: Path) -> None:
    norms = version("funding_norms.yaml", id="funding_norms/da-nang", effective_from=date(2026, 1, 1))
    norms["yearly"]["region_1"]["amount"] = 33_625_000
    put(own, f"provinces/{DA_NANG}/funding_norms.yaml", {"versions": [norms]})
    there, elsewhere = (funding_norms(date(2026, 1, 1), province) for province in (DA_NANG, HANOI))
    assert [one.floor("region_1").amount for one in (there, elsewhere)] == [33_625_000, 20_000_000]
    assert there.legal("region_1").amount == 20_000_000


def test_a_province_may_not_lower_a_legal_minimum(own: Path) -> None:
    norms = version("funding_norms.yaml", id="funding_norms/da-nang", effective_from=date(2026, 1, 1))
    norms["yearly"]["region_2"]["amount"] = 24_999_999
    norms["initial_equipment"]["amount"] = 0
    put(own, f"provinces/{DA_NANG}/funding_norms.yaml", {"versions": [norms]})
    with pytest.raises(RulebookError, match="24,999,999 đồng is below the legal minimum of 25,000,000 đồng") as caught:
        funding_norms(date(2026, 1, 1), HANOI)  # nobody works with a rulebook that has a fault anywhere
    assert caught.value.path == "funding_norms/da-nang/yearly/region_2/amount"
    assert caught.value.problem.code == "minimum_lowered"
    assert "thấp hơn mức tối thiểu" in caught.value.problem.message.vi


def test_without_the_setting_only_the_shipped_rules_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGHOC_RULEBOOK", raising=False)
    assert folders() == (DATA,)
    monkeypatch.setenv("LANGHOC_RULEBOOK", "/a:/b")
    assert folders() == (DATA, Path("/a"), Path("/b"))


# ----------------------------------------------------------------------------------------------- later folders


def test_e7_a_later_folder_may_end_a_shipped_rule_but_never_change_it(own: Path) -> None:
    last = version("alert_policy.yaml", effective_to=date(2027, 1, 1), successor="alert_policy/2027")
    after = version("alert_policy.yaml", id="alert_policy/2027", effective_from=date(2027, 1, 1))
    put(own, "alert_policy.yaml", {"versions": [last, after]})
    assert alert_policy(date(2026, 12, 31)).id == "alert_policy/working-default-1"
    assert alert_policy(date(2027, 1, 1)).id == "alert_policy/2027"


def test_e7_a_changed_rule_under_the_same_id_is_refused_and_told_to_take_a_new_id(own: Path) -> None:
    changed = version("alert_policy.yaml", support_change={"more_than": "1/5", "provenance": "found", "citation": "x"})
    put(own, "alert_policy.yaml", {"versions": [changed]})
    with pytest.raises(RulebookError, match="give it a new id") as caught:
        alert_policy(date(2026, 1, 1))
    assert caught.value.problem.code == "changed_under_same_id"
    assert caught.value.file == str(own / "alert_policy.yaml")


def test_e6_an_ended_rule_leaves_a_hole_not_its_values(own: Path) -> None:
    last = version("alert_policy.yaml", effective_to=date(2027, 1, 1), successor="not_found")
    put(own, "alert_policy.yaml", {"versions": [last]})
    assert alert_policy(date(2026, 12, 31)).support_change.more_than == Fraction(1, 10)
    with pytest.raises(NoRuleInForce, match="no version was in force on 2027-01-01"):
        alert_policy(date(2027, 1, 1))


# ------------------------------------------------------------------------------------------- malformed overlays


@pytest.mark.parametrize(
    ("where", "content", "code", "path"),
    [
        (f"{DA_NANG}/point_tables/a", table(maxima=MAXIMA | {"TC1": 11}), "maxima_not_total", ""),
        (f"{DA_NANG}/point_tables/a", table(maxima=MAXIMA | {"TC16": 0}), "criteria_differ", ""),
        (f"{DA_NANG}/point_tables/a", table(total=110, maxima=MAXIMA | {"TC1": 20}), "bands_end", ""),
        (f"{DA_NANG}/point_tables/a", table(rubric="lc_commune", id="lc_commune/a"), "unknown_rubric", "rubric"),
        (f"{DA_NANG}/point_tables/a", table(rubric="lc_commune_25_2023", id="lc_commune_25_2023/a"), "unknown_rubric",
         "rubric"),
        (f"{DA_NANG}/point_tables/a", table(id="da-nang"), "table_id_taken", ""),
        (f"{DA_NANG}/point_tables/a", table(id=WORKING_DEFAULT), "id_used_twice", "id"),
        (f"{DA_NANG}/point_tables/a", table(provenance="provisional"), "table_not_decided", ""),
        (f"{DA_NANG}/point_tables/a", table(citation=None), "entry_missing", "citation"),
        (f"{DA_NANG}/point_tables/a", table(citation=""), "entry_empty", "citation"),
        (f"{DA_NANG}/point_tables/a", table(successor=None), "no_successor", "successor"),
        (f"{DA_NANG}/point_tables/a", table(effective_to=date(2016, 3, 4)), "dates_reversed", "effective_to"),
        (f"{DA_NANG}/point_tables/a", table(effective_from=date(2024, 2, 12), effective_to=None, successor=None),
         "table_outside_rubric", "effective_from"),
        (f"{DA_NANG}/point_tables/a", table(grades=shipped(f"rubrics/{RUBRIC}.yaml")["grades"]), "bands_are_law",
         "grades"),
        (f"{DA_NANG}/point_tables/a", table(weights={}), "unknown_key", "weights"),
        ("99/point_tables/a", table(), "unknown_province", "effective_from"),
        ("da-nang/point_tables/a", table(), "unknown_province", "effective_from"),
        ("49/point_tables/a", table(effective_to=None, successor=None), "unknown_province", "effective_from"),
        (f"{QUANG_BINH}/point_tables/a", table(effective_to=None, successor=None), "province_changed", "effective_to"),
        (f"{DA_NANG}/alert_policy", {"versions": [version("alert_policy.yaml")]}, "id_used_twice", "id"),
        (f"{DA_NANG}/alert_policy", {"versions": [version("alert_policy.yaml", id="a")] * 2}, "id_used_twice", "id"),
    ],
)  # fmt: skip
def test_a_malformed_overlay_says_what_and_where(
    own: Path, where: str, content: dict[str, Any], code: str, path: str
) -> None:
    put(own, f"provinces/{where}.yaml", content)
    with pytest.raises(RulebookError) as caught:
        _read_all_own()
    found = {(error.problem.code, error.path) for error in caught.value.all}
    assert (code, path) in found, found
    assert {error.file for error in caught.value.all} == {str(own / f"provinces/{where}.yaml")}


def _read_all_own() -> None:
    point_table_for(points(rubric(RUBRIC)), DA_NANG, 2020)
    alert_policy(date(2020, 1, 1))


def test_a_table_that_the_law_sets_cannot_be_replaced(own: Path) -> None:
    rule = points(rubric("lu_unit_22_2020"))
    maxima = {id: int(value) for id, value in rule.point_table.maxima.items()}
    unit = table(rubric=rule.id, id=f"{rule.id}/own", maxima=maxima)
    put(own, f"provinces/{DA_NANG}/point_tables/a.yaml", unit)
    with pytest.raises(RulebookError) as caught:
        point_table_for(rule, DA_NANG, 2020)
    assert [error.problem.code for error in caught.value.all] == ["table_is_law"]


def test_two_tables_of_one_province_may_not_hold_on_the_same_day(own: Path) -> None:
    put(own, f"provinces/{DA_NANG}/point_tables/a.yaml", table())
    put(
        own,
        f"provinces/{DA_NANG}/point_tables/b.yaml",
        table(id=f"{RUBRIC}/da-nang-2020", effective_from=date(2020, 1, 1)),
    )
    with pytest.raises(RulebookError, match="da-nang-2020 starts on 2020-01-01 while"):
        point_table_for(points(rubric(RUBRIC)), DA_NANG, 2020)


def test_two_tables_may_follow_one_another(own: Path) -> None:
    first = table(effective_to=date(2020, 1, 1), successor=f"{RUBRIC}/da-nang-2020")
    second = table(id=f"{RUBRIC}/da-nang-2020", effective_from=date(2020, 1, 1))
    put(own, f"provinces/{DA_NANG}/point_tables/a.yaml", first)
    put(own, f"provinces/{DA_NANG}/point_tables/b.yaml", second)
    ids = [point_table_for(points(rubric(RUBRIC)), DA_NANG, period).id for period in (2019, 2020)]
    assert ids == [first["id"], second["id"]]


# ------------------------------------------------------------------------------------------------- as a property

DAYS = st.dates(date(2014, 1, 1), date(2030, 1, 1))


def _layers(spans: dict[str, tuple[date, date | None]]) -> Layers[AlertPolicy]:
    base = AlertPolicy.model_validate(alert_policy(date(2026, 1, 1)).model_dump())
    return Layers(
        "alert_policy.yaml",
        {
            owner: (
                Placed(
                    base.model_copy(update={"id": owner or "nation", "effective_from": start, "effective_to": end}),
                    Place(DATA, owner, DATA / "alert_policy.yaml"),
                ),
            )
            for owner, (start, end) in spans.items()
        },
    )


@given(
    spans=st.fixed_dictionaries({}, optional={owner: st.tuples(DAYS, DAYS) for owner in (NATION, MINISTRY, HANOI)}),
    on=DAYS,
    province=st.sampled_from([HANOI, DA_NANG, None]),
)
def test_the_nearest_owner_in_force_decides(
    spans: dict[str, tuple[date, date]], on: date, province: str | None
) -> None:
    order = [*([province] if province else []), MINISTRY, NATION]
    wanted = next((owner for owner in order if owner in spans and spans[owner][0] <= on < spans[owner][1]), None)
    layers = _layers(dict(spans))
    if wanted is None:
        with pytest.raises(NoRuleInForce):
            layers.in_force(on, province)
    else:
        assert layers.in_force(on, province).id == (wanted or "nation")
