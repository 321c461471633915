"""Until when each version of MongoDB is supported by its maker; past that day its faults stay open."""

from __future__ import annotations

from datetime import date

Series = tuple[int, int]

SUPPORTED_UNTIL: dict[Series, date] = {
    (5, 0): date(2024, 10, 31),
    (6, 0): date(2025, 7, 31),
    (7, 0): date(2027, 8, 31),
    (8, 0): date(2029, 10, 31),
    (8, 2): date(2026, 7, 31),
}
"""The last day of each series, of November 2026. Source: https://www.mongodb.com/legal/support-policy/lifecycles"""


def support_ends(version: str) -> date | None:
    """The last day on which this version (`6.0.5`) is supported; `None`: it is newer than what is known here.

    A series that is not listed though a later one is, was over when its successor came: `date.min`.
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    listed = SUPPORTED_UNTIL.get((major, minor))
    return listed or (None if (major, minor) > max(SUPPORTED_UNTIL) else date.min)


def is_supported(version: str, on: date) -> bool:
    """Whether its maker supports this version on that day, as far as is known here."""
    until = support_ends(version)
    return until is None or on <= until


def supported(on: date) -> list[str]:
    """The series to choose from on that day: `7.0`, `8.0`."""
    return [f"{major}.{minor}" for (major, minor), until in sorted(SUPPORTED_UNTIL.items()) if on <= until]
