"""Erasing what was submitted, and who somebody was: asked for by one person, carried out when another one confirms it
(ADR 42, 43).

What stands is not erased: results and money rest on it. Its sender corrects or withdraws it first; then nothing rests
on the old version any more, and only its decision and its hash stay. Nor is who still acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import Field, TypeAdapter

from services.intake.decisions.documents import AGGREGATES, ERASURES, RECEIPTS, VERSIONS, Aggregate, Answer, VersionLine
from services.intake.decisions.kinds import KINDS
from services.intake.decisions.people import Forgetting, forget, forgettable
from services.intake.decisions.register import Unsound
from services.intake.decisions.submissions import ACCEPTED_TOPIC
from shared.answers.privacy import Erasure
from shared.contracts.base import Contract, content_hash
from shared.contracts.facts import SubmissionErased, Withdrawn
from shared.contracts.orders import ErasureConfirmation, ErasureRequest
from shared.contracts.people import Hand
from shared.messaging.decide.asking import Ask, Look, Order, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Outgoing
from shared.privacy import ERASED_LINE
from shared.refusals import problem

REPEATED = "repeated"
MOST_COPIES = 100
"""That go with one order: each is read with its bytes."""
Found = tuple[Answer, Aggregate | None]
"""An answer, with what is accepted of the same."""


class _Named(Contract):
    id: str = Field(alias="_id")


_NAMED = TypeAdapter(_Named)


class Requesting(NamedTuple):
    """Who asks for an erasure."""

    order: ErasureRequest
    who: str

    @property
    def id(self) -> str:
        """Of the command: another content under the same id is another command, and refused by its problem."""
        return f"erasures/{self.order.order_id}/{content_hash([self.who, self.order.model_dump()])}"


class Confirming(NamedTuple):
    """Who confirms one."""

    order_id: str
    confirmation: ErasureConfirmation
    by: Hand
    secret: bytes
    """Key of the hashes of accounts."""

    @property
    def id(self) -> str:
        """Of the command."""
        return f"erasures/{self.order_id}/confirm/{content_hash([self.by.person, self.confirmation.model_dump()])}"


def ref_of(order_id: str) -> Ref[Erasure]:
    """Where an order is recorded."""
    return ERASURES.ref(order_id)


async def request(order: Order[Requesting], ask: Ask) -> Outcome:
    """Record that something is to be erased. Raises `Unsound` with everything that stands in the way."""
    wanted, who = order.data
    ref = ref_of(wanted.order_id)
    before = await ask.one(ref)
    asked = Erasure(**wanted.model_dump(), requested_by=who, requested_at=order.at)
    if before is not None:
        same = {name: getattr(before, name) for name in ("receipts", "person", "why", "requested_by")}
        if all(getattr(asked, name) == said for name, said in same.items()):
            return Outcome(verdict=REPEATED)
        raise Unsound(problem("intake.order_id_reused", "/order_id", id=wanted.order_id))
    if bool(wanted.receipts) == (wanted.person is not None):
        raise Unsound(problem("privacy.one_kind", "/receipts"))
    if wanted.person is not None:
        await forgettable(wanted.person, order.at, {"/why": wanted.why, "/order_id": wanted.order_id}, ask)
    copies = await _copies(await _erasable(wanted.receipts, ask), ask)
    return Outcome({ref: asked.model_copy(update=copies.told)})


async def confirm(order: Order[Confirming], ask: Ask) -> Outcome:
    """Carry it out. Raises `Unsound` where it was asked for by the same person, or something of it stands by now."""
    order_id, wanted, by, secret = order.data
    ref = ref_of(order_id)
    before = await ask.one(ref)
    if before is None:
        return Outcome(verdict="unknown")
    if before.confirmed_by is not None:
        return Outcome(verdict=REPEATED)
    if by.is_among([before.requested_by]):
        raise Unsound(problem("privacy.same_person"))
    outcome = Outcome()
    named = await _erasable(before.receipts, ask)
    copies = await _copies(named, ask)  # others may have come, or come to stand, since it was asked for
    done = {"confirmed_by": by.person, "confirmed_at": order.at, "confirmed_why": wanted.why}
    outcome.put(ref, before.model_copy(update=done | copies.told))
    if before.person is not None:
        person = await forgettable(before.person, order.at, {"/why": wanted.why}, ask)
        await forget(person, Forgetting(order_id, by.person, order.at, secret), outcome, ask)
    for answer, aggregate in [*named, *copies.erased]:
        gone = answer.without_bytes(order.at, order_id).without_words()
        outcome.put(RECEIPTS.ref(answer.receipt.receipt_id), gone)
        await _without_reason(answer, aggregate, outcome, ask)
        fact = SubmissionErased(
            receipt_id=answer.receipt.receipt_id,
            version=1,
            order_id=order_id,
            province=answer.province,
            kind=answer.kind,
            subject=_subject(answer, aggregate),
            period=answer.period,
            sha256=gone.erased.sha256 if gone.erased else None,
            erased_at=order.at,
        )
        key = f"erasure/{fact.receipt_id}"
        outcome.events.append(Outgoing(ACCEPTED_TOPIC, key, key, fact))
    return outcome


@dataclass(frozen=True, slots=True)
class Copies:
    """Receipts of the very same content as others."""

    erased: Sequence[Found]
    """Those that go with them."""
    more: int
    """How many there are besides; they are for another order."""
    standing: Sequence[str]

    @property
    def told(self) -> dict[str, Any]:
        """What an order says of them."""
        also = [answer.receipt.receipt_id for answer, _ in self.erased]
        return {"also": also, "more": self.more, "standing": list(self.standing)}


async def _copies(named: Sequence[Found], ask: Ask) -> Copies:
    """What else holds the content of these: who sent it twice, or had it held, has several receipts for it.

    They are known by its hash, whoever sent them and under whichever channel.
    """
    hashes = sorted({answer.receipt.body_hash for answer, _ in named})
    own = {answer.receipt.receipt_id for answer, _ in named}
    query = {"receipt.body_hash": {"$in": hashes}, "erased": None}
    rows = await ask.look(Look(RECEIPTS, _NAMED, query, ("_id",), sort=[("_id", 1)]))
    others = [row.id for row in rows if row.id not in own]
    answers = await ask.many(map(RECEIPTS.ref, others[:MOST_COPIES]))
    found = await _with_accepted([answer for answer in answers if answer is not None], ask)
    standing = [answer.receipt.receipt_id for answer, aggregate in found if _stands(answer, aggregate)]
    erased = [each for each in found if not _stands(*each)]
    return Copies(erased, len(others) - len(answers), standing)


async def _with_accepted(answers: Sequence[Answer], ask: Ask) -> list[Found]:
    refs = [_accepted_ref(answer) for answer in answers]
    known = dict(zip(filter(None, refs), await ask.many(filter(None, refs)), strict=True))
    return [(answer, known[ref] if ref else None) for answer, ref in zip(answers, refs, strict=True)]


def _stands(answer: Answer, aggregate: Aggregate | None) -> bool:
    return aggregate is not None and aggregate.accepted.receipt_id in (answer.receipt.receipt_id, answer.released)


async def _erasable(ids: Sequence[str], ask: Ask) -> list[Found]:
    """The answers, each once, with what is accepted of the same. Raises `Unsound`."""
    each_once = list(dict.fromkeys(ids))
    found = await ask.many(RECEIPTS.ref(id) for id in each_once)
    problems = [
        problem("privacy.receipt_unknown", f"/receipts/{ids.index(id)}", id=id)
        for id, answer in zip(each_once, found, strict=True)
        if answer is None
    ]
    answers = [answer for answer in found if answer is not None]
    both = await _with_accepted(answers, ask)
    for answer, aggregate in both:
        id = answer.receipt.receipt_id
        if aggregate is not None and _stands(answer, aggregate):
            at = f"/receipts/{ids.index(id)}"
            problems.append(problem("privacy.stands", at, id=id, version=aggregate.version))
    if problems:
        raise Unsound(*problems)
    return both


def _accepted_ref(answer: Answer) -> Ref[Aggregate] | None:
    """Where it is kept what is accepted of the same; `None` where nobody could read what it speaks of."""
    receipt = answer.receipt
    if receipt.kind is None or receipt.subject is None:
        return None
    return AGGREGATES.ref(receipt.purpose or receipt.kind, receipt.subject, receipt.period or 0)


async def _without_reason(answer: Answer, aggregate: Aggregate | None, outcome: Outcome, ask: Ask) -> None:
    """The line of the history that it made keeps its figures; why it was sent is a sender's own words.

    Lines that an older release kept in the aggregate move to their place.
    """
    ref = _accepted_ref(answer)
    if ref is None or answer.receipt.version is None:
        return
    if aggregate is not None and aggregate.history and ref not in outcome.puts:
        outcome.put(ref, aggregate.model_copy(update={"history": []}))
        for former in aggregate.history:
            outcome.put(VERSIONS.ref(ref.id, f"{former.version:07}"), VersionLine(aggregate=ref.id, **dict(former)))
    line = VERSIONS.ref(ref.id, f"{answer.receipt.version:07}")
    kept = outcome.puts.get(line) or await ask.one(line)
    if kept is not None and kept.receipt_id == answer.receipt.receipt_id and kept.reason is not None:
        outcome.put(line, kept.model_copy(update={"reason": ERASED_LINE}))


def _subject(answer: Answer, aggregate: Aggregate | None) -> str:
    if aggregate is None:
        return answer.subject or answer.province
    fact = aggregate.accepted
    return fact.subject if isinstance(fact, Withdrawn) else KINDS[aggregate.kind].fact_subject(fact)
