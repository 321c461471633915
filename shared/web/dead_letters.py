"""Dead letters of a service over HTTP, for the ministry's operators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from shared.answers.dead_letters import (
    Action,
    Entry,
    Letter,
    Published,
    Raw,
    Replayed,
    Requested,
    State,
    WholeLetter,
    Written,
)
from shared.answers.page import Page
from shared.contracts.base import Claim, OneLine
from shared.messaging.consume.pipeline import Replay
from shared.messaging.decide.documents import Document
from shared.messaging.messages import Reason
from shared.messaging.operate.dead_letters import DeadLetters, Order, Refused, state_of
from shared.mongo import Unavailable
from shared.refusals import refusal
from shared.web.auth import Operator
from shared.web.paging import After, Limit
from shared.web.parameters import Name
from shared.web.problems import ApiProblem, not_found, refused

router = APIRouter(prefix="/dead-letters", tags=["operations"])
PREVIEW_CHARACTERS = 300


def _letters(request: Request) -> DeadLetters:
    letters: DeadLetters = request.app.state.runtime.letters
    return letters


Letters = Annotated[DeadLetters, Depends(_letters)]
Why = Annotated[
    str, Field(max_length=2_000, description="The reason for this action, for whoever reads it later"), OneLine
]


# ------------------------------------------------------------------ what is sent and answered


class Discarding(Claim):
    """Body of a discard."""

    why: Why = ""
    """Mandatory; left out, the refusal says so in words and is recorded."""


class Erasing(Claim):
    """Body of an erasure."""

    why: Why = ""
    """Mandatory; left out, the refusal says so in words and is recorded."""


class Replaying(Claim):
    """Body of a replay."""

    why: Why = ""
    dry_run: bool = False
    """Only tell what it would lead to."""
    beyond_cap: bool = False
    """Try once more what was tried as often as is allowed; `why` is mandatory then."""


def _entry(row: Document) -> Entry:
    return Entry.model_validate({**row, "id": str(row["_id"])})


def _letter(row: Document) -> dict[str, Any]:
    words = refusal(f"dead_letters.{Reason(row['reason'])}")
    return {
        **row,
        "id": str(row["_id"]),
        "state": state_of(row),
        "position": f"{row['topic']}/{row['partition']}@{row['offset']}",
        "event_id": row.get("event_id"),
        "meaning": words.message,
        "expected": words.expected,
        "mend": words.mend,
        "preview": bytes(row["value"] or b"")[:PREVIEW_CHARACTERS].decode("utf-8", "replace"),
    }


def _replayed(after: Document, replay: Replay, *, dry_run: bool, hindrance: Refused | None = None) -> Replayed:
    return Replayed(
        id=str(after["_id"]),
        state=state_of(after),
        attempts=after["attempts"],
        reason=Reason(after["reason"]),
        detail=after["detail"],
        dry_run=dry_run,
        hindrance=hindrance.refusal if hindrance else None,
        first=hindrance.first if hindrance else None,
        verdict=replay.verdict,
        writes=[
            Written(collection=collection, id=put.id, revision=(put.revision or 0) + 1)
            for collection, puts in replay.writes.items()
            for put in puts
        ],
        events=[
            Published(
                id=row["_id"],
                topic=row["topic"],
                key=row["key"],
                type=row["headers"]["ce_type"],
                subject=row["headers"]["ce_subject"],
                body=json.loads(row["value"]),
            )
            for row in replay.events
        ],
        requests=[Requested(set=each.set, key=each.key) for each in replay.requests],
    )


# ------------------------------------------------------------------ refusals in words


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn what stops an action into problem details."""
    try:
        yield
    except Refused as error:
        raise ApiProblem(refusal(f"dead_letters.{error.refusal}").status, error.problems[0]) from error
    except Unavailable as error:
        raise refused("dead_letters.database_unavailable") from error


# ------------------------------------------------------------------ routes


@router.get("", summary="Records that could not be handled, oldest first")
async def list_dead_letters(
    letters: Letters,
    who: Operator,
    state: State | Literal["all"] = State.OPEN,
    reason: Reason | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[Letter]:
    shown = None if state == "all" else state
    rows = await letters.page(state=shown, reason=reason, after=after, limit=limit + 1)
    items = [Letter.model_validate(_letter(row)) for row in rows[:limit]]
    if items:
        await letters.looked(who.person, who.role, f"{items[0].id}…{items[-1].id}", "list")
    return Page(items=items, next=items[-1].id if len(rows) > limit else None)


@router.get("/actions", summary="Who did what to which dead letter, and why; also what was refused")
async def list_actions(letters: Letters, who: Operator, limit: Limit = 100, after: After = None) -> Page[Entry]:
    rows = await letters.actions(after=after, limit=limit + 1)
    items = [_entry(row) for row in rows[:limit]]
    return Page(items=items, next=items[-1].id if len(rows) > limit else None)


@router.get("/{letter_id}", summary="One of them, whole: bytes, headers, reason in words, actions")
async def get_dead_letter(letters: Letters, who: Operator, letter_id: Name, why: Why = "") -> WholeLetter:
    row = await letters.find(letter_id)
    if row is None:
        raise not_found("dead letter", letter_id)
    await letters.looked(who.person, who.role, letter_id, why)
    return WholeLetter.model_validate(
        _letter(row)
        | {
            "key": Raw.of(row["key"]),
            "headers": [(name, Raw.of(bytes(value))) for name, value in row["headers"]],
            "value": Raw.of(row["value"]),
            "actions": [_entry(entry) for entry in await letters.actions(letter_id)],
        }
    )


@router.post("/{letter_id}/replay", summary="Handle the record again, as if it had just been read")
async def replay_dead_letter(letters: Letters, who: Operator, letter_id: Name, body: Replaying) -> Replayed:
    order = Order(Action.REPLAY, letter_id, who.person, who.role, body.why, body.beyond_cap)
    with _in_words():
        if body.dry_run:
            hindrance = await letters.hindrance(letter_id)
            return _replayed(*await letters.rehearse(letter_id), dry_run=True, hindrance=hindrance)
        return _replayed(*await letters.replay(order), dry_run=False)


@router.post("/{letter_id}/discard", summary="Close it for good, with the reason; its bytes are kept")
async def discard_dead_letter(letters: Letters, who: Operator, letter_id: Name, body: Discarding) -> Letter:
    order = Order(Action.DISCARD, letter_id, who.person, who.role, body.why)
    with _in_words():
        return Letter.model_validate(_letter(await letters.discard(order)))


@router.post("/{letter_id}/erase", summary="Replace its bytes by their hash; of a closed one, by another person")
async def erase_dead_letter(letters: Letters, who: Operator, letter_id: Name, body: Erasing) -> Letter:
    order = Order(Action.ERASE, letter_id, who.person, who.role, body.why, formerly=who.formerly)
    with _in_words():
        return Letter.model_validate(_letter(await letters.erase(order)))
