"""Until when a version of MongoDB is supported."""

from __future__ import annotations

from datetime import date

import pytest

from shared.mongo.support import is_supported, support_ends, supported


@pytest.mark.parametrize(
    ("version", "on", "wanted"),
    [
        ("6.0.5", date(2025, 7, 31), True),
        ("6.0.5", date(2025, 8, 1), False),
        ("5.0.31", date(2026, 1, 1), False),
        ("7.0.14", date(2027, 8, 31), True),
        ("7.0.14", date(2027, 9, 1), False),
        ("8.0.0-rc1", date(2029, 10, 31), True),
        ("8.2.3", date(2026, 8, 1), False),
        ("4.4.29", date(2020, 1, 1), False),
        ("8.1.0", date(2026, 1, 1), False),
        ("8.3.0", date(2035, 1, 1), True),
        ("10.0.1", date(2035, 1, 1), True),
    ],
)
def test_a_version_is_supported_up_to_its_last_day(version: str, on: date, wanted: bool) -> None:
    assert is_supported(version, on) is wanted


def test_what_is_newer_than_the_table_is_not_judged_and_what_was_left_out_is_over() -> None:
    assert support_ends("9.0.0") is None
    assert support_ends("7.3.1") == date.min


def test_there_is_always_one_to_choose_for_now() -> None:
    assert supported(date(2026, 11, 30)) == ["7.0", "8.0"]
    assert supported(date(2026, 7, 31)) == ["7.0", "8.0", "8.2"]
    assert supported(date(2029, 11, 1)) == []
