"""What corrected inputs would change of an approved budget: one proposal of an adjustment per centre, never an amount.

What was approved is computed again by its own frozen rules and λ or θ (`domain.adjustment`), so that a correction moves
its own centre and nobody else's money. A corrected envelope moves the reserve alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import TypeAdapter, computed_field

from services.funding.decisions.journal import TOPIC, Decision, told_in_words
from services.funding.decisions.life.snapshots import Approved
from services.funding.decisions.proposal.calculating import Rules, calculated
from services.funding.decisions.proposal.departures import closing_line
from services.funding.decisions.proposal.inputs import ProvinceInputs
from services.funding.decisions.proposal.proposing import grants_of
from services.funding.domain import Adjustment, Budget, Life, Stake, Standing, adjust, at_amount, references, rerun
from shared.contracts.base import Contract, RuleRef, Text, content_hash
from shared.contracts.facts import AdjustmentProposed, AdjustmentState, Allocation
from shared.messaging.decide.asking import Outcome
from shared.messaging.decide.documents import Collection, Document, Ref
from shared.messaging.messages import Outgoing

RESERVE = "_reserve"
"""Stands in ids for the province's reserve; no centre id begins with an underscore."""


class Adjusting(Contract):
    """One adjustment and who had a hand in it."""

    proposal: AdjustmentProposed
    number: int
    before: Allocation | None = None
    """The line that stood before it; `None` where there was none."""
    prepared_by: tuple[str, ...] = ()
    """Everybody who submitted it, the last one last: none of them decides on it."""

    @computed_field
    def province(self) -> str:
        """Of the budget."""
        return self.proposal.province

    @computed_field
    def year(self) -> int:
        """Of the budget."""
        return self.proposal.year

    @property
    def key(self) -> str:
        """Whose it is: centre id, or `RESERVE`."""
        return self.proposal.centre_id or RESERVE

    @property
    def ref(self) -> Ref[Adjusting]:
        """Where it is kept."""
        return ADJUSTMENTS.ref(self.proposal.adjustment_id)

    @property
    def change(self) -> tuple[int, int]:
        """From what to what, in đồng."""
        return self.proposal.amount, self.proposal.corrected


def _told_in_words(document: Document) -> Document:
    proposal = told_in_words(document["proposal"]) if "proposal" in document else None
    return {**told_in_words(document), **({"proposal": proposal} if proposal else {})}


ADJUSTMENTS: Collection[Adjusting] = Collection(
    "adjustments", TypeAdapter(Adjusting), schema=2, upgrades={0: _told_in_words, 1: _told_in_words}
)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided on a province's operating support of one year, and what is being adjusted."""

    life: Life
    approved: Approved
    lines: Mapping[str, Decision]
    """By centre."""
    settled: Mapping[str, int]
    """What later years have already paid of what this one carried over, by centre."""
    adjustments: Sequence[Adjusting]
    """All of the province and year."""


_WORDED = {"basis", "departure", "correction", "told"}
"""Of a line, what its words are made of."""


def hash_of(proposal: AdjustmentProposed) -> str:
    """Over what is proposed, whatever its version, state and words."""
    line = proposal.allocation.model_dump(mode="json", exclude=_WORDED) if proposal.allocation else None
    named = proposal.model_dump(include={"adjustment_id", "amount", "corrected", "delta", "carried", "reverses"})
    return content_hash({**named, "line": line})


def numbered(adjusting: Adjusting, number: int, *, version: int) -> Adjusting:
    """A version of the adjustment of this number."""
    proposal = adjusting.proposal
    adjustment_id = f"{proposal.province}/{proposal.year}/{adjusting.key}/{number}"
    named = proposal.model_copy(update={"adjustment_id": adjustment_id, "version": version})
    return adjusting.model_copy(
        update={"proposal": named.model_copy(update={"hash": hash_of(named)}), "number": number}
    )


def moved(adjusting: Adjusting, state: AdjustmentState, prepared_by: tuple[str, ...]) -> Adjusting:
    """The next version, in another state."""
    proposal = adjusting.proposal
    then = proposal.model_copy(update={"state": state, "version": proposal.version + 1})
    return adjusting.model_copy(update={"proposal": then, "prepared_by": prepared_by})


def keep(outcome: Outcome, adjusting: Adjusting) -> None:
    """Put a version of an adjustment, and publish it."""
    subject = adjusting.proposal.centre_id or adjusting.proposal.province
    outcome.put(adjusting.ref, adjusting)
    outcome.events.append(Outgoing(TOPIC, subject, subject, adjusting.proposal))


def corrections(decided: Decisions, inputs: ProvinceInputs, proposed: AdjustmentProposed) -> Iterator[Adjusting]:
    """Everything that differs from what was decided. `proposed`: an empty proposal of this province, year and time."""
    life, approved, envelope = decided.life, decided.approved, inputs.envelope
    if envelope is not None and life.envelope is not None and envelope.amount != life.envelope:
        yield _of_reserve(proposed, life.envelope, envelope.amount, _CORRECTED)
    elif envelope is None and life.envelope is not None and life.reserve:
        yield _of_reserve(proposed, life.envelope, life.envelope - life.reserve, _TAKEN_BACK)
    then = inputs.model_copy(update={"envelope": approved.inputs.envelope})
    alone = approved.rules.policy.after_approval.use == "reserve"
    budget = calculated(then, approved.rules, approved.frozen if alone else None)
    lines = {line.centre_id: line for line in budget.lines}
    owed = {line.centre_id: line.floor for line in grants_of(budget).values()}
    stakes = _stakes(decided, budget, then)
    relaxed = approved.frozen.norms_relaxed if alone else budget.norms_relaxed
    for one in _moves(decided, stakes, then):
        standing = decided.lines.get(one.centre_id)
        before = standing.allocation if standing else None
        line = lines.get(one.centre_id)
        if line is not None:
            line = at_amount(line, one.after, one.exact, stakes[one.centre_id], norms_relaxed=relaxed)
        elif before is not None:
            line = closing_line(before, then, approved.rules).model_copy(
                update={"amount": one.after, "exact": str(one.exact)}
            )
        if line is not None and (one.from_reserve or one.carried):
            told: dict[str, object] = {"rules": _rules(line, life.year, approved.rules)}
            if before is None:
                told["owed"] = owed.get(one.centre_id)
            line = line.model_copy(update={"correction": one.correction.model_copy(update=told)})
            yield _of_centre(proposed, one, before, line, reason_of(approved.inputs, inputs, line, before))


def _rules(line: Allocation, year: int, rules: Rules) -> tuple[RuleRef, ...]:
    """The rules of the approval that the words for a line stand in."""
    graded = [line.basis.graded.rubric] if line.basis and line.basis.graded else []
    return references(rules.norms, rules.policy, year, graded)


def _own(inputs: ProvinceInputs) -> set[str]:
    return {centre.centre_id for centre in inputs.centres} | {withdrawal.subject for withdrawal in inputs.gone}


def _stakes(decided: Decisions, budget: Budget, inputs: ProvinceInputs) -> dict[str, Stake]:
    """What each centre is due by the corrected inputs, as the approved run or a new one sees it."""
    frozen, known, own = decided.approved.frozen, decided.lines, _own(inputs)
    again = decided.approved.rules.policy.after_approval.use == "rerun"
    stakes = {stake.key: stake for stake in (budget.stakes if again else budget.stakes_when(frozen.norms_relaxed))}
    for key in sorted(known.keys() - stakes.keys()):
        # A centre that moved away keeps what it was given here; one that is not eligible any more has no claim.
        amount = 0 if key in own else known[key].amount + known[key].carried_total
        stakes[key] = Stake(key, amount, amount, amount, Fraction(0))
    return stakes


def _moves(decided: Decisions, stakes: Mapping[str, Stake], inputs: ProvinceInputs) -> Iterable[Adjustment]:
    frozen, known, settled = decided.approved.frozen, decided.lines, decided.settled
    policy = decided.approved.rules.policy
    now = Standing(
        reserve=decided.life.reserve or 0,
        paid={key: line.amount + settled.get(key, 0) for key, line in known.items()},
        carried={key: left for key, line in known.items() if (left := line.carried_total - settled.get(key, 0))},
        settled=settled,
    )
    if policy.after_approval.use == "rerun":
        more = (decided.life.envelope or 0) - decided.approved.run.envelope
        return rerun(frozen, list(stakes.values()), now, policy, more=more)
    moved = known.keys() - _own(inputs)
    return [adjust(frozen, stakes[key], now) for key in sorted(stakes.keys() - moved)]


def _of_centre(
    proposed: AdjustmentProposed, one: Adjustment, before: Allocation | None, line: Allocation, reason: Text
) -> Adjusting:
    proposal = proposed.model_copy(
        update={
            "centre_id": one.centre_id,
            "amount": one.before,
            "corrected": one.after,
            "delta": one.from_reserve,
            "carried": one.carried,
            "allocation": line,
            "reason": reason,
        }
    )
    return Adjusting(proposal=proposal, number=1, before=before)


_CORRECTED = Text(
    vi="Tổng kinh phí của tỉnh được đính chính sau khi duyệt.",
    en="The province's envelope was corrected after the approval.",
)
_TAKEN_BACK = Text(
    vi="Tổng kinh phí của tỉnh được rút lại sau khi duyệt: dự phòng không còn căn cứ, đề nghị đưa về 0 đồng. Số đã "
    "duyệt cho các trung tâm giữ nguyên cho đến khi có tổng kinh phí mới.",
    en="The province's envelope was withdrawn after the approval: nothing stands behind the reserve any more, and it "
    "is proposed to be 0 đồng. What was approved for the centres stays until there is an envelope again.",
)


def _of_reserve(proposed: AdjustmentProposed, known: int, corrected: int, reason: Text) -> Adjusting:
    change = {"amount": known, "corrected": corrected, "delta": corrected - known, "reason": reason}
    return Adjusting(proposal=proposed.model_copy(update=change), number=1)


UNTOLD: Mapping[str, Any] = {
    **dict.fromkeys(("traceparent", "received_at", "in_time"), True),
    "allocation": _WORDED,
}
"""Which trace brought it, and when: no change of a fact. Nor is it how a line explains itself."""
_INPUTS: Mapping[str, Text] = {
    "centres": Text(vi="thông tin đăng ký của trung tâm", en="the centre's registration"),
    "scores": Text(vi="kết quả đánh giá", en="its result"),
    "graded": Text(vi="quyết định về xếp loại của năm trước", en="a decision on its grade of an earlier year"),
    "supports": Text(vi="mức hỗ trợ năm trước do tỉnh báo", en="last year's support as the province states it"),
    "equipment": Text(vi="số đã cấp mua sắm trang thiết bị ban đầu", en="what was paid of its initial equipment"),
    "pending": Text(vi="tình trạng hồ sơ đánh giá", en="the state of its file"),
    "decided": Text(vi="quyết định hỗ trợ của năm trước", en="the decision on last year's support"),
}


_TIME: Mapping[str | None, Text] = {
    "awaited": Text(
        vi="đã hết hạn nộp hồ sơ đánh giá mà không có hồ sơ", en="the deadline has passed and no file came"
    ),
    "pending": Text(
        vi="kỳ đánh giá đã khóa sổ mà hồ sơ chưa được chấp nhận",
        en="the period has closed and its file was not accepted",
    ),
}
"""What time alone has made of a file, by where it stood before."""


def reason_of(
    approved: ProvinceInputs, inputs: ProvinceInputs, line: Allocation, before: Allocation | None = None
) -> Text:
    """Which inputs of a line's centre are no longer those that were approved, and what time has passed, in words."""
    changed = [
        words
        for name, words in _INPUTS.items()
        if _of(getattr(approved, name), line.centre_id) != _of(getattr(inputs, name), line.centre_id)
    ]
    passed = _TIME.get(before.assessment) if before and line.assessment == "not_submitted" else None
    if passed is not None and inputs.clock != approved.clock:
        changed.append(passed)
    if not changed:
        return Text(
            vi="Dự phòng hoặc quyết định trước đó đã thay đổi.",
            en="The reserve or an earlier decision has changed.",
        )
    return Text(
        vi=f"Đã thay đổi sau khi duyệt: {', '.join(words.vi for words in changed)}.",
        en=f"Changed after the approval: {', '.join(words.en for words in changed)}.",
    )


def _of(known: Iterable[Any], centre_id: str) -> list[str]:
    """What is known of a centre."""
    return sorted(
        content_hash(fact.model_dump(mode="json", exclude=dict(UNTOLD)))
        for fact in known
        if fact.centre_id == centre_id
    )
