"""The journal: what its chain proves on anybody's machine, and what every kind of tampering looks like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.funding.domain import journal
from services.funding.queries import migrate
from shared.contracts.facts import JournalMark
from shared.contracts.journal import Broken, JournalEntry, Posting, append, balances, hash_of, verify
from shared.mongo import DuplicateKey
from tests.fakes.memory import MemoryMongo

AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
BY = journal.Decision("hoa", "finance", AT, "đã kiểm tra", "approval/1")
Entries = list[JournalEntry]


def extended(entries: Entries, *postings: Posting) -> Entries:
    head = entries[-1].mark if entries else None
    return entries + append(postings, province="04", year=2026, purpose="operating", head=head)


def kept() -> Entries:
    """An approval of 60 million for two centres and the reserve, and an adjustment of 2 million."""
    entries = extended([], *journal.approved(BY, [("a", 25_000_000, 0), ("b", 25_000_000, 0)], 10_000_000))
    return extended(entries, *journal.adjusted(BY, "b", 2_000_000, 0))


def rehashed(entries: Entries) -> Entries:
    """What somebody makes of a journal who knows the rule and computes the chain anew."""
    return append(entries, province="04", year=2026, purpose="operating", head=None)


def changed(entry: JournalEntry, **changes: object) -> JournalEntry:
    return entry.model_copy(update=changes)


def test_a_journal_that_was_left_alone_is_whole() -> None:
    entries = kept()
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert verify(entries, entries[-1].mark) == []


def test_an_old_mark_still_proves_the_journal_that_went_on() -> None:
    entries = kept()
    assert verify(entries, entries[2].mark) == []


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (lambda e: [changed(e[0], amount=26_000_000), *e[1:]], {Broken.CHANGED}),
        (lambda e: [changed(e[0], why="khác"), *e[1:]], {Broken.CHANGED}),
        (lambda e: [changed(e[0], who="minh"), *e[1:]], {Broken.CHANGED}),
        (lambda e: [e[0], e[2], e[3], e[4]], {Broken.DELETED}),
        (lambda e: e[1:], {Broken.DELETED}),
        (lambda e: [*e[:2], e[1], *e[2:]], {Broken.INSERTED}),
        (lambda e: [e[0], e[2], e[1], e[3], e[4]], {Broken.DELETED, Broken.REORDERED, Broken.UNLINKED}),
        (lambda e: e[:-1], {Broken.TRUNCATED}),
        (lambda e: [], {Broken.TRUNCATED}),
        (lambda e: [e[0], changed(e[1], province="08"), *e[2:]], {Broken.CHANGED, Broken.FOREIGN}),
        (lambda e: rehashed([changed(e[0], amount=26_000_000), *e[1:]]), {Broken.REWRITTEN}),
        (lambda e: rehashed(e[1:]), {Broken.TRUNCATED}),
        (lambda e: rehashed([*e[:3], e[1], *e[3:]]), {Broken.REWRITTEN}),
        (lambda e: rehashed([e[1], e[0], *e[2:]]), {Broken.REWRITTEN}),
    ],
    ids=[
        "an amount",
        "a reason",
        "a name",
        "one deleted",
        "the first deleted",
        "one inserted",
        "two swapped",
        "the last cut off",
        "all cut off",
        "another province's",
        "an amount, and the chain computed anew",
        "one deleted, and the chain computed anew",
        "one inserted, and the chain computed anew",
        "two swapped, and the chain computed anew",
    ],
)
def test_every_kind_of_tampering_is_detected(tamper: Callable[[Entries], Entries], found: set[Broken]) -> None:
    entries = kept()
    breaches = verify(tamper(entries), entries[-1].mark)
    assert {breach.broken for breach in breaches} == found
    assert all(breach.text.vi != breach.text.en for breach in breaches)


def test_without_a_published_mark_a_journal_cut_short_looks_whole() -> None:
    """Why the mark is published with every decision."""
    assert verify(kept()[:-1], None) == []


def test_a_journal_of_another_year_cannot_be_passed_off() -> None:
    entries = append(kept(), province="04", year=2025, purpose="operating", head=None)
    passed_off = [changed(entry, year=2026) for entry in entries]
    passed_off = [changed(entry, hash=hash_of(entry)) for entry in passed_off]
    assert Broken.UNLINKED in {breach.broken for breach in verify(passed_off, None)}


def test_the_balance_is_the_sum_of_the_entries() -> None:
    sums = balances(kept())
    assert (sums.centres, sums.reserve, sums.total) == ({"a": 25_000_000, "b": 27_000_000}, 8_000_000, 60_000_000)


def test_what_is_settled_is_money_of_the_year_and_what_is_carried_is_not() -> None:
    entries = extended([], *journal.approved(BY, [("a", 20, 3)], 7))
    entries = extended(entries, *journal.adjusted(BY, "a", 0, 5))
    sums = balances(entries)
    assert (sums.centres, sums.settled, sums.carried, sums.reserve) == ({"a": 20}, {"a": 3}, {"a": 5}, 7)
    assert sums.total == 30


def test_a_reversal_names_what_it_takes_back_and_restores_every_account() -> None:
    before = balances(kept()[:3])
    entries = extended(kept(), *journal.reversed_(BY, kept()[3:]))
    assert [(entry.kind, entry.reverses, entry.amount) for entry in entries[5:]] == [
        ("reversal", 4, -2_000_000),
        ("reversal", 5, 2_000_000),
    ]
    assert verify(entries, entries[-1].mark) == []
    assert balances(entries) == before


@pytest.mark.parametrize(
    "wrong",
    [
        BY.posting("reversal", "b", -2_000_000, reverses=4),
        BY.posting("reversal", "b", -1, reverses=5),
        BY.posting("reversal", "a", -25_000_000, reverses=99),
        BY.posting("reversal", "a", -25_000_000),
        BY.posting("adjustment", "a", -25_000_000, reverses=1),
    ],
    ids=["a second time", "another amount", "what is not there", "without a name", "that is none"],
)
def test_a_reversal_that_does_not_fit_is_detected(wrong: Posting) -> None:
    entries = extended(kept(), BY.posting("reversal", "b", -2_000_000, reverses=4), wrong)
    assert [breach.broken for breach in verify(entries, None)] == [Broken.BAD_REVERSAL]


async def test_the_database_refuses_a_fork() -> None:
    mongo = MemoryMongo()
    await migrate(mongo)

    def row(entry: JournalEntry, id: str) -> dict[str, object]:
        return {**entry.model_dump(mode="json"), "_id": id}

    entries = kept()
    await mongo.insert("journal", [row(entry, str(entry.number)) for entry in entries])
    (twin,) = append(
        [BY.posting("adjustment", "a", 1)], province="04", year=2026, purpose="operating", head=entries[3].mark
    )
    with pytest.raises(DuplicateKey):
        await mongo.insert("journal", [row(twin, "twin")])
    renumbered = changed(twin, number=6)
    with pytest.raises(DuplicateKey):
        await mongo.insert("journal", [row(renumbered, "twin")])


Postings = st.lists(
    st.builds(
        BY.posting,
        st.sampled_from(["approval", "adjustment", "carry", "settlement"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(-(10**12), 10**12),
    ),
    min_size=1,
    max_size=12,
)


@given(Postings, st.data())
def test_no_single_change_of_any_journal_goes_unseen(postings: list[Posting], data: st.DataObject) -> None:
    entries = extended([], *postings)
    mark: JournalMark = entries[-1].mark
    assert verify(entries, mark) == []
    place = data.draw(st.integers(0, len(entries) - 1))
    other = changed(entries[place], amount=entries[place].amount + data.draw(st.integers(1, 10**6)))
    tampered = [*entries[:place], other, *entries[place + 1 :]]
    assert verify(tampered, mark)
    assert verify(rehashed(tampered), mark)
    assert verify(entries[:place] + entries[place + 1 :], mark)


def test_balances_do_not_depend_on_how_postings_are_split_into_decisions() -> None:
    postings = journal.approved(BY, [("a", 1, 0), ("b", 2, 0)], 3)
    together = extended([], *postings)
    apart: Entries = []
    for posting in postings:
        apart = extended(apart, posting)
    assert together == apart
