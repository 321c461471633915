"""Which centres are idle: a set over the reports of one centre and its registration."""

from __future__ import annotations

from typing import NamedTuple

from services.notifications.decisions.documents import ACTIVITIES, ALERTS, CENTRES
from services.notifications.decisions.telling import keep_true
from services.notifications.domain import Activity, idle_alert
from shared.contracts.base import Text
from shared.contracts.facts import RegistrationAccepted, Withdrawn
from shared.messaging.decide.asking import STALE, Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Received

_WHY = Text(
    vi="Báo cáo hoặc đăng ký của trung tâm nay không còn cho thấy như vậy.",
    en="The centre's reports or its registration no longer say so.",
)


class OfCentre(NamedTuple):
    """A centre by its id."""

    centre_id: str


async def on_registration(received: Received[RegistrationAccepted], ask: Ask) -> Outcome:
    """A centre as it is registered."""
    return await _newest(received.data.centre_id, received.data, ask)


async def on_withdrawal(received: Received[Withdrawn], ask: Ask) -> Outcome:
    """A registration that was taken back; of other facts their results tell."""
    data = received.data
    return await _newest(data.subject, data, ask) if data.kind == "registration" else Outcome(verdict="ignored")


async def _newest(centre_id: str, fact: RegistrationAccepted | Withdrawn, ask: Ask) -> Outcome:
    ref = CENTRES.ref(centre_id)
    known = await ask.one(ref)
    return Outcome({ref: fact}) if known is None or fact.version > known.version else Outcome(verdict=STALE)


async def idle_centre(due: Due[OfCentre], ask: Ask) -> Outcome:
    """Tell that the centre is idle as long as it is."""
    outcome, key = Outcome(), due.key._asdict()
    years, centre = await ask.all(ACTIVITIES, key), await ask.one(CENTRES.ref(due.key.centre_id))
    alert = idle_alert(years, centre) if years else None
    wanted = [alert] if alert else []
    traces = {alert.alert_id: max(years, key=lambda one: one.at).traceparent} if alert else {}
    matter = f"idle/{due.key.centre_id}"
    await keep_true(ask, outcome, matter, wanted, at=due.at, why=_WHY, traces=traces)
    return outcome


def _of_report(activity: Activity) -> list[OfCentre]:
    return [OfCentre(activity.centre_id)]


def _of_register(fact: RegistrationAccepted | Withdrawn) -> list[OfCentre]:
    return [OfCentre(fact.centre_id if isinstance(fact, RegistrationAccepted) else fact.subject)]


IDLE_CENTRES = SetOf(
    "idle_centres",
    OfCentre,
    idle_centre,
    sources=(Source(ACTIVITIES, each(_of_report)), Source(CENTRES, each(_of_register))),
    keeps=(ALERTS,),
)
