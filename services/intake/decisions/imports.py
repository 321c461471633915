"""An import of history: signed once, taken in part by part, each part only as it was signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.intake.decisions.documents import HISTORIES, IMPORTS
from services.intake.decisions.history import REPEATED, Read, judged, receipts_in
from services.intake.decisions.register import Unsound
from shared.answers.imports import HistorySigned, ImportRevoked
from shared.answers.periods import HistoryImported
from shared.contracts.facts import MinistryOrder
from shared.contracts.imports import PREFIX, HistorySigning, ImportRevocation, digest_of
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.refusals import problem

TRIAL = MinistryOrder(kind="history", id=f"{PREFIX}trial", import_id="trial")
"""Under which it is asked what would become of records; nothing of that is ever written."""


class Signing(NamedTuple):
    """What is to be signed, and by whom."""

    order: HistorySigning
    who: str

    @property
    def id(self) -> str:
        """Of the command."""
        return f"import/{self.order.import_id}"


class Part(NamedTuple):
    """A part of an import, and who hands it in."""

    import_id: str
    number: int
    """From 1."""
    submissions: Sequence[Read]
    hash: str
    who: str
    clock_offset: int

    @property
    def order_id(self) -> str:
        """Under which it is recorded among the orders of history."""
        return f"{PREFIX}{self.import_id}/{self.number}"

    @property
    def id(self) -> str:
        """Of the command."""
        return f"history/{self.order_id}/{self.hash}"


class Revoking(NamedTuple):
    """Which import is to be revoked, why, and by whom."""

    import_id: str
    order: ImportRevocation
    who: str

    @property
    def id(self) -> str:
        """Of the command."""
        return f"import/{self.import_id}/revocation"


class Trying(NamedTuple):
    """Records of which is asked what would become of them."""

    submissions: Sequence[Read]
    clock_offset: int


async def sign(order: Order[Signing], ask: Ask) -> Outcome:
    """Record what is signed. Raises `Unsound` where the digest is not that of what is signed."""
    wanted, ref = order.data.order, IMPORTS.ref(order.data.order.import_id)
    if digest_of(wanted.parts, wanted.tally) != wanted.digest:
        raise Unsound(problem("imports.digest_differs", "/digest", digest=wanted.digest))
    before = await ask.one(ref)
    if before is not None:
        return Outcome(verdict=REPEATED)
    signed = HistorySigned(
        import_id=wanted.import_id,
        digest=wanted.digest,
        parts=wanted.parts,
        tally=wanted.tally,
        provinces=sorted({one.province for one in wanted.tally}),
        why=wanted.why,
        decision_number=wanted.decision_number,
        signed_by=order.data.who,
        signed_at=order.at,
    )
    return Outcome({ref: signed}, verdict="signed")


async def take_part(order: Order[Part], ask: Ask) -> Outcome:
    """Decide all records of a part and record it. Raises `Unsound` where it is not what was signed, or is no more.

    The signed import is held: a part and a revocation at the same moment are decided one after the other.
    """
    part = order.data
    ref = HISTORIES.ref(part.order_id)
    signed, before = await ask.one(IMPORTS.ref(part.import_id)), await ask.one(ref)
    if signed is None:
        raise Unsound(problem("imports.not_signed", id=part.import_id))
    if part.number > len(signed.parts) or signed.parts[part.number - 1] != part.hash:
        raise Unsound(problem("imports.part_differs", "/submissions", number=part.number, id=part.import_id))
    if before is not None:
        return Outcome(verdict=REPEATED)
    if signed.revoked is not None:
        raise Unsound(problem("imports.revoked", id=part.import_id, reason=signed.revoked.reason))
    under = MinistryOrder(
        kind="history", id=part.order_id, decision_number=signed.decision_number, import_id=part.import_id
    )
    outcome = await judged(part.submissions, under, order.at, part.clock_offset, ask)
    outcome.put(
        ref,
        HistoryImported(
            order_id=part.order_id,
            why=signed.why,
            decision_number=signed.decision_number,
            hash=part.hash,
            provinces=sorted({one.province for one in part.submissions}),
            ordered_by=part.who,
            ordered_at=order.at,
            receipts=[receipt.receipt_id for receipt in receipts_in(outcome)],
            import_id=part.import_id,
        ),
    )
    return outcome


async def revoke(order: Order[Revoking], ask: Ask) -> Outcome:
    """Record that no further part is taken. Raises `Unsound` where it was not signed."""
    wanted, ref = order.data, IMPORTS.ref(order.data.import_id)
    signed = await ask.one(ref)
    if signed is None:
        raise Unsound(problem("imports.not_signed", id=wanted.import_id))
    if signed.revoked is not None:
        return Outcome(verdict=REPEATED)
    revoked = ImportRevoked(reason=wanted.order.reason, revoked_by=wanted.who, revoked_at=order.at)
    return Outcome({ref: signed.model_copy(update={"revoked": revoked})}, verdict="revoked")


async def attempt(order: Order[Trying], ask: Ask) -> Outcome:
    """What would become of records; only ever rehearsed."""
    return await judged(order.data.submissions, TRIAL, order.at, order.data.clock_offset, ask)
