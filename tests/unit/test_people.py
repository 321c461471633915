"""The directory of who may act: entered by the ministry, a person for each human being, one owner of each account."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts.people import account_key
from shared.mongo import Unavailable
from tests.fakes.trust import ACCOUNT_KEY
from tests.unit.intake_bench import Bench, Still

ISSUER = "https://id.moet.example/realms/langhoc"
NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
LAN: dict[str, Any] = {
    "order_id": "o-1",
    "reason": "Công văn 7/SGDĐT",
    "person_id": "p-lan",
    "name": "Nguyễn Thị Lan",
    "assignment": {"role": "province", "province": "04", "first_day": "2026-01-05"},
    "account": {"issuer": ISSUER, "subject": "7d1f"},
}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Still(NOW))


async def post(bench: Bench, path: str, body: dict[str, Any], by: str = "an", role: Any = "ministry") -> httpx.Response:
    async with bench.http(role, "04" if role == "province" else None, account=by) as http:
        return await http.post(path, json=body)


async def done(bench: Bench, path: str, body: dict[str, Any], by: str = "an") -> Any:
    """The person after an order that another person has confirmed, where that is needed."""
    answer = await post(bench, path, body, by)
    assert answer.status_code == 200, answer.text
    if not path.endswith("/accounts/end"):
        answer = await confirmed(bench, body["order_id"])
        assert answer.status_code == 200, answer.text
    return answer.json()


async def confirmed(bench: Bench, id: str, by: str = "chi", **claims: Any) -> httpx.Response:
    return await post(bench, f"/people-orders/{id}/confirm", {"why": "đã đối chiếu"}, by, **claims)


async def refused(bench: Bench, path: str, body: dict[str, Any]) -> list[str]:
    """All codes of an order that is not carried out, and changes nothing."""
    before = {name: bench.mongo.all(name) for name in ("persons", "accounts", "people", "people_orders", "outbox")}
    answer = await post(bench, path, body)
    assert answer.status_code == 422, answer.text
    assert {name: bench.mongo.all(name) for name in before} == before
    for each in answer.json()["problems"]:
        assert all(each[part]["vi"] and each[part]["en"] for part in ("message", "expected", "mend"))
    return [each["code"] for each in answer.json()["problems"]]


# ------------------------------------------------------------------------------------------------- entering


async def test_a_person_is_entered_and_only_a_hash_of_the_account_leaves_intake(bench: Bench) -> None:
    shown = await done(bench, "/people", LAN)

    assert (shown["name"], shown["version"], shown["accounts"][0]["subject"]) == ("Nguyễn Thị Lan", 1, "7d1f")
    assert [(one["deed"], one["by"], one["confirmed_by"], one["reason"]) for one in shown["changes"]] == [
        ("added", "local:an", "local:chi", "Công văn 7/SGDĐT")
    ]
    (told,) = bench.events("people")
    assert told["accounts"] == [account_key(ACCOUNT_KEY, ISSUER, "7d1f")]
    assert told["assignments"] == [LAN["assignment"] | {"last_day": None}]
    elsewhere = {name: rows for name, rows in bench.mongo.collections.items() if name != "persons"}
    for personal in ("Nguyễn", "7d1f", ISSUER, "Công văn", "đối chiếu"):
        assert personal not in str(elsewhere), "names and accounts are in one collection"


async def test_a_life_in_the_directory(bench: Bench) -> None:
    await done(bench, "/people", LAN)
    moved = {"role": "province", "province": "08", "first_day": "2026-07-01", "last_day": None}
    body = {"order_id": "o-2", "reason": "QĐ 12/QĐ-UBND"}
    await done(bench, "/people/p-lan/change", body | {"assignment": moved})
    await done(bench, "/people/p-lan/change", body | {"order_id": "o-3", "name": "Nguyễn Thị Lan Anh"})
    second = {"issuer": ISSUER, "subject": "9a0c"}
    await done(bench, "/people/p-lan/accounts", body | {"order_id": "o-4", "account": second})
    await done(bench, "/people/p-lan/accounts/end", body | {"order_id": "o-5", "account": LAN["account"]})
    shown = await done(bench, "/people/p-lan/end", body | {"order_id": "o-6", "last_day": "2026-12-31"})

    days = [(one["province"], one["first_day"], one["last_day"]) for one in shown["assignments"]]
    assert days == [("04", "2026-01-05", "2026-06-30"), ("08", "2026-07-01", "2026-12-31")]
    assert shown["name"] == "Nguyễn Thị Lan Anh"
    assert {one["subject"]: bool(one["ended_at"]) for one in shown["accounts"]} == {"9a0c": False, "7d1f": True}
    told = bench.events("people")
    assert [one["version"] for one in told] == [1, 2, 3, 4, 5, 6]
    assert [(len(one["accounts"]), len(one["ended"])) for one in told] == [(1, 0)] * 3 + [(2, 0), (2, 1), (2, 1)]


async def test_the_same_order_again_changes_nothing_and_another_under_its_id_is_refused(bench: Bench) -> None:
    first = await done(bench, "/people", LAN)
    assert await done(bench, "/people", LAN) == first
    assert await done(bench, "/people", LAN, by="binh") == first
    assert await refused(bench, "/people", LAN | {"name": "Nguyễn Thị Liên"}) == ["order_id_reused"]
    assert await refused(bench, "/people", LAN | {"person_id": "p-lien"}) == ["order_id_reused"]
    assert len(bench.events("people")) == 1


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"person_id": "p-lan"}, ["person_id_taken", "account_of_another"]),
        ({"person_id": "langhoc"}, ["person_id_taken"]),
        ({"person_id": "local:an"}, ["pattern"]),
        ({"person_id": "service"}, ["person_id_taken"]),
        ({"person_id": "P-LIEN"}, ["pattern"]),
        ({"person_id": "p-lién"}, ["pattern"]),
        ({"person_id": "p-lien\u200b"}, ["text_unclean"]),
        ({"reason": ""}, ["out_of_range"]),
        ({"assignment": {"role": "province", "first_day": "2026-01-05"}}, ["role_and_province"]),
        ({"assignment": {"role": "finance", "province": "04", "first_day": "2026-01-05"}}, ["role_and_province"]),
        (
            {"assignment": {"role": "province", "province": "77", "first_day": "2026-01-05"}},
            ["province_without_channel"],
        ),
        ({"assignment": {"role": "root", "first_day": "2026-01-05"}}, ["invalid_value"]),
        ({"assignment": {"role": "finance", "first_day": "0001-01-01"}}, ["out_of_range"]),
        (
            {"assignment": {"role": "finance", "first_day": "2026-01-05", "last_day": "2026-01-04"}},
            ["days_reversed"],
        ),
        ({"name": "Nguyễn Thị L\u0430n"}, ["person_name"]),
        ({"name": "Nguyễn Thị Ｌａｎ"}, ["person_name", "person_alike"]),
        ({"name": "Nguyễn 2"}, ["person_name"]),
        ({"name": "- . -"}, ["person_name"]),
        ({"account": {"issuer": ISSUER, "subject": "7d1f"}}, ["account_of_another"]),
        ({"account": {"issuer": ISSUER, "subject": "7D1F"}}, ["person_alike"]),
        ({"account": {"issuer": ISSUER, "subject": "7d1f\u200b"}}, ["text_unclean"]),
        ({"account": {"issuer": ISSUER, "subject": "\u212a1"}}, ["pattern"]),
        ({"account": {"issuer": ISSUER, "subject": "a b"}}, ["pattern"]),
    ],
)
async def test_what_is_wrong_is_refused_in_words(bench: Bench, change: dict[str, Any], codes: list[str]) -> None:
    await done(bench, "/people", LAN)
    other = LAN | {"order_id": "o-2", "person_id": "p-lien", "name": "Trần Thị Liên", "account": None}
    if change.get("person_id") == "p-lan":
        change = change | {"account": LAN["account"]}
        codes = ["person_id_taken", "account_held"]
    assert await refused(bench, "/people", other | change) == codes


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Lan",
        "NGUYỄN THỊ LAN",
        "nguyễn thị lan",
        "Nguyen Thi Lan",
        "Nguyễn  Thị Lan",
        "Nguyễn-Thị-Lan",
        "Nguyê\u0303n Thi\u0323 Lan",
        "Nguyễn Thị Lan.",
        "Nguyễn Thị La'n",
        "Nguyễn ThịLan",
    ],
)
async def test_the_same_human_being_is_not_entered_twice_by_mistake(bench: Bench, name: str) -> None:
    """Whoever were two persons could approve what he has prepared."""
    await done(bench, "/people", LAN)
    again = LAN | {"order_id": "o-2", "person_id": "p-lan2", "name": name, "account": None}
    assert await refused(bench, "/people", again) == ["person_alike"]
    await done(bench, "/people", again | {"distinct_from": ["p-lan"]})
    third = {"order_id": "o-3", "reason": "x", "name": "Trần Thị Liên"}
    await done(bench, "/people/p-lan2/change", third)
    assert await refused(bench, "/people/p-lan2/change", third | {"order_id": "o-4", "name": name}) == ["person_alike"]


async def test_an_account_belongs_to_one_person_even_when_it_has_ended(bench: Bench) -> None:
    await done(bench, "/people", LAN)
    other = LAN | {"order_id": "o-2", "person_id": "p-hoa", "name": "Lê Hoa", "account": None}
    await done(bench, "/people", other)
    ended = {"order_id": "o-3", "reason": "x", "account": LAN["account"]}
    await done(bench, "/people/p-lan/accounts/end", ended)
    assert await refused(bench, "/people/p-lan/accounts/end", ended | {"order_id": "o-4"}) == ["account_not_held"]
    given = ended | {"order_id": "o-5"}
    assert await refused(bench, "/people/p-hoa/accounts", given) == ["account_of_another"]
    back = await done(bench, "/people/p-lan/accounts", given)
    assert [one["ended_at"] for one in back["accounts"]] == [None]


async def test_nobody_enters_or_changes_himself(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Still(NOW))
    minh = LAN | {
        "person_id": "p-minh",
        "name": "Phạm Minh",
        "assignment": {"role": "ministry", "first_day": "2026-01-05"},
        "account": {"issuer": "langhoc-local", "subject": "minh"},
    }
    await done(bench, "/people", minh)
    more = {"order_id": "o-2", "reason": "x", "account": {"issuer": ISSUER, "subject": "binh"}}
    answer = await post(bench, "/people/p-minh/accounts", more, by="minh")
    assert [each["code"] for each in answer.json()["problems"]] == ["own_entry"]
    assert (await post(bench, "/people/p-minh/accounts", more, by="an")).status_code == 200
    answer = await confirmed(bench, "o-2", by="minh")
    assert [each["code"] for each in answer.json()["problems"]] == ["own_entry"], "nor confirms it"
    assert (await confirmed(bench, "o-2")).status_code == 200


@pytest.mark.parametrize("role", ["province", "finance", "auditor"])
async def test_only_the_ministry_enters(bench: Bench, role: str) -> None:
    answer = await post(bench, "/people", LAN, by="son", role=role)
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    assert not bench.mongo.all("persons")


# ------------------------------------------------------------------------------------------------- who sees whom


async def test_who_sees_whom(bench: Bench) -> None:
    """The ministry and auditors see everything, finance every name, a province its own people's names; who may not see
    a person is answered as if there were none."""
    await done(bench, "/people", LAN)
    nobody = LAN | {"order_id": "o-2", "person_id": "p-hoa", "name": "Lê Hoa", "account": None}
    await done(bench, "/people", nobody | {"assignment": {"role": "finance", "first_day": "2026-01-05"}})

    async def seen(role: Any, of: str | None, path: str) -> tuple[int, set[str]]:
        async with bench.http(role, of, account="son") as http:
            answer = await http.get(path)
        return answer.status_code, set(answer.json())

    whole = {"person_id", "name", "assignments", "version", "accounts", "changes", "erased_at"}
    name = {"person_id", "name", "assignments"}
    for role in ("ministry", "auditor"):
        assert await seen(role, None, "/people/p-lan") == (200, whole)
        assert await seen(role, None, "/people") == (200, {"items", "next"})
    assert await seen("finance", None, "/people/p-lan") == (200, name)
    assert await seen("province", "04", "/people/p-lan") == (200, name)
    assert await seen("province", "08", "/people/p-hoa") == (200, name), "who approves is no secret"
    hidden, absent = [await seen("province", "08", f"/people/{id}") for id in ("p-lan", "p-none")]
    assert hidden == absent
    assert hidden[0] == 404
    for role, of in (("province", "04"), ("finance", None)):
        assert (await seen(role, of, "/people"))[0] == 403


async def test_who_was_ended_before_the_first_day_is_still_shown(bench: Bench) -> None:
    await done(bench, "/people", LAN)
    await done(bench, "/people/p-lan/end", {"order_id": "o-2", "reason": "nhầm", "last_day": "2026-01-04"})
    expected: list[tuple[Any, int]] = [("ministry", 200), ("auditor", 200), ("finance", 404)]
    for role, status in expected:
        async with bench.http(role) as http:
            assert (await http.get("/people/p-lan")).status_code == status


async def test_every_look_at_accounts_is_recorded_before_it_is_given(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await done(bench, "/people", LAN)
    for role in ("auditor", "ministry"):
        async with bench.http(role, account="kim") as http:
            for path in ("/people", "/people/p-lan", "/people/p-none"):
                await http.get(path)
    reads = [(one["who"], one["role"], one["what"], one["about"]) for one in bench.mongo.all("personal_reads")]
    looks = ("p-lan…p-lan", "p-lan")
    assert reads == [("local:kim", role, "person", about) for role in ("auditor", "ministry") for about in looks]

    async def full(*given: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(bench.mongo, "insert", full)
    async with bench.http("auditor") as http:
        for path in ("/people", "/people/p-lan"):
            answer = await http.get(path)
            assert (answer.status_code, "7d1f" in answer.text) == (503, False)


async def test_the_list_is_paged(bench: Bench) -> None:
    for n in range(3):
        own = {"order_id": f"o-{n}", "person_id": f"p-{n}", "name": ("Lê Hoa", "Trần Liên", "Phạm Minh")[n]}
        await done(bench, "/people", LAN | own | {"account": None})
    async with bench.http() as http:
        first = (await http.get("/people", params={"limit": 2})).json()
        rest = (await http.get("/people", params={"limit": 2, "after": first["next"]})).json()
    assert [one["person_id"] for one in first["items"] + rest["items"]] == ["p-0", "p-1", "p-2"]
    assert rest["next"] is None
