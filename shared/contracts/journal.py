"""The journal of a budget: numbered entries, each bound to the one before it, and how anybody verifies them.

An entry is never changed and never removed; what was wrong is reversed by a further entry. The hash of an entry covers
everything it says and the hash of the entry before; the first one is bound to province, year and purpose. The number
and hash of the last entry are published with each decision (`JournalMark`), so that whoever kept a published mark can
also prove that nothing was cut off or written anew. Pure and without any service: an auditor's laptop runs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from shared.contracts.base import Contract, Instant, ProvinceCode, Text, Version, Year, content_hash
from shared.contracts.facts import Decided, JournalMark, Purpose

EntryKind = Literal["approval", "adjustment", "reversal", "settlement", "carry", "reserve"]


class Posting(Contract):
    """What an entry says, before it has its place in the journal. Money in đồng, with its sign."""

    kind: EntryKind
    """`approval`, `adjustment`: a centre's support of the year. `settlement`: what earlier years had carried over.
    `carry`: what this year carries over to later ones. `reserve`: the province's reserve."""
    centre_id: str | None
    """`None`: the province's reserve, and only there."""
    amount: int
    why: str
    who: str
    role: str
    at: Instant
    ref: str
    """What it comes from: `approval/<n>` or `adjustment/<id>`."""
    reverses: Version | None = None
    """Number of the entry that a reversal takes back."""


class JournalEntry(Posting):
    """One entry of the journal of a province, year and purpose."""

    province: ProvinceCode
    year: Year
    purpose: Purpose
    number: Version
    previous_hash: str
    hash: str

    @property
    def mark(self) -> JournalMark:
        """The journal's head when this is the last entry."""
        return JournalMark(number=self.number, hash=self.hash)


class Broken(StrEnum):
    """What is wrong with a journal."""

    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    FOREIGN = "foreign"
    UNLINKED = "unlinked"
    BAD_REVERSAL = "bad_reversal"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing wrong, at the entry of this number."""

    broken: Broken
    number: int
    text: Text


@dataclass(slots=True)
class Balances:
    """Sums of the entries, in đồng."""

    centres: dict[str, int] = field(default_factory=dict)
    """Support of the year per centre."""
    settled: dict[str, int] = field(default_factory=dict)
    """What this year pays of what earlier ones carried over, per centre."""
    carried: dict[str, int] = field(default_factory=dict)
    """What this year leaves to later ones, per centre; no money of this year."""
    reserve: int = 0

    def move(self, entry: JournalEntry, kind: EntryKind) -> None:
        """Book an entry; `kind` is that of the account: a reversal moves the one of the entry that it reverses."""
        if entry.centre_id is None:
            self.reserve += entry.amount
        else:
            account = {"carry": self.carried, "settlement": self.settled}.get(kind, self.centres)
            account[entry.centre_id] = account.get(entry.centre_id, 0) + entry.amount

    def of(self, centre_id: str) -> tuple[int, int, int]:
        """Support, settled and carried of a centre."""
        return self.centres.get(centre_id, 0), self.settled.get(centre_id, 0), self.carried.get(centre_id, 0)

    @property
    def total(self) -> int:
        """All money of this year. Over the purposes of a province and year it is the envelope."""
        return sum(self.centres.values()) + sum(self.settled.values()) + self.reserve


def genesis(province: str, year: int, purpose: str) -> str:
    """What stands for the previous hash in a first entry, so that no journal can be passed off as another's."""
    return content_hash({"journal": "langhoc", "province": province, "year": year, "purpose": purpose})


def hash_of(entry: JournalEntry) -> str:
    """SHA-256 over the canonical form of everything but the hash itself."""
    return content_hash(entry.model_dump(mode="json", exclude={"hash"}))


def append(
    postings: Iterable[Posting], *, province: str, year: int, purpose: Purpose, head: JournalMark | None
) -> list[JournalEntry]:
    """The postings as entries that follow `head` (`None`: the first ones)."""
    number = head.number if head else 0
    previous = head.hash if head else genesis(province, year, purpose)
    entries = []
    for posting in postings:
        number += 1
        entry = JournalEntry(
            **posting.model_dump(include=set(Posting.model_fields)),
            province=province,
            year=year,
            purpose=purpose,
            number=number,
            previous_hash=previous,
            hash="",
        )
        entry = entry.model_copy(update={"hash": hash_of(entry)})
        entries.append(entry)
        previous = entry.hash
    return entries


def balances(entries: Iterable[JournalEntry]) -> Balances:
    """Sums per account. A reversal moves the account of the entry that it reverses.

    Of a broken journal (`verify`) they say nothing.
    """
    kinds: dict[int, EntryKind] = {}
    sums = Balances()
    for entry in entries:
        kind = kinds.get(entry.reverses, entry.kind) if entry.reverses is not None else entry.kind
        kinds[entry.number] = kind
        sums.move(entry, kind)
    return sums


def unbooked(entries: Sequence[JournalEntry], decisions: Iterable[Decided]) -> list[Decided]:
    """The decisions that do not say what a journal books, in their order.

    Args:
        entries: all of one province, year and purpose, of which nothing is broken (`verify`).
        decisions: versions of decisions of this province, year and purpose, whichever.
    """
    kinds: dict[int, EntryKind] = {}
    accounts: dict[str, Balances] = {}
    after: dict[tuple[str, int], tuple[int, int, int]] = {}
    """By centre and number of an entry of its own: support, settled and carried from then on."""
    for entry in entries:
        kinds[entry.number] = kinds.get(entry.reverses or 0, entry.kind)
        if entry.centre_id is not None:
            account = accounts.setdefault(entry.centre_id, Balances())
            account.move(entry, kinds[entry.number])
            after[entry.centre_id, entry.number] = account.of(entry.centre_id)
    return [each for each in decisions if not _is_booked(each, entries, after)]


def _is_booked(
    decided: Decided, entries: Sequence[JournalEntry], after: Mapping[tuple[str, int], tuple[int, int, int]]
) -> bool:
    if max(decided.entry, decided.journal.number) > len(entries) or decided.entry > decided.journal.number:
        return False
    entry, head = entries[decided.entry - 1], entries[decided.journal.number - 1]
    own = range(decided.journal.number, decided.entry - 1, -1)
    last = next((number for number in own if (decided.centre_id, number) in after), None)
    return (
        head.mark == decided.journal
        and last is not None
        and after[decided.centre_id, last] == (decided.amount, decided.settled, decided.carried_total)
        and (entry.centre_id, entry.amount) == (decided.centre_id, decided.delta)
        and (entry.who, entry.at, entry.why) == (decided.decided_by, decided.decided_at, decided.why)
        and (decided.previous_amount or 0) + decided.delta == decided.amount
        and (decided.previous_amount is None) == (decided.version == 1)
    )


def verify(entries: Sequence[JournalEntry], head: JournalMark | None) -> list[Breach]:
    """Everything wrong with a journal, as it was handed over, in that order; empty: it is whole.

    Args:
        entries: all entries of one province, year and purpose.
        head: a mark published with a decision, from a source other than the journal itself. Without it the chain is
            verified, but entries cut off at its end, or all of it written anew, cannot be seen.
    """
    breaches = [*_chain(entries), *_reversals(entries)]
    if head is None:
        return breaches
    last = max((entry.number for entry in entries), default=0)
    if last < head.number:
        breaches.append(_breach(Broken.TRUNCATED, last, str(head.number)))
    elif not any(entry.number == head.number and entry.hash == head.hash for entry in entries):
        breaches.append(_breach(Broken.REWRITTEN, head.number, head.hash))
    return breaches


def _chain(entries: Sequence[JournalEntry]) -> Iterable[Breach]:
    if not entries:
        return
    identity = (entries[0].province, entries[0].year, entries[0].purpose)
    expected, previous = 1, genesis(*identity)
    seen: set[int] = set()
    highest = 0
    for entry in entries:
        if (entry.province, entry.year, entry.purpose) != identity:
            yield _breach(Broken.FOREIGN, entry.number, f"{entry.province}/{entry.year}/{entry.purpose}")
        if entry.hash != hash_of(entry):
            yield _breach(Broken.CHANGED, entry.number, hash_of(entry))
        if entry.number in seen:
            yield _breach(Broken.INSERTED, entry.number, str(entry.number))
        elif entry.number < highest:
            yield _breach(Broken.REORDERED, entry.number, str(expected))
        elif entry.number > expected:
            yield _breach(Broken.DELETED, entry.number, str(expected))
        elif entry.previous_hash != previous:
            yield _breach(Broken.UNLINKED, entry.number, previous)
        seen.add(entry.number)
        highest = max(highest, entry.number)
        expected, previous = highest + 1, entry.hash


def _reversals(entries: Iterable[JournalEntry]) -> Iterable[Breach]:
    known: dict[int, JournalEntry] = {}
    reversed_before: set[int] = set()
    for entry in entries:
        if (entry.kind == "reversal") != (entry.reverses is not None):
            yield _breach(Broken.BAD_REVERSAL, entry.number, "kind")
        elif entry.reverses is not None:
            original = known.get(entry.reverses)
            fits = original is not None and (original.centre_id, -original.amount) == (entry.centre_id, entry.amount)
            if not fits or entry.reverses in reversed_before:
                yield _breach(Broken.BAD_REVERSAL, entry.number, str(entry.reverses))
            reversed_before.add(entry.reverses)
        known[entry.number] = entry


_WORDS: dict[Broken, tuple[str, str]] = {
    Broken.CHANGED: (
        "Nội dung bút toán không khớp mã băm ghi kèm; mã băm tính lại: {}.",
        "What the entry says does not give its hash; computed again it is {}.",
    ),
    Broken.DELETED: (
        "Thiếu bút toán trước nó: phải có số {}.",
        "Entries before it are missing: number {} should stand here.",
    ),
    Broken.INSERTED: ("Số {} xuất hiện hai lần.", "Number {} is there twice."),
    Broken.REORDERED: ("Đứng sai thứ tự: phải là số {}.", "It stands out of order: number {} should stand here."),
    Broken.FOREIGN: (
        "Thuộc sổ khác: {}.",
        "It belongs to another journal: {}.",
    ),
    Broken.UNLINKED: (
        "Không nối với bút toán trước; mã băm trước phải là {}.",
        "It does not follow the entry before it, whose hash is {}.",
    ),
    Broken.BAD_REVERSAL: (
        "Bút toán đảo không khớp bút toán gốc, hoặc bút toán gốc đã bị đảo: {}.",
        "The reversal does not fit what it reverses, or that was reversed before: {}.",
    ),
    Broken.TRUNCATED: (
        "Sổ bị cắt ở cuối: theo dấu đã công bố phải đến số {}.",
        "The journal was cut off: by the published mark it reaches number {}.",
    ),
    Broken.REWRITTEN: (
        "Mã băm đã công bố không có trong sổ: {}. Sổ đã bị viết lại.",
        "The published hash is not in the journal: {}. It was written anew.",
    ),
}


def _breach(broken: Broken, number: int, detail: str) -> Breach:
    vi, en = _WORDS[broken]
    return Breach(broken, number, Text(vi=vi.format(detail), en=en.format(detail)))
