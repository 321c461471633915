"""Dead letters of a service over HTTP, for the ministry's operators."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
    Refusal,
    Replayed,
    Requested,
    State,
    WholeLetter,
    Written,
)
from shared.answers.page import Page
from shared.contracts.base import Claim, Text
from shared.messaging.consume.pipeline import Replay
from shared.messaging.decide.handling import Document
from shared.messaging.decide.reasons import WORDS
from shared.messaging.messages import Reason
from shared.messaging.operate.dead_letters import DeadLetters, Order, Refused, state_of
from shared.mongo import Unavailable
from shared.web.auth import Caller, Role, caller, require_role
from shared.web.paging import After, Limit
from shared.web.problems import ApiProblem, not_found

router = APIRouter(prefix="/dead-letters", tags=["operations"])
PREVIEW_CHARACTERS = 300


def _letters(request: Request) -> DeadLetters:
    letters: DeadLetters = request.app.state.runtime.letters
    return letters


Letters = Annotated[DeadLetters, Depends(_letters)]
Who = Annotated[Caller, Depends(caller)]
Operator = Annotated[Caller, Depends(require_role(Role.MINISTRY))]
Why = Annotated[str, Field(max_length=2_000, description="The reason for this action, for whoever reads it later")]


# ------------------------------------------------------------------ what is sent and answered


class Discarding(Claim):
    """Body of a discard."""

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
    words = WORDS[Reason(row["reason"])]
    return {
        **row,
        "id": str(row["_id"]),
        "state": state_of(row),
        "position": f"{row['topic']}/{row['partition']}@{row['offset']}",
        "event_id": row.get("event_id"),
        "meaning": words.meaning,
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
        requests=[Requested(scope=each.scope, period=each.period) for each in replay.requests],
    )


# ------------------------------------------------------------------ refusals in words

_Worded = Literal[Refusal.NOT_OPEN, Refusal.CHANGED, Refusal.NO_REASON, Refusal.EXHAUSTED, Refusal.OLDER, Refusal.ROLE]
"""All but `NOT_FOUND`, which every API says alike."""
_REFUSALS: Mapping[_Worded, tuple[int, Text, Text]] = {
    Refusal.ROLE: (
        403,
        Text(vi="Vai trò này không được làm việc này.", en="This role may not do this."),
        Text(vi="Để người vận hành của Bộ thực hiện.", en="Let an operator of the ministry do it."),
    ),
    Refusal.NOT_OPEN: (
        409,
        Text(
            vi="Bản ghi lỗi này đã được xử lý lại hoặc đã bị huỷ.",
            en="This dead letter was replayed or discarded already.",
        ),
        Text(vi="Không cần làm gì; xem các thao tác của nó.", en="Nothing is to be done; look at its actions."),
    ),
    Refusal.CHANGED: (
        409,
        Text(
            vi="Một người khác vừa xử lý bản ghi lỗi này cùng lúc.",
            en="Somebody else acted on this dead letter at the same moment.",
        ),
        Text(vi="Xem lại bản ghi trước khi làm tiếp.", en="Look at it again before you go on."),
    ),
    Refusal.NO_REASON: (
        422,
        Text(
            vi="Huỷ một bản ghi lỗi, hoặc xử lý lại quá số lần cho phép, phải nêu lý do.",
            en="A dead letter is discarded, or replayed beyond the cap, only with a reason.",
        ),
        Text(
            vi="Nêu lý do trong trường why (langhoc: discard --reason, replay --why), cho người kiểm tra sau này.",
            en="Give it in the field why (langhoc: discard --reason, replay --why), for whoever asks later.",
        ),
    ),
    Refusal.EXHAUSTED: (
        409,
        Text(
            vi="Bản ghi này đã được thử đủ số lần cho phép mà chưa xử lý được.",
            en="This record was tried as often as is allowed, and could not be handled.",
        ),
        Text(
            vi="Tìm nguyên nhân, chạy thử với dry_run; sau đó gửi beyond_cap: true và lý do trong why "
            "(langhoc: --beyond-cap --why), hoặc huỷ.",
            en="Find the cause, rehearse with dry_run; then send beyond_cap: true and the reason in why "
            "(langhoc: --beyond-cap --why), or discard it.",
        ),
    ),
    Refusal.OLDER: (
        409,
        Text(
            vi="Bản ghi lỗi {first} cùng khoá, cũ hơn, vẫn chưa được giải quyết.",
            en="The dead letter {first} of the same key is older and still open.",
        ),
        Text(
            vi="Xử lý lại hoặc huỷ {first} trước, để thứ tự được giữ nguyên.",
            en="Replay or discard {first} first, so that the order stays as it was.",
        ),
    ),
}


@contextmanager
def _in_words(letter_id: str) -> Iterator[None]:
    """Turn what stops an action into problem details."""
    try:
        yield
    except Refused as refused:
        if refused.refusal is Refusal.NOT_FOUND:
            raise not_found("dead letter", letter_id) from refused
        status, title, mend = _REFUSALS[refused.refusal]
        first = refused.first
        title, mend = (Text(vi=text.vi.format(first=first), en=text.en.format(first=first)) for text in (title, mend))
        raise ApiProblem(status, refused.refusal, title, mend) from refused
    except Unavailable as error:
        raise ApiProblem(
            503,
            "database_unavailable",
            Text(
                vi="Cơ sở dữ liệu không trả lời; chưa rõ thao tác đã được ghi hay chưa.",
                en="The database does not answer; it is not known whether the action was written.",
            ),
            Text(
                vi="Thử lại sau: một bản ghi lỗi không bao giờ có tác dụng hai lần.",
                en="Try again later: a dead letter never has an effect twice.",
            ),
        ) from error


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
    return Page(items=items, next=items[-1].id if len(rows) > limit else None)


@router.get("/actions", summary="Who did what to which dead letter, and why; also what was refused")
async def list_actions(letters: Letters, who: Operator, limit: Limit = 100, after: After = None) -> Page[Entry]:
    rows = await letters.actions(after=after, limit=limit + 1)
    items = [_entry(row) for row in rows[:limit]]
    return Page(items=items, next=items[-1].id if len(rows) > limit else None)


@router.get("/{letter_id}", summary="One of them, whole: bytes, headers, reason in words, actions")
async def get_dead_letter(letters: Letters, who: Operator, letter_id: str) -> WholeLetter:
    row = await letters.find(letter_id)
    if row is None:
        raise not_found("dead letter", letter_id)
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
async def replay_dead_letter(letters: Letters, who: Who, letter_id: str, body: Replaying) -> Replayed:
    order = await _ordered(letters, Action.REPLAY, letter_id, who, body.why, beyond_cap=body.beyond_cap)
    with _in_words(letter_id):
        if body.dry_run:
            hindrance = await letters.hindrance(letter_id)
            return _replayed(*await letters.rehearse(letter_id), dry_run=True, hindrance=hindrance)
        return _replayed(*await letters.replay(order), dry_run=False)


@router.post("/{letter_id}/discard", summary="Close it for good, with the reason; its bytes are kept")
async def discard_dead_letter(letters: Letters, who: Who, letter_id: str, body: Discarding) -> Letter:
    order = await _ordered(letters, Action.DISCARD, letter_id, who, body.why)
    with _in_words(letter_id):
        return Letter.model_validate(_letter(await letters.discard(order)))


async def _ordered(
    letters: DeadLetters, action: Action, letter_id: str, who: Caller, why: str, *, beyond_cap: bool = False
) -> Order:
    """The order, from somebody who may give it; who may not leaves an entry too."""
    order = Order(action, letter_id, who.subject, who.role, why, beyond_cap)
    try:
        require_role(Role.MINISTRY)(who)
    except ApiProblem:
        await letters.refuse(order, Refusal.ROLE)
        raise
    return order
