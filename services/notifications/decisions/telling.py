"""How alerts are raised and cleared.

What happened is told once (`tell`). What holds is told when it begins to hold and cleared when it no longer does
(`keep_true`): the alerts of a matter that stand are a function of what is known, however it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.notifications.decisions.documents import ALERTS, Said
from services.notifications.domain import Place
from shared.contracts.base import Text
from shared.contracts.facts import Alert, AlertCleared
from shared.messaging.decide.asking import Ask, Outcome
from shared.messaging.messages import Outgoing
from shared.privacy import erased_text

_WORDS = ("kind", "severity", "audience", "text", "action", "centres", "due")


async def tell(
    ask: Ask, outcome: Outcome, alerts: Iterable[Alert], *, matter: str | None = None, place: Place | None = None
) -> None:
    """Raise the alerts that were not raised before."""
    by_ref = {ALERTS.ref(alert.alert_id): alert for alert in alerts}
    for (ref, alert), said in zip(by_ref.items(), await ask.many(by_ref), strict=True):
        if said is None:
            outcome.put(ref, Said(**dict(alert), matter=matter, place=place))
            outcome.events.append(_raised(alert, None))


async def standing_alerts(ask: Ask, matter: str) -> list[Said]:
    """The alerts of a matter that stand."""
    return await ask.all(ALERTS, {"matter": matter, "cleared_at": None})


async def keep_true(
    ask: Ask,
    outcome: Outcome,
    matter: str,
    wanted: Iterable[Alert],
    *,
    at: datetime,
    why: Text,
    traces: Mapping[str, str | None] | None = None,
) -> None:
    """Make what stands of a matter what is wanted: raise what is new, say anew what has other words, clear the rest.

    Args:
        why: why what is no longer wanted is over.
        traces: by alert id, the trace under which an alert hangs.
    """
    by_id = {alert.alert_id: alert for alert in wanted}
    stands = {alert.alert_id for alert in await standing_alerts(ask, matter)}
    ids = sorted(by_id.keys() | stands)
    for id, before in zip(ids, await ask.many(ALERTS.ref(id) for id in ids), strict=True):
        after = by_id.get(id)
        if after is not None:
            if before is None or before.cleared_at is not None or _says_otherwise(before, after):
                alert = after.model_copy(update={"version": before.version + 1 if before else 1})
                outcome.put(ALERTS.ref(id), Said(**dict(alert), matter=matter))
                outcome.events.append(_raised(alert, (traces or {}).get(id)))
            elif before.matter != matter:  # said by an earlier release
                outcome.put(ALERTS.ref(id), before.model_copy(update={"matter": matter}))
        elif before is not None:
            over = before.model_copy(update={"version": before.version + 1, "cleared_at": at, "why_cleared": why})
            outcome.put(ALERTS.ref(id), over)
            outcome.events.append(_cleared(over, why, at))


def unsay(outcome: Outcome, said: Said) -> None:
    """Say an alert again without its words, under its next version, whether it stands or is over."""
    again = said.without_words().model_copy(update={"version": said.version + 1})
    outcome.put(ALERTS.ref(said.alert_id), again)
    if again.cleared_at is not None:
        outcome.events.append(_cleared(again, erased_text(), again.cleared_at))
    else:
        outcome.events.append(_raised(Alert(**{name: getattr(again, name) for name in Alert.model_fields}), None))


def _says_otherwise(before: Alert, after: Alert) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in _WORDS)


def _raised(alert: Alert, parent: str | None) -> Outgoing:
    return Outgoing(f"alerts.{alert.audience}", alert.subject, alert.subject, alert, parent=parent)


def _cleared(alert: Alert, why: Text, at: datetime) -> Outgoing:
    cleared = AlertCleared(
        **{name: getattr(alert, name) for name in AlertCleared.model_fields if name not in ("why", "cleared_at")},
        why=why,
        cleared_at=at,
    )
    return Outgoing(f"alerts.{alert.audience}", alert.subject, alert.subject, cleared)
