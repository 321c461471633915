"""The proof that a province's amounts add up, as a page that anybody can check with paper and pencil.

Made of what was published alone: the head of a run and its lines. So whoever holds them can make it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.funding.domain.budget import WITHDRAWN
from shared.contracts.base import Text, content_hash
from shared.contracts.facts import Allocation, BudgetRunProposed
from shared.wording import EN, VI


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the page: what it says, its figure (đồng, or a number of centres), and whether it holds."""

    what: Text
    figure: int
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Proof:
    """All statements in the order in which they are read."""

    statements: tuple[Statement, ...]

    @property
    def holds(self) -> bool:
        """Whether every statement holds."""
        return all(statement.holds for statement in self.statements)


def proof_of(run: BudgetRunProposed, lines: Iterable[Allocation]) -> Proof:
    """Proof of a run. `lines`: all lines of the version, in any order; closing lines of centres that left may be among
    them and are no part of it."""
    kept = sorted((line for line in lines if WITHDRAWN not in line.flags), key=lambda line: line.centre_id)
    amounts, floors = sum(line.amount for line in kept), sum(line.floor for line in kept)
    operating = run.envelope - run.carried - run.equipment
    return Proof((*_money(run, operating, floors, amounts), *_lines(run, kept, operating, floors)))


def _money(run: BudgetRunProposed, operating: int, floors: int, amounts: int) -> Sequence[Statement]:
    pool = operating - floors
    whole = run.carried + run.equipment + amounts + run.reserve
    return (
        Statement(Text(vi="Kinh phí của tỉnh", en="Envelope of the province"), run.envelope),
        Statement(Text(vi="trừ số năm trước chuyển sang", en="less deltas carried from last year"), run.carried),
        Statement(Text(vi="trừ trang thiết bị ban đầu", en="less initial equipment"), run.equipment),
        Statement(Text(vi="còn để phân bổ", en="leaves to be shared"), operating, operating >= 0),
        Statement(Text(vi="Tổng mức tối thiểu", en="Sum of the minima"), floors),
        Statement(
            Text(vi="phần phân bổ theo kết quả", en="performance pool")
            if pool >= 0
            else Text(vi="thiếu so với mức tối thiểu", en="short of the minima"),
            abs(pool),
            (pool < 0) == (run.case == "below_legal_minimum"),
        ),
        Statement(Text(vi="Tổng các mức hỗ trợ", en="Sum of the amounts"), amounts, amounts == run.allocated),
        Statement(Text(vi="Dự phòng", en="Reserve"), run.reserve, amounts + run.reserve == operating),
        Statement(
            Text(
                vi=f"{VI(run.carried)} + {VI(run.equipment)} + {VI(amounts)} + {VI(run.reserve)} = {VI.money(whole)}, "
                "đúng bằng kinh phí",
                en=f"{EN(run.carried)} + {EN(run.equipment)} + {EN(amounts)} + {EN(run.reserve)} = {EN.money(whole)}, "
                "the envelope",
            ),
            whole,
            whole == run.envelope,
        ),
    )


def _lines(run: BudgetRunProposed, lines: Sequence[Allocation], operating: int, floors: int) -> Sequence[Statement]:
    below = [line for line in lines if line.amount < line.floor]
    outside = [line for line in lines if not _within(run, line)]
    exact = sum((Fraction(line.exact) for line in lines), Fraction(0))
    found = content_hash([[line.centre_id, line.amount] for line in lines])
    once = len({line.centre_id for line in lines}) == len(lines) == run.centres
    return (
        Statement(Text(vi="Số trung tâm, mỗi trung tâm một lần", en="Centres, each counted once"), len(lines), once),
        Statement(
            Text(vi="Trung tâm dưới mức tối thiểu", en="Centres below the minimum"),
            len(below),
            not below or operating < floors,
        ),
        Statement(
            Text(vi="Trung tâm ngoài giới hạn của mình", en="Centres outside their bounds"), len(outside), not outside
        ),
        Statement(
            Text(
                vi=f"Tổng trước khi làm tròn {VI.money(exact)}, bằng tổng sau khi làm tròn",
                en=f"The sum before rounding is {EN.money(exact)}, that after rounding",
            ),
            run.allocated,
            exact == run.allocated,
        ),
        Statement(Text(vi=f"Mã kiểm tra {run.hash}", en=f"Hash {run.hash}"), len(lines), found == run.hash),
    )


def _within(run: BudgetRunProposed, line: Allocation) -> bool:
    """Whether the case allows the amount; a cap that was relaxed by policy is flagged and bounds nothing."""
    low = 0 if run.case == "below_legal_minimum" else line.floor if run.theta is not None else line.lower
    return line.amount >= low and (line.upper is None or line.amount <= line.upper or "caps_relaxed" in line.flags)
