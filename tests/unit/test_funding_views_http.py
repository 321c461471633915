"""What if, and support beside results, as people reach them: over HTTP and on the command line."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from deploy.local.identity import ensure_signing_key, issue_token
from services.funding.api import views
from shared.contracts.bounds import MOST
from shared.messaging.clock import BusinessClock
from shared.rulebook.source import DATA
from shared.web import problems
from tests.fakes.memory import MemoryMongo
from tests.fakes.trust import local_verifier
from tests.unit.test_funding_proposal import centre, score, support
from tests.unit.wire import answered_by

POLICY = (DATA / "funding_policy.yaml").read_text(encoding="utf-8")


async def province() -> MemoryMongo:
    """Two centres of Region I and one of Region III; the first did well with little, the second badly with much."""
    mongo = MemoryMongo()
    centres = [centre("c-1"), centre("c-2"), centre("c-3", area_class="region_3")]
    scores = [score("c-1", "tot", total="91"), score("c-2", "yeu", total="40"), score("c-3", "kha", total="70")]
    scores += [score("c-1", "kha", period=2024, total="70")]
    supports = [support("c-1", 22_000_000), support("c-2", 30_000_000), support("c-3", 28_000_000)]
    supports += [support("c-1", 21_000_000, year=2024)]
    worked = {
        "centre_id": "c-1",
        "period": 2025,
        "version": 1,
        "classes": 68,
        "attendances": 6_850,
        "active_months": 10,
    }
    await mongo.insert("activities", [{"_id": "c-1/2025", "_rev": 1, **worked}])
    envelope = {**centre("x"), "year": 2026, "purpose": "operating", "amount": 84_000_000}
    await mongo.insert("centres", [{"_id": one["centre_id"], "_rev": 1, **one} for one in centres])
    await mongo.insert("scores", [{"_id": f"{one['centre_id']}/{one['period']}", "_rev": 1, **one} for one in scores])
    await mongo.insert("supports", [{"_id": f"{one['centre_id']}/{one['year']}", "_rev": 1, **one} for one in supports])
    await mongo.insert("envelopes", [{"_id": "04/2026", "_rev": 1, **envelope}])
    mongo.seal()
    return mongo


class Desk:
    """The views' HTTP side, and a terminal on it."""

    def __init__(self, mongo: MemoryMongo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        ensure_signing_key(folder)
        self.mongo, self.folder = mongo, folder
        app = FastAPI()
        app.state.verifier = local_verifier(folder, mongo, BusinessClock())
        app.state.mongo = mongo
        app.state.runtime = SimpleNamespace(clock=BusinessClock())
        problems.install(app)
        app.include_router(views.router)
        self._transport = httpx.ASGITransport(app)
        token = issue_token(folder, "an", "ministry")
        headers = {"Authorization": f"Bearer {token}"}
        answered_by(
            monkeypatch,
            funding=httpx.AsyncClient(transport=self._transport, base_url="http://funding", headers=headers),
        )

    async def ask(self, method: str, path: str, *, role: Any = "ministry", of: str | None = None, **more: Any) -> Any:
        """One request by somebody of this role."""
        token = issue_token(self.folder, "an", role, of)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=self._transport, base_url="http://funding", headers=headers) as client:
            return await client.request(method, path, **more)

    async def run(self, *arguments: str) -> Result:
        """A command at the terminal."""
        return await asyncio.to_thread(CliRunner(env={"COLUMNS": "140"}).invoke, langhoc, list(arguments))


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(await province(), tmp_path, monkeypatch)


def _added_up(found: dict[str, Any]) -> None:
    for side in ("before", "after"):
        total = sum(one[side] or 0 for one in found["changes"])
        assert total == found[side]["allocated"] == sum(area[side] for area in found["by_area_class"])
        assert found[side]["besides"] + found[side]["allocated"] + found[side]["reserve"] == found[side]["envelope"]


async def test_a_smaller_envelope_is_tried_and_nothing_is_written(desk: Desk) -> None:
    before = {name: desk.mongo.all(name) for name in ("envelopes", "allocations", "runs", "outbox", "commands")}
    answer = await desk.ask("POST", "/simulations/04", json={"year": 2026, "envelope": 60_000_000})
    found = answer.json()
    assert (found["before"]["envelope"], found["after"]["envelope"]) == (84_000_000, 60_000_000)
    assert found["after"]["case"] == "below_legal_minimum"
    assert found["losers"] == 3
    _added_up(found)
    assert {name: desk.mongo.all(name) for name in before} == before


async def test_another_policy_moves_money_between_the_same_centres(desk: Desk) -> None:
    flat = POLICY.replace(
        "{tot: 1.25, kha: 1.00, trung_binh: 0.75, yeu: 0.50}", "{tot: 1, kha: 1, trung_binh: 1, yeu: 1}"
    )
    assert flat != POLICY
    found = (await desk.ask("POST", "/simulations/04", json={"year": 2026, "policy": flat})).json()
    _added_up(found)
    changes = {one["centre_id"]: one["outcome"] for one in found["changes"]}
    assert changes["c-2"] == "gains", "the weak centre loses nothing by its grade any more"
    assert found["before"]["envelope"] == found["after"]["envelope"]
    assert found["before"]["gini"] != found["after"]["gini"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda text: text.replace("    step: 1\n", "    step: 0\n"), "step"),
        (lambda text: text.replace("fall: 0.15", "fall: 1.5"), "fall"),
        (lambda text: text.replace("versions:", "version:"), ""),
        (lambda text: text + "\n\tnonsense", ""),
    ],
)
async def test_a_policy_that_cannot_be_used_is_refused_with_its_place(
    desk: Desk, change: Callable[[str], str], place: str
) -> None:
    assert change(POLICY) != POLICY
    answer = await desk.ask("POST", "/simulations/04", json={"year": 2026, "policy": change(POLICY)})
    assert (answer.status_code, answer.json()["code"]) == (422, "policy_unusable")
    problem = answer.json()["problems"][0]
    assert place in problem["field"]
    assert problem["mend"]["vi"]
    assert problem["mend"]["en"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace("tot: 1.25", "tot: 1.0e+999999999", 1), "number_too_long"),
        (lambda text: text.replace("tot: 1.25", f"tot: 1.{'0' * 5_000}", 1), "number_too_long"),
        (lambda text: text + "\nkeys: {" + ", ".join(f"k{n}: 1" for n in range(15_000)) + "}", "too_many_values"),
        (lambda text: text + "\n" + "".join(f"{' ' * n}a:\n" for n in range(600)), "too_deep"),
        (lambda text: text + "#" * 200_000, "file_too_large"),
    ],
)
async def test_a_policy_that_asks_for_too_much_is_refused_before_anything_is_made_of_it(
    desk: Desk, change: Callable[[str], str], code: str
) -> None:
    answer = await desk.ask("POST", "/simulations/04", json={"year": 2026, "policy": change(POLICY)})
    assert (answer.status_code, answer.json()["code"]) == (422, "policy_unusable")
    (problem,) = answer.json()["problems"]
    assert problem["code"] == code
    assert all(problem[part][language] for part in ("message", "expected", "mend") for language in ("vi", "en"))


async def test_of_very_many_faults_the_first_are_named_and_the_others_counted(desk: Desk) -> None:
    policy = POLICY + "".join(f"key_{n}: 1\n" for n in range(MOST + 7))
    answer = (await desk.ask("POST", "/simulations/04", json={"year": 2026, "policy": policy})).json()
    assert (len(answer["problems"]), answer["more_problems"]) == (MOST, 7)


class Long:
    """Simulations that last until they are let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.running = threading.Event(), threading.Semaphore(0)
        answer = views._answer

        def waiting(*given: Any) -> Any:
            self.running.release()
            assert self.go.wait(20)
            return answer(*given)

        monkeypatch.setattr(views, "_answer", waiting)

    async def are_running(self, count: int) -> None:
        """Until so many have begun."""
        for _ in range(count):
            assert await asyncio.to_thread(self.running.acquire, timeout=20)


async def test_simulations_run_beside_the_loop_and_only_some_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Long(monkeypatch)
    tried = [asyncio.create_task(desk.ask("POST", "/simulations/04", json={"year": 2026})) for _ in range(2)]
    await long.are_running(2)
    refused = await desk.ask("POST", "/simulations/04", json={"year": 2026})
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["mend"]["vi"]
    assert (await desk.ask("GET", "/sustainability/04?last=2025")).status_code == 200, "others are answered meanwhile"
    long.go.set()
    assert {answer.status_code for answer in await asyncio.gather(*tried)} == {200}
    assert (await desk.ask("POST", "/simulations/04", json={"year": 2026})).status_code == 200


async def test_who_leaves_does_not_make_room_before_the_work_has_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Long(monkeypatch)
    tried = [asyncio.create_task(desk.ask("POST", "/simulations/04", json={"year": 2026})) for _ in range(2)]
    await long.are_running(2)
    for task in tried:
        task.cancel()
    await asyncio.gather(*tried, return_exceptions=True)
    assert (await desk.ask("POST", "/simulations/04", json={"year": 2026})).status_code == 503
    long.go.set()
    for _ in range(2_000):
        answer = await desk.ask("POST", "/simulations/04", json={"year": 2026})
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.01)
    assert answer.status_code == 200


async def test_a_province_tries_only_its_own_budget(desk: Desk) -> None:
    body = {"year": 2026}
    assert (await desk.ask("POST", "/simulations/04", role="province", of="04", json=body)).status_code == 200
    assert (await desk.ask("POST", "/simulations/04", role="province", of="01", json=body)).status_code == 404
    assert (await desk.ask("POST", "/simulations/01", json=body)).status_code == 404, "no envelope is known"
    assert (await desk.ask("GET", "/sustainability/04?last=2026", role="province", of="01")).status_code == 404


async def test_support_stands_beside_results_over_the_years(desk: Desk) -> None:
    answer = await desk.ask("GET", "/sustainability/04?last=2025&first=2024")
    found = {one["centre_id"]: one for one in answer.json()}
    assert [(one["year"], one["support"], one["total"], one["grade"]) for one in found["c-1"]["years"]] == [
        (2024, 21_000_000, None, None),
        (2025, 22_000_000, "70", "kha"),
    ]
    assert found["c-1"]["support_trend"] == "rising"
    assert found["c-1"]["finding"] == "effective_under_supported"
    assert found["c-1"]["worked"] == {"2025": {"classes": 68, "attendances": 6_850, "active_months": 10}}
    assert found["c-2"]["worked"] == {}
    assert found["c-2"]["finding"] == "unknown", "no result of the period before"
    only = await desk.ask("GET", "/sustainability/04?last=2025&only=effective_under_supported")
    assert [one["centre_id"] for one in only.json()] == ["c-1"]
    assert (await desk.ask("GET", "/sustainability/04?last=2025&first=2026")).json()["code"] == "years_out_of_range"


async def test_the_terminal_shows_totals_areas_and_the_largest_changes(desk: Desk, tmp_path: Path) -> None:
    shown = await desk.run("simulate", "--province", "04", "--year", "2026", "--envelope", "60000000")
    assert shown.exit_code == 0, shown.output
    for expected in ("nothing was written", "84.000.000", "60.000.000", "0 centres gain, 3 lose", "Region III", "c-3"):
        assert expected in shown.stdout
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY, encoding="utf-8")
    same = await desk.run("simulate", "--province", "04", "--year", "2026", "--policy", str(file), "--format", "json")
    assert json.loads(same.stdout)["unchanged"] == 3
    missing = await desk.run("simulate", "--province", "04", "--year", "2026", "--policy", str(tmp_path / "no.yaml"))
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (1, True)


async def test_the_terminal_shows_who_stands_out(desk: Desk) -> None:
    shown = await desk.run("sustainability", "--province", "04", "--last", "2025", "--findings")
    assert shown.exit_code == 0, shown.output
    assert "effective, under-supported" in shown.stdout
    assert "c-1" in shown.stdout
    assert "c-3" not in shown.stdout
    assert "c-1 · Activity: 2025: 68 classes, 6,850 attendances, 10 months with activity" in shown.stdout
