"""The same look-alikes at the rules of the platform itself that ask for a second person: erasing what was sent, or who
somebody was, giving rights, erasing a dead letter, and releasing rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from deploy.local.identity import ensure_signing_key
from services.intake import api
from services.scoring import api as scoring_api
from shared import local_accounts
from shared.messaging.clock import BusinessClock
from shared.messaging.decide.people import PEOPLE
from shared.web import dead_letters, problems
from tests import probe
from tests.fakes.memory import MemoryMongo
from tests.fakes.stored import store
from tests.fakes.trust import local_operator, local_verifier, signed, verifier_of
from tests.hostile.test_persons import every_input
from tests.unit import scoring_bench
from tests.unit.intake_bench import Bench
from tests.unit.test_erasing import rejected
from tests.unit.test_rules_desk import FILES

WHY = {"why": "đã xem"}
LEFT = {
    "person_id": "p-lan",
    "name": "Nguyễn Thị Lan",
    "assignment": {"role": "finance", "first_day": "2020-01-05", "last_day": "2020-12-31"},
}
NEW = LEFT | {"person_id": "p-hoa", "name": "Lê Hoa"}


@dataclass
class Waiting:
    """Something that `an` has ordered or closed, and another person has to confirm or erase."""

    folder: Path
    mongo: MemoryMongo
    app: FastAPI
    path: str
    body: dict[str, Any] = field(default_factory=lambda: dict(WHY))

    async def sent(self, path: str, body: Any, **claims: Any) -> httpx.Response:
        """An order with a token that says so."""
        token = signed(self.folder, role="ministry", **{"iss": local_accounts.ISSUER, **claims})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test") as client:
            return await client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})

    def contents(self) -> dict[str, list[Any]]:
        """All that is stored."""
        return {name: self.mongo.all(name) for name in self.mongo.collections}


def served(folder: Path, mongo: MemoryMongo, runtime: Any, router: Any) -> FastAPI:
    app = FastAPI()
    app.state.verifier = local_verifier(folder, mongo, BusinessClock())
    app.state.mongo, app.state.runtime = mongo, runtime
    problems.install(app)
    app.include_router(router)
    return app


async def intake(folder: Path, *orders: tuple[str, dict[str, Any]], path: str) -> Waiting:
    bench = Bench(folder)
    receipt_id = await rejected(bench)
    waiting = Waiting(folder, bench.mongo, served(folder, bench.mongo, bench.runtime, api.router), path)
    for number, (to, body) in enumerate(orders, 1):
        receipts = {"receipts": [receipt_id]} if body.get("receipts") else {}
        answer = await waiting.sent(to, {"order_id": f"o-{number}", **body, **receipts}, sub="an")
        assert answer.status_code == 200, answer.text
        if number < len(orders):
            confirm = f"/people-orders/o-{number}/confirm"
            assert (await waiting.sent(confirm, WHY, sub="binh")).status_code == 200
    return waiting


async def upload(folder: Path) -> Waiting:
    return await intake(folder, ("/erasures", {"receipts": ["its own"], "why": "x"}), path="/erasures/o-1/confirm")


async def officer(folder: Path) -> Waiting:
    erase = {"person": "p-lan", "why": "x"}
    return await intake(folder, ("/people", LEFT | {"reason": "x"}), ("/erasures", erase), path="/erasures/o-2/confirm")


async def rights(folder: Path) -> Waiting:
    return await intake(folder, ("/people", NEW | {"reason": "x"}), path="/people-orders/o-1/confirm")


async def account(folder: Path) -> Waiting:
    named = {"account": {"issuer": local_accounts.ISSUER, "subject": "lan"}, "reason": "x"}
    return await intake(
        folder,
        ("/people", LEFT | {"reason": "x"}),
        ("/people/p-lan/accounts", named),
        path="/people-orders/o-2/confirm",
    )


async def letter(folder: Path) -> Waiting:
    ensure_signing_key(folder)
    bench = probe.Bench()
    (letter_id,) = await bench.bury(bench.probe.record(7, probe.POISON))
    app = served(folder, bench.mongo, SimpleNamespace(letters=bench.letters), dead_letters.router)
    waiting = Waiting(folder, bench.mongo, app, f"/dead-letters/{letter_id}/erase")
    assert (await waiting.sent(f"/dead-letters/{letter_id}/discard", WHY, sub="an")).status_code == 200
    return waiting


async def rules(folder: Path) -> Waiting:
    ensure_signing_key(folder)
    bench = await scoring_bench.Bench().start()
    runtime = SimpleNamespace(commands=bench.commands, clock=bench.clock)
    app = served(folder, bench.mongo, runtime, scoring_api.router)
    waiting = Waiting(folder, bench.mongo, app, "/rule-proposals/o-1/release")
    proposed = await waiting.sent("/rule-proposals", {"id": "o-1", "files": FILES["order"], "why": "đã ký"}, sub="an")
    waiting.body["digest"] = proposed.json()["digest"]
    return waiting


RULES: list[Callable[[Path], Any]] = [upload, officer, rights, account, letter, rules]


@pytest.fixture(scope="module", params=RULES, ids=lambda made: made.__name__)
async def waiting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Waiting:
    made: Waiting = await request.param(tmp_path_factory.mktemp("state"))
    return made


@every_input
async def test_a_look_alike_is_nobody_on_a_platform_of_ones_own(given: dict[str, Any], waiting: Waiting) -> None:
    before = waiting.contents()
    answer = await waiting.sent(waiting.path, waiting.body, sub=given["subject"])
    assert answer.status_code == given["must"], answer.text
    assert waiting.contents() == before


@every_input
async def test_a_look_alike_is_nobody_where_there_is_a_directory(given: dict[str, Any], waiting: Waiting) -> None:
    local = waiting.app.state.verifier
    await store(waiting.mongo, {PEOPLE.ref("p-an"): local_operator("p-an", "an")})
    waiting.app.state.verifier = verifier_of(waiting.folder, waiting.mongo, BusinessClock(), local_accounts.ISSUER)
    before = waiting.contents()
    try:
        answer = await waiting.sent(waiting.path, waiting.body, sub=given["subject"])
        assert answer.status_code in (401, 403), answer.text
        assert waiting.contents() == before
    finally:
        waiting.app.state.verifier = local
        waiting.mongo.rows("people").pop("p-an")


@pytest.mark.parametrize("made", RULES, ids=lambda made: made.__name__)
async def test_the_rule_is_reached_and_another_person_is_taken(made: Callable[[Path], Any], tmp_path: Path) -> None:
    """Else the look-alikes would be refused for something else."""
    waiting: Waiting = await made(tmp_path)
    himself = await waiting.sent(waiting.path, waiting.body, sub="an")
    said = himself.json()
    assert "same_person" in [said["code"], *(one["code"] for one in said.get("problems", ()))], said
    await store(waiting.mongo, {PEOPLE.ref("p-an"): local_operator("p-an", "an")})
    himself = await waiting.sent(waiting.path, waiting.body, sub="an")
    said = himself.json()
    assert "same_person" in [said["code"], *(one["code"] for one in said.get("problems", ()))], said
    assert (await waiting.sent(waiting.path, waiting.body, sub="binh")).status_code == 200
