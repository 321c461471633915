"""Erasing what was submitted, and who somebody was: asked for by one person, carried out when another one confirms it
(ADR 42, 43).

What stands is not erased: results and money rest on it. Its sender corrects or withdraws it first; then nothing rests
on the old version any more, and only its decision and its hash stay. Nor is who still acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.intake.decisions.documents import AGGREGATES, ERASURES, RECEIPTS, VERSIONS, Aggregate, Answer, VersionLine
from services.intake.decisions.kinds import KINDS
from services.intake.decisions.people import Forgetting, forget, forgettable
from services.intake.decisions.register import Unsound
from services.intake.decisions.submissions import ACCEPTED_TOPIC
from shared.answers.privacy import Erasure
from shared.contracts.base import content_hash
from shared.contracts.facts import SubmissionErased, Withdrawn
from shared.contracts.orders import ErasureConfirmation, ErasureRequest
from shared.contracts.people import Hand
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Outgoing
from shared.privacy import ERASED_LINE
from shared.refusals import problem

REPEATED = "repeated"


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
    await _erasable(wanted.receipts, ask)
    return Outcome({ref: asked})


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
    done = {"confirmed_by": by.person, "confirmed_at": order.at, "confirmed_why": wanted.why}
    outcome.put(ref, before.model_copy(update=done))
    if before.person is not None:
        person = await forgettable(before.person, order.at, {"/why": wanted.why}, ask)
        await forget(person, Forgetting(order_id, by.person, order.at, secret), outcome, ask)
    for answer, aggregate in await _erasable(before.receipts, ask):
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


async def _erasable(ids: Sequence[str], ask: Ask) -> list[tuple[Answer, Aggregate | None]]:
    """The answers, each once, with what is accepted of the same. Raises `Unsound`."""
    each_once = list(dict.fromkeys(ids))
    found = await ask.many(RECEIPTS.ref(id) for id in each_once)
    problems = [
        problem("privacy.receipt_unknown", f"/receipts/{ids.index(id)}", id=id)
        for id, answer in zip(each_once, found, strict=True)
        if answer is None
    ]
    answers = [answer for answer in found if answer is not None]
    refs = [_accepted_ref(answer) for answer in answers]
    known = dict(zip(filter(None, refs), await ask.many(filter(None, refs)), strict=True))
    both = [(answer, known[ref] if ref else None) for answer, ref in zip(answers, refs, strict=True)]
    for answer, aggregate in both:
        id = answer.receipt.receipt_id
        if aggregate is not None and aggregate.accepted.receipt_id in (id, answer.released):
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
