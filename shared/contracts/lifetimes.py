"""When a centre existed, by its registration as it was sent or as it was accepted."""

from __future__ import annotations

from datetime import date

from shared.contracts.facts import RegistrationAccepted
from shared.contracts.submissions import CentreRegistered


def existed(centre: RegistrationAccepted | CentreRegistered, on: date, until: date | None = None) -> bool:
    """Whether it was there on a day, or on any day up to `until`. A suspended centre is there."""
    return centre.opened_on <= (until or on) and (centre.closed_on is None or on < centre.closed_on)


def existed_in(centre: RegistrationAccepted | CentreRegistered, year: int) -> bool:
    """Whether it was there on any day of a year."""
    return existed(centre, date(year, 1, 1), date(year, 12, 31))
