"""The life of a budget in words that funding, its API and every client share: states, actions, and the record of one.

Who may do what in which state is funding's to decide (`services/funding/domain/life.py`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from shared.contracts.base import Contract, Instant, Problem
from shared.contracts.facts import JournalMark, Purpose


class State(StrEnum):
    """Where a budget stands."""

    RECEIVED = "received"
    """An envelope is there, a proposal not yet."""
    NO_ENVELOPE = "no_envelope"
    """The envelope was withdrawn: there is nothing to share, and nothing to decide on until there is one again."""
    PROPOSED = "proposed"
    SIMULATED = "simulated"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    PUBLISHED = "published"
    ADJUSTED = "adjusted"


class Action(StrEnum):
    """What is done to a budget or to an adjustment of it: the one list of it.

    `propose`, `propose_adjustment` and `adjust` follow from what was computed or decided elsewhere; people order the
    others.
    """

    PROPOSE = "propose"
    SIMULATE = "simulate"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    RETURN = "return"
    APPROVE = "approve"
    PUBLISH = "publish"
    PROPOSE_ADJUSTMENT = "propose_adjustment"
    REFUSE = "refuse"
    REVERSE = "reverse"
    ADJUST = "adjust"


BudgetAction = Literal[Action.SIMULATE, Action.SUBMIT, Action.WITHDRAW, Action.RETURN, Action.APPROVE, Action.PUBLISH]
"""What people order of a budget."""
AdjustmentAction = Literal[Action.SUBMIT, Action.APPROVE, Action.REFUSE, Action.REVERSE]
"""What people order of an adjustment."""


class Approval(Contract):
    """Who approved what, on which frozen inputs."""

    by: str
    at: Instant
    why: str
    snapshot: str
    """Hash of the frozen inputs."""
    accepted: list[str] = []
    """Centres that were submitted by name, in the order of their ids, though their file or figure was not there."""


class Shape(Contract):
    """What an action can change of a budget."""

    state: State
    version: int
    hash: str
    envelope: int | None
    reserve: int | None
    journals: dict[Purpose, JournalMark]


class ActionRecord(Contract):
    """One action, carried out or refused."""

    province: str
    year: int
    number: int
    command: str | None
    """Id of the command; `None` where the system acted."""
    asked: str
    """Hash of what was asked: one command id never means two orders."""
    at: Instant
    who: str
    role: str
    action: str
    subject: str
    """`budget`, or the id of an adjustment."""
    why: str
    version: int | None
    """Version and hash that the order spoke of."""
    hash: str | None
    accepts: list[str] = []
    """Centres without a file or figure that the order accepts by name; `why` is the reason."""
    result: str
    """`done`, or the code of the first refusal."""
    problems: list[Problem] = []
    """At most 100."""
    before: Shape
    after: Shape


class Refusals(Contract):
    """The refused orders of one sender on a budget: the latest ones, and how many there were."""

    province: str
    year: int
    who: str
    count: int = 0
    """All of them, also those that are not kept any more."""
    latest: list[ActionRecord] = []
    """At most ten, oldest first, each numbered by `count`."""
