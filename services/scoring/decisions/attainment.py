"""How far the goals of the state are reached: a result over a province's results and decisions, and over the nation's
provinces.

A province is counted once from what lies in it on the cut-off date; the nation adds up what its provinces came to, and
reads nothing else. What was withdrawn or revoked is not there to be counted. Who reported nothing is missing, not zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import AliasPath, Field, TypeAdapter

from services.scoring.decisions.areas import communes_of, counted_in, districts_of, own_decisions
from services.scoring.decisions.documents import RECOGNITIONS, RESULTS, Recognitions, Result, assessment_ref
from services.scoring.decisions.results import SCORES_TOPIC, UNCHANGED
from services.scoring.domain import attained, base_of, base_periods, beside, beside_standards, together
from shared.contracts.base import Contract
from shared.contracts.facts import AssessmentScored, AttainmentComputed, Counted, GoalAttained
from shared.contracts.series import kind_of
from shared.contracts.submissions import AssessmentSeries
from shared.messaging.decide.asking import Ask, Due, Look, Order, Outcome, Request
from shared.messaging.decide.documents import Collection
from shared.messaging.decide.register import REGISTERS, register_now
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Outgoing
from shared.registry import REORGANISATION, Registry, registry
from shared.rulebook import HANOI, NoRuleInForce, cut_off, goals_for, rubric_for
from shared.rulebook.book import rulebook
from shared.rulebook.goals import Goal, Recognised, goals
from shared.rulebook.policies import PathPolicy, path_policy

VN = "vn"
"""Scope of the nation."""
VALID_FOR = 4
"""Years of which a decision may speak: its own, and those to the end of the third after that of its signing."""
_OF_COMMUNES = tuple(one for one in get_args(AssessmentSeries) if kind_of(one) == "commune")
_OF_OTHERS = tuple(one for one in get_args(AssessmentSeries) if kind_of(one) != "commune")


class AttainmentYear(NamedTuple):
    """A province by its code on the cut-off date, or `vn`, in one period."""

    scope: str
    period: int

    @property
    def province(self) -> str | None:
        """`None` for the nation."""
        return None if self.scope == VN else self.scope


class Attainment(Contract):
    """`<scope>/<period>`: what was counted by metric, whether a goal is in force or not, and what was published."""

    scope: str
    period: int
    counts: dict[str, Counted]
    told: AttainmentComputed | None = None


ATTAINMENTS = Collection("attainments", TypeAdapter(Attainment))


class _Shares(Contract):
    kind: str
    subject: str
    shares: Annotated[dict[str, str], Field(validation_alias=AliasPath("result", "shares"))]


class _Place(Contract):
    holder: str
    period: int


_SHARES, _PLACE = TypeAdapter(_Shares), TypeAdapter(_Place)


async def attain(due: Due[AttainmentYear], ask: Ask) -> Outcome:
    """Count anew what a scope has come to, and publish it where it changed."""
    scope, period = due.key
    if not ask.reached(datetime(period, 1, 1, tzinfo=HANOI)):  # a decision speaks of years to come as well
        return Outcome(verdict=UNCHANGED)
    ref = ATTAINMENTS.ref(scope, period)
    kept, register = await ask.one(ref), await register_now(ask)
    if scope == VN:
        counts, missing = await _nation(period, ask, register)
    elif register.province(scope, cut_off(period)) is None:
        return Outcome(verdict=UNCHANGED)
    else:
        counts, missing = await _province(scope, period, ask, register), {}
    if kept is None and not counts:
        return Outcome(verdict=UNCHANGED)
    policy, told = path_policy(cut_off(period), due.key.province), kept.told if kept else None
    standing = await _standing(due.key, counts, missing, policy, ask, register)
    outcome = Outcome(verdict=UNCHANGED)
    if (told.goals, told.policy) != (standing, policy.id) if told else bool(standing):
        told = AttainmentComputed(
            scope=scope,
            period=period,
            version=told.version + 1 if told else 1,
            policy=policy.id,
            rulebook=rulebook().revision,
            goals=standing,
            computed_at=due.at,
        )
        subject = f"attainment/{scope}"
        outcome = Outcome(events=[Outgoing(SCORES_TOPIC, subject, subject, told)], verdict="computed")
    now = Attainment(scope=scope, period=period, counts=counts, told=told)
    if now != kept:
        outcome.put(ref, now)
    return outcome


async def _standing(
    key: AttainmentYear,
    counts: Mapping[str, Counted],
    missing: Mapping[str, tuple[str, ...]],
    policy: PathPolicy,
    ask: Ask,
    register: Registry,
) -> tuple[GoalAttained, ...]:
    """How each goal in force stands, in the order of the rulebook."""
    aims = goals_for(key.period, key.province)
    wanted = sorted({before for goal in aims for before in base_periods(goal, policy)})
    known = {before: await _before(key.scope, before, ask, register) for before in wanted}

    def base(goal: Goal) -> dict[int, Counted]:
        return {before: found[goal.metric] for before, found in known.items() if goal.metric in found}

    return tuple(
        attained(
            goal,
            counts.get(goal.metric),
            base_of(goal, policy, base(goal)),
            key.period,
            missing.get(goal.metric, ()),
        )
        for goal in aims
    )


async def _before(scope: str, period: int, ask: Ask, register: Registry) -> dict[str, Counted]:
    """What a scope had come to in an earlier period; a province that was merged: what all its former ones had, where
    each of them is known."""
    day, scopes = cut_off(period), [scope]
    if scope != VN and day < REORGANISATION:
        here = register.provinces(day)
        own = [one.code for one in here if one.code == scope or register.speaker(one.code, day) == scope]
        scopes = own if register.province(scope, REORGANISATION) else [scope]
    kept = await ask.many(ATTAINMENTS.ref(one, period) for one in scopes)
    parts = [one.counts if one else {} for one in kept]
    common = set(parts[0]).intersection(*parts[1:]) if parts else set()
    return {metric: together(part[metric] for part in parts) for metric in sorted(common)}


# ------------------------------------------------------------------------------------------------------ provinces


async def _province(code: str, period: int, ask: Ask, register: Registry) -> dict[str, Counted]:
    counts = await _shares(code, period, ask, register)
    for goal in goals():
        if goal.recognised is not None and goal.metric not in counts:
            found = await _recognised(goal.recognised, code, period, ask, register)
            if found is not None:
                counts[goal.metric] = found
    return counts


async def _shares(code: str, period: int, ask: Ask, register: Registry) -> dict[str, Counted]:
    """Shares of results, added up. A metric that several series tell is counted from one: that of communes first."""
    units = {unit.unit_id for unit in communes_of("province", code, period, register)}
    ids = [assessment_ref(series, unit, period).id for series in _OF_COMMUNES for unit in sorted(units)]
    of_communes = await _look({"_id": {"$in": ids}}, ask)
    others = await _look({"kind": {"$in": [*_OF_OTHERS]}, "period": period, "holder": code}, ask)
    by_decisions = {goal.metric for goal in goals() if goal.recognised is not None}
    found: dict[str, Counted] = {}
    for rows, of in ((of_communes, len(units)), (others, None)):
        told: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for row in rows:
            for metric, share in row.shares.items():
                told.setdefault((metric, row.kind), []).append((row.subject.partition("/")[2], share))
        for (metric, _), shares in sorted(told.items()):
            if metric not in found and metric not in by_decisions:
                itself = [subject for subject, _ in shares] == [code]
                found[metric] = together(_one(share, 1 if itself else None) for _, share in shares)
                if of is not None:
                    found[metric] = found[metric].model_copy(update={"of": of})
    return found


async def _look(query: Mapping[str, object], ask: Ask) -> list[_Shares]:
    return await ask.look(Look(RESULTS, _SHARES, query, without=("accepted", "inputs")))


def _one(share: str, of: int | None) -> Counted:
    numerator, _, denominator = share.partition("/")
    return Counted(numerator=int(numerator), denominator=int(denominator), reported=1, of=of)


async def _recognised(what: Recognised, code: str, period: int, ask: Ask, register: Registry) -> Counted | None:
    """Units of a province that decisions in force recognise, of all of them; `None`: there is no decision at all."""
    try:
        if what.of == "province":
            level = await _level(what, code, period, ask, register)
            return None if level is None else Counted(numerator=level >= what.level, denominator=1, reported=1, of=1)
        kind: Literal["communes", "districts"] = "communes" if what.of == "commune" else "districts"
        subjects = (
            {one.unit_id: register.lineage(one.unit_id) for one in communes_of("province", code, period, register)}
            if kind == "communes"
            else {one: (one,) for one in districts_of(code, period, register)}
        )
        levels = (await counted_in(kind, subjects, period, ask)).recognised
    except NoRuleInForce:
        return None
    if subjects and not levels:
        return None
    reached = sum(level >= what.level for level in levels.values())
    return Counted(numerator=reached, denominator=len(subjects), reported=len(levels), of=len(subjects))


async def _level(what: Recognised, code: str, period: int, ask: Ask, register: Registry) -> int | None:
    """The level of a province by decision in force on the cut-off date."""
    if what.standard is None:
        own, _ = await own_decisions("province", code, period, ask, register)
        stands = beside(rubric_for("province", period), own, period)
        return stands.decision.level if stands and stands.in_force else None
    own, _ = await own_decisions("province", code, period, ask, register, "universal_education")
    shown = dict(beside_standards(own, period)).get(what.standard)
    return shown.level if shown and shown.in_force else None


# --------------------------------------------------------------------------------------------------------- nation


async def _nation(period: int, ask: Ask, register: Registry) -> tuple[dict[str, Counted], dict[str, tuple[str, ...]]]:
    """What the provinces came to, added up, and per metric those that are missing in it."""
    day = cut_off(period)
    codes = sorted(one.code for one in register.provinces(day))
    kept = await ask.many(ATTAINMENTS.ref(code, period) for code in codes)
    parts = {code: one.counts if one else {} for code, one in zip(codes, kept, strict=True)}
    metrics = sorted({metric for counts in parts.values() for metric in counts})
    counts = {metric: together(one[metric] for one in parts.values() if metric in one) for metric in metrics}
    missing = {metric: tuple(code for code in codes if metric not in parts[code]) for metric in metrics}
    units, districts = len(register.units(day)), len(register.districts(day))
    for metric, what in {goal.metric: goal.recognised for goal in goals()}.items():
        if metric not in counts:
            continue
        if what is not None:  # of all that there are: whom no decision names is not recognised
            there = len(codes) if what.of == "province" else units if what.of == "commune" else districts
            counts[metric] = counts[metric].model_copy(update={"denominator": there, "of": there})
    return counts, missing


# -------------------------------------------------------------------------------------------------- what touches it


def _of_result(result: Result) -> list[AttainmentYear]:
    return [AttainmentYear(result.holder, result.period)] if _told(result) else []


def _told(result: Result) -> dict[str, str]:
    return dict(result.result.shares) if isinstance(result.result, AssessmentScored) else {}


def _of_decisions(kept: Recognitions) -> list[tuple[str, int | None]]:
    """The province of a decision in each year of which it may speak, and wherever else it was counted."""
    provinces = [code for series, code in kept.areas if series == "province"]
    years = {one.period + more for one in kept.items for more in range(VALID_FOR + 1)}
    return [(code, year) for code in provinces for year in (*sorted(years), None)]


def _of_province(kept: Attainment) -> Iterable[tuple[str, int | None]]:
    """The nation of that period; and what came later, which may have begun here."""
    if kept.scope == VN:
        return [(VN, None)]
    day = cut_off(kept.period)
    follows = {kept.scope, registry().speaker(kept.scope, day)}
    return [(VN, kept.period), *((scope, None) for scope in sorted(follows))]


ATTAINED = SetOf(
    "attainment",
    AttainmentYear,
    attain,
    (
        Source(RESULTS, each(_of_result, by=lambda result: (_told(result), result.holder))),
        Source(RECOGNITIONS, each(_of_decisions, by=lambda kept: (kept.items, kept.areas))),
        Source(ATTAINMENTS, each(_of_province, by=lambda kept: kept.counts)),
        Source(REGISTERS, each(lambda corrections: [(None, None)])),
    ),
)


async def begin(order: Order[str], ask: Ask) -> Outcome:
    """Have everything counted by the rules of a rulebook that is new: what is kept, and what was never counted."""
    found = await ask.look(
        Look(RESULTS, _PLACE, {"kind": {"$in": [*get_args(AssessmentSeries)]}}, fields=("holder", "period"))
    )
    places = sorted({(one.holder, one.period) for one in found})
    requests = [Request(ATTAINED.name, place) for place in places]
    return Outcome(requests=[*requests, ATTAINED.request((None, None))])
