"""What a decision books: which entries an approval, an adjustment and its reversal add to the journal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.journal import EntryKind, JournalEntry, Posting


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided, when, why, and what the entries come from (`approval/<n>`, `adjustment/<id>`)."""

    who: str
    role: str
    at: datetime
    why: str
    ref: str

    def posting(self, kind: EntryKind, centre_id: str | None, amount: int, *, reverses: int | None = None) -> Posting:
        """One posting of this decision."""
        return Posting(
            kind=kind,
            centre_id=centre_id,
            amount=amount,
            why=self.why,
            who=self.who,
            role=self.role,
            at=self.at,
            ref=self.ref,
            reverses=reverses,
        )


def approved(decision: Decision, paid: Iterable[tuple[str, int, int]], reserve: int | None) -> list[Posting]:
    """Every centre's amount and what is settled of earlier years, then the reserve (also of 0 đồng).

    `paid`: centre, amount, settled. `reserve`: `None` for a purpose that has none. Together the purpose's money.
    """
    postings = []
    for centre_id, amount, settled in paid:
        postings.append(decision.posting("approval", centre_id, amount))
        if settled:
            postings.append(decision.posting("settlement", centre_id, settled))
    return postings if reserve is None else [*postings, decision.posting("reserve", None, reserve)]


def adjusted(decision: Decision, centre_id: str | None, delta: int, carried: int) -> list[Posting]:
    """`delta` đồng to the centre out of the reserve, and `carried` đồng to its account for next year.

    Without a centre the envelope was corrected: the reserve alone takes the difference.
    """
    if centre_id is None:
        return [decision.posting("reserve", None, delta)]
    booked = [
        decision.posting("adjustment", centre_id, delta),
        decision.posting("reserve", None, -delta),
    ]
    return booked + ([decision.posting("carry", centre_id, carried)] if carried else [])


def reversed_(decision: Decision, entries: Sequence[JournalEntry]) -> list[Posting]:
    """What takes back these entries, one by one and by name."""
    return [decision.posting("reversal", entry.centre_id, -entry.amount, reverses=entry.number) for entry in entries]
