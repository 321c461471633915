"""Do the documents of a decided budget say what its chained journal books? Pure.

The journal is what was decided: its head is published with every decision, so that it cannot be written anew unseen.
Everything else that tells decided money is compared with it before it is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from services.funding.domain.life import Life
from shared.contracts.facts import Decided, JournalMark, Purpose
from shared.contracts.journal import JournalEntry, balances, unbooked, verify
from shared.contracts.life import State


def misfits(
    life: Life,
    journals: Mapping[Purpose, Sequence[JournalEntry]],
    decisions: Collection[Decided],
    releases: Collection[Decided],
) -> Iterator[str]:
    """Places of the documents that do not fit, or are not there: collection and identity.

    Args:
        life: of the budget.
        journals: all entries by purpose.
        decisions: that stand, of the province and year.
        releases: every version of them that was published.
    """
    purposes = sorted({*journals, *life.journals, *(each.purpose for each in decisions)})
    broken = [purpose for purpose in purposes if not _is_whole(journals.get(purpose, ()), life.journals.get(purpose))]
    yield from (f"journal/{life.key}/{purpose}" for purpose in broken)
    sums = {purpose: balances(entries) for purpose, entries in journals.items()}
    operating, envelope = sums.get("operating"), sum(each.total for each in sums.values())
    # Sums of a broken journal accuse nobody.
    if operating and not broken and (life.reserve, life.envelope) != (operating.reserve, envelope):
        yield f"budgets/{life.key}"
    for purpose in purposes:
        if purpose in broken:
            continue
        entries = journals[purpose]
        standing = {each.centre_id: each for each in decisions if each.purpose == purpose}
        published = [each for each in releases if each.purpose == purpose]
        yield from (place_of(each) for each in unbooked(entries, standing.values()))
        yield from (release_of(each) for each in unbooked(entries, published))
        newest = {each.centre_id: each.version for each in sorted(published, key=lambda each: each.version)}
        for centre_id in sorted({entry.centre_id for entry in entries if entry.centre_id}):
            decided = standing.get(centre_id)
            if decided is None or sums[purpose].of(centre_id) != _figures(decided):
                yield f"decisions/{centre_id}/{life.year}/{purpose}"
            elif life.state in (State.PUBLISHED, State.ADJUSTED) and newest.get(centre_id) != decided.version:
                yield f"releases/{centre_id}/{life.year}/{purpose}/{decided.version:05}"


def _is_whole(entries: Sequence[JournalEntry], mark: JournalMark | None) -> bool:
    return bool(entries) and entries[-1].mark == mark and not verify(entries, mark)


def _figures(decided: Decided) -> tuple[int, int, int]:
    return decided.amount, decided.settled, decided.carried_total


def place_of(decided: Decided) -> str:
    """Where the decision that stands is kept."""
    return f"decisions/{decided.centre_id}/{decided.year}/{decided.purpose}"


def release_of(decided: Decided) -> str:
    """Where a version is kept as it was published."""
    return f"releases/{decided.centre_id}/{decided.year}/{decided.purpose}/{decided.version:05}"
