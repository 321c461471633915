"""A province appeals against a version of a result, another person of the ministry decides, and no figure moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from cli.output import Language
from cli.result_tree import render
from deploy.local.identity import Role, ensure_signing_key, issue_token, jwks_path
from services.notifications.decisions import Said
from services.notifications.decisions.appeals import STANDING_APPEALS, Made
from services.notifications.domain import appeal_decided_alert
from services.scoring import api
from services.scoring.decisions import RESULTS
from services.scoring.domain import EarlierAppeal, StandingVersion, check_appeal
from services.scoring.queries import migrate
from shared.answers.results import CommuneResult
from shared.contracts.facts import AppealDecided, AppealDecision, AppealFollows, AppealMade, RequestWithdrawn
from shared.messaging.decide.asking import STALE, Consumer, Due, Outcome
from shared.messaging.operate.personal import holdings
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.rulebook import HANOI, appeal_policy
from shared.web import build_app
from tests.fakes.known import Documents
from tests.unit.scoring_bench import NOW, Bench
from tests.unit.scoring_samples import RECEIVED_AT, UNIT, commune, targets
from tests.unit.test_notifications_handlers import alerts_of, cleared, handle
from tests.unit.test_scoring_http import bench
from tests.unit.wire import answered_by

__all__ = ["bench"]
DAY = timedelta(days=1)
DISMISS = {"upheld": False, "reason": "đã xét"}
UPHOLD = {"upheld": True, "follows": "correct", "reason": "cho nộp bản sửa"}


class Caller:
    """Somebody with a token."""

    def __init__(self, http: httpx.AsyncClient, folder: Path) -> None:
        self._http, self._folder = http, folder

    async def __call__(
        self, method: str, path: str, body: Any = None, account: str = "an", of: str | None = None, **query: Any
    ) -> httpx.Response:
        """Ask as an officer of a province, or of the ministry."""
        role: Role = "province" if of else "ministry"
        headers = self._told_by(account, role, of)
        return await self._http.request(method, path, json=body, params=query, headers=headers)

    def client(self, account: str, role: Role, of: str | None) -> httpx.AsyncClient:
        """For whoever sends requests himself."""
        return httpx.AsyncClient(
            transport=self._http._transport, base_url="http://test", headers=self._told_by(account, role, of)
        )

    def _told_by(self, account: str, role: Role, of: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue_token(self._folder, account, role, of)}"}


@pytest.fixture
async def ask(bench: Bench, tmp_path: Path) -> AsyncIterator[Caller]:
    """Scoring's API over that database, on the day after the results were published."""
    ensure_signing_key(tmp_path)
    settings = ServiceSettings(stage="local", kafka="127.0.0.1:1", mongo="unused", jwks=str(jwks_path(tmp_path)))
    consumer = Consumer("scoring", ("intake.accepted",), {})
    runtime = Runtime("scoring", settings, bench.mongo, consumer, migrate=migrate)
    bench.clock.moment = RECEIVED_AT + DAY
    runtime.clock, runtime.commands = bench.clock, bench.commands
    app = build_app(runtime, [api.router], title="Langhoc: scoring", provider=TracerProvider())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        yield Caller(http, tmp_path)


async def appeal(ask: Caller, id: str = "KN-1", account: str = "lan", **changes: Any) -> Any:
    """What an officer of Hà Nội is answered."""
    (result,) = (await ask("GET", f"/results/{UNIT}")).json()
    body = {
        "appeal_id": id, "series": "commune", "subject": UNIT, "period": result["period"],
        "result_version": result["version"], "result_hash": result["hash"], "reason": "thiếu minh chứng",
    }  # fmt: skip
    return _told(await ask("POST", "/appeals/01", body | changes, account, "01"))


async def post(ask: Caller, path: str, body: Any, account: str = "an", of: str | None = None) -> Any:
    return _told(await ask("POST", f"/appeals/01/{path}", body, account, of))


def _told(answer: Any) -> Any:
    """The appeal, or the codes with which it was refused."""
    body = answer.json()
    return body if answer.status_code == 200 else [each["code"] for each in body.get("problems") or [body]]


# ------------------------------------------------------------------------------------------------- an appeal's life


async def test_an_appeal_names_the_version_that_stands(bench: Bench, ask: Caller) -> None:
    assert await appeal(ask, result_version=2) == ["appeal_moved_on"]
    assert await appeal(ask, result_hash="other") == ["appeal_moved_on"]
    assert await appeal(ask, series="centre") == ["appeal_result_unknown"]
    made = await appeal(ask)
    assert (made["state"], made["newest_version"], made["made_by"]) == ("open", 1, "local:lan")
    assert await appeal(ask) == made, "the same again is answered alike"
    assert await appeal(ask, reason="khác") == ["release_id_reused"]
    assert await appeal(ask, "KN-2") == ["appeal_waits"]
    await bench.accept(commune(targets(0), version=2))
    await bench.settle()
    (listed,) = (await ask("GET", "/appeals", waiting="true")).json()["items"]
    assert (listed["state"], listed["result_version"], listed["newest_version"]) == ("open", 1, 2)


async def test_who_appealed_does_not_decide_and_the_result_tells_of_it(bench: Bench, ask: Caller) -> None:
    await appeal(ask)
    assert await post(ask, "KN-1/answer", DISMISS, "lan") == ["appeal_same_person"], "who has moved since"
    assert await post(ask, "KN-1/answer", UPHOLD | {"follows": None}) == ["appeal_follows"]
    assert await post(ask, "KN-1/answer", DISMISS | {"follows": "correct"}) == ["appeal_follows"]
    before = bench.mongo.rows(RESULTS.name).copy()
    decided = await post(ask, "KN-1/answer", UPHOLD)
    assert (decided["state"], decided["decision"]["follows"]) == ("upheld", "correct")
    assert await post(ask, "KN-1/answer", UPHOLD) == decided
    assert await post(ask, "KN-1/answer", DISMISS) == ["appeal_decided"]
    assert await appeal(ask, "KN-2") == ["appeal_final"]
    assert bench.mongo.rows(RESULTS.name) == before, "no figure moves"
    (result,) = (await ask("GET", f"/results/{UNIT}")).json()
    (told,) = result["appeals"]
    assert (told["appeal_id"], told["state"], told["follows"]) == ("KN-1", "upheld", "correct")
    assert render(CommuneResult.model_validate(result), Language.VI)


async def test_an_appeal_is_withdrawn_and_made_anew(ask: Caller) -> None:
    await appeal(ask)
    gone = await post(ask, "KN-1/withdraw", {"reason": "thôi"}, "lan", "01")
    assert gone["state"] == "withdrawn"
    assert await post(ask, "KN-1/withdraw", {"reason": "thôi"}, "lan", "01") == gone
    assert await post(ask, "KN-1/answer", DISMISS) == ["appeal_withdrawn"]
    assert (await appeal(ask, "KN-2"))["state"] == "open"
    assert await post(ask, "KN-9/answer", DISMISS) == ["not_found"]


async def test_a_name_that_somebody_wrote_into_a_reason_is_found(bench: Bench, ask: Caller) -> None:
    await appeal(ask, reason="bà Nguyễn Thị Lan chấm sai")
    assert "appeals" in {one.collection async for one in holdings(bench.mongo, "Nguyễn Thị Lan")}


async def test_the_term_runs_from_the_version_that_stands(bench: Bench, ask: Caller) -> None:
    row = next(row for id, row in bench.mongo.rows(RESULTS.name).items() if id.startswith(UNIT))
    published = RESULTS.read(row).published_at
    assert published is not None
    days = appeal_policy(published.astimezone(HANOI).date()).made.within_days
    end = datetime.combine(published.astimezone(HANOI).date() + timedelta(days=days + 1), datetime.min.time(), HANOI)
    policy, standing = appeal_policy(NOW.date()), StandingVersion(3, "h", published)

    def codes(at: datetime, standing: StandingVersion = standing, *earlier: EarlierAppeal) -> list[str]:
        return [one.code for one in check_appeal((3, "h"), standing, [*earlier], policy, at)]

    assert codes(end - timedelta(seconds=1)) == []
    assert codes(end) == ["appeal_too_late"]
    assert codes(end + 999 * DAY, standing._replace(published_at=None)) == [], "who does not know shuts nobody out"
    assert codes(published, standing, EarlierAppeal("KN-0", 2, withdrawn=False, decided=True)) == [], "a later version"


# ------------------------------------------------------------------------------------------------------ the alerts

AT = datetime(2026, 3, 5, 2, tzinfo=UTC)
DECIDE_BY = datetime(2026, 4, 4, 17, tzinfo=UTC)
MADE: dict[str, Any] = {
    "appeal_id": "KN-1", "version": 1, "province": "08", "series": "commune", "subject": "00691@2025-07",
    "name": "Xã A", "period": 2025, "result_version": 1, "result_hash": "h", "reason": "Số liệu cũ.", "made_by": "lan",
    "made_at": AT, "decide_by": DECIDE_BY,
}  # fmt: skip
WITHDRAWN = RequestWithdrawn(reason="thôi", withdrawn_by="lan", withdrawn_at=AT + DAY)


def made(**changes: Any) -> AppealMade:
    return AppealMade(**MADE | changes)


def decided(follows: AppealFollows | None) -> AppealDecided:
    """On the day after."""
    decision = AppealDecision(
        upheld=follows is not None, follows=follows, reason="Đã xem.", decided_by="an", decided_at=AT + DAY
    )
    return AppealDecided(**MADE | {"version": 2, "decision": decision})


def told(states: Documents, at: datetime = AT) -> Outcome:
    """What is said when a burst is over."""
    return states.run(STANDING_APPEALS.decide, Due(Made("08", "KN-1"), at), at)


def test_while_it_waits_the_ministry_is_told_and_again_when_it_is_overdue() -> None:
    states = Documents()
    handle(states, made())
    (first,) = alerts_of(told(states))
    assert (first.audience, first.kind, first.severity, first.due) == ("ministry", "appeal_made", "warning", DECIDE_BY)
    assert told(states, DECIDE_BY - timedelta(seconds=1)).events == []
    (again,) = alerts_of(told(states, DECIDE_BY))
    assert (again.alert_id, again.version, again.severity) == (first.alert_id, 2, "urgent")
    assert "overdue since 2026-04-05 00:00" in again.text.en
    handle(states, decided(None), id="e-2")
    assert len(cleared(told(states, DECIDE_BY))) == 1
    assert handle(states, decided(None), id="e-3").verdict == STALE


@pytest.mark.parametrize("end", [decided("reopen"), decided(None), made(version=2, withdrawn=WITHDRAWN)])
@pytest.mark.parametrize("order", list(permutations([0, 1])))
def test_it_stands_no_more_when_it_is_over_whatever_came_first(end: AppealMade, order: tuple[int, ...]) -> None:
    states = Documents()
    for place in order:
        handle(states, [made(), end][place], id=f"e-{place}")
        told(states)
    stand = [one.alert_id for one in states.values() if isinstance(one, Said) and one.cleared_at is None]
    assert stand == (["appeal_decided/08/KN-1"] if isinstance(end, AppealDecided) else [])


@pytest.mark.parametrize(
    ("follows", "action"),
    [
        ("correct", "File a correction"),
        ("reopen", "opens the period for this subject"),
        ("recompute", "nothing is to be sent"),
        (None, "stays as it is"),
    ],
)
def test_the_answer_says_what_follows(follows: AppealFollows | None, action: str) -> None:
    alert = appeal_decided_alert(decided(follows), "e-1", AT)
    assert alert.audience == "08"
    assert action in alert.action.en
    assert alert.text.vi == (
        f"Bộ {'chấp nhận' if follows else 'bác'} đề nghị KN-1 xem xét lại kết quả (đánh giá cộng đồng học tập cấp xã, "
        "Xã A (00691@2025-07), kỳ 2025, phiên bản 1). Người quyết định: an. Lý do: Đã xem."
    )


# ------------------------------------------------------------------------------------------------ the command


@pytest.fixture
def run(ask: Caller, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the command does; a province's orders are given by another account than the ministry's."""
    monkeypatch.setenv("COLUMNS", "160")

    def reached(account: str | None, role: str, province: str | None) -> httpx.AsyncClient:
        return ask.client(role, "province" if role == "province" else "ministry", province)

    async def run(*arguments: str) -> Result:
        answered_by(monkeypatch, scoring=reached)
        with structlog.testing.capture_logs():
            return await asyncio.to_thread(CliRunner().invoke, langhoc, ["appeals", *arguments])

    return run


async def test_the_command_asks_decides_and_lists(bench: Bench, run: Any) -> None:
    assert "Không có đề nghị nào." in (await run()).output
    for id in ("KN-1", "KN-2", "KN-3"):
        said = ("--period", "2025", "--why", "thiếu minh chứng", "--id", id, "--lang", "en")
        asked = await run("ask", UNIT, "-p", "01", *said)
        assert asked.exit_code == 0, asked.output
        assert "waits" in asked.output
        about = (id, "-p", "01", "--format", "json")
        done = {
            "KN-1": ("dismiss", *about, "--why", "đã xét"),
            "KN-2": ("withdraw", *about, "--why", "thôi"),
            "KN-3": ("uphold", *about, "--follows", "correct", "--why", "cho nộp bản sửa"),
        }[id]
        decided = await run(*done)
        assert decided.exit_code == 0, decided.output
        await bench.accept(commune(targets(0), version=int(id[-1]) + 1))
        await bench.settle()
    told = json.loads((await run("--format", "json")).output)
    assert [(one["appeal_id"], one["state"]) for one in told] == [
        ("KN-1", "dismissed"),
        ("KN-2", "withdrawn"),
        ("KN-3", "upheld"),
    ]
    assert "KN-1" not in (await run("--waiting")).output
    unknown = await run("uphold", "KN-9", "-p", "01", "--follows", "correct", "--why", "x")
    assert (unknown.exit_code, "KN-9" in unknown.output) == (1, True)
