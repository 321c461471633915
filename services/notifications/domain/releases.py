"""Alerts about a ranking that was released, or taken back: to every province whose communes are in it."""

from __future__ import annotations

from datetime import datetime

from services.notifications.domain.wording import joined, province_name
from shared.contracts.base import Text
from shared.contracts.facts import Alert, RankingReleased
from shared.registry import registry
from shared.rulebook import HANOI, cut_off
from shared.wording import AREAS, EN, VI


def released_alerts(act: RankingReleased, cause: str, raised_at: datetime) -> list[Alert]:
    """What the public sees of a ranking since the last act about it. A province of that day is told through today's."""
    kind, _, of = act.scope.partition("-")
    today = act.released_at.astimezone(HANOI).date()
    if kind == "province":
        provinces = [registry().speaker(of, cut_off(act.period))]
    else:
        provinces = [one.code for one in registry().provinces(today)]
    text, action = (_withdrawn if act.state == "withdrawn" else _released)(act)
    return [
        Alert(
            alert_id=f"ranking_released/{act.scope}/{act.period}/{province}",
            kind="ranking_released",
            severity="warning" if act.state == "withdrawn" else "info",
            province=province,
            audience=province,
            subject=act.scope,
            period=act.period,
            text=text,
            action=action,
            due=None,
            cause=cause,
            raised_at=raised_at,
        )
        for province in provinces
    ]


def _released(act: RankingReleased) -> tuple[Text, Text]:
    what, by, why, ranking = _what(act), _by(act), _why(act), act.ranking
    changed = None
    if act.supersedes is not None:
        changed = Text(
            vi=f"So với lần trước: {VI(act.changes)} kết quả thay đổi, thêm {VI(act.shifted)} thứ hạng thay đổi theo.",
            en=f"Against the act before: {EN(act.changes)} results changed, {EN(act.shifted)} more ranks moved.",
        )
    return (
        joined(
            Text(
                vi=f"{what.vi} được công bố{by.vi}: {VI(ranking.ranked)} đơn vị được xếp hạng, "
                f"{VI(ranking.unranked)} không xếp hạng.",
                en=f"{what.en} was released{by.en}: {EN(ranking.ranked)} units are ranked, {EN(ranking.unranked)} are "
                "not.",
            ),
            why,
            changed,
        ),
        Text(
            vi=f"Xem bảng đã công bố bằng `{_command(act)} --version {ranking.version}`. Thay đổi sau này chỉ được "
            "công bố bằng một quyết định mới.",
            en=f"See what was released with `{_command(act)} --version {ranking.version}`. Later changes are seen only "
            "when they are released in their turn.",
        ),
    )


def _withdrawn(act: RankingReleased) -> tuple[Text, Text]:
    what, by = _what(act), _by(act)
    return (
        joined(
            Text(
                vi=f"Việc công bố {what.vi[0].lower()}{what.vi[1:]} bị thu hồi{by.vi}.",
                en=f"The release of {what.en[0].lower()}{what.en[1:]} was withdrawn{by.en}.",
            ),
            _why(act),
        ),
        Text(
            vi="Không dùng thứ hạng đã công bố; lần công bố trước đó không có hiệu lực trở lại.",
            en="Use the released ranks no more; no earlier release takes its place.",
        ),
    )


def _what(act: RankingReleased) -> Text:
    kind, _, of = act.scope.partition("-")
    whose = Text(vi="toàn quốc", en="the nation")
    if kind == "province":
        whose = Text(vi=f"của {province_name(of, cut_off(act.period))}", en=province_name(of, cut_off(act.period)))
    elif kind == "area":
        whose = next((name for area, name in AREAS.items() if area == of), Text(vi=of, en=of))
    return Text(vi=f"Bảng xếp hạng kỳ {act.period} {whose.vi}", en=f"The ranking {act.period} of {whose.en}")


def _by(act: RankingReleased) -> Text:
    return Text(
        vi=f" theo quyết định {act.decision_number} ngày {VI.day(act.decided_on)} ({act.signed_by} ký)",
        en=f" by decision {act.decision_number} of {EN.day(act.decided_on)}, signed by {act.signed_by}",
    )


def _why(act: RankingReleased) -> Text | None:
    reason = (act.reason or "").rstrip(".")
    return Text(vi=f"Lý do: {reason}.", en=f"Reason: {reason}.") if reason else None


def _command(act: RankingReleased) -> str:
    kind, _, of = act.scope.partition("-")
    scope = {"province": f" --province {of}", "area": f" --area {of}"}.get(kind, "")
    return f"langhoc rankings --period {act.period}{scope}"
