"""What a changed registration leaves outside the life of its centre, though it was accepted."""

from __future__ import annotations

from services.intake import domain
from services.intake.decisions.documents import AGGREGATES
from services.intake.decisions.kinds import recognised
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
    centre = data.centre_id
    of = [("centre", centre), ("support", centre), ("recognition", recognised("centre", centre, None))]
    years = domain.years_changed(data, before, arrival)
    of += [("assessment", f"{series}/{centre}") for series in series_of("centre") if series != "centre"]
    kept = await ask.many(AGGREGATES.ref(kind, subject, year) for year in years for kind, subject in of)
    return [*domain.left_outside(data, before, [found.accepted for found in kept if found])]
