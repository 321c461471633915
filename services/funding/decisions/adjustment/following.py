"""What corrections after an approval lead to: proposals of adjustments, new ones and other versions of open ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter

from services.funding.decisions.adjustment.corrections import Adjusting, Decisions, corrections, keep, moved, numbered
from services.funding.decisions.journal import OPERATING
from services.funding.decisions.life.records import Command, recorded
from services.funding.decisions.proposal.inputs import ProvinceInputs
from services.funding.decisions.proposal.proposing import same_values
from services.funding.domain import Life
from shared.contracts.base import Text
from shared.contracts.facts import AdjustmentProposed, BudgetRunProposed
from shared.messaging.decide.asking import Ask, Outcome

OPEN = frozenset({"proposed", "submitted"})


async def follow(decided: Decisions, inputs: ProvinceInputs, command: Command, ask: Ask) -> Outcome:
    """What the inputs of today would change of what was approved, as proposals of adjustments. Never a changed amount.

    Args:
        decided: what was decided; its life has an approval.
        inputs: what is known of the province now.
        command: of the system, for the record.
    """
    outcome, life = Outcome(verdict="unchanged"), decided.life
    known = _by_key(decided.adjustments)
    wanted = {each.key: each for each in corrections(decided, inputs, _blank(life, command))}
    run, keys = decided.approved.run, sorted(known.keys() | wanted.keys())
    following = [_next(known.get(key, []), wanted.get(key), run) for key in keys]
    changed = [adjusting for adjusting in following if adjusting]
    await ask.many(adjusting.ref for adjusting in changed)
    for adjusting in changed:
        outcome.verdict = "adjustments"
        keep(outcome, adjusting)
        about = replace(command, subject=adjusting.proposal.adjustment_id, why=adjusting.proposal.reason.vi)
        life = recorded(outcome, life, life, about)
    return outcome


def _blank(life: Life, command: Command) -> AdjustmentProposed:
    return AdjustmentProposed(
        adjustment_id="",
        version=1,
        province=life.province,
        year=life.year,
        purpose=OPERATING,
        centre_id=None,
        state="proposed",
        amount=0,
        corrected=0,
        delta=0,
        carried=0,
        allocation=None,
        reason=Text(vi="", en=""),
        hash="",
        proposed_at=command.at,
    )


def _by_key(adjustments: Iterable[Adjusting]) -> dict[str, list[Adjusting]]:
    """The adjustments of each centre, oldest first."""
    found: dict[str, list[Adjusting]] = {}
    for adjusting in sorted(adjustments, key=attrgetter("number")):
        found.setdefault(adjusting.key, []).append(adjusting)
    return found


def _next(known: Sequence[Adjusting], wanted: Adjusting | None, run: BudgetRunProposed) -> Adjusting | None:
    """What becomes of a centre's adjustments; `None`: nothing new."""
    last = known[-1] if known else None
    is_open = last is not None and last.proposal.state in OPEN
    if last is not None and is_open and last.proposal.reverses:
        return None  # people are about to take one back; what then differs is proposed after they have decided
    if wanted is None:
        return moved(last, "void", last.prepared_by) if last is not None and is_open else None
    if last is None or not is_open:
        turned_down = _turned_down(known)
        number = last.number + 1 if last else 1
        return None if wanted.change == turned_down else numbered(wanted, number, version=1)
    kept = wanted.model_copy(update={"prepared_by": last.prepared_by})
    replacing = numbered(kept, last.number, version=last.proposal.version + 1)
    return None if _same(last.proposal, replacing.proposal, run) else replacing


def _same(known: AdjustmentProposed, proposal: AdjustmentProposed, run: BudgetRunProposed) -> bool:
    """Whether people are shown the same: the same figures on other grounds are another proposal, on another citation
    the same."""
    return (known.hash, known.reason) == (proposal.hash, proposal.reason) and same_values(
        known.allocation, proposal.allocation, run
    )


def _turned_down(known: Sequence[Adjusting]) -> tuple[int, int] | None:
    """The change that people decided against last: it is not proposed to them again."""
    last = known[-1] if known else None
    if last is None:
        return None
    if last.proposal.state == "refused":
        return last.change
    if last.proposal.state == "approved" and last.proposal.reverses:
        return next(each.change for each in known if each.proposal.adjustment_id == last.proposal.reverses)
    return None
