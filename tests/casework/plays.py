"""The ways through a case, which of them may be played side by side, and what is said of them in the end."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from shared.registry import REORGANISATION, registry
from tests.casework.case import USUAL, Case, Step
from tests.casework.expecting import Difference, split
from tests.casework.records import Record

ORDERS = 20
"""How many ways through a case are tried at most, where its records may come in any order."""
SOME = 8
"""Of these on the real platform, where cases of one province wait for one another."""
FEW = 2
"""The same on the platform, where time passes in the case: all at once, and one by one, reversed. At every other
time all services must come to rest, in each of its ways."""
PROVINCES = frozenset(each.code for each in registry().provinces(REORGANISATION))
NATION = "nation"
TO_ALL = frozenset({"period_reopened", "ranking_released"})
"""Kinds of alerts that go to all provinces at once."""
QUIET = "quiet"
"""What is told to all provinces must not be told to this one."""
_CODE = re.compile(r"\b[0-9]{5}\b")


@dataclass
class Play:
    """One way through a case."""

    case: Case
    steps: Sequence[tuple[datetime, Step]]
    name: str = ""
    """Which order of the records it is."""
    channels: dict[str, str] = field(default_factory=dict)
    found: list[Difference] = field(default_factory=list)
    done: int = 0

    @property
    def next(self) -> tuple[datetime, Step] | None:
        """The step to come."""
        return self.steps[self.done] if self.done < len(self.steps) else None

    @cached_property
    def claims(self) -> frozenset[str]:
        """What it must have for itself beside others: provinces, ids that hold for the nation, national rankings."""
        records = [(self.case.sender(step, record), record) for _, step in self.steps for record in step.records]
        own = {str(sender) for sender, _ in records}
        own |= {record.subject for _, record in records if record.kind in ("registration", "assessment")}
        own |= {step.budget.partition("/")[0] for _, step in self.steps if step.budget}
        own |= {step.reopen.province for _, step in self.steps if step.reopen and step.reopen.province}
        if any(step.request for _, step in self.steps):
            own.add("late requests")  # all of them are told to the one ministry
        if any(step.appeal for _, step in self.steps):
            own.add("appeals")  # likewise
        for _, step in self.steps:
            own |= set(_CODE.findall(json.dumps(step.correct)))
        for expected in self.case.expectations:
            told = [*expected.alerts.items(), *expected.open_alerts.items()]
            own |= {name for name, _ in told if name in PROVINCES}
            own |= {
                f"{QUIET} {name}" for name, kinds in told if name in PROVINCES and (not kinds or TO_ALL & kinds.keys())
            }
            named = (*expected.ranks, *expected.releases)
            own |= {f"{NATION} {split(name)[1]}" for name in named if not name.startswith("province-")}
        return frozenset(own)

    @cached_property
    def touches(self) -> frozenset[str]:
        """What it changes that another may have claimed."""
        records = [record for _, step in self.steps for record in step.records if record.kind == "commune"]
        touched = {f"{NATION} {record.body().get('period')}" for record in records}
        if any(step.tells_all for _, step in self.steps):
            touched |= {f"{QUIET} {province}" for province in PROVINCES}
        return frozenset(touched)

    def disturbs(self, other: Play) -> bool:
        """Whether the two must not be played on the same world."""
        return bool(self.claims & (other.claims | other.touches) or self.touches & other.claims)


def plays_of(case: Case, limit: int = ORDERS, *, on_platform: bool = False) -> list[Play]:
    """The ways through a case: one, or at most `limit` where its records may come in any order.

    A step whose records come in any order is played with all at once, and then one by one in different orders.
    """
    if on_platform:
        limit = min(limit, FEW if any(step.at not in (None, USUAL) for step in case.given) else SOME)
    if not any(step.order == "any" for step in case.given):
        return [Play(case, list(_timed(case.given)))]
    plays = [Play(case, list(_timed(case.given)), "together")]
    orders = [_orders(step, limit - 1) for step in case.given]
    for number in range(max(map(len, orders))):
        steps = [each for ways in orders for each in ways[number % len(ways)]]
        names = [record.label for step in steps for record in step.send]
        plays.append(Play(case, list(_timed(steps)), "in the order " + ", ".join(names)))
    return plays


def _orders(step: Step, limit: int) -> list[list[Step]]:
    """Different orders, evenly spread over all there are; from the reversed one on."""
    if step.order == "listed":
        return [[step]]
    total = math.factorial(len(step.send))
    numbers = sorted({round(number * (total - 1) / max(limit - 1, 1)) for number in range(min(limit, total))})
    return [_one_by_one(step, _permutation(step.send[::-1], number)) for number in numbers]


def _permutation(records: Sequence[Record], number: int) -> list[Record]:
    """One of all orders of these records, counted from 0 as they stand."""
    rest, found = list(records), []
    while rest:
        place, number = divmod(number, math.factorial(len(rest) - 1))
        found.append(rest.pop(place))
    return found


def _one_by_one(step: Step, records: Sequence[Record]) -> list[Step]:
    steps = [step.model_copy(update={"send": [record], "at": None, "expect": None}) for record in records]
    return [steps[0].model_copy(update={"at": step.at}), *steps[1:], Step(expect=step.expect)]


def _timed(steps: Sequence[Step]) -> Iterator[tuple[datetime, Step]]:
    now = USUAL
    for step in steps:
        now = step.at or now
        yield now, step


def side_by_side(plays: Sequence[Play]) -> list[list[Play]]:
    """Groups of plays that do not touch each other; those of many times together, to start services seldom."""
    groups: list[list[Play]] = []
    for play in sorted(plays, key=lambda play: -len({now for now, _ in play.steps} - {USUAL})):
        group = next((group for group in groups if not any(play.disturbs(other) for other in group)), None)
        if group is None:
            groups.append([play])
        else:
            group.append(play)
    return groups


# ---------------------------------------------------------------------------------------------------- verdicts


def verdict(case: Case, plays: Sequence[Play]) -> list[str]:
    """What is wrong with a case that was played, in words; nothing if it passed, or fails as it is known to. Where all
    its ways were played, each known difference must have shown."""
    found = [(play, each) for play in plays for each in play.found]
    if case.known is None:
        return [_told(play, each) for play, each in found]
    if not found:
        return [f"passes, but is known to fail until «{case.known.issue}»: take `known` away"]
    other = [_told(play, each) for play, each in found if not case.known.accounts_for(each.path, each.got)]
    missing = case.known.seen.keys() - {each.path for _, each in found} if len(plays) == len(plays_of(case)) else ()
    return other + [f"{path}: known to differ, and is as expected now" for path in sorted(missing)]


def _told(play: Play, difference: Difference) -> str:
    return f"{difference} ({play.name})" if play.name else str(difference)
