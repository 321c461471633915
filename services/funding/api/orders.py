"""An order of a person over HTTP: who gives it, under which id, and in which words it is refused."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Header, Request
from pydantic import Field

from services.funding import queries
from services.funding.decisions import DONE, Absent, Command
from services.funding.domain import Person
from shared.contracts.base import Claim, Identifier, OneLine, Problem
from shared.contracts.life import Action, ActionRecord
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.commands import Commands
from shared.mongo import Unavailable
from shared.refusals import refusal
from shared.web.auth import Caller
from shared.web.problems import ApiProblem, not_found, refused

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[ -~]*$",
        description="Chosen by the sender, plain letters, digits and signs; the same again does nothing",
    ),
]


MOST_CENTRES = 2_000
"""Of a province: more than any has."""


class Deciding(Claim):
    """Body of an order: the reason, and the version that it speaks of."""

    why: Annotated[str, Field(max_length=2_000), OneLine] = ""
    """Mandatory; left out, the refusal says so in words and is recorded."""
    version: Annotated[int, Field(ge=0, le=10**9)]
    hash: Annotated[str, Field(max_length=100), OneLine]
    """Version and hash of what the caller has seen; what has moved on since is not decided on."""
    id: Identifier | None = None
    """Id of the order, for senders that cannot set the header `Idempotency-Key`."""


class Stepping(Deciding):
    """Body of an order on a budget."""

    accepts: Annotated[list[Identifier], Field(max_length=MOST_CENTRES)] = []
    """Of `submit`: every centre whose file is awaited or whose support of last year is unknown, by its id. `why` is the
    reason for which they are accepted."""


async def on_whole_books(request: Request, who: Caller, province: str, year: int) -> None:
    """Raises `Altered` where a document of what was decided does not say what the journal books: nothing is told of it,
    and nobody decides on it. Who may not see the province hears nothing of that."""
    if who.may_see(province):
        _ = (await queries.books(request.app.state.mongo, province, year)).whole


Decide = Callable[[Command, Ask], Coroutine[Any, Any, Outcome]]


async def ordered(
    request: Request, who: Caller, key: str | None, body: Deciding, action: Action, subject: str, decide: Decide
) -> ActionRecord:
    """Carry an order out, once, and return its record; a repeated one is answered like the first time.

    Raises `ApiProblem` where it is refused (which is recorded too), or where there is nothing to act on.
    """
    command = Command(
        id=_id_of(who, key, body),
        action=action,
        subject=subject,
        person=Person(who.person, who.role.value, who.province, who.formerly),
        why=body.why,
        version=body.version,
        hash=body.hash,
        accepts=tuple(body.accepts) if isinstance(body, Stepping) else (),
    )
    commands: Commands = request.app.state.runtime.commands

    def decided(order: Order[Command], ask: Ask) -> Coroutine[Any, Any, Outcome]:
        return decide(replace(order.data, at=order.at), ask)

    try:
        await commands.order(f"funding/{command.id}", command, decided)
    except Absent as absent:
        raise not_found("budget or adjustment", str(absent)) from absent
    except Unavailable as error:
        raise refused("funding.database_unavailable") from error
    record = await queries.record_of(request.app.state.mongo, str(command.id))
    if record is None:
        raise refused("funding.refusal_not_kept", command=command.id)
    if record.asked != command.asked:
        raise refused("funding.idempotency_key_reused", command=command.id)
    who.require(record.province, "order", str(command.id))  # whoever was moved since learns nothing by a repeat
    if record.result != DONE:
        raise ApiProblem(_status(record.problems[0]), record.problems[0], record.problems)
    return record


def _id_of(who: Caller, key: str | None, body: Deciding) -> str:
    given = key or body.id
    if not given:
        raise refused("funding.idempotency_key_missing")
    return f"{who.person}/{given}"


def _status(problem: Problem) -> int:
    return refusal(f"funding.{problem.code}").status
