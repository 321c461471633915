"""A province asks for late acceptance, another person of the ministry decides, and what is granted is opened alone."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from services.intake.decisions.documents import REOPENED
from services.intake.domain import refused_for_closing
from services.intake.domain.late_requests import MOST_OPEN, Refused
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt
from shared.contracts.submissions import EnvelopeSubmitted, SupportSubmitted
from shared.messaging.operate.personal import holdings
from shared.rulebook import HANOI, closing, request_policy
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import assessment, commune, recognition, registration
from tests.unit.test_receipts import send
from tests.unit.wire import answered_by

CLOSED = closing("commune", 2025).at
DAY = timedelta(days=1)
NOW = CLOSED + DAY
UNTIL = (NOW + 10 * DAY).isoformat()
GRANT = {"granted": True, "until": UNTIL, "reason": "có xác nhận"}
REFUSE = {"granted": False, "reason": "không có căn cứ"}


class Clock(Still):
    """A clock that is set."""

    def set(self, moment: datetime) -> None:
        self._moment = moment


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def bench(tmp_path: Path, clock: Clock) -> Bench:
    return Bench(tmp_path, clock)


async def refused(bench: Bench, code: str = "00004", at: datetime = NOW, **changes: Any) -> Receipt:
    """A file of Hà Nội that comes too late."""
    sent = commune(**{"submission_id": f"S/{code}/{at:%m-%d}", "unit_code": code} | changes)
    return await send(bench, EventType.COMMUNE_SUBMITTED, sent, at=at)


async def ask(bench: Bench, receipt: Receipt, id: str = "YC-1", **how: Any) -> Any:
    """What an officer of Hà Nội is answered."""
    async with bench.http("province", "01", account=how.pop("account", "lan")) as http:
        said = {"request_id": id, "receipt_id": receipt.receipt_id, "reason": "lũ quét"} | how
        return _told(await http.post("/late-requests/01", json=said))


async def post(bench: Bench, path: str, body: Any, account: str = "an", province: str | None = None) -> Any:
    async with bench.http("province" if province else "ministry", province, account=account) as http:
        return _told(await http.post(f"/late-requests/{path}", json=body))


def _told(answer: Any) -> Any:
    """The request, or the codes with which it was refused."""
    body = answer.json()
    return body if answer.status_code == 200 else [each["code"] for each in body.get("problems") or [body]]


async def listed(bench: Bench, role: Any = "ministry", province: str | None = None, **asked: Any) -> list[str]:
    async with bench.http(role, province) as http:
        answer = await http.get("/late-requests", params=asked)
    return [f"{one['request_id']} {one['state']}" for one in answer.json()["items"]]


# -------------------------------------------------------------------------------------------- a request's life


async def test_what_is_granted_is_an_order_that_opens_this_subject_alone(bench: Bench) -> None:
    receipt = await refused(bench)
    assert receipt.status is Status.REJECTED
    asked = await ask(bench, receipt)
    assert (asked["what"], asked["period"], asked["subject"], asked["state"]) == ("commune", 2025, "00004", "open")
    assert asked["requested_by"] == "local:lan"
    days = request_policy(NOW.date()).late.within_days
    assert datetime.fromisoformat(asked["decide_by"]) == CLOSED + (days + 2) * DAY, "the last day counts to its end"
    granted = await post(bench, "01/YC-1/answer", GRANT)
    assert (granted["state"], granted["decision"]["decided_by"]) == ("granted", "local:an")
    assert (await refused(bench, at=NOW + DAY)).status is Status.ACCEPTED_LATE
    assert (await refused(bench, "00008", at=NOW + DAY)).status is Status.REJECTED
    facts = bench.events("intake.accepted")
    assert [one.get("order_id") or one["request_id"] for one in facts[:3]] == ["YC-1", "late/01/YC-1", "YC-1"]
    assert [one["version"] for one in facts[:3]] == [1, 1, 2]


async def test_an_answer_is_one_persons_and_not_of_who_asked(bench: Bench) -> None:
    receipt = await refused(bench)
    await ask(bench, receipt, account="an")  # who has moved to the ministry since
    assert await post(bench, "01/YC-1/answer", GRANT, account="an") == ["request_same_person"]
    decided = await post(bench, "01/YC-1/answer", REFUSE, account="binh")
    assert decided["state"] == "refused"
    assert await post(bench, "01/YC-1/answer", REFUSE, account="binh") == decided, "the same again is answered alike"
    assert await post(bench, "01/YC-1/answer", REFUSE, account="hai") == ["request_decided"]
    assert await post(bench, "01/YC-1/answer", GRANT, account="binh") == ["request_decided"]
    assert len(bench.events("intake.accepted")) == 2
    assert (await ask(bench, receipt, "YC-2"))["state"] == "open", "it may ask again"


async def test_nobodys_answer_grants_and_refuses_nothing(bench: Bench, clock: Clock) -> None:
    asked = await ask(bench, await refused(bench))
    end = datetime.fromisoformat(asked["decide_by"])
    for at, state in ((end - timedelta(seconds=1), "open"), (end, "overdue"), (end + 300 * DAY, "overdue")):
        clock.set(at)
        assert await listed(bench, waiting="true") == [f"YC-1 {state}"]
    until = (end + 310 * DAY).isoformat()
    assert (await post(bench, "01/YC-1/answer", GRANT | {"until": until}))["state"] == "granted", "late, but decided"


async def test_a_request_is_taken_back_and_a_grant_revoked(bench: Bench) -> None:
    receipt = await refused(bench)
    await ask(bench, receipt)
    gone = await post(bench, "01/YC-1/withdraw", {"reason": "thôi"}, "lan", "01")
    assert (gone["state"], gone["withdrawn"]["withdrawn_by"]) == ("withdrawn", "local:lan")
    assert await post(bench, "01/YC-1/withdraw", {"reason": "thôi"}, "lan", "01") == gone
    assert await post(bench, "01/YC-1/answer", GRANT) == ["request_withdrawn"]
    await ask(bench, receipt, "YC-2")
    order = (await post(bench, "01/YC-2/answer", GRANT))["decision"]["order_id"]
    async with bench.http() as http:
        assert (await http.post(f"/periods/reopenings/{order}/end", json={"reason": "thu hồi"})).status_code == 200
    assert await listed(bench) == ["YC-1 withdrawn", "YC-2 over"]
    assert await listed(bench, waiting="true") == []
    assert (await refused(bench, at=NOW + DAY)).status is Status.REJECTED


async def test_an_order_that_the_grant_would_lead_to_must_be_sound(bench: Bench) -> None:
    await ask(bench, await refused(bench))
    too_long = (NOW + 400 * DAY).isoformat()
    assert await post(bench, "01/YC-1/answer", GRANT | {"until": too_long}) == ["reopening_too_long"]
    assert await post(bench, "01/YC-1/answer", GRANT | {"until": None}) == ["request_until"]
    assert await post(bench, "01/YC-1/answer", REFUSE | {"until": UNTIL}) == ["request_until"]
    assert await listed(bench) == ["YC-1 open"], "nothing of it was done"


async def test_grants_of_single_files_leave_room_for_orders_of_a_wider_scope(bench: Bench) -> None:
    """A late file looks at the orders that may be about it, not at those of every other commune of the nation."""
    for number, code in enumerate(("00004", "00008", "00025")):
        await ask(bench, await refused(bench, code), f"YC-{number}")
        await post(bench, f"01/YC-{number}/answer", GRANT)
    assert REOPENED.ref("commune", 2025).id not in bench.mongo.rows("reopened")
    assert bench.mongo.rows("reopened")[REOPENED.ref("commune", 2025, "01", "00004").id]["orders"] == ["late/01/YC-0"]


# -------------------------------------------------------------------------------------------- what can be asked


async def test_what_was_not_refused_for_its_period_is_not_asked_for(bench: Bench) -> None:
    taken = await refused(bench, at=CLOSED - DAY)
    assert taken.status is Status.ACCEPTED_LATE
    assert await ask(bench, taken) == ["request_without_closing"]
    receipt = await refused(bench, "00008")
    assert await ask(bench, receipt, receipt_id="none") == ["request_receipt_unknown"]
    async with bench.http("province", "04", account="son") as http:
        said = {"request_id": "YC-1", "receipt_id": receipt.receipt_id, "reason": "x"}
        assert _told(await http.post("/late-requests/04", json=said)) == ["request_receipt_unknown"]
        assert _told(await http.post("/late-requests/01", json=said)) == ["other_province"]


async def test_the_same_is_asked_once_and_what_is_open_not_at_all(bench: Bench) -> None:
    receipt, other = await refused(bench), await refused(bench, "00008")
    first = await ask(bench, receipt)
    assert await ask(bench, receipt) == first
    assert await ask(bench, receipt, reason="khác") == ["order_id_reused"]
    assert await ask(bench, receipt, "YC-2") == ["request_waits"]
    assert (await ask(bench, other, "YC-2"))["state"] == "open"
    await post(bench, "01/YC-1/answer", GRANT)
    assert await ask(bench, receipt, "YC-3") == ["request_needless"]


async def test_a_province_has_a_bounded_number_of_requests_that_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_OPEN >= 100
    monkeypatch.setattr("services.intake.domain.late_requests.MOST_OPEN", 1)
    await ask(bench, await refused(bench))
    assert await ask(bench, await refused(bench, "00008"), "YC-2") == ["too_many_late_requests"]


async def test_every_kind_whose_period_closes_can_be_asked_for(bench: Bench) -> None:
    late = datetime(2031, 6, 1, tzinfo=HANOI)
    sent: list[tuple[EventType, Any, Refused | None]] = [
        (EventType.COMMUNE_SUBMITTED, commune(), Refused("commune", 2025, "00004")),
        (
            EventType.ASSESSMENT_SUBMITTED,
            assessment("universal_education", "00004", 2025),
            Refused("universal_education", 2025, "00004"),
        ),
        (
            EventType.ENVELOPE_SUBMITTED,
            EnvelopeSubmitted(submission_id="E", year=2026, amount=1),
            Refused("envelope", 2026, None),
        ),
        (
            EventType.SUPPORT_SUBMITTED,
            SupportSubmitted(submission_id="P", centre_id="C-1", year=2025, amount=1),
            Refused("support", 2025, "C-1"),
        ),
        (EventType.RECOGNITION_SUBMITTED, recognition(), None),
        (EventType.CENTRE_REGISTERED, registration(), None),
    ]
    for type_, data, expected in sent:
        assert refused_for_closing(await send(bench, type_, data, at=late)) == expected


# -------------------------------------------------------------------------------------------- who may see it


async def test_a_province_sees_its_own_requests(bench: Bench) -> None:
    await ask(bench, await refused(bench))
    assert await listed(bench, "province", "01") == ["YC-1 open"]
    assert await listed(bench, "province", "04") == []
    assert await listed(bench, "auditor", province="01", period="2025") == ["YC-1 open"]
    assert await listed(bench, "auditor", period="2024") == []
    for role, of in (("finance", None), ("auditor", None), ("ministry", None)):
        async with bench.http(role, of) as http:  # type: ignore[arg-type]
            said = {"request_id": "YC-2", "receipt_id": "x", "reason": "x"}
            assert (await http.post("/late-requests/01", json=said)).status_code == 403


async def test_a_name_that_somebody_wrote_into_a_reason_is_found(bench: Bench) -> None:
    await ask(bench, await refused(bench), reason="bà Nguyễn Thị Lan nghỉ ốm")
    await post(bench, "01/YC-1/answer", GRANT | {"reason": "theo đơn của Nguyễn Thị Lan"})
    found = {one.collection async for one in holdings(bench.mongo, "Nguyễn Thị Lan")}
    assert {"late_requests", "reopenings"} <= found


# ------------------------------------------------------------------------------------------------ the command


async def run(bench: Bench, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    """What the command does; a province's orders are given by another account than the ministry's."""
    monkeypatch.setenv("COLUMNS", "160")
    answered_by(
        monkeypatch,
        intake=lambda account, role, province: bench.http(role, province, account=role),  # type: ignore[arg-type]
    )
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, ["late", *arguments])


async def test_the_command_asks_decides_and_lists(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Không có đề nghị nào." in (await run(bench, monkeypatch)).output
    for id, code in (("YC-1", "00004"), ("YC-2", "00008"), ("YC-3", "00025")):
        receipt = await refused(bench, code)
        asked = await run(bench, monkeypatch, "ask", receipt.receipt_id, "-p", "01", "--why", "lũ quét", "--id", id)
        assert asked.exit_code == 0, asked.output
        assert "chờ trả lời" in asked.output
    decided = await run(
        bench, monkeypatch, "grant", "YC-1", "-p", "01", "--until", "2027-01-19", "--why", "đủ", "--lang", "en"
    )
    assert decided.exit_code == 0, decided.output
    assert all(word in decided.output for word in ("granted", "2027-01-19", "2027-02-01", "local:")), decided.output
    assert (await run(bench, monkeypatch, "refuse", "YC-2", "-p", "01", "--why", "không")).exit_code == 0
    assert (await run(bench, monkeypatch, "withdraw", "YC-3", "-p", "01", "--why", "thôi")).exit_code == 0
    told = json.loads((await run(bench, monkeypatch, "--format", "json")).output)
    assert [one["state"] for one in told] == ["granted", "refused", "withdrawn"]
    assert "YC-1" not in (await run(bench, monkeypatch, "--waiting")).output
    csv = (await run(bench, monkeypatch, "--format", "csv")).output
    assert "late/01/YC-1" in csv
