"""Files that were not taken: each is told of until a later one about the same was taken."""

from __future__ import annotations

from typing import NamedTuple

from services.notifications.decisions.documents import ALERTS, FILES, File, Said
from services.notifications.decisions.telling import keep_true, standing_alerts
from services.notifications.domain import Place
from shared.contracts.base import Text
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each

_WHY = Text(
    vi="Hồ sơ này đã được giải quyết hoặc được thay bằng hồ sơ gửi sau.",
    en="The file was decided, or replaced by one that was sent later.",
)


class SenderFile(NamedTuple):
    """A sender, and what it spoke of: kind, subject and period."""

    province: str
    file: str


def matter_of(province: str, file: str) -> str:
    """What the alerts about a file have in common."""
    return f"files/{province}/{file}"


async def mended(due: Due[SenderFile], ask: Ask) -> Outcome:
    """Clear what was mended by a later submission, and what was held until it was decided."""
    file, matter, outcome = await ask.one(FILES.ref(*due.key)), matter_of(*due.key), Outcome()
    stands = await standing_alerts(ask, matter)
    taken = file.taken if file else None
    decided = {alert.place for alert in stands if alert.kind != "submission_held"}
    wanted = [alert for alert in stands if not _is_over(alert, taken, decided)]
    await keep_true(ask, outcome, matter, wanted, at=due.at, why=_WHY)
    return outcome


def _is_over(alert: Said, taken: Place | None, decided: set[Place | None]) -> bool:
    is_mended = taken is not None and alert.place is not None and alert.place <= taken
    return is_mended or (alert.kind == "submission_held" and alert.place in decided)


def _of(state: File) -> list[SenderFile]:
    return [SenderFile(state.province, state.file)] if state.asked else []


FILES_MENDED = SetOf("files_mended", SenderFile, mended, sources=(Source(FILES, each(_of)),), keeps=(ALERTS,))
