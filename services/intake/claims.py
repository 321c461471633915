"""What was handed in over HTTP under an `Idempotency-Key`: the same again is written once, and answered alike.

Of a key its hash is kept, for some days: with what was asked under it, until when whoever has it in hand may still be
writing, and the receipts that answer it. A process that dies in between leaves a claim without receipts; whoever is
asked next looks on the channel for what lies there already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.messaging.send.handing import CONFIRM_SECONDS, REACH_SECONDS
from shared.mongo import DuplicateKey, Mongo
from shared.web.callers import Caller
from shared.web.problems import RETRY_SECONDS, refused

CLAIMS = "handed_in"
DAYS = 7
"""For which a key is known."""
IN_HAND = timedelta(seconds=2 * (REACH_SECONDS + 2 * CONFIRM_SECONDS))
"""Longer than a request may still be writing; only then another one takes it over."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request under a key."""

    id: str
    at: datetime
    """When it came first, by the database's clock."""
    until: datetime
    fresh: bool = True
    """Nobody has begun it before."""
    receipts: Sequence[str] | None = None
    """Ids of its receipts, in the order of its submissions; `None`: it is not known to be written."""


async def prepare(mongo: Mongo) -> None:
    """Make the index. Safe to repeat."""
    await mongo.index(CLAIMS, [("at", 1)], expire_after_seconds=DAYS * 86_400)


async def claim(mongo: Mongo, who: Caller, key: str, *asked: bytes) -> Claim:
    """Take a request in hand, or tell what is known of it. Raises `ApiProblem`: 409 it is in hand, 422 it was another.

    `asked`: everything that makes the request what it is.
    """
    id = _hash(who.person.encode(), (who.province or "").encode(), key.encode())
    now, what = await mongo.time(), _hash(*asked)
    begun = Claim(id, now, now + IN_HAND)
    row: dict[str, Any] = {"_id": id, "asked": what, "at": now, "until": begun.until, "receipts": None}
    try:
        await mongo.insert(CLAIMS, [row])
    except DuplicateKey:
        return await _known(mongo, begun, what)
    return begun


async def _known(mongo: Mongo, begun: Claim, asked: str) -> Claim:
    row = next(iter(await mongo.find(CLAIMS, {"_id": begun.id})), None)
    if row is None:  # its days ended at this moment
        raise refused("intake.key_in_hand", seconds=RETRY_SECONDS)
    if row["asked"] != asked:
        raise refused("intake.key_reused")
    known = Claim(begun.id, row["at"], begun.until, fresh=False, receipts=row["receipts"])
    if known.receipts is not None:
        return known
    ours = {"_id": known.id, "until": row["until"], "receipts": None}
    if row["until"] > begun.at or not await mongo.update(CLAIMS, ours, {"$set": {"until": known.until}}):
        raise refused("intake.key_in_hand", seconds=RETRY_SECONDS)
    return known


async def let_go(mongo: Mongo, claim: Claim) -> None:
    """Nothing of it is being written any more: the same request may begin again at once."""
    await mongo.update(CLAIMS, {"_id": claim.id}, {"$set": {"until": claim.at}})


async def written(mongo: Mongo, claim: Claim, receipts: Sequence[str]) -> None:
    """Note by which receipts it is answered."""
    await mongo.update(CLAIMS, {"_id": claim.id}, {"$set": {"receipts": list(receipts)}})


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(len(one).to_bytes(8) + one for one in parts)).hexdigest()
