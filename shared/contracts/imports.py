"""What the ministry signs when it takes in history: one import of many records, named by what is in it.

The records go through the judge in parts, each decided and written as one. Who signs sees a digest first: of the same
records it is the same, in whatever files, order or spelling of JSON they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.base import Claim, Dong, Label, ProvinceCode, content_hash
from shared.contracts.orders import HistoricSubmission

MOST_PARTS = 2_000
"""Of one import: what is signed fits into one request and one document."""
MOST_TRIED = 500
"""Submissions of one trial: nothing is written, and some stand there only for others to be judged on."""
PREFIX = "import/"
"""Of the ids of orders that are parts of an import; no other order of history has such an id."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Tally(Claim):
    """How much of what an import holds, of one province."""

    province: ProvinceCode
    type: str
    """The `ce_type`."""
    records: Annotated[int, Field(ge=1, strict=True)]
    amount: Dong | None = None
    """The sum, of what states money, in đồng."""


class HistorySigning(Claim):
    """That the ministry takes in these records under its own name. Signed once, by one person, before any of them."""

    digest: Sha256
    """Of all records: SHA-256 over the parts and the tally, see `digest_of`."""
    parts: Annotated[list[Sha256], Field(min_length=1, max_length=MOST_PARTS)]
    """SHA-256 of each part, in the order in which they are handed in, see `part_hash`."""
    tally: Annotated[list[Tally], Field(min_length=1, max_length=5_000)]
    why: Label
    decision_number: Label

    @property
    def import_id(self) -> str:
        """The same records under the same decision, for the same reason, are the same import."""
        return content_hash([self.digest, self.why, self.decision_number])[:16]


class HistoryPart(Claim):
    """A part of a signed import, whole."""

    submissions: Annotated[list[HistoricSubmission], Field(min_length=1)]
    """In their order: a registration before what speaks of its centre."""


class HistoryTrial(Claim):
    """Records of which is asked what would become of them, one after the other, if they were imported now."""

    submissions: Annotated[list[HistoricSubmission], Field(min_length=1)]


class ImportRevocation(Claim):
    """That no further part of an import is taken. What was taken before stands until it is withdrawn."""

    reason: Label


def part_hash(submissions: Iterable[HistoricSubmission]) -> str:
    """SHA-256 over the records of a part in their order: type, province and data of each in the defined form."""
    return content_hash([one.model_dump(mode="json") for one in submissions])


def digest_of(parts: Iterable[str], tally: Iterable[Tally]) -> str:
    """What a person signs: SHA-256 over the hashes of the parts, and what is told of them in numbers."""
    return content_hash({"parts": [*parts], "tally": [one.model_dump(mode="json") for one in tally]})
