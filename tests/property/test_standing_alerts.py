"""Which alerts stand is a function of the facts and of time: no order, batch or rest in between changes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.notifications.decisions import ALERTS, SETS, routes
from shared.contracts.base import Status
from shared.contracts.catalogue import contract_of
from shared.contracts.facts import Alert
from shared.messaging.decide.asking import Due
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.sets import Sets
from shared.messaging.messages import Position, Received
from tests.fakes.known import Documents
from tests.unit.test_notifications_handlers import commune, line, moved, proposed, receipt, replaced, run

Fact = tuple[datetime, BaseModel]
BEGIN = datetime(2026, 2, 20, 2, tzinfo=UTC)
DAYS = st.integers(0, 80)
"""From before the communes' deadline to after that of the centres."""
CAUSES = ("correction", "withdrawal", "recognition", "reference", "recompute", "register")


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    """Facts of one province as its services publish them: versions count up as time goes by."""
    return [fact for part in (_files, _results, _money) for fact in part(draw)]


def _days(draw: st.DrawFn, most: int) -> list[datetime]:
    return [BEGIN + timedelta(days=day) for day in sorted(draw(st.lists(DAYS, max_size=most)))]


def _files(draw: st.DrawFn) -> Iterable[Fact]:
    statuses = st.sampled_from(Status)
    for offset, at in enumerate(_days(draw, 6)):
        place = {"receipt_id": f"r-{offset}", "channel": f"submissions.04/0@{offset}", "received_at": at}
        held = receipt(**place, status=draw(statuses), subject=draw(st.sampled_from(["c-1", "c-2"])))
        yield at, held
        if held.status is Status.HELD and draw(st.booleans()):
            status = draw(st.sampled_from([Status.ACCEPTED, Status.REJECTED]))
            yield at + timedelta(days=1), held.model_copy(update={"receipt_id": f"d-{offset}", "status": status})


def _results(draw: st.DrawFn) -> Iterable[Fact]:
    before: int | None = None
    for version, at in enumerate(_days(draw, 5), start=1):
        level = draw(st.sampled_from([None, 0, 1, 2]))
        result = commune(version, level)
        if version > 1:
            result = replaced(result, before or 0, draw(st.sampled_from(CAUSES)))
        yield at, result
        before = level


def _money(draw: st.DrawFn) -> Iterable[Fact]:
    amounts = {"a": 0, "b": 0}
    for version, at in enumerate(_days(draw, 4), start=1):
        for id in amounts:
            amounts[id] = draw(st.sampled_from([0, 20_000_000, 25_000_000]))
            yield at, line(id, amounts[id], version, assessment=draw(st.sampled_from(["scored", "pending", "awaited"])))
        flags = ("below_legal_minimum",) if draw(st.booleans()) else ()
        unknown = {"last_year_unknown": ["a"] if draw(st.booleans()) else []}
        yield at, run(version, flags, **amounts).model_copy(update=unknown)
    for version, at in enumerate(_days(draw, 3), start=1):
        action = draw(st.sampled_from(["simulate", "submit", "return", "propose", "approve"]))
        yield at, moved(version, action, draw(st.integers(1, 4)), "approved" if action == "approve" else "proposed")
    states = ("proposed", "submitted", "void", "proposed")
    for version, at in enumerate(_days(draw, 4), start=1):
        yield at, proposed(version=version, state=states[version - 1], corrected=20_000_000 + version)


class Notifications:
    """Decisions and sets over a dictionary; a set is computed only if something asked for it, or its instant came."""

    def __init__(self) -> None:
        self.states = Documents()
        self._sets = Sets(SETS)
        self._asked: dict[tuple[str, Any], datetime | None] = {}

    def receive(self, number: int, at: datetime, data: BaseModel) -> None:
        """One event."""
        type_ = contract_of(type(data)).value
        received: Received[Any] = Received(
            data=data,
            event_id=f"e-{number}",
            type=type_,
            source="s",
            subject="x",
            version=getattr(data, "version", None),
            received_at=at,
            position=Position("t", 0, 1),
            raw=b"",
        )
        self._keep(self.states.decide(routes[type_], received).puts)

    async def rest(self, now: datetime) -> None:
        """Compute what was asked for and is due, until nothing is."""
        while due := [each for each, at in self._asked.items() if at is None or at <= now]:
            for name, key in due:
                one = self._sets.by_name[name]
                del self._asked[name, key]
                computing = Run(one.decide, Due(one.key(*key), now), self.states, now, declared=one.declared)
                self._keep((await decided(computing, self.states)).puts)
                if computing.ask.unreached:
                    self._asked.setdefault((name, key), min(computing.ask.unreached))

    def _keep(self, puts: dict[Any, Any]) -> None:
        for ref, state in puts.items():
            for request in self._sets.touched(ref, self.states[ref], state):
                self._asked[request.set, request.key] = None
        self.states.update(puts)

    def standing(self) -> dict[str, dict[str, Any]]:
        """What stands, in words. How often it was said before depends on the rests in between."""
        said = [state for ref, state in self.states.items() if ref.collection == ALERTS.name]
        shown = set(Alert.model_fields) - {"version", "raised_at", "cause"}
        return {alert.alert_id: alert.model_dump(include=shown) for alert in said if alert.cleared_at is None}


@given(stories(), st.randoms(use_true_random=False), st.integers(0, 100))
async def test_no_order_and_no_rest_changes_which_alerts_stand(story: list[Fact], random: Any, days: int) -> None:
    end = max([BEGIN + timedelta(days=days), *(at for at, _ in story)])
    numbered = list(enumerate(story))
    once = Notifications()
    for number, (at, data) in numbered:
        once.receive(number, at, data)
    await once.rest(end)

    shuffled = Notifications()
    now = BEGIN
    random.shuffle(numbered)
    for number, (at, data) in numbered + random.sample(numbered, len(numbered) // 2):  # some come again
        now = max(now, at)
        shuffled.receive(number, at, data)
        if random.random() < 0.5:
            await shuffled.rest(now)
    await shuffled.rest(end)
    assert shuffled.standing() == once.standing()
