"""Runs the situations in `ranking/*.yaml`: ranks with ties, and who is inside a cut-off for money."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.scoring.domain import rank
from services.scoring.domain.ranking import cut_off, points_key, table_of
from shared.registry import Unit
from shared.rulebook import rubric
from shared.rulebook.ranking import TieRule
from tests.unit.ranking_samples import standing

RULE = rubric("lc_commune_44_2014")
SITUATIONS = [
    pytest.param(case, id=case["situation"])
    for file in sorted((Path(__file__).parent / "ranking").glob("*.yaml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


def commune(number: int, name: str) -> Unit:
    """A commune that exists only here."""
    code = f"{number:05d}"
    return Unit(
        code=code, name=name, valid_from=None, valid_to=None, unit_id=f"{code}@x", type="Xã", province_code="01"
    )


@pytest.mark.parametrize("ties", ["include", "exclude"])
@pytest.mark.parametrize("case", SITUATIONS)
def test_who_is_inside_a_cut_off(case: dict[str, Any], ties: TieRule) -> None:
    units = [commune(number, name) for number, name in enumerate(case["totals"], start=1)]
    results = {}
    for unit in units:
        total = Decimal(str(case["totals"][unit.name]))
        results[unit.unit_id] = standing(
            unit, points_key(total), rubric=RULE.id, point_table=table_of(RULE), total=total
        )

    rows = rank(units, results, RULE)

    assert {row.name: row.rank for row in rows} == case["ranks"]
    assert sorted(row.name for row in cut_off(rows, case["places"], ties).rows) == sorted(case[ties])
