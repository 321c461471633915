"""Rights are given by two persons: one orders, another one confirms; one alone may end an account, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from services.intake import queries
from services.intake.decisions import people
from services.intake.decisions.people import FIRST
from services.intake.opening import opening
from services.intake.settings import Settings
from shared.contracts.people import account_key
from shared.messaging.operate.keeping import Keeper
from shared.mongo import Unavailable
from tests.fakes.trust import ACCOUNT_KEY
from tests.unit.intake_bench import Bench, Still
from tests.unit.test_people import ISSUER, LAN, confirmed, done, post

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
BODY = {"order_id": "o-2", "reason": "x"}
SECOND = {"issuer": ISSUER, "subject": "9a0c"}
NEEDS_TWO = {
    "/people": LAN | {"order_id": "o-2", "person_id": "p-hoa", "name": "Lê Hoa", "account": SECOND},
    "/people/p-lan/change": BODY | {"assignment": {"role": "ministry", "first_day": "2026-01-05"}},
    "/people/p-lan/accounts": BODY | {"account": SECOND},
    "/people/p-lan/end": BODY | {"last_day": "2026-03-31"},
}


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    """A directory with one officer of a province."""
    bench = Bench(tmp_path, Still(NOW))
    await done(bench, "/people", LAN)
    return bench


def directory(bench: Bench) -> dict[str, Any]:
    """All that anybody acts by."""
    rows = {name: bench.mongo.all(name) for name in ("persons", "accounts", "people")}
    kept = {name: [{n: v for n, v in row.items() if n[0] != "_"} for row in each] for name, each in rows.items()}
    return kept | {"told": bench.events("people")}


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [one["code"] for one in answer.json()["problems"]]


# ------------------------------------------------------------------------------------------------- two persons


@pytest.mark.parametrize("path", NEEDS_TWO)
async def test_nothing_is_done_until_another_person_confirms(bench: Bench, path: str) -> None:
    before = directory(bench)
    waits = await post(bench, path, NEEDS_TWO[path])
    assert (waits.status_code, waits.json()["by"], waits.json()["confirmed_by"]) == (200, "local:an", None)
    assert directory(bench) == before
    assert codes(await confirmed(bench, "o-2", by="an")) == ["same_person"]
    assert directory(bench) == before

    done = await confirmed(bench, "o-2", by="binh")
    last = done.json()["changes"][-1]
    assert (last["by"], last["confirmed_by"], last["confirmed_why"]) == ("local:an", "local:binh", "đã đối chiếu")
    told = bench.events("people")[-1]
    assert (told["entered_by"], told["confirmed_by"]) == ("local:an", "local:binh")


async def test_an_account_in_wrong_hands_is_ended_by_one_at_once_and_given_back_by_two(bench: Bench) -> None:
    ended = await post(bench, "/people/p-lan/accounts/end", BODY | {"account": LAN["account"]})
    assert [bool(one["ended_at"]) for one in ended.json()["accounts"]] == [True]
    key = account_key(ACCOUNT_KEY, ISSUER, "7d1f")
    assert bench.events("people")[-1]["ended"] == [key]
    back = await post(bench, "/people/p-lan/accounts", BODY | {"order_id": "o-3", "account": LAN["account"]})
    assert back.json()["confirmed_by"] is None
    assert bench.events("people")[-1]["ended"] == [key]


async def test_one_person_with_two_accounts_does_not_confirm_what_he_ordered(bench: Bench) -> None:
    minh = LAN | {
        "order_id": "o-1b",
        "person_id": "p-minh",
        "name": "Phạm Minh",
        "assignment": {"role": "ministry", "first_day": "2026-01-05"},
        "account": {"issuer": "langhoc-local", "subject": "minh"},
    }
    await done(bench, "/people", minh)
    second = {"order_id": "o-1c", "reason": "x", "account": {"issuer": "langhoc-local", "subject": "minh2"}}
    await done(bench, "/people/p-minh/accounts", second)
    assert (await post(bench, "/people", NEEDS_TWO["/people"], by="minh")).status_code == 200
    assert codes(await confirmed(bench, "o-2", by="minh2")) == ["same_person"]


async def test_who_ordered_before_the_directory_knew_him_does_not_confirm_as_a_person(bench: Bench) -> None:
    assert (await post(bench, "/people", NEEDS_TWO["/people"], by="minh")).status_code == 200
    minh = LAN | {
        "order_id": "o-1b",
        "person_id": "p-minh",
        "name": "Phạm Minh",
        "assignment": {"role": "ministry", "first_day": "2026-01-05"},
        "account": {"issuer": "langhoc-local", "subject": "minh"},
    }
    await done(bench, "/people", minh)
    assert codes(await confirmed(bench, "o-2", by="minh")) == ["same_person"]


# ------------------------------------------------------------------------------------------------- as it stands then


async def test_an_order_is_judged_again_when_it_is_confirmed(bench: Bench) -> None:
    twin = NEEDS_TWO["/people"] | {"order_id": "o-3", "person_id": "p-hoa2"}
    for order in (NEEDS_TWO["/people"], twin):
        assert (await post(bench, "/people", order)).status_code == 200
    assert (await confirmed(bench, "o-2")).status_code == 200
    assert codes(await confirmed(bench, "o-3")) == ["account_of_another", "person_alike"]


async def test_the_same_again_changes_nothing(bench: Bench) -> None:
    order = NEEDS_TWO["/people"]
    first = (await post(bench, "/people", order)).json()
    assert (await post(bench, "/people", order)).json() == first
    entered = await confirmed(bench, "o-2")
    for who in ("chi", "binh", "an"):
        assert (await confirmed(bench, "o-2", by=who)).json() == entered.json()
    assert (await post(bench, "/people", order)).json()["confirmed_by"] == "local:chi"
    assert len(bench.events("people")) == 2


@pytest.mark.parametrize("who", ["an", "binh"])
async def test_a_declined_order_says_nothing_more_and_is_never_confirmed(bench: Bench, who: str) -> None:
    await post(bench, "/people", NEEDS_TWO["/people"])
    for _ in range(2):
        declined = await post(bench, "/people-orders/o-2/decline", {}, by=who)
        assert (declined.json()["declined_by"], declined.json()["order"]) == (f"local:{who}", None)
    assert codes(await confirmed(bench, "o-2")) == ["entry_settled"]
    assert "Lê Hoa" not in str(bench.mongo.collections)
    await post(bench, "/people", NEEDS_TWO["/people"] | {"order_id": "o-3"})
    assert (await confirmed(bench, "o-3")).status_code == 200
    assert codes(await post(bench, "/people-orders/o-3/decline", {})) == ["entry_settled"]


async def test_an_order_that_nobody_gave_is_none(bench: Bench) -> None:
    await post(bench, "/people/p-lan/accounts/end", BODY | {"account": LAN["account"]})
    for id in ("o-9", "o-2"):  # what one has done alone waits for nobody
        assert (await confirmed(bench, id)).status_code == 404
        assert (await post(bench, f"/people-orders/{id}/decline", {})).status_code == 404


# ------------------------------------------------------------------------------------------------- who sees it


async def test_what_waits_is_shown_whole_to_who_may_see_it_and_the_look_is_recorded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(bench, "/people", NEEDS_TWO["/people"])
    for role, status in (("ministry", 200), ("auditor", 200), ("finance", 403), ("province", 403)):
        async with bench.http(role, "04" if role == "province" else None, account="kim") as http:  # type: ignore[arg-type]
            answer = await http.get("/people-orders")
        assert answer.status_code == status
        if status == 200:
            (waits,) = answer.json()["items"]
            assert (waits["order"]["name"], waits["order"]["account"]) == ("Lê Hoa", SECOND)
    looks = [(one["role"], one["what"], one["about"]) for one in bench.mongo.all("personal_reads")]
    assert looks == [("ministry", "person", "o-2…o-2"), ("auditor", "person", "o-2…o-2")]

    async def full(*given: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(bench.mongo, "insert", full)
    async with bench.http("auditor") as http:
        answer = await http.get("/people-orders")
    assert (answer.status_code, "Lê Hoa" in answer.text) == (503, False)


async def test_what_waits_is_paged(bench: Bench) -> None:
    for n, name in enumerate(("Lê Hoa", "Trần Liên", "Phạm Minh")):
        own = {"order_id": f"w-{n}", "person_id": f"p-{n}", "name": name, "account": None}
        await post(bench, "/people", LAN | own)
    async with bench.http() as http:
        first = (await http.get("/people-orders", params={"limit": 2})).json()
        rest = (await http.get("/people-orders", params={"limit": 2, "after": first["next"]})).json()
    assert [one["order_id"] for one in first["items"] + rest["items"]] == ["w-0", "w-1", "w-2"]
    assert rest["next"] is None


@pytest.mark.parametrize("role", ["province", "finance", "auditor"])
async def test_nobody_but_the_ministry_confirms_or_declines(bench: Bench, role: str) -> None:
    await post(bench, "/people", NEEDS_TWO["/people"])
    for act in ("confirm", "decline"):
        answer = await post(bench, f"/people-orders/o-2/{act}", {"why": "x"}, by="son", role=role)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


async def test_an_order_that_nobody_confirms_lets_go_of_its_words(bench: Bench) -> None:
    await post(bench, "/people", NEEDS_TWO["/people"])
    for days, left in ((30, True), (32, False)):
        keeper = Keeper("intake", bench.mongo, queries.KEPT, clock=Still(NOW + timedelta(days=days)))
        await keeper.round()
        assert ("Lê Hoa" in str(bench.mongo.all("people_orders"))) is left
    assert codes(await confirmed(bench, "o-2")) == ["entry_settled"]
    assert codes(await post(bench, "/people", NEEDS_TWO["/people"])) == ["order_id_reused"]


# ------------------------------------------------------------------------------------------------- the first ones

OPERATORS = [
    {"person_id": "p-1", "name": "Nguyễn Văn An", "issuer": ISSUER, "subject": "a1"},
    {"person_id": "p-2", "name": "Trần Thị Bình", "issuer": ISSUER, "subject": "b2"},
]


def settings(file: Path | None) -> Settings:
    return Settings(kafka="-", mongo="-", account_key=SecretStr(ACCOUNT_KEY.decode()), first_operators=file)


async def begun(bench: Bench, operators: Any) -> dict[str, list[str]]:
    """What intake says of a start with this file."""
    file = bench.folder / "first-operators.json"
    file.write_text(operators if isinstance(operators, str) else json.dumps(operators), encoding="utf-8")
    enter = opening(settings(file))
    with structlog.testing.capture_logs() as said:
        await enter(bench.commands)
    events: dict[str, list[str]] = {}
    for one in said:
        events.setdefault(one["event"], []).append(one.get("code", ""))
    return events


async def test_the_first_operators_are_entered_together_and_then_the_file_counts_for_nothing(bench: Bench) -> None:
    assert await begun(bench, OPERATORS) == {"people.first_operators_entered": [""]}
    told = bench.events("people")[1:]
    assert [(one["person_id"], one["entered_by"], one["assignments"][0]["role"]) for one in told] == [
        ("p-1", FIRST, "ministry"),
        ("p-2", FIRST, "ministry"),
    ]
    before = directory(bench)
    others = [one | {"person_id": f"{one['person_id']}x", "name": "Lê Văn Mới", "subject": "m"} for one in OPERATORS]
    for again in (OPERATORS, others):
        assert await begun(bench, again) == {"people.first_operators_not_needed": [""]}
    assert directory(bench) == before


async def test_who_is_overtaken_between_two_looks_at_the_directory_needs_them_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another instance that starts at the same moment has entered them after this one found nobody."""
    judged = people._judged

    async def overtaken(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(people, "_judged", judged)
        assert await begun(bench, OPERATORS) == {"people.first_operators_entered": [""]}
        return await judged(*args, **more)

    monkeypatch.setattr(people, "_judged", overtaken)
    assert await begun(bench, OPERATORS) == {"people.first_operators_not_needed": [""]}


async def test_who_is_locked_out_begins_again_with_other_accounts(bench: Bench) -> None:
    await begun(bench, OPERATORS)
    ended = BODY | {"account": {"issuer": ISSUER, "subject": "b2"}}
    await post(bench, "/people/p-2/accounts/end", ended)
    said = await begun(bench, OPERATORS)
    assert said == {"people.first_operators_refused": ["person_id_taken", "account_held"]}
    others = [
        {"person_id": "p-3", "name": "Lê Hoa", "issuer": ISSUER, "subject": "c3"},
        {"person_id": "p-4", "name": "Phạm Minh", "issuer": ISSUER, "subject": "d4"},
    ]
    assert await begun(bench, others) == {"people.first_operators_entered": [""]}


@pytest.mark.parametrize(
    ("operators", "code"),
    [
        (OPERATORS[:1], "out_of_range"),
        ([], "out_of_range"),
        ([OPERATORS[0], OPERATORS[0]], "person_id_taken"),
        ([OPERATORS[0], OPERATORS[1] | {"name": "NGUYEN VAN AN"}], "person_alike"),
        ([OPERATORS[0], OPERATORS[1] | {"subject": "a1"}], "account_of_another"),
        ([OPERATORS[0], OPERATORS[1] | {"subject": "A1"}], "person_alike"),
        ([OPERATORS[0], OPERATORS[1] | {"person_id": "p-lan"}], "person_id_taken"),
        ([OPERATORS[0], OPERATORS[1] | {"name": "Nguyễn Thị Lan"}], "person_alike"),
        ([OPERATORS[0], OPERATORS[1] | {"role": "ministry"}], "field_unknown"),
        ([OPERATORS[0], {"person_id": "p-2", "name": "Trần Thị Bình"}], "field_missing"),
        ([OPERATORS[0], OPERATORS[1] | {"subject": "b 2"}], "pattern"),
        ('[{"person_id": "p-1", "person_id": "p-2"}]', "key_twice"),
        ("no json", "first_operators_file"),
    ],
)
async def test_a_file_that_would_make_one_human_being_two_enters_nobody(
    bench: Bench, operators: Any, code: str
) -> None:
    before = directory(bench)
    said = await begun(bench, operators)
    assert list(said) == ["people.first_operators_refused"]
    assert code in said["people.first_operators_refused"]
    assert directory(bench) == before


async def test_without_a_file_nobody_is_entered_and_a_lost_one_is_told(bench: Bench, tmp_path: Path) -> None:
    before = directory(bench)
    await opening(settings(None))(bench.commands)
    with structlog.testing.capture_logs() as said:
        await opening(settings(tmp_path / "none.json"))(bench.commands)
    assert [one["event"] for one in said] == ["people.first_operators_refused"]
    assert directory(bench) == before
