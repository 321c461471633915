"""Dead letters over HTTP and on the command line: who may, what is told, and in which words."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from deploy.local.identity import ensure_signing_key, issue_token
from shared.answers.dead_letters import Action
from shared.messaging.clock import BusinessClock
from shared.messaging.decide.people import PEOPLE
from shared.messaging.messages import Reason
from shared.messaging.operate.dead_letters import Order
from shared.mongo import Unavailable
from shared.web import dead_letters, problems
from tests.fakes.stored import store
from tests.fakes.trust import local_operator as entered
from tests.fakes.trust import local_verifier
from tests.probe import POISON, Bench
from tests.unit.wire import answered_by

BINARY = b"\xff\xfe binary"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder with a signing key."""
    ensure_signing_key(tmp_path)
    return tmp_path


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    bench.brake.limit = 99
    yield bench
    bench.assert_kept()


def serve(
    bench: Bench, state: Path, role: Any = "ministry", province: str | None = None, account: str = "an"
) -> httpx.AsyncClient:
    """The probe's HTTP side, as a caller of this role reaches it."""
    app = FastAPI()
    app.state.verifier = local_verifier(state, bench.mongo, BusinessClock())
    app.state.runtime = SimpleNamespace(letters=bench.letters)
    problems.install(app)
    app.include_router(dead_letters.router)
    token = issue_token(state, account, role, province)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://service", headers={"Authorization": f"Bearer {token}"}
    )


@pytest.fixture
def http(bench: Bench, state: Path) -> httpx.AsyncClient:
    return serve(bench, state)


# ------------------------------------------------------------------------------------------------- HTTP


async def test_a_list_tells_where_it_lay_and_why_in_words(bench: Bench, http: httpx.AsyncClient) -> None:
    ids = await bench.bury(*(bench.probe.record(n, POISON, version=n + 1) for n in range(3)))

    page = (await http.get("/dead-letters", params={"limit": 2})).json()
    rest = (await http.get("/dead-letters", params={"after": page["next"]})).json()

    assert [item["id"] for item in page["items"] + rest["items"]] == ids
    assert (page["next"], rest["next"]) == (ids[1], None)
    first = page["items"][0]
    assert (first["position"], first["subject"], first["state"], first["attempts"]) == (
        "intake.accepted/0@0",
        "04",
        "open",
        1,
    )
    assert first["reason"] == "handler_failed"
    assert "Our own program" in first["meaning"]["en"]
    assert "Chương trình của chúng ta" in first["meaning"]["vi"]
    assert first["mend"]["vi"] != first["mend"]["en"]
    assert first["preview"].startswith("{")


async def test_one_is_shown_whole_to_the_last_byte(bench: Bench, http: httpx.AsyncClient) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, more={"traceparent": BINARY}))

    shown = (await http.get(f"/dead-letters/{letter_id}")).json()

    headers = dict(shown["headers"])
    assert base64.b64decode(headers["traceparent"]["base64"]) == BINARY
    assert headers["traceparent"]["text"] is None
    assert headers["ce_id"]["text"] == "7"
    assert shown["key"]["text"] == "04"
    assert base64.b64decode(shown["value"]["base64"]) == bench.letter(letter_id)["value"]
    assert json.loads(shown["value"]["text"])["province"] == "04"
    assert (shown["reason"], shown["detail"]) == ("bad_header", "traceparent")
    assert shown["event_id"] == "/langhoc/intake#7"
    assert shown["actions"] == []


async def test_a_dry_run_names_what_would_be_written_and_published(bench: Bench, http: httpx.AsyncClient) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True

    told = (await http.post(f"/dead-letters/{letter_id}/replay", json={"dry_run": True})).json()

    assert (told["dry_run"], told["verdict"], told["state"], told["attempts"]) == (True, "handled", "replayed", 2)
    assert told["writes"] == [{"collection": "envelopes", "id": "04", "revision": 1}]
    ((topic, type_, amount),) = [(each["topic"], each["type"], each["body"]["amount"]) for each in told["events"]]
    assert (topic, type_, amount) == ("budgets", "langhoc.envelope.accepted.v1", 75_000_000)
    assert told["requests"] == [{"set": "sum", "key": ["04", 2026]}]
    assert bench.effects() == (None, 0, 0)
    assert bench.entries() == []

    done = (await http.post(f"/dead-letters/{letter_id}/replay", json={})).json()
    assert done["dry_run"] is False
    assert {**done, "dry_run": True} == told
    assert bench.effects() == (1, 1, 1)


async def test_the_actions_of_a_letter_are_shown_with_it_and_all_of_them_in_order(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    first, second = await bench.bury(bench.probe.record(1, POISON), bench.probe.record(2, POISON, version=2))
    await http.post(f"/dead-letters/{first}/replay", json={"why": "  try  "})
    await http.post(f"/dead-letters/{second}/discard", json={"why": "a test"})
    await http.post(f"/dead-letters/{first}/discard", json={})

    shown = (await http.get(f"/dead-letters/{first}")).json()["actions"]
    assert [(entry["who"], entry["role"], entry["action"], entry["result"], entry["why"]) for entry in shown] == [
        ("local:an", "ministry", "replay", "failed", "try"),
        ("local:an", "ministry", "discard", "refused: reason_missing", ""),
    ]
    assert (shown[0]["before"]["attempts"], shown[0]["after"]["attempts"]) == (1, 2)
    everything = (await http.get("/dead-letters/actions", params={"limit": 2})).json()
    assert [entry["letter"] for entry in everything["items"]] == [first, second]
    rest = (await http.get("/dead-letters/actions", params={"after": everything["next"]})).json()
    assert [entry["letter"] for entry in rest["items"]] == [first]


async def test_refusals_are_problems_in_both_languages(bench: Bench, http: httpx.AsyncClient) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    refused = [await http.post(f"/dead-letters/{letter_id}/discard", json={"why": why}) for why in ("", "   ")]
    refused.append(await http.post("/dead-letters/nothing/replay", json={}))
    await http.post(f"/dead-letters/{letter_id}/discard", json={"why": "a test"})
    refused.append(await http.post(f"/dead-letters/{letter_id}/replay", json={}))
    refused.append(await http.post(f"/dead-letters/{letter_id}/replay", json={"dry_run": True}))

    told = [(response.status_code, response.json()["code"]) for response in refused]
    gone = (409, "not_open")
    assert told == [(422, "reason_missing"), (422, "reason_missing"), (404, "not_found"), gone, gone]
    for response in refused:
        body = response.json()
        assert body["message"]["vi"] != body["message"]["en"]
        assert body["mend"]["vi"] != body["mend"]["en"]


async def test_a_misspelt_dry_run_is_no_replay(bench: Bench, http: httpx.AsyncClient) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    assert (await http.post(f"/dead-letters/{letter_id}/replay", json={"dryrun": True})).status_code == 422
    assert bench.effects() == (None, 0, 0)


@pytest.mark.parametrize(("role", "province"), [("province", "04"), ("finance", None), ("auditor", None)])
async def test_only_the_ministry_may_and_who_tries_is_on_record(
    bench: Bench, state: Path, role: str, province: str | None
) -> None:
    """G5: what was refused is asked for later too."""
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    stranger = serve(bench, state, role, province)

    tried = [
        await stranger.get("/dead-letters"),
        await stranger.get("/dead-letters/actions"),
        await stranger.get(f"/dead-letters/{letter_id}"),
        await stranger.post(f"/dead-letters/{letter_id}/replay", json={}),
        await stranger.post(f"/dead-letters/{letter_id}/discard", json={"why": "x"}),
    ]

    assert [(response.status_code, response.json()["code"]) for response in tried] == [(403, "role_not_allowed")] * 5
    assert bench.entries() == [], "the access log has it; an entry for each would grow without end"
    assert bench.effects() == (None, 0, 0)
    assert bench.letter(letter_id)["state"] == "open"


async def test_without_a_token_there_is_nothing(bench: Bench, http: httpx.AsyncClient) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    del http.headers["Authorization"]
    assert (await http.get(f"/dead-letters/{letter_id}")).status_code == 401
    assert (await http.post(f"/dead-letters/{letter_id}/discard", json={"why": "x"})).status_code == 401
    assert bench.letter(letter_id)["state"] == "open"


async def test_a_database_that_is_gone_is_no_success(bench: Bench, http: httpx.AsyncClient) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.mongo.down = Unavailable
    response = await http.post(f"/dead-letters/{letter_id}/discard", json={"why": "x"})
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    bench.mongo.down = None
    assert bench.letter(letter_id)["state"] == "open"


# ------------------------------------------------------------------------------------------------- command line


class Terminal:
    """`langhoc dead-letters` on a platform of these services."""

    async def run(self, *arguments: str) -> Result:
        with structlog.testing.capture_logs():  # the services' logs are no output of the command
            return await asyncio.to_thread(CliRunner().invoke, langhoc, ["dead-letters", *arguments])

    async def json(self, *arguments: str) -> Any:
        result = await self.run(*arguments, "--format", "json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
async def terminal(bench: Bench, state: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The dead letters are the second service's."""
    answered_by(monkeypatch, other=serve(Bench(), state), probe=serve(bench, state))
    return Terminal()


async def test_the_list_is_told_in_words_of_either_language(bench: Bench, terminal: Terminal) -> None:
    assert "no such dead letters" in (await terminal.run("list")).stdout
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))

    for language, word in (("en", "nothing"), ("vi", "không")):
        shown = (await terminal.run("list", "--lang", language)).stdout
        for expected in (letter_id, "intake.accepted/0@7", "handler_failed:", word):
            assert expected in shown
    assert [row["service"] for row in (await terminal.json("list"))] == ["probe"]
    assert (await terminal.json("list", "--state", "discarded")) == []
    assert (await terminal.json("list", "--reason", "bad_json")) == []
    assert (await terminal.run("list", "--service", "nobody")).exit_code == 1


async def test_show_tells_everything_in_place_and_in_words(bench: Bench, terminal: Terminal) -> None:
    poisoned, binary = await bench.bury(
        bench.probe.record(7, POISON), bench.probe.record(8, more={"traceparent": BINARY})
    )
    shown = (await terminal.run("show", poisoned)).stdout
    for expected in (
        "intake.accepted/0@7",
        "ZeroDivisionError: division by [zero]",
        "langhoc logs probe -f",
        "75000000",
        "try with --dry-run",
    ):
        assert expected in shown
    assert base64.b64encode(BINARY).decode() in (await terminal.run("show", binary)).stdout
    assert (await terminal.run("discard", poisoned, "--reason", "a [test]")).exit_code == 0
    again = (await terminal.run("show", poisoned)).stdout
    assert "a [test]" in again
    assert "discarded" in again
    missing = await terminal.run("show", "0" * 24)
    assert missing.exit_code == 1
    assert "No service has a dead letter" in missing.stderr


async def test_replays_by_id_by_reason_and_all(bench: Bench, terminal: Terminal) -> None:
    records = [bench.probe.record(n, POISON, province=f"0{n}") for n in (1, 2, 3)]
    ids = await bench.bury(*records, bench.probe.record(4, more={"traceparent": BINARY}))

    assert (await terminal.run("replay")).exit_code == 1
    assert (await terminal.run("replay", ids[0], "--all")).exit_code == 1
    failed = await terminal.run("replay", ids[0], "--why", "try")
    assert failed.exit_code == 1, "for a script: not everything is well"
    assert "ZeroDivisionError: division by [zero]" in failed.stdout

    bench.probe.mended = True
    rehearsed = await terminal.json("replay", "--reason", Reason.HANDLER_FAILED, "--dry-run")
    assert [(row["id"], row["verdict"]) for row in rehearsed] == [(id, "handled") for id in ids[:3]]
    assert len(bench.mongo.rows("envelopes")) == 0

    assert [row["verdict"] for row in (await terminal.json("replay", ids[1], ids[0]))] == ["handled", "handled"]
    rest = await terminal.run("replay", "--all")
    assert rest.exit_code == 1
    assert [id in rest.stdout for id in ids] == [False, False, True, True], "what is closed is left alone"
    assert [bench.letter(id)["state"] for id in ids] == ["replayed", "replayed", "replayed", "open"]
    assert "refused" in (await terminal.run("replay", ids[0])).stdout
    assert bench.mongo.rows("envelopes").keys() == {"01", "02", "03"}
    assert {why for _, _, why in bench.entries()} == {"failed", "handled", "refused: not_open"}


async def test_discard_needs_a_reason(bench: Bench, terminal: Terminal) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    assert (await terminal.run("discard", letter_id)).exit_code == 2
    refused = await terminal.run("discard", letter_id, "--reason", " ")
    assert (refused.exit_code, "only with a reason" in refused.stderr) == (1, True)
    assert bench.letter(letter_id)["state"] == "open"


async def test_every_look_at_what_was_sent_is_recorded_before_it_is_given(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    await http.get(f"/dead-letters/{letter_id}", params={"why": "lỗi 12"})
    await http.get("/dead-letters")
    assert [(row["who"], row["what"], row["about"], row["why"]) for row in bench.mongo.all("personal_reads")] == [
        ("local:an", "dead_letter", letter_id, "lỗi 12"),
        ("local:an", "dead_letter", f"{letter_id}…{letter_id}", "list"),
    ]
    bench.mongo.unwritable = lambda collection, document: collection == "personal_reads"
    with pytest.raises(Exception, match="as ordered by the test"):
        await http.get(f"/dead-letters/{letter_id}")


async def test_a_closed_letter_is_erased_by_another_person_and_shown_with_its_hash(
    bench: Bench, http: httpx.AsyncClient, state: Path
) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    raw = bytes(bench.letter(letter_id)["value"])
    erase = Order(Action.ERASE, letter_id, "binh", "ministry", "gửi nhầm")
    told = [await http.post(f"/dead-letters/{letter_id}/erase", json={"why": "x"})]
    await bench.letters.replay(Order(Action.REPLAY, letter_id, "binh", "ministry", ""))  # fails again: closes nothing
    await http.post(f"/dead-letters/{letter_id}/discard", json={"why": "x"})
    told += [await http.post(f"/dead-letters/{letter_id}/erase", json=body) for body in ({"why": "x"}, {})]
    assert [(one.status_code, one.json()["code"]) for one in told] == [
        (409, "still_open"),
        (403, "same_person"),
        (422, "reason_missing"),
    ]
    assert bytes(bench.letter(letter_id)["value"]) == raw

    await bench.letters.erase(erase)
    bench.forget(letter_id)

    body = (await http.get(f"/dead-letters/{letter_id}")).json()
    assert (body["value"], body["headers"], body["preview"], body["detail"]) == (None, [], "", "")
    assert (body["state"], body["erased"]["by"]) == ("discarded", "binh")
    assert body["erased"]["sha256"] == hashlib.sha256(raw).hexdigest()
    assert [(one["action"], one["who"], one["result"]) for one in body["actions"]][-1] == ("erase", "binh", "erased")
    assert "ZeroDivisionError" not in str(bench.mongo.all("dead_letter_actions")), "what the fault said"
    kept = bench.letter(letter_id)
    await bench.letters.erase(erase)
    assert bench.letter(letter_id) == kept, "the same again"


@pytest.mark.parametrize(
    "closed_by", ["local:an", "an"], ids=["his local account", "his subject, under an older release"]
)
async def test_who_closed_a_letter_before_the_directory_knew_him_does_not_erase_it(
    bench: Bench, http: httpx.AsyncClient, closed_by: str
) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    await bench.letters.discard(Order(Action.DISCARD, letter_id, closed_by, "ministry", "x"))
    await store(bench.mongo, {PEOPLE.ref("p-an"): entered("p-an", "an")})

    answer = await http.post(f"/dead-letters/{letter_id}/erase", json={"why": "x"})

    assert (answer.status_code, answer.json()["code"]) == (403, "same_person")
    last = bench.mongo.all("dead_letter_actions")[-1]
    assert (last["who"], last["result"]) == ("p-an", "refused: same_person")


async def test_two_accounts_of_one_person_do_not_erase_a_letter(bench: Bench, state: Path) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    await store(bench.mongo, {PEOPLE.ref("p-an"): entered("p-an", "an", "an2")})
    async with serve(bench, state) as first, serve(bench, state, account="an2") as second:
        assert (await first.post(f"/dead-letters/{letter_id}/discard", json={"why": "x"})).status_code == 200
        answer = await second.post(f"/dead-letters/{letter_id}/erase", json={"why": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "same_person")


@pytest.mark.parametrize("role", ["province", "finance", "auditor"])
async def test_nobody_but_the_ministry_erases_a_letter(bench: Bench, state: Path, role: str) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    await bench.letters.discard(Order(Action.DISCARD, letter_id, "chi", "ministry", "x"))
    async with serve(bench, state, role, "01" if role == "province" else None) as stranger:
        answer = await stranger.post(f"/dead-letters/{letter_id}/erase", json={"why": "x"})
    assert answer.status_code == 403
    assert [entry[1] for entry in bench.entries()] == ["discard"]
