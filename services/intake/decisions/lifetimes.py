"""What a changed registration leaves outside the life of its centre, though it was accepted."""

from __future__ import annotations

from services.intake import domain
from services.intake.decisions.documents import AGGREGATES
from shared.contracts.base import Problem
from shared.contracts.facts import Accepted
from shared.contracts.series import series_of
from shared.contracts.submissions import CentreRegistered, Submission
from shared.messaging.decide.asking import Ask


async def left_outside(data: Submission, before: Accepted | None, arrival: domain.Arrival, ask: Ask) -> list[Problem]:
    """A warning per day that leaves something outside, with all that it leaves there; nothing of other kinds.

    A record asks by identity only, and what can be accepted of a centre is known by its years.
    """
    if not isinstance(data, CentreRegistered):
        return []
    years = domain.years_changed(data, before, arrival)
    filed = [(kind, data.centre_id) for kind in ("centre", "support")]
    filed += [("assessment", f"{series}/{data.centre_id}") for series in series_of("centre") if series != "centre"]
    kept = await ask.many(AGGREGATES.ref(kind, subject, year) for year in years for kind, subject in filed)
    return [*domain.left_outside(data, before, [found.accepted for found in kept if found])]
