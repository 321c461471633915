"""The ranking policy: one order for the nation, cut-offs only by whoever gives something."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shared.rulebook import RulebookError
from shared.rulebook.ranking import cut_offs, ranking_order, ranking_policies, ranking_policy
from shared.rulebook.source import DATA
from tests.unit.test_ranking_http import CUT_OFF, decided

ORDER = """order:
    pass_fail: [{measures}]
    points: [total]
    ties: share_rank
    provenance: provisional
    citation: "Mặc định"
"""


def test_the_shipped_policy_is_provisional_sets_no_cut_off_and_covers_every_period() -> None:
    for year in range(2013, 2031):
        on = date(year, 12, 31)
        order = ranking_order(on)
        assert (ranking_policy(on).provenance, order.provenance, order.ties) == (
            "provisional",
            "provisional",
            "share_rank",
        )
        assert cut_offs("nation", on) == cut_offs("province-01", on) == cut_offs("area-other", on) == []


def test_a_province_can_set_cut_offs_of_its_own_ranking_only(tmp_path: Path) -> None:
    decided(tmp_path, CUT_OFF.format(scope="nation"))
    with pytest.raises(RulebookError, match="write province-04"):
        ranking_policies((DATA, tmp_path))


def test_a_province_cannot_set_the_order(tmp_path: Path) -> None:
    decided(tmp_path, ORDER.format(measures="level"))
    with pytest.raises(RulebookError, match="one order makes all rankings comparable"):
        ranking_policies((DATA, tmp_path))


@pytest.mark.parametrize(
    ("measures", "said"), [("level, level", "not decide exactly once"), ("", "at least 1"), ("luck", "does not fit")]
)
def test_an_order_that_cannot_be_used_is_refused(tmp_path: Path, measures: str, said: str) -> None:
    decided(tmp_path, ORDER.format(measures=measures))
    with pytest.raises(RulebookError, match=said):
        ranking_policies((DATA, tmp_path))
