"""Whatever came in whatever order, completeness counts each subject once, and the numbers add up."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake import completeness
from services.intake.domain import completeness as domain
from shared.answers.completeness import FileState
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.submissions import CommuneWithdrawn
from shared.registry import registry
from shared.rulebook import cut_off, deadline, rubric_for
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import commune
from tests.unit.test_receipts import send

DUE = deadline(rubric_for("commune", 2025), 2025)
HERE = [unit.code for unit in registry().units(cut_off(2025), "01")]
PROVINCES = ("01", "04", "08")
ENDS = domain.Ends(DUE, DUE + timedelta(days=300), is_over=True)

CODES = st.sampled_from([f"{number:05}" for number in range(12)])
OWED = st.dictionaries(CODES, st.sampled_from(PROVINCES), max_size=12)
ACCEPTED = st.dictionaries(
    CODES,
    st.builds(domain.OnRecord, st.sampled_from(get_args(domain.Accepted)), st.sampled_from(PROVINCES)),
    max_size=12,
)
SENT_OF = st.frozensets(st.tuples(st.sampled_from(PROVINCES), CODES), max_size=12)


@given(OWED, ACCEPTED, SENT_OF, SENT_OF, st.booleans())
def test_numbers_add_up_whatever_is_on_record(
    owed: Mapping[str, str],
    accepted: Mapping[str, domain.OnRecord],
    held: frozenset[domain.Sent],
    refused: frozenset[domain.Sent],
    is_over: bool,
) -> None:
    """`Completeness` refuses to be made where they do not; here it is that nothing is left out either."""
    due = [domain.Owed("commune", code, code, province) for code, province in owed.items()]
    ends, record = ENDS._replace(is_over=is_over), domain.Record(accepted, held, refused)
    rows = list(domain.completeness("commune", 2025, due, record, ends, PROVINCES))
    assert sum(row.expected or 0 for row in rows) == len(owed)
    assert Counter({row.province: row.expected for row in rows if row.expected}) == Counter(owed.values())
    standing = [one for one in accepted.values() if one.state != "withdrawn"]
    assert sum(row.on_time + row.late + row.unexpected for row in rows) == len(standing)
    assert sum(row.held_unknown for row in rows) == sum(code not in owed for _, code in held)
    assert all((row.missing if not is_over else row.awaited) == 0 for row in rows)
    assert all(row.complete == (row.on_time + row.late == row.expected) for row in rows)
    units = [domain.Owed("learning_unit", *one[1:]) for one in due]
    for row in domain.completeness("learning_unit", 2025, units, record, ends, PROVINCES):
        assert (row.expected, row.missing, row.awaited, row.complete) == (None, None, None, None)


class Sent(NamedTuple):
    """What happens to the file of a commune."""

    code: str
    act: Literal["file", "refused", "withdraw"]


SENT = st.builds(Sent, st.sampled_from(HERE[:2]), st.sampled_from(("file", "refused", "withdraw", "file")))


def expected(records: Sequence[tuple[Sent, bool]]) -> FileState:
    """The same in the simplest way: what is left of one commune's file. `bool`: whether it came in time."""
    stands: FileState | None = None
    ever, refused = False, False
    for sent, in_time in records:
        if sent.act == "refused":
            refused = True
        elif sent.act == "file" and stands is None:
            stands, ever = "on_time" if in_time else "late", True
        elif sent.act == "withdraw" and stands is not None:
            stands = None
    return stands or ("withdrawn" if ever else "refused" if refused else "missing")


@settings(max_examples=40)
@given(st.lists(SENT, max_size=7), st.integers(0, 7))
def test_what_was_received_decides_however_it_went(records: list[Sent], late_from: int) -> None:
    """Filing, correcting, refused attempts, withdrawing and filing anew, some of it after the last day."""
    asyncio.run(_played(records, late_from))


async def _played(records: Sequence[Sent], late_from: int) -> None:
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder), Still(DUE + timedelta(days=2)))
        versions: Counter[str] = Counter()
        for number, sent in enumerate(records):
            at = DUE + timedelta(minutes=number) if number >= late_from else DUE - timedelta(days=1, minutes=-number)
            id, corrects = f"S-{number}", versions[sent.code] or None
            if sent.act == "withdraw":
                said = {"submission_id": id, "unit_code": sent.code, "period": 2025, "reason": "nhầm"}
                gone = CommuneWithdrawn(**said, corrects_version=corrects or 1)
                receipt = await send(bench, EventType.COMMUNE_WITHDRAWN, gone, at=at)
            else:
                rule = "lc_commune_25_2023" if sent.act == "file" else "lc_commune_44_2014"
                met = {"C1.1": {"type": "boolean", "met": bool(number % 2)}}
                content = {"scoring": "pass_fail", "targets": met}
                said = {"submission_id": id, "unit_code": sent.code, "corrects_version": corrects}
                filed = commune(**said, rubric=rule, content=content)
                receipt = await send(bench, EventType.COMMUNE_SUBMITTED, filed, at=at)
            versions[sent.code] += receipt.status in (Status.ACCEPTED, Status.ACCEPTED_LATE)
        now = DUE + timedelta(days=2)
        asked = {"province": "01", "series": "commune", "now": now}
        files = await completeness.files(bench.mongo, 2025, **asked, state=None)  # type: ignore[arg-type]
        (row,) = await completeness.counted(bench.mongo, 2025, **asked)  # type: ignore[arg-type]
    played = [(sent, number < late_from) for number, sent in enumerate(records)]
    wanted = {code: expected([one for one in played if one[0].code == code]) for code in HERE}
    assert {one.code: one.state for one in files} == wanted
    counts = Counter(wanted.values())
    assert {name: getattr(row, name) for name in get_args(FileState)} == {n: counts[n] for n in get_args(FileState)}
