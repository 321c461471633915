"""Does what is told of a centre belong to a time in which it existed? By its registration as it stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from services.intake.domain.findings import Arrival, Awaited, Findings, Known
from shared.contracts.base import FIRST_OF_SUPPORT, Problem, Text
from shared.contracts.facts import Accepted, AssessmentAccepted, CentreAccepted, RegistrationAccepted, SupportAccepted
from shared.contracts.lifetimes import existed, existed_in
from shared.contracts.series import SERIES
from shared.contracts.submissions import AssessmentSubmitted, CentreRegistered, CentreSubmitted, SupportSubmitted
from shared.refusals import problem
from shared.rulebook import cut_off
from shared.wording import EN, VI

Told = CentreSubmitted | SupportSubmitted | AssessmentSubmitted | CentreAccepted | SupportAccepted | AssessmentAccepted
"""What speaks of a centre at a time: on a period's cut-off date, or in a year."""


def check_lifetime(
    findings: Findings, data: CentreSubmitted | SupportSubmitted | AssessmentSubmitted, known: Known
) -> None:
    """A file or support of a time in which the centre did not exist waits: it is wrong, or the registration is.

    Initial equipment is taken with a warning: it is owed once, whenever it was paid, and what waited would be paid
    again.
    """
    centre = known.centre(data.subject if isinstance(data, AssessmentSubmitted) else data.centre_id)
    if centre is None or _belongs(data, centre):
        return
    life, version = _life(centre), centre.version
    if isinstance(data, SupportSubmitted) and data.purpose == "equipment":
        findings.warnings.append(
            problem(
                "intake.equipment_outside_life",
                "/year",
                centre=centre.centre_id,
                time=_time(data),
                life=life,
                version=version,
            )
        )
        return
    pointer = "/year" if isinstance(data, SupportSubmitted) else "/period"
    findings.held.append(
        problem("intake.outside_life", pointer, centre=centre.centre_id, time=_time(data), life=life, version=version)
    )
    findings.awaited = Awaited(awaited_of(centre.centre_id), _day(data))


def awaited_of(centre_id: str) -> str:
    """For what a submission waits that waits for another registration of a centre: no code of a unit looks so."""
    return f"registration/{centre_id}"


def years_changed(data: CentreRegistered, before: Accepted | None, arrival: Arrival) -> range:
    """Years whose accepted facts a registration may leave outside the life of its centre; none where it takes nothing
    from the life that stands."""
    if before is None:
        return range(0)
    if isinstance(before, RegistrationAccepted):
        later = data.opened_on > before.opened_on
        earlier = (data.closed_on or date.max) < (before.closed_on or date.max)
        if not (later or earlier):
            return range(0)
    return range(FIRST_OF_SUPPORT, arrival.day.year + 1)


def left_outside(data: CentreRegistered, before: Accepted | None, accepted: Iterable[Accepted]) -> Iterator[Problem]:
    """What of this was told of a time that belonged to the centre's life until now, and by its new registration does
    no longer. It stays accepted: who filed it takes it back, or corrects the registration."""
    outside: dict[str, list[Text]] = {}
    for fact in accepted:
        if not isinstance(fact, CentreAccepted | SupportAccepted | AssessmentAccepted) or _belongs(fact, data):
            continue
        if not isinstance(before, RegistrationAccepted) or _belongs(fact, before):
            pointer = "/opened_on" if _day(fact) < data.opened_on else "/closed_on"
            outside.setdefault(pointer, []).append(_named(fact))
    for pointer, facts in outside.items():
        named = Text(vi="; ".join(fact.vi for fact in facts), en="; ".join(fact.en for fact in facts))
        yield problem("intake.left_outside_life", pointer, centre=data.centre_id, life=_life(data), facts=named)


def _belongs(told: Told, centre: RegistrationAccepted | CentreRegistered) -> bool:
    """Whether the centre was there: on the cut-off date of an assessment, on any day of the year of support."""
    if isinstance(told, SupportSubmitted | SupportAccepted):
        return existed_in(centre, told.year)
    return existed(centre, _day(told))


def _day(told: Told) -> date:
    return cut_off(told.year if isinstance(told, SupportSubmitted | SupportAccepted) else told.period)


def _time(told: CentreSubmitted | SupportSubmitted | AssessmentSubmitted) -> Text:
    if isinstance(told, SupportSubmitted):
        return Text(vi=f"năm {told.year}", en=f"the year {told.year}")
    on = _day(told)
    return Text(
        vi=f"ngày chốt của kỳ {told.period} ({VI.day(on)})", en=f"{EN.day(on)}, the cut-off date of the period,"
    )


def _life(centre: RegistrationAccepted | CentreRegistered) -> Text:
    opened, closed = centre.opened_on, centre.closed_on
    if closed is None:
        return Text(vi=f"từ ngày {VI.day(opened)}", en=f"since {EN.day(opened)}")
    return Text(
        vi=f"từ ngày {VI.day(opened)} đến trước ngày {VI.day(closed)}",
        en=f"from {EN.day(opened)} until before {EN.day(closed)}",
    )


def _named(fact: CentreAccepted | SupportAccepted | AssessmentAccepted) -> Text:
    if isinstance(fact, SupportAccepted):
        return Text(
            vi=f"hỗ trợ năm {fact.year} (phiên bản {fact.version})",
            en=f"support of {fact.year} (version {fact.version})",
        )
    if isinstance(fact, AssessmentAccepted):
        name = SERIES[fact.series].name
        return Text(
            vi=f"{name.vi} kỳ {fact.period} (phiên bản {fact.version})",
            en=f"{name.en} of {fact.period} (version {fact.version})",
        )
    return Text(
        vi=f"hồ sơ đánh giá kỳ {fact.period} (phiên bản {fact.version})",
        en=f"the assessment of {fact.period} (version {fact.version})",
    )
