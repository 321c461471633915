"""A centre without activity for as many months in a row as a rule names: told with its ground; a person decides.

What its reports say decides. A month of which nothing was said is unknown: it is neither idle nor active.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from services.notifications.domain.wording import joined
from shared.contracts.base import Contract, Instant, Text
from shared.contracts.facts import Alert, AssessmentScored, RegistrationAccepted, Withdrawn
from shared.rulebook import HANOI, NoRuleInForce, rubric
from shared.rulebook.centre_year import IdleRule, idle_rule
from shared.rulebook.reports import ReportRubric
from shared.wording import EN, VI


class Activity(Contract):
    """What the newest version of a report says of the months of a centre's year."""

    centre_id: str
    name: str
    province: str
    period: int
    version: int
    months: list[bool | None]
    """From January on; `None`: nobody said, or it was withdrawn."""
    event_id: str
    at: Instant
    traceparent: str | None = None


def activity_of(result: AssessmentScored, event_id: str, at: Instant, traceparent: str | None) -> Activity | None:
    """What a result says of a centre's months; `None` under a rubric that is of no centre's year.

    Raises:
        LookupError: the rulebook does not know the rubric.
    """
    rule = rubric(result.rubric)
    if not isinstance(rule, ReportRubric) or rule.centre_year is None:
        return None
    return Activity(
        centre_id=result.subject_id,
        name=result.name,
        province=result.province,
        period=result.period,
        version=result.version,
        months=rule.activity(result.content),
        event_id=event_id,
        at=at,
        traceparent=traceparent,
    )


class Idle(NamedTuple):
    """Months in a row without activity, after which nothing is known of any activity."""

    first: date
    """First day of the first of them."""
    complete: date
    """Last day of the month with which they were as many as the rule asks for."""
    last: date
    """Last day of the last of them."""
    rule: IdleRule
    """In force when they were complete."""


def idle(years: Iterable[Activity], centre: RegistrationAccepted | Withdrawn | None) -> Idle | None:
    """The last months in a row that a rule speaks of; `None` where there are none, or people have decided since.

    Args:
        years: reports of one centre, one of each year, in any order.
        centre: as it is registered; `None`: not known here, so that its reports alone tell. Months in which it was not
            there, or was suspended, are no idle ones.
    """
    if isinstance(centre, Withdrawn):
        return None
    run: list[date] = []
    found: Idle | None = None
    for month, active in _months(years):
        if active is not False or not _works(centre, month):
            run = []
            found = None if active else found
            continue
        run = [*run, month] if run and month == _next(run[-1]) else [month]
        found = _judged(run) or found
    return None if found is None or _decided(centre, found) else found


def _months(years: Iterable[Activity]) -> Iterator[tuple[date, bool | None]]:
    for year in sorted(years, key=lambda one: one.period):
        for number, active in enumerate(year.months, start=1):
            yield date(year.period, number, 1), active


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _end(month: date) -> date:
    return _next(month) - timedelta(days=1)


def _judged(run: Sequence[date]) -> Idle | None:
    """The first month with which a run is long enough for the rule of that day decides which rule speaks of it."""
    for count, month in enumerate(run, start=1):
        try:
            rule = idle_rule(_end(month))
        except NoRuleInForce:
            continue
        if count >= rule.months:
            return Idle(run[0], _end(month), _end(run[-1]), rule)
    return None


def _works(centre: RegistrationAccepted | None, month: date) -> bool:
    """Whether it was there for the whole month and not suspended on any day of it."""
    if centre is None:
        return True
    last, until = _end(month), centre.closed_on
    there = centre.opened_on <= month and (until is None or last < until)
    begin, end = centre.suspended_on, centre.resumed_on
    return there and (begin is None or last < begin or (end is not None and end <= month))


def _decided(centre: RegistrationAccepted | None, found: Idle) -> bool:
    """Whether the register has a suspension, a resumption or an end since the months were complete."""
    days = (centre.suspended_on, centre.resumed_on, centre.closed_on) if centre else ()
    return any(day is not None and day > found.complete for day in days)


def idle_alert(years: Sequence[Activity], centre: RegistrationAccepted | Withdrawn | None) -> Alert | None:
    """To the province: that a centre was idle for so long, on what ground, and who decides."""
    found = idle(years, centre)
    if found is None:
        return None
    latest, said = max(years, key=lambda one: one.period), max(years, key=lambda one: one.at)
    proposed = found.rule.consequence == "suspension"
    return Alert(
        alert_id=f"centre_idle/{latest.centre_id}/{found.first:%Y-%m}",
        kind="centre_idle",
        severity="warning" if proposed else "info",
        province=latest.province,
        audience=latest.province,
        subject=latest.centre_id,
        period=found.last.year,
        text=joined(_fact(latest, found), _ground(found)),
        action=_action(found, said.at.astimezone(HANOI).date()),
        due=None,
        cause=said.event_id,
        raised_at=said.at,
    )


def _fact(centre: Activity, found: Idle) -> Text:
    count = (found.last.year - found.first.year) * 12 + found.last.month - found.first.month + 1
    named = f"{centre.name} ({centre.centre_id})"
    return Text(
        vi=f"{named} không có hoạt động {VI(count)} tháng liên tục, từ {VI.day(found.first)} đến "
        f"{VI.day(found.last)}, theo báo cáo của trung tâm.",
        en=f"{named} had no activity for {EN(count)} months in a row, from {EN.day(found.first)} to "
        f"{EN.day(found.last)}, as its reports say.",
    )


def _ground(found: Idle) -> Text:
    rule, day = found.rule, found.complete
    if rule.consequence == "suspension":
        return Text(
            vi=f"Đủ {VI(rule.months)} tháng vào {VI.day(day)}: căn cứ đình chỉ theo quy định có hiệu lực ngày đó "
            f"({rule.citation}).",
            en=f"The {EN(rule.months)} months were complete on {EN.day(day)}: a ground for suspension under the rule "
            f"of that day ({rule.citation}).",
        )
    return Text(
        vi=f"Đủ {VI(rule.months)} tháng vào {VI.day(day)}; chỉ nêu sự việc: không tìm thấy căn cứ đình chỉ "
        f"({rule.citation}).",
        en=f"The {EN(rule.months)} months were complete on {EN.day(day)}; this is told as a fact, and no ground for a "
        f"suspension was found ({rule.citation}).",
    )


def _action(found: Idle, today: date) -> Text:
    now = idle_rule(today)
    who = now.authority(today)
    mend = Text(vi="Nếu báo cáo chưa đúng, gửi bản sửa.", en="Where a report is wrong, send a correction.")
    if found.rule.consequence == "none":
        check = Text(
            vi="Kiểm tra trung tâm và lý do không hoạt động; mọi quyết định do người có thẩm quyền.",
            en="Look at the centre and why it is idle; whatever is decided is decided by the authority.",
        )
        return joined(check, mend)
    propose = Text(
        vi=f"Xem xét đề nghị đình chỉ; {who.name.vi} quyết định. Quyết định được ghi vào danh mục bằng hồ sơ đăng ký "
        "có `act` là `suspended`.",
        en=f"Consider proposing a suspension; the {who.name.en[0].lower()}{who.name.en[1:]} decides. The decision is "
        "filed as a registration with the act `suspended`.",
    )
    ended = Text(
        vi=f"Quyết định ký từ {VI.day(now.effective_from)} theo quy định của ngày ký ({now.citation}), trong đó không "
        "tìm thấy căn cứ đình chỉ này.",
        en=f"A decision signed since {EN.day(now.effective_from)} follows the rule of its own day ({now.citation}), in "
        "which this ground was not found.",
    )
    return joined(propose, ended if now.id != found.rule.id else None, mend)
