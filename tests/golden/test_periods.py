"""Runs `periods/*.yaml`: when each kind of submission of a period closes, to the minute on both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from services.intake.domain import Arrival
from shared.contracts.base import Provenance
from shared.contracts.facts import Closable
from shared.rulebook import closing

ROWS = [
    row
    for file in sorted((Path(__file__).parent / "periods").glob("*.yaml"))
    for row in yaml.safe_load(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['what']}-{row['period']}")
def test_the_last_day_counts_to_its_end_in_hanoi(row: dict[str, Any]) -> None:
    found, last_day = closing(row["what"], row["period"]), row["last_day"]
    assert found.last == last_day
    assert found.at == datetime(last_day.year, last_day.month, last_day.day, 17, tzinfo=UTC)  # midnight in Hanoi
    assert found.ground.provenance is Provenance.PROVISIONAL, "no law says it"
    assert Arrival("01", found.at - timedelta(minutes=1)).day == last_day
    assert Arrival("01", found.at).day == last_day + timedelta(days=1)


def test_every_kind_has_rows_on_both_sides_of_the_change() -> None:
    for what in get_args(Closable):
        periods = {row["period"] for row in ROWS if row["what"] == what}
        assert min(periods) < 2025 <= max(periods), what


def test_a_period_never_closes_before_one_that_lies_before_it() -> None:
    for what in set(get_args(Closable)) - {"envelope"}:
        days: list[date] = [closing(what, period).last for period in range(2013, 2101)]
        assert days == sorted(days)
