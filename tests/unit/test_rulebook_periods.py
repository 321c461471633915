"""Closing days as a ministry writes them: its own go before the working default, and a slip is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from shared.contracts.facts import Closable
from shared.rulebook import closing, named_closable
from shared.rulebook.checking import read_all
from shared.rulebook.source import DATA
from tests.unit.rulebook_samples import put, version

FILE = "ministry/periods.yaml"


def own_days(**days: Any) -> dict[str, Any]:
    """The ministry's own closing days of the periods 2018 to 2020."""
    closes = {what: {"last_day": date(2024, 6, 30), "provenance": "found", "citation": "QĐ 9"} for what in DAYS}
    return version(
        "periods.yaml", id="periods/bo-2018", effective_from=date(2018, 1, 1), effective_to=date(2021, 1, 1),
        successor="not_found", provenance="found", citation="QĐ 9/QĐ-BGDĐT", closes=closes | days,
    )  # fmt: skip


DAYS = get_args(Closable)


def wrong(folder: Path) -> set[str]:
    return {error.problem.code for error in read_all((DATA, folder)).errors}


def test_the_ministrys_day_goes_before_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, FILE, {"versions": [own_days()]})
    assert wrong(tmp_path) == set()
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(tmp_path))
    last = {period: closing("commune", period) for period in (2017, 2018, 2020, 2021)}
    assert {period: found.last for period, found in last.items()} == {
        2017: date(2026, 12, 31),
        2018: date(2024, 6, 30),
        2020: date(2024, 6, 30),
        2021: date(2026, 12, 31),
    }
    assert last[2018].ground.citation == "QĐ 9"


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ({"last_day": date(2024, 6, 30), "month": 6, "day": 30, "years_after": 1}, "closing_day_unclear"),
        ({"month": 6, "day": 30}, "closing_day_unclear"),
        ({}, "closing_day_unclear"),
        ({"month": 2, "day": 29, "years_after": 1}, "no_calendar_day"),
    ],
)
def test_a_closing_day_is_one_day_that_every_year_has(tmp_path: Path, day: dict[str, Any], code: str) -> None:
    given = own_days(centre={**day, "provenance": "found", "citation": "QĐ 9"})
    put(tmp_path, FILE, {"versions": [given]})
    assert wrong(tmp_path) == {code}


def test_no_kind_is_left_open_for_ever(tmp_path: Path) -> None:
    given = own_days()
    del given["closes"]["support"]
    put(tmp_path, FILE, {"versions": [given]})
    assert wrong(tmp_path) == {"closing_missing"}


def test_every_kind_has_words_in_both_languages() -> None:
    for what in DAYS:
        named = named_closable(what)
        assert named.vi != named.en
