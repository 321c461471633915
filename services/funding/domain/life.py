"""The life of a province's budget: who may do what in which state. Pure.

    received → proposed → simulated → submitted → approved → published → adjusted
                  ↑            ↑          ├→ returned  ─┐ (by who would approve)
                  │            │          └→ withdrawn ─┤ (by who submitted)
                  │            └────────────────────────┘
                  └── a correction before the approval: a new version of the proposal
    no_envelope: it was withdrawn before the approval; a new one leads to a new proposal

An approval is for ever: what comes later is an adjustment of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.base import Contract, Problem
from shared.contracts.facts import JournalMark, Purpose
from shared.contracts.life import Action, Approval, State
from shared.contracts.people import Hand
from shared.refusals import problem

_OPEN = (State.PROPOSED, State.SIMULATED, State.RETURNED, State.WITHDRAWN)
DECIDED = frozenset({State.APPROVED, State.PUBLISHED, State.ADJUSTED})
"""States in which nothing proposed changes any more."""
TRANSITIONS: Mapping[tuple[State, Action], State] = {
    (State.RECEIVED, Action.PROPOSE): State.PROPOSED,
    (State.NO_ENVELOPE, Action.PROPOSE): State.PROPOSED,
    **{(state, Action.PROPOSE): State.PROPOSED for state in (*_OPEN, State.SUBMITTED)},
    **{(state, Action.SIMULATE): State.SIMULATED for state in _OPEN},
    (State.SIMULATED, Action.SUBMIT): State.SUBMITTED,
    (State.SUBMITTED, Action.WITHDRAW): State.WITHDRAWN,
    (State.SUBMITTED, Action.RETURN): State.RETURNED,
    (State.SUBMITTED, Action.APPROVE): State.APPROVED,
    (State.APPROVED, Action.PUBLISH): State.PUBLISHED,
    (State.PUBLISHED, Action.ADJUST): State.ADJUSTED,
    (State.ADJUSTED, Action.ADJUST): State.ADJUSTED,
}
PREPARERS = frozenset({"province", "finance"})
ROLES: Mapping[Action, frozenset[str]] = {
    Action.PROPOSE: frozenset(),
    Action.SIMULATE: PREPARERS,
    Action.SUBMIT: PREPARERS,
    Action.WITHDRAW: PREPARERS,
    Action.RETURN: frozenset({"finance", "ministry"}),
    Action.APPROVE: frozenset({"finance"}),
    Action.PUBLISH: frozenset({"finance", "ministry"}),
    Action.PROPOSE_ADJUSTMENT: frozenset(),
    Action.REFUSE: frozenset({"finance"}),
    Action.REVERSE: PREPARERS,
    Action.ADJUST: frozenset(),
}
"""Roles of `shared.web.auth` whose persons may do it to a budget or an adjustment of it; none where it follows from
something else. A province acts on its own budget only."""
PREPARING = frozenset({Action.SIMULATE, Action.SUBMIT})
NAMED = 20
"""Centres that a refusal names."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts."""

    id: str
    role: str
    province: str | None = None
    formerly: Container[str] = ()
    """What a budget calls them that was prepared before the directory knew them."""

    def is_among(self, hands: Collection[str]) -> bool:
        """Whether this is one of those who prepared something."""
        return Hand(self.id, self.formerly).is_among(hands)


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks for, and the version it speaks of."""

    action: Action
    person: Person
    why: str
    version: int
    hash: str
    accepts: tuple[str, ...] = ()
    """Centres that it accepts by name (`acceptances`)."""


class Life(Contract):
    """Where a province's budget of one year stands, and who prepared it. Money in đồng."""

    province: str
    year: int
    state: State
    version: int
    """Version and hash of the proposal that stands; 0 and empty before the first."""
    hash: str
    prepared_by: tuple[str, ...] = ()
    """Everybody who ever simulated or submitted it: none of them approves it."""
    submitted_by: str | None = None
    accepted: tuple[str, ...] = ()
    """Centres without a file or figure that whoever submitted it accepted by name."""
    approval: Approval | None = None
    envelope: int | None = None
    """From the approval on: what the journal adds up to."""
    reserve: int | None = None
    journals: dict[Purpose, JournalMark] = {}
    actions: int = 0
    """How many actions are recorded, refused ones too."""

    @property
    def key(self) -> str:
        """`<province>/<year>`."""
        return f"{self.province}/{self.year}"


def refusals(life: Life, order: Order, open_: Collection[str] = ()) -> list[Problem]:
    """Everything that stands in the way of an order, the most important first; empty: it may be carried out.

    `open_`: the centres that are to be accepted by name (`acceptances`).
    """
    return [
        *persons(life.province, order.person, ROLES[order.action], order.why),
        *_of_budget(life, order),
        *acceptances(order, open_),
    ]


def acceptances(order: Order, open_: Collection[str]) -> Iterator[Problem]:
    """What forbids an order by the centres that it names.

    Whoever submits a proposal accepts, by name and with a reason, each centre whose file may still come or whose
    support of last year is on nobody's record (`open_`), and no other one.
    """
    wanted = set(open_) if order.action is Action.SUBMIT else set()
    if missing := sorted(wanted - set(order.accepts)):
        yield problem("funding.not_accepted", "/accepts", centres=some(missing), count=len(missing))
    if others := sorted(set(order.accepts) - wanted):
        yield problem("funding.nothing_to_accept", "/accepts", centres=some(others), count=len(others))


def some(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f", … (+{more})" if more > 0 else "")


def persons(province: str, person: Person, roles: frozenset[str], why: str) -> Iterator[Problem]:
    """What forbids a person any such action on a province's money."""
    if person.role not in roles:
        yield problem("funding.role_not_allowed", role=person.role, roles=", ".join(sorted(roles)))
    elif person.role == "province" and person.province != province:
        yield problem("funding.other_province", own=person.province, province=province)
    if not why.strip():
        yield problem("funding.reason_missing", "/why")


def _of_budget(life: Life, order: Order) -> Iterator[Problem]:
    if order.action is Action.APPROVE and order.person.is_among(life.prepared_by):
        yield problem("funding.same_person", person=order.person.id)
    if (life.state, order.action) not in TRANSITIONS:
        fitting = sorted(state for state, action in TRANSITIONS if action is order.action)
        yield problem("funding.wrong_state", state=life.state, states=", ".join(fitting))
    if (order.version, order.hash) != (life.version, life.hash):
        field = "/version" if order.version != life.version else "/hash"
        named, current = f"{order.version} {order.hash}", f"{life.version} {life.hash}"
        yield problem("funding.moved_on", field, named=named, current=current)


def step(life: Life, order: Order) -> Life:
    """The life after an order that nothing stands in the way of. Raises `KeyError` where `refusals` was not asked."""
    person = order.person.id
    hands = life.prepared_by
    if order.action in PREPARING and person not in hands:
        hands = (*hands, person)
    return life.model_copy(
        update={
            "state": TRANSITIONS[life.state, order.action],
            "prepared_by": hands,
            "submitted_by": person if order.action is Action.SUBMIT else life.submitted_by,
            "accepted": tuple(sorted(order.accepts)) if order.action is Action.SUBMIT else life.accepted,
        }
    )


def proposed(life: Life, version: int, hash: str, *, envelope: bool = True) -> Life:
    """The life after a new version of the proposal. Raises `KeyError` after the approval: nothing changes silently.

    `envelope`: whether there still is one to propose from.
    """
    following = TRANSITIONS[life.state, Action.PROPOSE]
    state = following if envelope else State.NO_ENVELOPE
    stands = {"state": state, "version": version, "hash": hash, "submitted_by": None, "accepted": ()}
    return life.model_copy(update=stands)


def adjusted(life: Life) -> Life:
    """The life after an adjustment was approved. Raises `KeyError` before the publication."""
    return life.model_copy(update={"state": TRANSITIONS[life.state, Action.ADJUST]})
