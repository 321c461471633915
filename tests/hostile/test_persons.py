"""Nobody passes for another person by how an account is written: at every rule that asks for a second person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from shared.contracts.people import Assignment, PersonEntered, Role, account_key
from tests.fakes.trust import ACCOUNT_KEY, ISSUER, signed, verifier_of
from tests.unit.funding_bench import HOA, NOW, TUAN, Bench, Officer, proposed, score

INPUTS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("persons.yaml").read_text(encoding="utf-8"))
every_input = pytest.mark.parametrize("given", INPUTS, ids=lambda given: given["name"])
AN = Officer("an", "finance")
BUDGET = "/budgets/04/2026"


async def sent(bench: Bench, path: str, **claims: Any) -> httpx.Response:
    """An order on what stands now, in the name of whoever these claims say."""
    stands = await bench.get(path.rpartition("/")[0])
    bench.asked += 1
    token = signed(bench.state, role="finance", **claims)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bench.app), base_url="http://funding") as client:
        return await client.post(
            path,
            json={"why": "đã kiểm tra", "version": stands["version"], "hash": stands["hash"]},
            headers={
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": f"k-{bench.asked}",
            },
        )


async def submitted(state: Path) -> tuple[Bench, list[str]]:
    """A budget and an adjustment that `an` has submitted, and every act that somebody else has to do."""
    bench = await proposed(state)
    for step in ("simulate", "submit"):
        await bench.done(AN, f"{BUDGET}/{step}")
    return bench, [f"{BUDGET}/approve"]


async def adjusted(state: Path) -> tuple[Bench, list[str]]:
    """The same after the publication: an adjustment that `an` has submitted."""
    bench = await proposed(state)
    for who, step in ((TUAN, "simulate"), (TUAN, "submit"), (HOA, "approve"), (HOA, "publish")):
        await bench.done(who, f"{BUDGET}/{step}")
    await bench.tell(score("b", "kha", version=2))
    await bench.settle()
    (row, *_) = await bench.adjustments()
    path = f"/adjustments/{row['adjustment_id']}"
    await bench.done(AN, f"{path}/submit")
    return bench, [f"{path}/approve", f"{path}/refuse"]


@pytest.fixture(scope="module", params=[submitted, adjusted], ids=["a budget", "an adjustment"])
async def waiting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, list[str]]:
    made: tuple[Bench, list[str]] = await request.param(tmp_path_factory.mktemp("state"))
    return made


def test_there_are_enough_of_them() -> None:
    assert len(INPUTS) >= 40
    assert len({str(given["subject"]) for given in INPUTS}) == len(INPUTS)


@every_input
async def test_a_look_alike_is_nobody_on_a_platform_of_ones_own(
    given: dict[str, Any], waiting: tuple[Bench, list[str]]
) -> None:
    bench, paths = waiting
    before = bench.contents()
    for path in paths:
        answer = await sent(bench, path, iss="langhoc-local", sub=given["subject"])
        assert answer.status_code == given["must"], answer.text
    assert bench.contents() == before


@every_input
async def test_a_look_alike_is_nobody_where_there_is_a_directory(
    given: dict[str, Any], waiting: tuple[Bench, list[str]]
) -> None:
    bench, paths = waiting
    before, local = bench.contents(), bench.app.state.verifier
    await bench.tell(person("p-an", AN.role, ["an"]))
    bench.app.state.verifier = verifier_of(bench.state, bench.mongo, bench.clock)
    try:
        for path in paths:
            bench.asked += 1
            token = signed(bench.state, sub=given["subject"])
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"k-{bench.asked}"}
            async with httpx.AsyncClient(transport=httpx.ASGITransport(bench.app), base_url="http://f") as client:
                answer = await client.post(path, json={"why": "x", "version": 1, "hash": ""}, headers=headers)
            assert answer.status_code in (401, 403), answer.text
    finally:
        bench.app.state.verifier = local
    assert bench.contents() == before


def person(
    id: str, role: str, subjects: list[str], province: str | None = None, version: int = 1, **days: Any
) -> PersonEntered:
    """A person of the directory with accounts of these subjects."""
    keys = [account_key(ACCOUNT_KEY, ISSUER, subject) for subject in subjects]
    assigned = Assignment(role=Role(role), province=province, **{"first_day": "2026-01-01", **days})
    return PersonEntered(
        person_id=id,
        version=version,
        assignments=[assigned],
        accounts=[key for key in keys if key],
        entered_by="p-0",
        entered_at=NOW,
    )
