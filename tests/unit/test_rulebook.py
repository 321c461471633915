"""The rulebook: which rule when, its deadlines and values, the content check, and a message for each malformed kind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts.base import Provenance
from shared.contracts.submissions import Content, PointsContent, TargetsContent
from shared.rulebook import (
    NoRuleInForce,
    PassFailRubric,
    PointsRubric,
    RulebookError,
    alert_policy,
    check_content,
    deadline,
    funding_norms,
    funding_policy,
    rubric,
    rubric_for,
    rubrics,
)
from shared.rulebook.funding import FundingNorms, FundingPolicy
from shared.rulebook.overlays import load_layers
from shared.rulebook.policies import AlertPolicy
from shared.rulebook.rubrics import load_rubrics
from shared.rulebook.source import DATA

RUBRICS = DATA / "rubrics"
Change = Callable[[dict[str, Any]], object]

# ------------------------------------------------------------------------------------------------- which rule when


@pytest.mark.parametrize(
    ("period", "id"),
    [
        (2015, "lc_commune_44_2014"),
        (2022, "lc_commune_44_2014"),
        (2023, "lc_commune_44_2014"),
        (2024, "lc_commune_25_2023"),
        (2025, "lc_commune_25_2023"),
    ],
)
def test_the_cut_off_date_picks_the_rubric(period: int, id: str) -> None:
    assert rubric_for("commune", period) is rubric(id)


def test_nothing_is_extrapolated() -> None:
    with pytest.raises(NoRuleInForce, match="no version was in force on 2014-12-31"):
        rubric_for("commune", 2014)
    with pytest.raises(NoRuleInForce, match="funding_norms"):
        funding_norms(date(2008, 11, 23))
    with pytest.raises(KeyError):
        rubric("lc_commune")


@pytest.mark.parametrize(
    ("id", "period", "end"),
    [
        ("lc_commune_44_2014", 2022, "2023-01-01T00:00:00+07:00"),
        ("lc_commune_25_2023", 2025, "2026-03-01T00:00:00+07:00"),
        ("lc_commune_25_2023", 2027, "2028-02-29T00:00:00+07:00"),
        ("clc_2553_2013", 2025, "2026-04-11T00:00:00+07:00"),
    ],
)
def test_the_last_day_counts_to_its_end_in_viet_nam(id: str, period: int, end: str) -> None:
    instant = deadline(rubric(id), period)
    assert instant.isoformat() == end
    assert instant.utcoffset() == timedelta(hours=7)
    assert instant - timedelta(microseconds=1) < instant == instant.astimezone(UTC)


def test_values_and_their_marks() -> None:
    norms = funding_norms(date(2026, 1, 1))
    assert [norms.floor(area).amount for area in ("region_1", "region_2", "region_3", "other")] == [
        20_000_000,
        25_000_000,
        25_000_000,
        0,
    ]
    assert norms.floor("region_1").provenance is Provenance.FOUND
    assert norms.initial_equipment.amount == 30_000_000
    policy = funding_policy(date(2026, 1, 1))
    assert policy.performance.by_grade == {
        "tot": Fraction(5, 4),
        "kha": Fraction(1),
        "trung_binh": Fraction(3, 4),
        "yeu": Fraction(1, 2),
    }
    assert policy.equity.by_area_class["region_2"] == Fraction(115, 100)
    assert [policy.size.factor(people) for people in (0, 4_999, 5_000, 15_000, 15_001)] == [
        Fraction(9, 10),
        Fraction(9, 10),
        1,
        1,
        Fraction(11, 10),
    ]
    assert (policy.change.rise, policy.change.fall, policy.rounding.step) == (Fraction(1, 4), Fraction(3, 20), 1)
    assert alert_policy(date(2025, 12, 31)).support_change.more_than == Fraction(1, 10)
    assert policy.provenance is alert_policy(date(2025, 12, 31)).provenance is Provenance.PROVISIONAL


def test_every_file_of_the_rulebook_is_used_and_its_names_are_bilingual() -> None:
    assert {f"{one.id}.yaml" for one in rubrics()} == {file.name for file in RUBRICS.glob("*.yaml")}
    for one in rubrics():
        assert one.name.vi != one.name.en
        if isinstance(one, PointsRubric | PassFailRubric):
            assert all(criterion.name.vi and criterion.name.en for criterion in one.criteria)


def test_grades_and_thresholds_of_the_law() -> None:
    commune = rubric("lc_commune_44_2014")
    assert isinstance(commune, PointsRubric)
    assert [commune.grade(Decimal(total)).id for total in ("0", "49.9999", "50", "70", "84.9999", "85", "100")] == [
        "chua_dat",
        "chua_dat",
        "trung_binh",
        "kha",
        "kha",
        "tot",
        "tot",
    ]
    assert len(commune.criteria) == 15
    today = rubric("lc_commune_25_2023")
    assert isinstance(today, PassFailRubric)
    assert len(today.targets) == 15


def test_a_rubric_has_an_identity() -> None:
    assert len({one.identity for one in rubrics()}) == len(rubrics())


# ---------------------------------------------------------------------------------------------------- content check


def _points(**points: str) -> PointsContent:
    return PointsContent.model_validate({"points": {id: {"points": value} for id, value in points.items()}})


def _targets(targets: dict[str, Any], **more: Any) -> TargetsContent:
    return TargetsContent.model_validate({"targets": targets, **more})


def _share(numerator: int, denominator: int = 100) -> dict[str, int]:
    return {"numerator": numerator, "denominator": denominator}


PAIR = {"type": "share_pair", "trained": _share(50), "university": _share(20)}


@pytest.mark.parametrize(
    ("id", "content", "found"),
    [
        ("lc_commune_44_2014", _points(TC1="7", TC3="0.5"), []),
        ("lc_commune_44_2014", _points(), []),
        ("lc_commune_44_2014", _points(TC3="7.5"), [("points_above_maximum", "/content/points/TC3/points")]),
        ("lc_commune_44_2014", _points(TC3="1.3"), [("points_not_half", "/content/points/TC3/points")]),
        (
            "lc_commune_44_2014",
            _points(TC16="1", TC3="7.3"),
            [
                ("unknown_criterion", "/content/points/TC16"),
                ("points_above_maximum", "/content/points/TC3/points"),
                ("points_not_half", "/content/points/TC3/points"),
            ],
        ),
        ("lc_commune_44_2014", _targets({}), [("wrong_rubric_kind", "/content/scoring")]),
        ("lc_commune_25_2023", _points(), [("wrong_rubric_kind", "/content/scoring")]),
        ("lc_commune_25_2023", _targets({}), []),
        (
            "lc_commune_25_2023",
            _targets({"C9.1": {"type": "boolean", "met": True}, "C1.1": {"type": "level", "level": 1}}),
            [("unknown_target", "/content/targets/C9.1"), ("wrong_target_type", "/content/targets/C1.1/type")],
        ),
        (
            "lc_commune_25_2023",
            _targets({"C3.1": {"type": "parts", "parts": {"office": True, "a/b~c": True}}}),
            [("unknown_part", "/content/targets/C3.1/parts/a~1b~0c")],
        ),
        (
            "lc_commune_25_2023",
            _targets({"C4.4": {"type": "level", "level": 3}}),
            [("level_above_scale", "/content/targets/C4.4/level")],
        ),
        (
            "lc_commune_25_2023",
            _targets({"C5.1": {"type": "share", "share": _share(101)}}),
            [("numerator_above_denominator", "/content/targets/C5.1/share/numerator")],
        ),
        (
            "lc_commune_25_2023",
            _targets({"C5.2": PAIR | {"university": _share(101)}}),
            [("numerator_above_denominator", "/content/targets/C5.2/university/numerator")],
        ),
        (
            "lc_commune_25_2023",
            _targets({"C5.2": PAIR | {"university": _share(51)}}),
            [("university_above_trained", "/content/targets/C5.2/university")],
        ),
    ],
)
def test_content(id: str, content: Content, found: list[tuple[str, str]]) -> None:
    problems, warnings = check_content(rubric(id), content)
    assert [(problem.code, problem.field) for problem in problems] == found
    assert warnings == []
    for problem in problems:
        for text in (problem.message, problem.expected, problem.mend):
            assert text.vi
            assert text.en


def test_a_difficult_area_without_basis_is_only_doubtful() -> None:
    problems, warnings = check_content(rubric("lc_commune_25_2023"), _targets({}, difficult_area=True))
    assert problems == []
    assert [(one.code, one.field) for one in warnings] == [
        ("difficult_area_without_basis", "/content/difficult_area_basis")
    ]
    assert check_content(
        rubric("lc_commune_25_2023"), _targets({}, difficult_area=True, difficult_area_basis="QĐ 861/QĐ-TTg")
    ) == ([], [])


# -------------------------------------------------------------------------------------------------- malformed files


def _yaml(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return content


def _folder(tmp_path: Path, **changes: Change) -> Path:
    """A rulebook with a copy of the rubrics, with changes, by file."""
    shutil.copytree(RUBRICS, tmp_path / "rubrics")
    for name, change in changes.items():
        file = tmp_path / "rubrics" / f"{name}.yaml"
        content = _yaml(file)
        change(content)
        file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return tmp_path


def _set(*path: str | int, to: Any) -> Change:
    def change(content: Any) -> None:
        for part in path[:-1]:
            content = content[part]
        content[path[-1]] = to

    return change


def _drop(*path: str | int) -> Change:
    def change(content: Any) -> None:
        for part in path[:-1]:
            content = content[part]
        del content[path[-1]]

    return change


def _empty_band(content: dict[str, Any]) -> None:
    content["grades"][2]["max"] = content["grades"][3]["min"] = 70


OLD, NEW, CENTRE = "lc_commune_44_2014", "lc_commune_25_2023", "clc_2553_2013"


@pytest.mark.parametrize(
    ("file", "change", "path", "message"),
    [
        (OLD, _set("point_table", "maxima", "TC1", to=8), "", "sum to 101, not to 100"),
        (OLD, _drop("point_table", "maxima", "TC15"), "", "differ in TC15"),
        (OLD, _set("grades", 1, "min", to=49), "", "overlap from 49"),
        (OLD, _set("grades", 1, "min", to=51), "", "gap from 50"),
        (OLD, _set("grades", 0, "min", to=1), "", "must start at 0"),
        (OLD, _set("grades", 0, "max", to=0), "", "leave a gap from 0"),
        (OLD, _empty_band, "", "band kha is empty: 70 is not below 70"),
        (OLD, _set("grades", 3, "max", to=99), "", "must reach 100"),
        (OLD, _set("grades", 3, "max_inclusive", to=False), "", "include it"),
        (OLD, _set("grades", 1, "max_inclusive", to=True), "", "only the highest band"),
        (OLD, _set("grades", 3, "id", to="kha"), "", "grade kha stands twice"),
        (OLD, _set("criteria", 1, "id", to="TC1"), "", "criterion TC1 stands twice"),
        (OLD, _set("minimum_rule", "grade", to="kem"), "", "'kem', which does not exist"),
        (OLD, _set("no_evidence", "counts_as", to="not_met"), "", "only count as zero_points"),
        (OLD, _set("grades", 1, "citation", to="  "), "grades/1/citation", "is empty"),
        (OLD, _drop("criteria", 4, "citation"), "criteria/4/citation", "is missing"),
        (OLD, _drop("provenance"), "provenance", "is missing"),
        (OLD, _set("provenance", to="sure"), "provenance", "found"),
        (OLD, _drop("name", "en"), "name/en", "is missing"),
        (OLD, _set("ponit_table", to={}), "ponit_table", "not known here"),
        (OLD, _set("effective_to", to=date(2014, 1, 1)), "effective_to", "is not after"),
        (OLD, _set("effective_to", to=date(2024, 3, 1)), "effective_from", "still in force"),
        (OLD, _drop("successor"), "successor", "no rule takes over"),
        (OLD, _set("effective_to", to=date(2024, 2, 1)), "successor", "successor: not_found"),
        (OLD, _set("deadline", "day", to=32), "deadline/day", "less than or equal to 31"),
        (OLD, _set("scoring", to="stars"), "", "does not match any of the expected tags"),
        (OLD, _set("id", to="lc_commune"), "id", "must be the file's own name"),
        (NEW, _set("successor", to="later"), "successor", "has not ended"),
        (NEW, _set("gaps", to=[]), "", "declare the gap `decided_by_after_2025_07_01`"),
        (NEW, _set("criteria", 0, "targets", 1, "id", to="C1.1"), "", "target C1.1 stands twice"),
        (NEW, _drop("criteria", 4, "targets", 0, "thresholds", "L2"), "", "threshold for L1 and for L2"),
        (NEW, _set("criteria", 4, "targets", 0, "thresholds", "L2", to="0.5"), "", "L2 asks for less of C5.1"),
        (NEW, _set("criteria", 3, "targets", 3, "min_level", "L2", to=3), "", "above its scale"),
        (NEW, _set("levels", to=[]), "", "must be L1 and L2"),
        (
            NEW,
            _set("criteria", 4, "targets", 0, "thresholds", "L1", to="60 %"),
            "criteria/4/targets/0/thresholds/L1",
            "Fraction",
        ),
        (CENTRE, _set("no_evidence", "counts_as", to="nothing"), "no_evidence/counts_as", "zero_points"),
    ],
)
def test_a_malformed_rubric_says_what_and_where(
    tmp_path: Path, file: str, change: Change, path: str, message: str
) -> None:
    with pytest.raises(RulebookError, match=message) as caught:
        load_rubrics((_folder(tmp_path, **{file: change}),))
    assert caught.value.path == path
    assert caught.value.file.endswith(".yaml")
    assert caught.value.file in str(caught.value)


def test_a_declared_gap_after_an_expired_rule_is_accepted(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content |= {"effective_to": date(2026, 1, 1), "successor": "not_found"}

    assert load_rubrics((_folder(tmp_path, **{NEW: change}),))[NEW].effective_to == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"id: [", "cannot be read as YAML"),
        (b"id: a\nid: b\n", "the key 'id' stands twice"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"min: .inf", "is no exact number"),
        (b"effective_from: 2024-02-30", "day is out of range"),
        (b"just words", "valid dictionary"),
    ],
)
def test_an_unreadable_file_says_so(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "lc.yaml").write_bytes(content)
    with pytest.raises(RulebookError, match=message):
        load_rubrics((tmp_path,))


def _performance(**scales: Any) -> Change:
    return lambda content: content["versions"][0]["performance"].update(scales)


def _line(*points: tuple[int, int]) -> list[dict[str, int]]:
    return [{"score": score, "factor": factor} for score, factor in points]


SCALES: list[tuple[dict[str, Any], str]] = [
    ({"by_score_bands": [{"min": 0, "factor": 1}]}, "weighed in 2 ways"),
    ({"by_grade": None}, "weighed in 0 ways"),
    ({"by_grade": {}}, "by_grade names no grade"),
    ({"by_grade": None, "by_score_bands": [{"min": 1, "factor": 1}]}, "starts at 1 points"),
    ({"by_grade": None, "by_score_bands": [{"min": 0, "factor": 1}] * 2}, "0 points follow 0 points"),
    ({"by_grade": None, "by_score_line": _line((0, 1), (99, 2))}, "ends at 99 points"),
    ({"by_grade": None, "by_score_line": _line((0, 2), (100, 1))}, "100 points weigh 1, less than the 2"),
]
"""Ways in which performance cannot be weighed."""


def test_no_rubric_at_all_stops_loudly(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="holds no rubric"):
        load_rubrics((tmp_path,))
    with pytest.raises(RulebookError, match="the file is missing"):
        load_layers((tmp_path,), "funding_norms.yaml", FundingNorms)


@pytest.mark.parametrize(
    ("name", "model", "change", "path", "message"),
    [
        ("funding_norms", FundingNorms, _drop("versions", 0, "yearly", "other"), "versions/0", "no value for other"),
        ("funding_norms", FundingNorms, _set("versions", to=[]), "versions", "at least 1 item"),
        (
            "funding_norms",
            FundingNorms,
            _set("versions", 0, "initial_equipment", "amount", to=1.5),
            "versions/0/initial_equipment/amount",
            "integer",
        ),
        (
            "funding_policy",
            FundingPolicy,
            _drop("versions", 0, "equity", "by_area_class", "other"),
            "versions/0/equity",
            "no value for other",
        ),
        (
            "funding_policy",
            FundingPolicy,
            _set("versions", 0, "size", "bands", 0, "up_to", to=20_000),
            "versions/0/size",
            "size bands that rise",
        ),
        (
            "funding_policy",
            FundingPolicy,
            _set("versions", 0, "size", "bands", 2, "up_to", to=20_000),
            "versions/0/size",
            "only the last one is open",
        ),
        (
            "funding_policy",
            FundingPolicy,
            _set("versions", 0, "change", "fall", to="1.5"),
            "versions/0/change/fall",
            "less than or equal to 1",
        ),
        *[
            ("funding_policy", FundingPolicy, _performance(**scales), "versions/0/performance", message)
            for scales, message in SCALES
        ],
        (
            "funding_policy",
            FundingPolicy,
            _set("versions", 0, "proration", "counts", to="last_day"),
            "versions/0/proration",
            "does not go with",
        ),
        (
            "funding_norms",
            FundingNorms,
            _set("versions", 0, "minima", to=_yaml(DATA / "funding_norms.yaml")["versions"][0]),
            "versions/0",
            "states `minima`",
        ),
        (
            "alert_policy",
            AlertPolicy,
            _set("versions", 0, "effective_to", to=date(2020, 1, 1)),
            "successor",
            "no rule takes over",
        ),
    ],
)
def test_a_malformed_policy_says_what_and_where(
    tmp_path: Path, name: str, model: type[FundingNorms], change: Change, path: str, message: str
) -> None:
    content = _yaml(DATA / f"{name}.yaml")
    change(content)
    file = tmp_path / f"{name}.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(RulebookError, match=message) as caught:
        load_layers((tmp_path,), file.name, model)
    assert caught.value.path == path


def test_versions_of_a_policy_may_not_overlap(tmp_path: Path) -> None:
    content = _yaml(DATA / "alert_policy.yaml")
    content["versions"].append(content["versions"][0] | {"id": "second", "effective_from": date(2026, 1, 1)})
    file = tmp_path / "alert_policy.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(RulebookError, match="second starts on 2026-01-01 while"):
        load_layers((tmp_path,), file.name, AlertPolicy)
    content["versions"][0] |= {"effective_to": date(2026, 1, 1), "successor": "second"}
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert len(load_layers((tmp_path,), file.name, AlertPolicy).nation) == 2
    content["versions"][1]["id"] = content["versions"][0]["id"]
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(RulebookError, match="used twice"):
        load_layers((tmp_path,), file.name, AlertPolicy)


def test_numbers_are_exact_never_floats() -> None:
    for one in rubrics():
        assert "float" not in repr(_types(one.model_dump()))
    for policy in (funding_norms(date(2026, 1, 1)), funding_policy(date(2026, 1, 1)), alert_policy(date(2026, 1, 1))):
        assert "float" not in repr(_types(policy.model_dump()))


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return [_types(each) for each in value.values()]
    if isinstance(value, list):
        return [_types(each) for each in value]
    return type(value)
