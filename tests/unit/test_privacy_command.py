"""`langhoc privacy` on the services' real HTTP side: what is held is found wherever it lies, every look recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from bson import Binary
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from deploy.local.identity import issue_token
from shared.contracts.catalogue import EventType
from shared.messaging.operate.personal import fingerprint
from shared.mongo import Unavailable
from tests.fakes.memory import MemoryMongo
from tests.unit.delivery_samples import AT, head, record
from tests.unit.intake_bench import Bench
from tests.unit.intake_samples import commune
from tests.unit.test_retention import SERVICES
from tests.unit.wire import answered_by, http_of

NAME = "Nguyễn Thị Ánh"
WHY = ("--why", "Yêu cầu 12/2026")


@pytest.fixture
def databases(tmp_path: Path) -> dict[str, MemoryMongo]:
    """One for each service."""
    return {service: MemoryMongo() for service in SERVICES}


def reach(service: str, mongo: MemoryMongo, folder: Path) -> Callable[..., httpx.AsyncClient]:
    """A service as anybody reaches it."""

    def connect(account: str | None, role: Any, province: str | None) -> httpx.AsyncClient:
        http = http_of(service, mongo, folder, role, province)
        http.headers["Authorization"] = f"Bearer {issue_token(folder, account or 'an', role, province)}"
        return http

    return connect


@pytest.fixture
async def wired(databases: dict[str, MemoryMongo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command reaches all services."""
    monkeypatch.setenv("COLUMNS", "200")
    answered_by(monkeypatch, **{name: reach(name, mongo, tmp_path) for name, mongo in databases.items()})


async def run(*arguments: str) -> Result:
    """What the command does."""
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, ("privacy", *arguments))


async def data(*arguments: str) -> Any:
    """What it answers to a program."""
    result = await run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


# ------------------------------------------------------------------------------------------------- policy


@pytest.mark.parametrize(("language", "said"), [("en", "Mistaken uploads lie here"), ("vi", "gửi nhầm")])
async def test_the_policy_is_told_with_its_reasons(language: str, said: str) -> None:
    result = await run("policy", "--lang", language)
    assert result.exit_code == 0, result.output
    assert said in " ".join(result.output.replace("│", " ").split())


async def test_the_policy_of_a_day_and_no_day() -> None:
    assert {one["rule"] for one in await data("policy")} == {
        one["rule"] for one in await data("policy", "--on", "2020-01-01")
    }
    assert await data("policy", "--on", "2012-01-01") == []
    assert (await run("policy", "--on", "heute")).exit_code == 1


async def test_services_tell_the_same_policy(databases: dict[str, MemoryMongo], tmp_path: Path) -> None:
    async with http_of("scoring", databases["scoring"], tmp_path, "province", "01") as http:
        told = (await http.get("/privacy/policy", params={"on": "2026-06-01"})).json()
    assert [one["rule"] for one in told] == [one["rule"] for one in await data("policy", "--on", "2026-06-01")]


# ------------------------------------------------------------------------------------------------- report


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "document",
    [
        {"_id": "a", "_rev": 1, "text": {"vi": f"… {NAME} …"}},
        {"_id": "a", "raw": Binary(json.dumps({"x": [NAME]}).encode())},
        {"_id": "a", NAME: 1},
        {"rows": [{"who": NAME.upper()}]},
    ],
)
async def test_what_is_held_is_found_in_any_collection_of_any_service(
    wired: None, databases: dict[str, MemoryMongo], service: str, document: dict[str, Any]
) -> None:
    for number in range(450):  # several pages
        databases[service].rows("made_up")[f"n{number:03}"] = {"_id": f"n{number:03}", "text": "Trần Văn Bình"}
    await databases[service].insert("nobody_thought_of", [dict(document)])
    found = await data("report", NAME, *WHY)
    assert [(one["service"], one["collection"]) for one in found] == [(service, "nobody_thought_of")]
    assert all(one["places"] for one in found)


async def test_nothing_is_said_to_be_held_where_nothing_is(wired: None) -> None:
    result = await run("report", NAME, *WHY)
    assert (result.exit_code, result.output.strip()) == (0, "Nothing holds it.")


async def test_a_search_is_recorded_before_it_answers_and_names_nobody(
    wired: None, databases: dict[str, MemoryMongo], tmp_path: Path
) -> None:
    await run("report", NAME, *WHY, "--by", "binh")
    for mongo in databases.values():
        (read,) = mongo.all("personal_reads")
        assert (read["who"], read["what"], read["about"], read["why"]) == (
            "local:binh",
            "text",
            fingerprint(NAME),
            WHY[1],
        )
        assert NAME not in str(read)
    shown = await data("reads", "--about", fingerprint(NAME))
    assert {(one["service"], one["who"]) for one in shown} == {(service, "local:binh") for service in SERVICES}
    assert await data("reads", "--about", "another") == []


async def test_what_cannot_be_recorded_is_not_shown(databases: dict[str, MemoryMongo], tmp_path: Path) -> None:
    mongo = databases["intake"]
    await mongo.insert("things", [{"a": NAME}])
    mongo.unwritable = lambda collection, document: collection == "personal_reads"
    async with http_of("intake", mongo, tmp_path) as http:
        failed = await http.post("/privacy/holdings", json={"text": NAME, "why": "x"})
    assert (failed.status_code, "things" in failed.text) == (500, False)
    mongo.down = Unavailable
    async with http_of("intake", mongo, tmp_path) as http:
        assert (await http.post("/privacy/holdings", json={"text": NAME, "why": "x"})).status_code == 503


@pytest.mark.parametrize("role", ["province", "finance", "auditor"])
async def test_nobody_but_the_ministry_searches(databases: dict[str, MemoryMongo], tmp_path: Path, role: Any) -> None:
    async with http_of("funding", databases["funding"], tmp_path, role, "01" if role == "province" else None) as http:
        assert (await http.post("/privacy/holdings", json={"text": NAME, "why": "x"})).status_code == 403
        assert (await http.get("/privacy/reads")).status_code == (200 if role == "auditor" else 403)
    assert databases["funding"].all("personal_reads") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": NAME},
        {"text": NAME, "why": ""},
        {"text": "ab", "why": "x"},
        {"text": "x" * 301, "why": "x"},
        {"text": None, "why": "x"},
        {"text": NAME, "why": "x", "all": 1},
        {"text": [NAME], "why": "x"},
        {"text": "   ", "why": "x"},
        {"text": NAME, "why": "x" * 301},
    ],
)
async def test_a_search_that_is_none_is_refused(
    databases: dict[str, MemoryMongo], tmp_path: Path, body: dict[str, Any]
) -> None:
    async with http_of("intake", databases["intake"], tmp_path) as http:
        assert (await http.post("/privacy/holdings", json=body)).status_code == 422
    assert databases["intake"].all("personal_reads") == []


async def test_reads_are_paged(databases: dict[str, MemoryMongo], tmp_path: Path) -> None:
    await databases["intake"].insert(
        "personal_reads",
        [{"at": AT, "who": "an", "role": "ministry", "what": "text", "about": str(n), "why": "x"} for n in range(5)],
    )
    async with http_of("intake", databases["intake"], tmp_path) as http:
        first = (await http.get("/privacy/reads", params={"limit": 3})).json()
        rest = (await http.get("/privacy/reads", params={"limit": 3, "after": first["next"]})).json()
        assert [one["about"] for one in first["items"] + rest["items"]] == list("01234")
        assert rest["next"] is None
        assert (await http.get("/privacy/reads", params={"after": "no id"})).status_code == 404


# ------------------------------------------------------------------------------------------------- erase


async def test_a_mistaken_upload_is_found_erased_by_two_persons_and_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    bench = Bench(tmp_path)
    answered_by(monkeypatch, intake=reach("intake", bench.mongo, tmp_path))
    raw = json.dumps({"submission_id": "HN-9", "learners": [NAME]}).encode()
    await bench.pipeline.process([record(raw, head(EventType.COMMUNE_SUBMITTED), topic="submissions.01", offset=500)])
    bench.mongo.rows("outbox").clear()  # sent
    assert {one["collection"] for one in await data("report", NAME, *WHY)} == {"receipts"}

    rehearsed = await run("erase", "--submission", "HN-9", "-p", "01", "--why", "gửi nhầm", "--dry-run")
    assert "it could be done" in rehearsed.output
    asked = await run("erase", "--submission", "HN-9", "-p", "01", "--why", "gửi nhầm", "--id", "X-1", "--by", "an")
    assert "langhoc privacy confirm X-1" in asked.output, asked.output
    alone = await run("confirm", "X-1", "--why", "đã xem", "--by", "an")
    assert alone.exit_code == 1
    assert "cannot confirm it" in alone.output
    assert (await run("confirm", "X-1", "--why", "đã xem", "--by", "binh", "--lang", "vi")).exit_code == 0

    assert await data("report", NAME, *WHY) == []
    (order,) = await data("orders")
    assert (order["requested_by"], order["confirmed_by"]) == ("local:an", "local:binh")


async def test_what_stands_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    answered_by(monkeypatch, intake=reach("intake", bench.mongo, tmp_path))
    receipt = await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    result = await run("erase", receipt.receipt_id, "--why", "x")
    assert result.exit_code == 1
    assert "results and money rest on it" in " ".join(result.output.split())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("r", "--submission", "s", "-p", "01"),
        ("--submission", "s"),
        ("-p", "01"),
        ("r", "-p", "01"),
        ("r", "--person", "p-lan"),
        ("--submission", "s", "-p", "01", "--person", "p-lan"),
        ("--person", "p-lan", "-p", "01"),
    ],
)
async def test_it_must_be_clear_what_is_to_be_erased(wired: None, arguments: tuple[str, ...]) -> None:
    result = await run("erase", *arguments, "--why", "x")
    assert result.exit_code == 1
    assert "Name the ids of receipts" in result.output


async def test_a_submission_that_is_not_there_is_said_to_be_none(wired: None) -> None:
    result = await run("erase", "--submission", "HN-0", "-p", "01", "--why", "x")
    assert (result.exit_code, "no submission HN-0" in result.output) == (1, True)


# ------------------------------------------------------------------------------------------------- a person


async def test_an_officer_is_found_by_everything_that_the_directory_knows_and_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    bench = Bench(tmp_path)
    other = MemoryMongo()
    await other.insert("beside", [{"_id": "x", "by": "p-anh"}, {"_id": "y", "text": f"bà {NAME}"}])
    answered_by(
        monkeypatch,
        intake=reach("intake", bench.mongo, tmp_path),
        scoring=reach("scoring", other, tmp_path),
    )
    term = {"role": "finance", "first_day": "2020-01-05", "last_day": "2020-12-31"}
    accounts = [{"issuer": "langhoc-local", "subject": one} for one in ("anh-7d1f", "n2")]
    entered = {"person_id": "p-anh", "name": NAME, "assignment": term, "account": accounts[0]}
    async with bench.http() as http:
        for path, body in (("", entered), ("/p-anh/accounts", {"account": accounts[1]})):
            order = {"order_id": f"o{path}".replace("/", "-"), "reason": "Công văn 7", **body}
            assert (await http.post(f"/people{path}", json=order)).status_code == 200
            confirm = f"/people-orders/{order['order_id']}/confirm"
            as_binh = {"Authorization": f"Bearer {issue_token(tmp_path, 'binh', 'ministry')}"}
            assert (await http.post(confirm, json={"why": "x"}, headers=as_binh)).status_code == 200

    told = await run("report", "--person", "p-anh", *WHY, "--format", "json")
    assert "Too short to be looked for: account 2." in told.stderr
    found = {(one["service"], one["collection"], one["what"]) for one in json.loads(told.stdout)}
    assert {("intake", "persons", what) for what in ("id", "name", "account 1")} <= found
    assert {("scoring", "beside", "id"), ("scoring", "beside", "name"), ("intake", "people", "id")} <= found
    assert "anh-7d1f" not in told.stdout
    (looked, *_) = [one for one in await data("reads") if one["what"] == "person"]
    assert (looked["who"], looked["about"]) == ("local:an", "p-anh")

    asked = await run("erase", "--person", "p-anh", "--why", "Đơn 12/2026", "--id", "X-1", "--by", "an")
    assert "langhoc privacy confirm X-1" in asked.output, asked.output
    assert (await run("confirm", "X-1", "--why", "đã xem", "--by", "binh")).exit_code == 0
    (order,) = await data("orders")
    assert (order["person"], order["receipts"]) == ("p-anh", [])

    left = await data("report", "--person", "p-anh", *WHY)
    assert {one["what"] for one in left} == {"id"}


@pytest.mark.parametrize("arguments", [(), (NAME, "--person", "p-lan")])
async def test_it_must_be_clear_what_is_looked_for(wired: None, arguments: tuple[str, ...]) -> None:
    result = await run("report", *arguments, *WHY)
    assert (result.exit_code, "Name a text to look for, or a --person." in result.output) == (1, True)
