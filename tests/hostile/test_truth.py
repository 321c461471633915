"""What people read is what was decided: figures of funding's database are altered, and every reader is asked.

Each case is played twice: as somebody alters a document who knows nothing of seals, and, for what the journal books, as
somebody does who has the key and seals it again. Then every field of every document is altered, one after the other.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from services.funding import decisions, queries
from services.intake.decisions import RECEIPTS
from shared.contracts.catalogue import EventType
from shared.messaging import seals
from shared.messaging.decide.documents import Collection
from shared.messaging.decide.migrating import seal_former
from shared.messaging.seals import Altered
from tests.unit.funding_bench import HOA, KIM, LAN, Bench, envelope, published, registration
from tests.unit.intake_bench import Bench as Intake
from tests.unit.intake_samples import commune

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("truth.yaml").read_text(encoding="utf-8"))
READERS = (
    "/budgets",
    "/budgets/04/2026",
    "/budgets/04/2026/proof",
    "/budgets/04/2026/decisions",
    "/budgets/04/2026/snapshot",
    "/budgets/04/2026/snapshot/verify",
    "/journal/04/2026/verify",
    "/allocations?province=04",
    "/adjustments?province=04",
    "/exports/04/2026",
    "/exports/04/2026?format=ocds",
    "/sustainability/04?last=2026",
    "/explanations/a",
)
VERIFICATIONS = {"/journal/04/2026/verify", "/budgets/04/2026/proof", "/budgets/04/2026/snapshot/verify"}
BOOKED = ("decisions", "releases", "budgets")
"""Collections of which the journal proves what they say, whoever seals them."""
BESIDE = frozenset({"_id", "_rev", "_seal", "_stamp", "_schema"})


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    """A published budget in which a correction waits."""
    bench = await published(tmp_path, 60_000_000)
    await bench.tell(registration("b", version=2, area_class="region_2"))
    await bench.settle()
    return bench


async def ask(bench: Bench, path: str) -> httpx.Response:
    """As an auditor asks; a program's own fault would be raised here."""
    return await bench.http(KIM).get(path)


async def told(bench: Bench) -> dict[str, httpx.Response]:
    """The answers of all readers."""
    return {path: await ask(bench, path) for path in READERS}


def alter(bench: Bench, collection: str, path: str, add: int, id: str | None = None) -> str:
    """Add to a figure in the database; returns the document's place."""
    rows = bench.mongo.rows(collection)
    id = id or sorted(rows)[0]
    row = rows[id] = copy.deepcopy(rows[id])
    *outer, last = path.split(".")
    holder = row
    for name in outer:
        holder = holder[name]
    holder[last] += add
    return f"{collection}/{id}"


def same(one: httpx.Response, other: httpx.Response) -> bool:
    """Whether two answers tell the same."""
    return (one.status_code, one.text) == (other.status_code, other.text)


def names(answer: httpx.Response, place: str) -> bool:
    """Whether an answer says that a document was altered."""
    if answer.status_code == 500:
        return answer.json()["code"] == "document_altered" and place in answer.text
    if not answer.headers["Content-Type"].startswith("application/json"):
        return False
    body = answer.json()
    return isinstance(body, dict) and place in body.get("altered", [])


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
async def test_no_reader_tells_an_altered_figure_and_some_name_the_document(bench: Bench, case: dict[str, Any]) -> None:
    before = await told(bench)
    assert all(answer.status_code == 200 for answer in before.values())
    place = alter(bench, case["collection"], case["field"], case["add"])
    after = await told(bench)
    silent = {path for path in READERS if same(before[path], after[path])}
    journal = f"journal/04/2026/{place.split('/')[3]}" if case["collection"] == "journal" else place
    loud = {path for path in READERS if names(after[path], place) or names(after[path], journal)}
    assert silent | loud == set(READERS), {path: after[path].text[:200] for path in {*READERS} - silent - loud}
    if case["collection"] not in ("envelopes", "supports"):  # nobody tells them but by what was made of them
        assert loud, "whoever reads it says so"
    if case["collection"] in BOOKED:
        assert loud >= VERIFICATIONS


MALFORMED: dict[str, dict[str, Any]] = {
    "a text for an amount": {"amount": "một tỷ"},
    "half a đồng": {"amount": 0.5},
    "no amount": {"amount": None},
    "a kind that there is not": {"kind": "gift"},
    "no instant": {"at": "hôm qua"},
    "a number below the first": {"number": 0},
    "a list for a reason": {"why": ["đã kiểm tra"]},
    "a document for who": {"who": {"id": "hoa"}},
    "a reversal of nothing": {"reverses": -1},
    "no hash": {"hash": None},
}


@pytest.mark.parametrize("sealed", [False, True], ids=["", "sealed again"])
@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED)
async def test_what_lies_in_the_journal_and_is_no_entry_is_named(
    bench: Bench, changes: dict[str, Any], sealed: bool
) -> None:
    id = "04/2026/operating/0000002"
    rows = bench.mongo.rows("journal")
    whole, rows[id] = rows[id], rows[id] | changes
    if sealed:
        bench.mongo.seal()
    verified = await ask(bench, "/journal/04/2026/verify")
    assert (verified.status_code, verified.json()["whole"]) == (200, False), verified.text
    assert f"journal/{id}" in verified.json()["altered"]
    assert not any(place.startswith("budgets/") for place in verified.json()["altered"]), "it says what was decided"
    for path in ("/journal/04/2026", "/budgets/04/2026/proof", "/budgets/04/2026/decisions", "/exports/04/2026"):
        assert names(await ask(bench, path), f"journal/{id}"), path
    assert names(await ask(bench, "/budgets/04/2026/snapshot/verify"), f"journal/{id}")
    rows[id] = whole
    assert (await ask(bench, "/journal/04/2026/verify")).json()["whole"]


@pytest.mark.parametrize("collection", ["decisions", "releases", "budgets"])
async def test_what_is_no_document_of_its_kind_is_named_though_it_was_sealed_again(
    bench: Bench, collection: str
) -> None:
    rows = bench.mongo.rows(collection)
    id = sorted(rows)[0]
    rows[id] = rows[id] | {"version": "một"}
    bench.mongo.seal()
    assert names(await ask(bench, "/journal/04/2026/verify"), f"{collection}/{id}")


@pytest.mark.parametrize("collection", ["decisions", "releases", "journal"])
async def test_a_decision_in_the_midst_of_reading_is_no_alteration(
    bench: Bench, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The questions of one answer see the database at different moments."""
    await bench.done(LAN, "/adjustments/04/2026/b/1/submit")
    find, moments = bench.mongo.find, [collection]

    async def meanwhile(name: str, query: Any, **options: Any) -> list[Any]:
        if [name] == moments:
            moments.clear()
            await bench.done(HOA, "/adjustments/04/2026/b/1/approve")
        return await find(name, query, **options)

    monkeypatch.setattr(bench.mongo, "find", meanwhile)
    answer = await ask(bench, "/budgets/04/2026/decisions")
    assert not moments
    assert answer.status_code == 200, answer.text
    assert {row["version"] for row in answer.json()} == {1, 2}


async def test_no_altered_document_keeps_the_service_from_its_start(bench: Bench) -> None:
    for rows in bench.mongo.collections.values():
        rows.update({id: {**row, "more": 1} for id, row in rows.items() if "_seal" in row})
    await seal_former(bench.mongo)
    await queries.migrate(bench.mongo)


UNBOOKED = frozenset({"on_record", "allocation.amount", "allocation.floor"})
"""Fields of which no entry speaks: the seal alone shows that they were altered."""


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["collection"] in BOOKED and case["field"] not in UNBOOKED],
    ids=lambda case: str(case["name"]),
)
async def test_what_is_booked_is_found_out_though_it_was_sealed_again(bench: Bench, case: dict[str, Any]) -> None:
    before = await told(bench)
    place = alter(bench, case["collection"], case["field"], case["add"])
    bench.mongo.seal()
    after = await told(bench)
    verified = after["/journal/04/2026/verify"].json()
    assert not verified.get("whole", False)
    named = "journal/04/2026/operating" if case["field"] == "journals.operating.number" else place
    assert named in verified["altered"]
    for path in READERS:
        assert same(before[path], after[path]) or names(after[path], named), path
    assert after["/exports/04/2026"].status_code == 500


async def test_a_decision_that_is_put_back_or_taken_away_is_missed(bench: Bench) -> None:
    """An earlier version with its own true seal: only the journal knows that there was a later one."""
    earlier = bench.mongo.rows("decisions")["b/2026/operating"]
    path = "/adjustments/04/2026/b/1"
    await bench.done(LAN, f"{path}/submit")
    await bench.done(HOA, f"{path}/approve")
    later = bench.mongo.rows("decisions")["b/2026/operating"]
    assert (await ask(bench, "/journal/04/2026/verify")).json()["whole"]
    bench.mongo.rows("decisions")["b/2026/operating"] = earlier
    assert names(await ask(bench, "/budgets/04/2026/decisions"), "decisions/b/2026/operating")
    del bench.mongo.rows("decisions")["b/2026/operating"]
    assert names(await ask(bench, "/exports/04/2026"), "decisions/b/2026/operating")
    bench.mongo.rows("decisions")["b/2026/operating"] = later
    release = bench.mongo.rows("releases").pop("b/2026/operating/00002")
    assert names(await ask(bench, "/exports/04/2026"), "releases/b/2026/operating/00002")
    bench.mongo.rows("releases")["b/2026/operating/00002"] = release
    bench.mongo.rows("budgets").pop("04/2026")
    assert names(await ask(bench, "/exports/04/2026"), "budgets/04/2026")


async def test_an_altered_budget_is_no_other_provinces_trouble_and_none_for_what_is_whole_again(bench: Bench) -> None:
    await bench.tell(envelope(1_000_000_000, province="08"), registration("z", province="08"))
    await bench.settle()
    whole = bench.mongo.rows("decisions")["a/2026/operating"]
    alter(bench, "decisions", "amount", 10**9)
    assert (await ask(bench, "/exports/04/2026")).status_code == 500
    assert (await ask(bench, "/exports/08/2026")).status_code == 200
    assert (await ask(bench, "/allocations?province=04")).status_code == 200
    bench.mongo.rows("decisions")["a/2026/operating"] = whole
    assert (await ask(bench, "/exports/04/2026")).status_code == 200


async def test_nothing_is_decided_on_an_altered_document(bench: Bench) -> None:
    await bench.done(LAN, "/adjustments/04/2026/b/1/submit")
    alter(bench, "decisions", "amount", 10**9, "b/2026/operating")
    answer = await bench.order(HOA, "/adjustments/04/2026/b/1/approve")
    assert names(answer, "decisions/b/2026/operating")


@pytest.mark.parametrize(
    ("collection", "field"), [("receipts", "status"), ("aggregates", "version"), ("versions", "late")]
)
async def test_what_intake_tells_of_a_submission_is_what_it_wrote(tmp_path: Path, collection: str, field: str) -> None:
    intake = Intake(tmp_path)
    receipt = await intake.receive(EventType.COMMUNE_SUBMITTED, commune())
    rows = intake.mongo.rows(collection)
    ((id, row),) = rows.items()
    rows[id] = {**row, field: 7}
    async with intake.http() as http:
        paths = (f"/receipts/{receipt.receipt_id}", f"/subjects/{receipt.subject}")
        answers = [await http.get(path) for path in paths]
    assert any(names(answer, f"{collection}/{id}") for answer in answers)


RECEIPT_LISTS = ("/receipts", "/receipts?status=accepted", "/explanations/00004@2025-07")


@pytest.mark.parametrize("path", RECEIPT_LISTS)
@pytest.mark.parametrize("sealed_before", [False, True], ids=["", "sealed by a release before"])
async def test_a_list_of_receipts_tells_none_that_was_altered_and_names_them_all(
    tmp_path: Path, path: str, sealed_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = Intake(tmp_path)
    for each in ("s-1", "s-1", "s-2"):
        await intake.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id=each))
    rows = intake.mongo.rows("receipts")
    if sealed_before:
        apart = seals._parted
        monkeypatch.setattr(seals, "_parted", lambda row, told=None: apart(row, () if told is None else told))
        intake.mongo.seal()
        assert not any(seals.covers(row, "raw") for row in rows.values())
    ask = intake.http()
    before = await ask.get(path)
    assert before.status_code == 200
    assert before.text.count("receipt_id") >= 1
    shown = [id for id in sorted(rows) if id in before.text]
    wholes = dict(rows)
    for id in shown:
        rows[id] = copy.deepcopy(rows[id])
        rows[id]["receipt"]["version"] = 9
    answer = await ask.get(path)
    assert all(names(answer, f"receipts/{id}") for id in shown), answer.text
    rows.update(wholes)
    assert (await ask.get(path)).text == before.text


async def test_a_list_of_receipts_reads_none_of_the_bytes_that_were_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of 5,000 receipts answers up to 5 GB."""
    intake, read = Intake(tmp_path), set[str]()
    await intake.receive(EventType.COMMUNE_SUBMITTED, commune())
    await intake.receive(EventType.COMMUNE_SUBMITTED, commune())
    (erased, *_) = rows = intake.mongo.rows("receipts")
    kept = RECEIPTS.written(RECEIPTS.read(rows[erased]).without_bytes(datetime(2026, 3, 1, tzinfo=UTC), "retention"))
    rows[erased] = rows[erased] | seals.sealed("receipts", erased, kept)
    find = intake.mongo.find

    async def watched(collection: str, *args: Any, **more: Any) -> Any:
        found = await find(collection, *args, **more)
        if collection == "receipts":
            read.update(*found)
        return found

    monkeypatch.setattr(intake.mongo, "find", watched)
    assert len((await intake.http().get("/receipts")).json()["items"]) == 2
    assert "receipt" in read
    assert "raw" not in read


def fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every place of a document that holds a plain value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if path or name not in BESIDE:
                yield from fields(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from fields(inner, f"{path}.{number}")
    else:
        yield path, value


def other(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case None:
            return 0
        case str():
            return value + "0"
    raise AssertionError(value)


async def test_every_field_of_every_document_is_what_was_written(bench: Bench) -> None:
    kinds = {each.name: each for each in vars(decisions).values() if isinstance(each, Collection)}
    assert kinds.keys() >= {"decisions", "releases", "journal", "budgets", "runs", "allocations", "adjustments"}
    altered = 0
    for name, kind in kinds.items():
        for id, row in bench.mongo.rows(name).items():
            for path, value in fields(row):
                changed = copy.deepcopy(row)
                *outer, last = path.split(".")
                holder: Any = changed
                for part in outer:
                    holder = holder[int(part) if isinstance(holder, list) else part]
                holder[int(last) if isinstance(holder, list) else last] = other(value)
                with pytest.raises(Altered, match=f"{name}/{id}"):
                    kind.read(changed)
                altered += 1
    assert altered > 500
