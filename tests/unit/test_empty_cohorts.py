"""Nobody in a cohort: what it counts as is data, a pair is judged share by share, and a ranking leaves it out."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from services.scoring.domain import score_commune
from services.scoring.domain.ranking import pass_fail_key
from shared.contracts.base import Provenance
from shared.contracts.explained import CommuneExplained, TargetResult
from shared.contracts.facts import Recognition
from shared.rulebook import RulebookError, readings_on
from shared.rulebook.overlays import SETTING
from shared.rulebook.readings import readings_layers
from shared.rulebook.source import DATA
from tests.unit.scoring_samples import commune, recognition, share, targets

RECOGNISED = [Recognition.of(recognition())]
NOBODY = {"type": "share", "share": share(0, 0)}


def _score(**changed: Any) -> CommuneExplained:
    return score_commune(commune(targets(**changed)), RECOGNISED, (), 1)


def _target(scored: CommuneExplained, id: str) -> TargetResult:
    return next(one for criterion in scored.criteria for one in criterion.targets if one.id == id)


def _pair(trained: dict[str, int], university: dict[str, int]) -> dict[str, Any]:
    return {"type": "share_pair", "trained": trained, "university": university}


def test_each_share_of_a_pair_is_judged_apart() -> None:
    one = _target(_score(C5_2=_pair(share(0, 0), share(15))), "C5.2")
    assert (one.applicable, one.met) == (True, {"L1": True, "L2": True})
    assert one.reason is not None
    assert one.reason.en == "C5.2 (technical or professional training): not applicable, the cohort is empty."
    short = _score(C5_2=_pair(share(0, 0), share(14)))
    said = [step.what.en for step in short.explanation if "the cohort is empty" in step.what.en]
    assert [each.split(";")[0] for each in said] == [
        "Not applicable, the cohort is empty: C5.2 (technical or professional training)"
    ], "the target itself is not met, so not it counts as met"
    lacking = _target(short, "C5.2")
    assert (lacking.applicable, lacking.met) == (True, {"L1": True, "L2": False})
    none = _target(_score(C5_2=_pair(share(0, 0), share(0, 0))), "C5.2")
    assert (none.applicable, none.met, none.provenance) == (False, {"L1": True, "L2": True}, Provenance.PROVISIONAL)


def test_the_mean_is_over_those_that_are_counted() -> None:
    def mean(**changed: Any) -> str:
        key = _score(**changed).rank_key
        assert key is not None
        return key.split(".")[3]

    above = {"type": "share", "share": share(90)}
    assert mean(C5_2=_pair(share(0, 0), share(0, 0)), C5_1=above) == mean(
        C5_2=_pair(share(75), share(18)), C5_1=above
    ), "90 of 60, alone or beside two that stand exactly as high"
    nothing = mean(C5_1=NOBODY, C5_2=_pair(share(0, 0), share(0, 0)))
    assert nothing == mean(level=1), "no mean: exactly at the thresholds"


def test_counts_are_compared_exactly_however_many_targets_apply() -> None:
    ratios = [Fraction(1)]
    counts = [Fraction(15 * met, of) for of in range(1, 16) for met in range(of + 1)]
    for one, other in product(counts, repeat=2):
        keys = pass_fail_key(0, one, 0, ratios), pass_fail_key(0, other, 0, ratios)
        assert (keys[0] < keys[1], keys[0] == keys[1]) == (one < other, one == other)


def test_all_of_fourteen_stand_beside_all_of_fifteen() -> None:
    full, empty = (_score(**changed).rank_key for changed in ({}, {"C5_1": NOBODY}))
    assert full is not None
    assert empty is not None
    assert full.split(".")[:3] == empty.split(".")[:3] == ["2", "15", "15"]
    failed = _score(level=1, C1_1={"type": "boolean", "met": False}).rank_key
    also_empty = _score(level=1, C1_1={"type": "boolean", "met": False}, C5_1=NOBODY).rank_key
    assert failed is not None
    assert also_empty is not None
    assert also_empty < failed, "one of fourteen is more than one of fifteen"


def test_what_applies_is_said_nowhere_else() -> None:
    """Results without an empty cohort are, byte by byte, what they were: their hashes stand."""
    assert "applicable" not in _target(_score(), "C5.1").model_dump(mode="json")
    assert _target(_score(C5_1=NOBODY), "C5.1").model_dump(mode="json")["applicable"] is False


def test_a_ministry_may_decide_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _own(tmp_path / "ministry")
    monkeypatch.setenv(SETTING, str(tmp_path))
    assert readings_on(date(2025, 12, 31)).id == "readings/bo"
    scored = _score(C5_1=NOBODY)
    one = _target(scored, "C5.1")
    assert (scored.level, one.met, one.applicable) == (0, {"L1": False, "L2": False}, False)
    assert [step.en for step in scored.next_step] == ["C5.1: the cohort is empty, which counts as not met."]
    assert scored.rank_key is not None
    assert scored.rank_key.startswith("0.15.15."), "the ranking leaves it out all the same"


def test_a_province_may_not(tmp_path: Path) -> None:
    _own(tmp_path / "provinces" / "04")
    with pytest.raises(RulebookError) as refused:
        readings_layers((DATA, tmp_path))
    assert refused.value.problem.code == "not_for_provinces"


def _own(folder: Path) -> None:
    """The shipped readings, decided anew, with another answer for an empty cohort."""
    shipped = (DATA / "readings.yaml").read_text(encoding="utf-8")
    folder.mkdir(parents=True)
    own = shipped.replace("readings/working-default-1", "readings/bo").replace("counts_as: met", "counts_as: not_met")
    (folder / "readings.yaml").write_text(own, encoding="utf-8")
