"""What the treasury paid beside what was decided, centre by centre. Pure; it informs and moves no money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

from shared.contracts.base import content_hash
from shared.contracts.facts import PaymentAccepted, PaymentGap, PaymentState, Purpose, PurposeReconciled

Key = tuple[str, Purpose]
"""Centre id and purpose."""
AGREED: frozenset[PaymentState] = frozenset({"paid", "nothing_due"})
"""States in which nothing differs."""


@dataclass(frozen=True, slots=True)
class Line:
    """One centre and purpose of a budget year. Money in đồng."""

    centre_id: str
    purpose: Purpose
    decided: int | None
    """As published, with what is settled of earlier years; `None`: nothing was decided."""
    stated: int | None
    """What the province stated as approved, where nothing was decided here: the one never counts for the other."""
    paid: int | None
    """Less what came back; `None`: nothing is on record, which is not 0."""
    payments: int
    """Movements on record."""
    paid_on: date | None
    """Day of the latest one."""
    state: PaymentState

    @property
    def difference(self) -> int:
        """Paid less what is due."""
        return (self.paid or 0) - (self.decided or 0) - (self.stated or 0)


def reconciled(
    decided: Mapping[Key, int],
    stated: Mapping[Key, int],
    payments: Iterable[PaymentAccepted],
    registered: Collection[str],
) -> list[Line]:
    """A line for whatever is known of any of them, by centre and purpose.

    Args:
        decided: as published.
        stated: by the province; of what was decided here it counts nothing.
        registered: centres of the province's register.
    """
    moved: dict[Key, list[PaymentAccepted]] = {}
    for each in payments:
        moved.setdefault((each.centre_id, each.purpose), []).append(each)
    lines = []
    for key in sorted(decided.keys() | stated.keys() | moved.keys()):
        found = moved.get(key, [])
        net = sum(one.amount if one.direction == "paid" else -one.amount for one in found) if found else None
        due = decided.get(key)
        approved = stated.get(key) if due is None else None
        lines.append(
            Line(
                centre_id=key[0],
                purpose=key[1],
                decided=due,
                stated=approved,
                paid=net,
                payments=len(found),
                paid_on=max((one.paid_on for one in found), default=None),
                state=_state(approved if due is None else due, net or 0, key[0] in registered),
            )
        )
    return lines


def _state(due: int | None, net: int, is_registered: bool) -> PaymentState:
    if net < 0:
        return "returned_more"
    if not due and not net:
        return "nothing_due"
    if due is None:
        return "paid_without_decision" if is_registered else "not_registered"
    if not net:
        return "not_paid"
    return "paid" if net == due else "partly" if net < due else "overpaid"


def totals(lines: Sequence[Line]) -> list[PurposeReconciled]:
    """The sums of each purpose that has a line."""
    found = []
    for purpose in get_args(Purpose):
        own = [line for line in lines if line.purpose == purpose]
        paid = [line.paid for line in own if line.paid is not None]
        if own:
            found.append(
                PurposeReconciled(
                    purpose=purpose,
                    decided=sum(line.decided or 0 for line in own),
                    stated=sum(line.stated or 0 for line in own),
                    paid=sum(paid) if paid else None,
                    difference=sum(line.difference for line in own),
                    centres=dict(sorted(Counter(line.state for line in own).items())),
                )
            )
    return found


def short(lines: Iterable[Line]) -> list[PaymentGap]:
    """Less is on record as paid than was decided, or more as returned than as paid. What a province only stated as
    approved is compared, and owed by nobody here."""
    wanting = (line for line in lines if line.decided is not None or line.state == "returned_more")
    return [_gap(line, -line.difference) for line in wanting if line.difference < 0]


def over(lines: Iterable[Line]) -> list[PaymentGap]:
    """More is on record as paid than is due."""
    return [_gap(line, line.difference) for line in lines if line.difference > 0]


def _gap(line: Line, amount: int) -> PaymentGap:
    return PaymentGap(centre_id=line.centre_id, purpose=line.purpose, amount=amount)


def hash_of(lines: Iterable[Line]) -> str:
    """SHA-256 over what is compared."""
    return content_hash([[one.centre_id, one.purpose, one.decided, one.stated, one.paid] for one in lines])
