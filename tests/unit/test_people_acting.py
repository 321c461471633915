"""Who acts is the person of the directory, in role and province of the day: in a service that only reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts.people import Assignment, PersonEntered, account_key
from tests.fakes.trust import ACCOUNT_KEY, ISSUER, signed, verifier_of
from tests.unit.funding_bench import HOA, LAN, NOW, TUAN, Bench, proposed

BUDGET = "/budgets/04/2026"
HIDDEN = (403, 404)
"""How what is another province's is answered."""


def assignment(
    role: str, province: str | None = None, first: str = "2026-01-01", last: str | None = None
) -> Assignment:
    return Assignment.model_validate({"role": role, "province": province, "first_day": first, "last_day": last})


def entered(
    id: str,
    *assignments: Assignment,
    subjects: tuple[str, ...] = ("lan",),
    ended: tuple[str, ...] = (),
    version: int = 1,
) -> PersonEntered:
    """A person with accounts of these subjects."""
    keys = {subject: account_key(ACCOUNT_KEY, ISSUER, subject) or "" for subject in subjects}
    return PersonEntered(
        person_id=id,
        version=version,
        assignments=[*assignments],
        accounts=[*keys.values()],
        ended=[keys[subject] for subject in ended],
        entered_by="p-0",
        entered_at=NOW,
    )


class Desk:
    """A funding service that knows a directory and trusts nobody besides, and whoever has an account."""

    def __init__(self, bench: Bench, **trust: Any) -> None:
        self.bench = bench
        self.trust = trust
        self.asked = 0

    def http(self, subject: str, issuer: str = ISSUER, **claims: Any) -> httpx.AsyncClient:
        state, app = self.bench.state, self.bench.app
        app.state.verifier = verifier_of(state, self.bench.mongo, self.bench.clock, issuer, **self.trust)
        token = signed(state, **{"iss": issuer, "sub": subject, "role": "auditor"} | claims)
        transport = httpx.ASGITransport(self.bench.app)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=transport, base_url="http://funding", headers=headers)

    async def get(self, subject: str, path: str = BUDGET, **claims: Any) -> httpx.Response:
        async with self.http(subject, **claims) as http:
            return await http.get(path)

    async def order(
        self, subject: str, step: str, key: str | None = None, stands: Any = None, path: str = BUDGET
    ) -> httpx.Response:
        """An order on what stands, or on what is said to stand."""
        self.asked += 1
        stands = stands or self.bench.document("runs", "04/2026")
        body: dict[str, Any] = {"why": "đã kiểm tra", "version": stands["version"], "hash": stands["hash"]}
        if step == "submit":
            body["accepts"] = self.bench.open_centres("04", "2026")
        async with self.http(subject) as http:
            return await http.post(f"{path}/{step}", json=body, headers={"Idempotency-Key": key or f"d-{self.asked}"})

    def code(self, answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json().get("code", "done")


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return Desk(await proposed(tmp_path))


async def test_role_and_province_are_those_of_the_directory_whatever_the_token_says(desk: Desk) -> None:
    await desk.bench.tell(entered("p-lan", assignment("province", "04")))
    shown = await desk.order("lan", "simulate")
    assert shown.status_code == 200, shown.text
    (record,) = shown.json()["history"]
    assert (record["who"], record["role"]) == ("p-lan", "province")
    claims = {"role": "finance", "province": "08"}
    assert (await desk.get("lan", **claims)).status_code == 200
    assert (await desk.get("lan", "/budgets/08/2026", **claims)).status_code in HIDDEN
    assert desk.code(await desk.order("lan", "approve")) == (403, "role_not_allowed")


@pytest.mark.parametrize(
    ("subject", "issuer"),
    [
        ("stranger", ISSUER),
        ("lan", ISSUER + "/"),
        ("lan", ISSUER.upper()),
        ("lan", "https://id.moet.example/realms/other"),
        ("lan", ""),
        ("lan", "langhoc-local"),
        ("p-lan", ISSUER),
        ("LAN", ISSUER),
        ("lan ", ISSUER),
        ("\u212aan", ISSUER),
    ],
)
async def test_an_account_that_nobody_has_entered_is_nobody(desk: Desk, subject: str, issuer: str) -> None:
    await desk.bench.tell(
        entered("p-lan", assignment("finance")), entered("p-k", assignment("finance"), subjects=("Kan",))
    )
    answer = await desk.get(subject, issuer=issuer, role="finance")
    assert desk.code(answer) in ((403, "account_unknown"), (401, "token_subject"), (401, "token_issuer"))


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("2026-05-04", None, 200),
        ("2026-05-04", "2026-05-04", 200),
        ("2026-01-01", "2026-05-04", 200),
        ("2026-05-05", None, 403),
        ("2026-01-01", "2026-05-03", 403),
        ("2013-01-01", "2013-12-31", 403),
        ("2100-01-01", None, 403),
    ],
)
async def test_from_the_first_day_to_the_last_and_on_no_other(
    desk: Desk, first: str, last: str | None, status: int
) -> None:
    await desk.bench.tell(entered("p-lan", assignment("province", "04", first, last)))
    answer = await desk.get("lan")
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "acts_no_more"


@pytest.mark.parametrize(("hour", "status"), [(16, 403), (17, 200)])
async def test_a_day_begins_at_midnight_in_hanoi(desk: Desk, hour: int, status: int) -> None:
    await desk.bench.tell(entered("p-lan", assignment("province", "04", "2026-05-05")))
    desk.bench.clock.moment = datetime(2026, 5, 4, hour, 59 if hour == 16 else 0, tzinfo=UTC)
    assert (await desk.get("lan")).status_code == status


async def test_two_accounts_of_one_person_are_one_person(desk: Desk) -> None:
    """And so is an officer of the province who goes to the finance side in between."""
    both = ("lan", "lan2")
    await desk.bench.tell(entered("p-lan", assignment("finance"), subjects=both))
    for step in ("simulate", "submit"):
        assert (await desk.order("lan", step)).status_code == 200
    assert desk.code(await desk.order("lan2", "approve")) == (403, "same_person")

    await desk.bench.tell(entered("p-hoa", assignment("finance"), subjects=("hoa",)))
    assert (await desk.order("hoa", "approve")).status_code == 200


async def test_an_officer_who_went_to_the_finance_side_does_not_approve_what_he_prepared(desk: Desk) -> None:
    province, finance = assignment("province", "04", last="2026-05-31"), assignment("finance", first="2026-06-01")
    await desk.bench.tell(entered("p-lan", province, finance))
    for step in ("simulate", "submit"):
        assert (await desk.order("lan", step)).status_code == 200
    desk.bench.clock.moment += timedelta(days=40)
    assert desk.code(await desk.order("lan", "approve")) == (403, "same_person")


@pytest.mark.parametrize("step", ["simulate", "withdraw"], ids=["done", "refused"])
async def test_whoever_was_moved_is_not_told_by_a_repeat_how_the_old_budget_stands(desk: Desk, step: str) -> None:
    stands = desk.bench.document("runs", "04/2026")
    old, new = assignment("province", "04", last="2026-05-31"), assignment("province", "08", first="2026-06-01")
    await desk.bench.tell(entered("p-lan", old, new))
    first = await desk.order("lan", step, key="k-1")
    assert first.status_code == (200 if step == "simulate" else 409)
    assert (await desk.order("lan", step, key="k-1", stands=stands)).status_code == first.status_code, "a repeat"

    desk.bench.clock.moment += timedelta(days=40)
    repeated = await desk.order("lan", step, key="k-1", stands=stands)
    assert repeated.status_code in HIDDEN
    assert not {"history", "run", "envelope", "reserve", "hash"} & set(repeated.json())
    assert stands["hash"] not in repeated.text

    elsewhere = await desk.order("lan", step, key="k-1", stands=stands, path="/budgets/08/2026")
    assert desk.code(elsewhere) == (422, "idempotency_key_reused")
    assert stands["hash"] not in elsewhere.text


async def test_changes_may_come_late_and_in_any_order(desk: Desk) -> None:
    """What counts is the directory as the service knows it then; an older version never comes back."""
    await desk.bench.tell(entered("p-lan", assignment("province", "04")))
    assert (await desk.order("lan", "simulate")).status_code == 200
    await desk.bench.tell(
        entered("p-lan", assignment("province", "04"), version=3, ended=("lan",)),
        entered("p-lan", assignment("province", "04"), version=2),
        entered("p-lan", assignment("province", "04"), version=3, subjects=("lan",)),
    )
    assert desk.code(await desk.order("lan", "submit")) == (403, "account_ended")
    assert desk.bench.document("budgets", "04/2026")["prepared_by"] == ["p-lan"], "what was done stays done"


async def test_an_account_of_two_persons_is_nobody(desk: Desk) -> None:
    """Intake enters no such thing; a damaged database must not choose between them."""
    await desk.bench.tell(entered("p-lan", assignment("finance")), entered("p-hoa", assignment("province", "04")))
    assert desk.code(await desk.get("lan")) == (403, "account_of_two")


async def test_who_prepared_a_budget_before_there_were_persons_does_not_approve_it(tmp_path: Path) -> None:
    """An older release kept the subject of the token."""
    bench = await proposed(tmp_path)
    for step in ("simulate", "submit"):
        await bench.done(LAN, f"{BUDGET}/{step}")
    bench.mongo.rows("budgets")["04/2026"] |= {"prepared_by": ["hoa", "lan"], "submitted_by": "hoa"}
    bench.mongo.seal()
    assert await bench.refused(HOA, f"{BUDGET}/approve") == (403, ["same_person"])
    desk = Desk(bench)
    await bench.tell(entered("p-1", assignment("finance"), subjects=("hoa",)))
    assert desk.code(await desk.order("hoa", "approve")) == (403, "same_person")
    await bench.tell(entered("p-1", assignment("finance"), subjects=("hoa", "h2"), ended=("hoa",), version=2))
    assert desk.code(await desk.order("h2", "approve")) == (403, "same_person"), "nor through another account"
    await bench.tell(entered("p-2", assignment("finance"), subjects=("tuan",)))
    assert (await desk.order("tuan", "approve")).status_code == 200


async def test_nor_does_who_prepared_it_before_the_directory_knew_him(tmp_path: Path) -> None:
    """On a platform of one's own he stood for himself then."""
    bench = await proposed(tmp_path)
    for step in ("simulate", "submit"):
        await bench.done(HOA, f"{BUDGET}/{step}")
    key = account_key(ACCOUNT_KEY, "langhoc-local", "hoa") or ""
    await bench.tell(entered("p-1", assignment("finance")).model_copy(update={"accounts": [key]}))
    assert await bench.refused(HOA, f"{BUDGET}/approve") == (403, ["same_person"])
    await bench.done(TUAN, f"{BUDGET}/approve")


async def test_on_a_platform_of_ones_own_the_directory_counts_before_the_token(tmp_path: Path) -> None:
    desk = Desk(await proposed(tmp_path), local=True)
    local = {"issuer": "langhoc-local", "role": "finance"}
    key = account_key(ACCOUNT_KEY, "langhoc-local", "lan") or ""
    person = entered("p-lan", assignment("province", "08")).model_copy(update={"accounts": [key]})
    assert (await desk.get("lan", **local)).status_code == 200
    await desk.bench.tell(person)
    assert (await desk.get("lan", **local)).status_code in HIDDEN
    await desk.bench.tell(person.model_copy(update={"version": 2, "ended": [key]}))
    assert desk.code(await desk.get("lan", **local)) == (403, "account_ended"), "it does not stand for itself again"
