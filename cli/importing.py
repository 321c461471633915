"""How an import of history is put together: one order of its records, the parts it is signed in, what each is tried on.

Pure, and the same for the same records: in whatever files, folders or order they came, the digest is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from pydantic import BaseModel

from shared.contracts.base import Problem, canonical, content_hash
from shared.contracts.catalogue import CONTRACTS, EventType
from shared.contracts.imports import MOST_TRIED, Tally, digest_of, part_hash
from shared.contracts.orders import MOST_SUBMISSIONS, HistoricSubmission
from shared.contracts.topics import submission_key
from shared.refusals import problem

PART_BYTES = 200_000
"""Of the records of one part, so that no request is too large for a service."""
TRIED_BYTES = 800_000
"""Of one trial, with what its records are tried on."""
_LONGEST = 50
"""Mergers one after the other that are followed; beyond them a registration is told that it came before another one."""


@dataclass(frozen=True)
class Record:
    """A record as it was found, and where."""

    submission: HistoricSubmission
    file: str
    place: str
    """`row 7` of a sheet, `record 3` of any other file."""
    problems: tuple[Problem, ...] = ()
    """Why it is not taken."""

    @cached_property
    def canonical(self) -> bytes:
        """Its defined form."""
        return canonical(self.submission.model_dump(mode="json"))

    @cached_property
    def subject(self) -> tuple[str, str]:
        """Province, and what it speaks of."""
        return self.submission.province, submission_key(self.submission.data, self.submission.province)

    @property
    def registers(self) -> str | None:
        """The centre that it registers."""
        return self.subject[1] if self.submission.type == EventType.CENTRE_REGISTERED else None

    @property
    def names(self) -> list[str]:
        """Centres that it names."""
        data = self.submission.data
        predecessors = data.get("predecessors")
        graded = data.get("unit_code") if data.get("series") == "centre" else None
        named = [data.get("centre_id"), graded, *(predecessors if isinstance(predecessors, list) else ())]
        return [one for one in named if isinstance(one, str)]

    @property
    def replaces(self) -> int:
        """The version that it corrects, revokes or withdraws."""
        said = self.submission.data.get("corrects_version")
        return said if isinstance(said, int) else 0

    @property
    def amount(self) -> int | None:
        """The money that it states, in đồng."""
        said = self.submission.data.get("amount")
        return said if isinstance(said, int) and not isinstance(said, bool) else None

    def refused(self, *problems: Problem) -> Record:
        """The same, with why it is not taken."""
        return replace(self, problems=problems)


def named(submission: HistoricSubmission) -> HistoricSubmission:
    """The record with a submission id: where its file gives none, one of its content, so that it is known again."""
    if "submission_id" in submission.data:
        return submission
    own = f"LS-{content_hash([submission.type, submission.data])[:24]}"
    return submission.model_copy(update={"data": {"submission_id": own, **submission.data}})


def in_order(records: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """Every record once, in the order in which an import hands them in, and those that others stand in the way of.

    Registrations come first, predecessors before what came of them, then subject by subject, each replacement after
    what it replaces.
    """
    once = {record.canonical: record for record in records}
    came_from: dict[str, set[str]] = {}
    for one in once.values():
        if one.registers is not None:
            came_from.setdefault(one.registers, set()).update(one.names)
    depths = _depths(came_from)

    def place(record: Record) -> tuple[bool, int, tuple[str, str], int, bytes]:
        first = record.registers is not None
        depth = depths[record.subject[1]] if first else 0
        return not first, depth, record.subject, record.replaces, record.canonical

    taken: list[Record] = []
    refused: list[Record] = []
    used: set[tuple[str, str]] = set()
    for record in sorted(once.values(), key=place):
        own = record.submission.province, str(record.submission.data.get("submission_id"))
        if own in used:
            refused.append(
                record.refused(problem("intake.submission_id_reused", "/submission_id", id=own[1], naming=""))
            )
        else:
            used.add(own)
            taken.append(record)
    return taken, refused


def _depths(named: Mapping[str, Collection[str]]) -> dict[str, int]:
    """How many centres of these, one after the other, each came from, as far as it is followed: some go in a circle."""
    depths = dict.fromkeys(named, 0)
    for _ in range(_LONGEST):
        before = depths
        depths = {
            centre: max((1 + before[one] for one in names if one in named and one != centre), default=0)
            for centre, names in named.items()
        }
        if depths == before:
            break
    return depths


def parts_of(records: Sequence[Record]) -> list[list[Record]]:
    """The ordered records in parts, each small enough for one order; what speaks of one subject stays together."""
    parts: list[list[Record]] = []
    left = 0
    for _, block in groupby(records, key=lambda one: (one.registers is None, one.subject)):
        for some in _pieces(list(block)):
            size = sum(len(one.canonical) for one in some)
            if not parts or len(parts[-1]) + len(some) > MOST_SUBMISSIONS or size > left:
                parts.append([])
                left = PART_BYTES
            parts[-1] += some
            left -= size
    return parts


def _pieces(block: list[Record]) -> Iterator[list[Record]]:
    """A subject's records, halved until each piece fits into a part."""
    if len(block) == 1 or (len(block) <= MOST_SUBMISSIONS and sum(len(one.canonical) for one in block) <= PART_BYTES):
        yield block
    else:
        middle = len(block) // 2
        yield from _pieces(block[:middle])
        yield from _pieces(block[middle:])


@dataclass(frozen=True, slots=True)
class Import:
    """What is signed."""

    parts: tuple[tuple[HistoricSubmission, ...], ...]
    tally: tuple[Tally, ...]
    hashes: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, records: Sequence[Record]) -> Import:
        """Of records in their order."""
        parts = tuple(tuple(one.submission for one in part) for part in parts_of(records))
        hashes, tally = tuple(map(part_hash, parts)), tuple(tally_of(records))
        return cls(parts, tally, hashes, digest_of(hashes, tally))


def tally_of(records: Iterable[Record]) -> list[Tally]:
    """How much of what there is, by province and type; money only where some is stated."""
    counts: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    for record in records:
        key = record.submission.province, record.submission.type
        counts[key] += 1
        if record.amount is not None:
            amounts[key] += record.amount
    return [
        Tally(province=key[0], type=key[1], records=count, amount=amounts.get(key))
        for key, count in sorted(counts.items())
    ]


def withdrawal_of(submission: HistoricSubmission, version: int, reason: str) -> HistoricSubmission | None:
    """What takes back the version that a record made; `None` of what files nothing itself."""
    type_ = _WITHDRAWN.get(submission.type) or submission.type.replace(".submitted.", ".withdrawn.")
    if type_ == submission.type:
        return None
    model: type[BaseModel] = CONTRACTS[EventType(type_)].model
    own = {name: said for name, said in submission.data.items() if name in model.model_fields}
    data = {**own, "corrects_version": version, "reason": reason}
    del data["submission_id"]
    return named(HistoricSubmission(type=type_, province=submission.province, data=data))


_WITHDRAWN: Mapping[str, str] = {EventType.CENTRE_REGISTERED: EventType.REGISTRATION_WITHDRAWN}
"""Withdrawals that are not called like what they take back."""


class TooEntangled(ValueError):
    """A record names so many centres of the import that no trial holds them."""


def trials_of(records: Sequence[Record]) -> Iterator[tuple[list[Record], list[Record]]]:
    """`(tried on, tried)`, all records in their order: those that come before and decide about these, and these.

    So a trial of an import that nobody could send at once tells of each record what the whole would. Raises
    `TooEntangled`.
    """
    registrations: dict[str, list[int]] = {}
    subjects: dict[tuple[bool, tuple[str, str]], list[int]] = {}
    for place, record in enumerate(records):
        if record.registers is not None:
            registrations.setdefault(record.registers, []).append(place)
        subjects.setdefault((record.registers is None, record.subject), []).append(place)

    def before(first: int, end: int) -> list[int]:
        found, open_ones = set[int](), list(range(first, end))
        while open_ones:
            record = records[open_ones.pop()]
            named = [place for centre in record.names for place in registrations.get(centre, ())]
            same = subjects[record.registers is None, record.subject]
            new = {place for place in (*named, *same) if place < first} - found
            found |= new
            open_ones += new
        return sorted(found)

    def tries(first: int, end: int) -> Iterator[tuple[list[Record], list[Record]]]:
        ground, tried = [records[place] for place in before(first, end)], list(records[first:end])
        size = sum(len(one.canonical) for one in (*ground, *tried))
        if len(ground) + len(tried) <= MOST_TRIED and size <= TRIED_BYTES:
            yield ground, tried
        elif len(tried) == 1:
            raise TooEntangled(f"{tried[0].file} {tried[0].place}")
        else:
            middle = (first + end) // 2
            yield from tries(first, middle)
            yield from tries(middle, end)

    first = 0
    for part in parts_of(records):
        yield from tries(first, first + len(part))
        first += len(part)
