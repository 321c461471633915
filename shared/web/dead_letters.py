"""Dead letters of a service, for its operators."""

from __future__ import annotations

from typing import Annotated, Any

from bson import ObjectId
from fastapi import APIRouter, Depends, Request

from shared.messaging.collections import DEAD_LETTERS
from shared.web.auth import Caller, Role, require_role
from shared.web.paging import After, Limit, Page

router = APIRouter(prefix="/dead-letters", tags=["operations"])
PREVIEW_CHARACTERS = 300


@router.get("", summary="Records that could not be handled, oldest first")
async def list_dead_letters(
    request: Request,
    who: Annotated[Caller, Depends(require_role(Role.MINISTRY))],
    limit: Limit = 100,
    after: After = None,
) -> Page[dict[str, Any]]:
    query = {"_id": {"$gt": ObjectId(after)}} if after and ObjectId.is_valid(after) else {}
    rows = await request.app.state.mongo.find(DEAD_LETTERS, query, sort=[("_id", 1)], limit=limit + 1)
    items = [
        {
            "id": str(row["_id"]),
            "at": row["at"].isoformat(),
            "consumer": row["consumer"],
            "position": f"{row['topic']}/{row['partition']}@{row['offset']}",
            "type": row["type"],
            "subject": row["subject"],
            "reason": row["reason"],
            "detail": row["detail"],
            "attempts": row["attempts"],
            "preview": bytes(row["value"] or b"")[:PREVIEW_CHARACTERS].decode("utf-8", "replace"),
        }
        for row in rows[:limit]
    ]
    return Page(items=items, next=items[-1]["id"] if len(rows) > limit else None)
