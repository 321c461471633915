"""What an official asks of the receipts: the newest first, of some days, of one place by its name; nobody else's."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import unicodedata
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from cli.output import console
from deploy.local.identity import Role
from services.intake import domain
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt
from shared.contracts.submissions import Submission, SupportSubmitted
from shared.registry import registry
from shared.rulebook import HANOI
from tests.unit.delivery_samples import head, record
from tests.unit.intake_bench import Bench
from tests.unit.intake_samples import assessment, commune, recognition, registration
from tests.unit.wire import answered_by

JANUARY = datetime(2026, 1, 10, 9, 30, tzinfo=HANOI)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def send(
    bench: Bench, type_: EventType, data: Submission, *, at: datetime = JANUARY, province: str = "01"
) -> Receipt:
    """The answer to a submission that arrives at this moment."""
    known = set(bench.mongo.rows("receipts"))
    stored = bench.sent(type_, data, province)
    stored.timestamp = int(at.timestamp() * 1_000)
    await bench.pipeline.process([stored])
    (new,) = set(bench.mongo.rows("receipts")) - known
    return bench.receipt(new)


async def files(bench: Bench, *ids: str, **more: Any) -> list[str]:
    """Files of Ba Đình, one a minute; ids of their receipts, newest first."""
    sent = [
        await send(
            bench, EventType.COMMUNE_SUBMITTED, commune(submission_id=id), at=JANUARY + timedelta(minutes=at), **more
        )
        for at, id in enumerate(ids)
    ]
    return [one.receipt_id for one in reversed(sent)]


async def page(bench: Bench, role: Role = "ministry", of: str | None = None, **asked: Any) -> dict[str, Any]:
    """What the list answers; `first` is its `from`."""
    async with bench.http(role, of) as http:
        answer = await http.get(
            "/receipts", params={"from" if name == "first" else name: asked[name] for name in asked}
        )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def listed(bench: Bench, role: Role = "ministry", of: str | None = None, **asked: Any) -> list[str]:
    """The ids of its receipts."""
    return [one["receipt_id"] for one in (await page(bench, role, of, **asked))["items"]]


async def refused(bench: Bench, **asked: Any) -> dict[str, Any]:
    """The one thing that is wrong with what was asked."""
    async with bench.http() as http:
        answer = await http.get("/receipts", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameters")
    (problem,) = answer.json()["problems"]
    told: dict[str, Any] = problem
    return told


# ----------------------------------------------------------------------------------------------- which, in what order


async def test_the_newest_receipt_comes_first(bench: Bench) -> None:
    sent = await files(bench, "A", "B", "C")
    assert await listed(bench) == sent
    assert await listed(bench, province="01") == sent
    assert await listed(bench, limit=2) == sent[:2]


async def test_a_province_sees_its_own_and_the_ministry_and_auditors_all(bench: Bench) -> None:
    own, others = await files(bench, "A"), await files(bench, "B", province="04")
    assert await listed(bench, "province", "01") == own
    assert set(await listed(bench)) == set(await listed(bench, "auditor")) == {*own, *others}
    assert await listed(bench, province="04") == others
    assert await listed(bench, "province", "01", search="ba dinh") == own
    async with bench.http("province", "01") as http:
        foreign = await http.get("/receipts", params={"province": "04", "search": "ba dinh"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "other_province")


async def test_days_begin_and_end_at_midnight_in_ha_noi(bench: Bench) -> None:
    last = datetime(2026, 1, 10, 23, 59, 59, 999_000, tzinfo=HANOI)
    tenth = await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="A"), at=last)
    eleventh = await send(
        bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="B"), at=last + timedelta(milliseconds=1)
    )
    assert await listed(bench, until="2026-01-10") == [tenth.receipt_id]
    assert await listed(bench, first="2026-01-11") == [eleventh.receipt_id]
    assert await listed(bench, first="2026-01-10", until="2026-01-11") == [eleventh.receipt_id, tenth.receipt_id]
    assert await listed(bench, first="2026-01-12") == await listed(bench, until="2026-01-09") == []


async def test_it_is_narrowed_by_kind_and_by_what_became_of_it(bench: Bench) -> None:
    (file,) = await files(bench, "A")
    centre = await send(bench, EventType.CENTRE_REGISTERED, registration())
    wrong = await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="C", unit_code="99999"))
    assert await listed(bench, kind="registration") == [centre.receipt_id]
    assert await listed(bench, status="rejected") == [wrong.receipt_id]
    assert await listed(bench, kind="commune", status="accepted", province="01") == [file]
    assert await listed(bench, kind="registration", status="rejected") == []


# ------------------------------------------------------------------------------------------------------- page by page


@pytest.mark.parametrize("asked", [{}, {"province": "01"}, {"search": "ba dinh"}, {"until": "2026-01-10"}])
async def test_pages_neither_repeat_nor_miss_a_receipt_while_others_come_in(
    bench: Bench, asked: dict[str, Any]
) -> None:
    """All of one instant: as records of one batch have it."""
    sent = {
        (await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id=f"A{number}"))).receipt_id
        for number in range(5)
    }
    first = await page(bench, limit=2, **asked)
    await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="B"), at=JANUARY + timedelta(minutes=1))
    seen, after = [one["receipt_id"] for one in first["items"]], first["next"]
    while after is not None:
        assert len(seen) < 5
        following = await page(bench, limit=2, after=after, **asked)
        assert 1 <= len(following["items"]) <= 2
        seen += [one["receipt_id"] for one in following["items"]]
        after = following["next"]
    assert (len(seen), set(seen)) == (5, sent)


@pytest.mark.parametrize("place", ["x", "1", "/", "1/", "-1/a", "12345678901234/a", "2026-01-10/a"])
async def test_a_place_in_the_list_that_it_never_named_is_refused(bench: Bench, place: str) -> None:
    assert (await refused(bench, after=place))["field"] == "/query/after"


# ------------------------------------------------------------------------------------------------------ by name or code


SPELLINGS = {
    "without marks": "ba dinh",
    "in capitals": "BA ĐÌNH",
    "with other marks": "Bà Định",
    "decomposed": unicodedata.normalize("NFD", "Ba Đình"),
    "in one word": "badinh",
    "with its type": "phường ba đình",
    "begun": "ba di",
    "its last syllable": "đình",
    "its code": "00004",
    "its code among blanks": " 00004 ",
    "its unit's id": "00004@2025-07",
}


@pytest.mark.parametrize("asked", SPELLINGS.values(), ids=SPELLINGS)
async def test_a_commune_is_found_however_its_name_is_typed(bench: Bench, asked: str) -> None:
    (receipt_id,) = await files(bench, "A")
    await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="B", unit_code="16816"))
    assert await listed(bench, search=asked) == [receipt_id]


@pytest.mark.parametrize("asked", ["inh", "ba dinh x", "my lu", "?", "99999"])
async def test_what_is_no_part_of_a_name_from_a_syllable_on_finds_nothing(bench: Bench, asked: str) -> None:
    await files(bench, "A")
    assert await listed(bench, search=asked) == []


async def test_whatever_is_about_a_place_is_found_by_its_name(bench: Bench) -> None:
    """Its file, the standards of its universal education, what recognises it, and the centre that has its name."""
    sent = [
        await send(bench, EventType.COMMUNE_SUBMITTED, commune()),
        await send(bench, EventType.ASSESSMENT_SUBMITTED, assessment("universal_education", "00004", 2025)),
        await send(bench, EventType.RECOGNITION_SUBMITTED, recognition()),
        await send(
            bench,
            EventType.RECOGNITION_SUBMITTED,
            recognition(submission_id="CN-2", series="universal_education", standard="primary"),
        ),
        await send(bench, EventType.CENTRE_REGISTERED, registration()),
    ]
    await send(bench, EventType.CENTRE_REGISTERED, registration(submission_id="R-2", centre_id="C-2", name="Trúc Bạch"))
    assert set(await listed(bench, search="ba dinh")) == {one.receipt_id for one in sent}


async def test_what_a_centre_or_a_learning_unit_sends_is_found_by_the_name_it_was_taken_under(bench: Bench) -> None:
    await send(bench, EventType.CENTRE_REGISTERED, registration(name="TTHTCĐ Hoa Sữa"))
    support = SupportSubmitted(submission_id="S-1", centre_id="C-1", year=2025, amount=1)
    paid = await send(bench, EventType.SUPPORT_SUBMITTED, support)
    school = assessment("learning_unit", "DV-7", name="Trường THPT Chu Văn An")
    learning = await send(bench, EventType.ASSESSMENT_SUBMITTED, school)
    assert learning.status in (Status.ACCEPTED, Status.ACCEPTED_LATE)
    assert await listed(bench, search="hoa sua", kind="support") == [paid.receipt_id]
    assert await listed(bench, search="chu van an") == [learning.receipt_id]
    assert await listed(bench, "province", "04", search="hoa sua") == []


async def test_a_code_means_who_had_it_on_the_last_day_of_the_period(bench: Bench) -> None:
    """00004 was Trúc Bạch until July 2025, and has been Ba Đình since."""
    before = await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="A", period=2024))
    since = await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="B", period=2025))
    assert await listed(bench, search="truc bach") == [before.receipt_id]
    assert await listed(bench, search="ba dinh") == [since.receipt_id]
    assert set(await listed(bench, search="00004")) == {before.receipt_id, since.receipt_id}


async def test_a_code_that_ended_still_finds_who_had_it(bench: Bench) -> None:
    """The commonest mistake after the mergers: the file of 2025 under the code of the ward that is no more."""
    wrong = await send(bench, EventType.COMMUNE_SUBMITTED, commune(unit_code="00001"))
    assert wrong.status is Status.REJECTED
    assert await listed(bench, search="phuc xa") == [wrong.receipt_id]


async def test_what_names_no_period_may_be_about_anybody_who_had_the_code(bench: Bench) -> None:
    body = json.dumps({"submission_id": "A", "unit_code": "00004"}).encode()
    await bench.pipeline.process([record(body, head(EventType.COMMUNE_SUBMITTED), topic="submissions.01", offset=99)])
    (receipt,) = bench.receipts()
    assert receipt.period is None
    assert await listed(bench, search="truc bach") == await listed(bench, search="ba dinh") == [receipt.receipt_id]


# -------------------------------------------------------------------------------------------------------------- bounds


async def test_a_name_that_very_many_have_is_searched_in_a_province_and_else_refused(bench: Bench) -> None:
    (own,) = await files(bench, "A")
    assert await listed(bench, province="01", search="phường") == [own]
    assert await listed(bench, "province", "01", search="p") == [own]
    wide = await refused(bench, search="phường")
    assert (wide["code"], wide["field"]) == ("search_too_wide", "/query/search")


@pytest.mark.parametrize("word", ["x", "p", "tan"])
def test_no_name_is_too_wide_for_one_province(word: str) -> None:
    speakers = {registry().speaker_of(unit) for unit in registry().units(JANUARY.date())}
    centres = [f"C-{number}" for number in range(200)]
    assert max(len(domain.meant(registry(), word, one, centres)) for one in speakers) <= domain.MOST_MEANT


async def test_days_in_the_wrong_order_are_refused(bench: Bench) -> None:
    wrong = await refused(bench, **{"from": "2026-02-01", "until": "2026-01-31"})
    assert (wrong["code"], wrong["field"]) == ("days_reversed", "/query/until")
    assert "01/02/2026" in wrong["expected"]["vi"]


# --------------------------------------------------------------------------------------------------------- the command


async def run(bench: Bench, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    """What `langhoc receipts` does for an officer of Hà Nội at a terminal of 80 columns."""
    monkeypatch.setattr(console, "_width", 80)
    answered_by(monkeypatch, intake=bench.http("province", "01"))
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, ["receipts", *arguments])


def flat(result: Result) -> str:
    """Its words, however they were broken into lines."""
    return " ".join(result.output.split())


async def test_what_became_of_the_file_that_ba_dinh_sent_in_january(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An officer has no marks on the keyboard, and asks on the phone what was wrong."""
    await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-7", rubric="lc_commune_44_2014"))
    await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-8", unit_code="00008"))
    asked = ("ba dinh", "--from", "2026-01-01", "--until", "2026-01-31", "--status", "rejected")
    said = await run(bench, monkeypatch, *asked)
    assert said.exit_code == 0, said.output
    assert max(map(len, said.output.splitlines())) <= 80
    words = flat(said)
    assert "tên hoặc mã “ba dinh”; từ ngày 01/01/2026; đến hết ngày 31/01/2026; kết quả: bị từ chối" in words
    assert "HN-7" in words
    assert "10/01/2026" in words
    assert "HN-7 /rubric: " in words
    assert "→ " in words
    assert "HN-8" not in words
    english = flat(await run(bench, monkeypatch, *asked, "--lang", "en"))
    assert "name or code “ba dinh”; from 2026-01-01; until the end of 2026-01-31; status: rejected" in english
    assert "HN-7 /rubric: " in english


async def test_nothing_found_says_so_with_what_was_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await files(bench, "A")
    said = flat(await run(bench, monkeypatch, "hoa sữa", "--kind", "centre", "--period", "2025"))
    assert said.startswith(
        "Không có phiếu tiếp nhận nào: tên hoặc mã “hoa sữa”; loại: trung tâm học tập cộng đồng; kỳ 2025. → Tên"
    )
    english = flat(await run(bench, monkeypatch, "--from", "2026-02-01", "--lang", "en"))
    assert english == "There is no receipt: from 2026-02-01."


async def test_more_than_is_shown_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await files(bench, "A", "B", "C")
    assert "Còn phiếu cũ hơn 2 phiếu này" in flat(await run(bench, monkeypatch, "--limit", "2"))
    assert "Còn phiếu cũ hơn" not in flat(await run(bench, monkeypatch, "--limit", "3"))


async def test_programs_read_every_receipt_whole_or_a_row_of_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = await send(bench, EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-7", unit_code="99999"))
    told = json.loads((await run(bench, monkeypatch, "--format", "json")).stdout)
    assert told == [receipt.model_dump(mode="json")]
    (row,) = csv.DictReader(
        io.StringIO((await run(bench, monkeypatch, "--format", "csv")).stdout.removeprefix("\ufeff"))
    )
    assert (row["receipt_id"], row["status"], row["problems"]) == (
        receipt.receipt_id,
        "rejected",
        "unit_unknown /unit_code",
    )


async def test_a_mistaken_day_is_told_in_words(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    said = await run(bench, monkeypatch, "--from", "2026-02-01", "--until", "2026-01-31")
    assert (said.exit_code, "before the first day 2026-02-01" in flat(said)) == (1, True)
