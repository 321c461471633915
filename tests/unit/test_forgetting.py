"""Erasing who an officer was: by two persons, after the term; the id stays where it acted, nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts.catalogue import EventType
from shared.contracts.people import PersonEntered
from shared.privacy import ERASED_LINE, found_in
from tests.unit.delivery_samples import head, record
from tests.unit.funding_bench import TUAN, Officer, proposed
from tests.unit.intake_bench import Bench, Still
from tests.unit.test_erasing import Ministry, codes
from tests.unit.test_notifications_pipeline import Notifications
from tests.unit.test_people import ISSUER, done, refused

NAME, SUBJECT, REASON = "Nguyễn Thị Lan", "lan-7d1f", "Công văn 7, thay bà Ánh"
ENTERED = {
    "order_id": "o-1",
    "reason": REASON,
    "person_id": "p-lan",
    "name": NAME,
    "assignment": {"role": "finance", "first_day": "2026-01-05", "last_day": "2026-05-31"},
    "account": {"issuer": ISSUER, "subject": SUBJECT},
}
SECOND = {"issuer": "langhoc-local", "subject": "lan2"}


class Moving(Still):
    """A clock that is set on."""

    def to(self, *moment: int) -> None:
        self._moment = datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.fixture
def clock() -> Moving:
    return Moving(datetime(2026, 3, 2, 3, 0, tzinfo=UTC))


@pytest.fixture
async def bench(tmp_path: Path, clock: Moving) -> Bench:
    """An officer with two accounts, one of which has ended, whose term is over since yesterday."""
    bench = Bench(tmp_path, clock)
    await done(bench, "/people", ENTERED)
    await done(bench, "/people/p-lan/accounts", {"order_id": "o-2", "reason": REASON, "account": SECOND})
    ended = {"order_id": "o-3", "reason": REASON, "account": ENTERED["account"]}
    await done(bench, "/people/p-lan/accounts/end", ended)
    clock.to(2026, 5, 31, 17, 0)
    return bench


@pytest.fixture
def ministry(bench: Bench) -> Ministry:
    return Ministry(bench)


async def ask(ministry: Ministry, **change: Any) -> httpx.Response:
    order = {"order_id": "X-1", "person": "p-lan", "why": "Đề nghị 12/2026"} | change
    return await ministry.post("/erasures", order, change.pop("who", "an"))


async def erase(ministry: Ministry) -> None:
    assert (await ask(ministry)).status_code == 200
    answer = await ministry.confirm()
    assert answer.status_code == 200, answer.text


def places(bench: Bench) -> list[str]:
    """Where something of the officer is still to be found in intake's database."""
    return [
        f"{collection}/{row['_id']}: {place}"
        for collection, rows in bench.mongo.collections.items()
        for row in rows.values()
        for text in (NAME, SUBJECT, SECOND["subject"], REASON)
        for place in found_in(row, text)
    ]


# ------------------------------------------------------------------------------------------------- what is left


async def test_nothing_is_left_but_the_id_and_what_it_was_entitled_to(bench: Bench, ministry: Ministry) -> None:
    assert places(bench)
    keys = bench.events("people")[-1]["accounts"]
    assert len(keys) == 2

    await erase(ministry)

    assert places(bench) == []
    assert {one["confirmed_why"] for one in bench.mongo.all("persons")[0]["changes"]} == {None, ERASED_LINE}
    kept = {name: str(rows) for name, rows in bench.mongo.collections.items() if name not in ("accounts", "outbox")}
    assert [name for name, text in kept.items() if any(key in text for key in keys)] == [], "nor a hash beside the id"
    (person,) = bench.mongo.all("persons")
    assert (person["_id"], person["name"], person["accounts"]) == ("p-lan", ERASED_LINE, [])
    assert [(one["role"], one["last_day"]) for one in person["assignments"]] == [("finance", "2026-05-31")]
    assert [(one["deed"], one["by"], one["reason"]) for one in person["changes"]] == [
        ("added", "local:an", ERASED_LINE),
        ("account_added", "local:an", ERASED_LINE),
        ("account_ended", "local:an", ERASED_LINE),
        ("erased", "local:binh", ERASED_LINE),
    ]
    (order,) = bench.mongo.all("erasures")
    assert (order["person"], order["requested_by"], order["confirmed_by"]) == ("p-lan", "local:an", "local:binh")


async def test_what_the_topic_holds_is_replaced_under_the_same_key(bench: Bench, ministry: Ministry) -> None:
    await erase(ministry)
    told = bench.events("people")
    assert [one["version"] for one in told] == [1, 2, 3, 4]
    assert {row["key"] for row in bench.mongo.rows("outbox").values() if row["topic"] == "people"} == {"p-lan"}
    assert (told[-1]["accounts"], told[-1]["ended"], told[-1]["assignments"]) == ([], [], told[-2]["assignments"])


async def test_other_services_follow_whichever_version_comes_last(bench: Bench, ministry: Ministry) -> None:
    await erase(ministry)
    notifications = Notifications()
    told = bench.events("people")
    for offset, fact in enumerate([told[0], told[3], told[1], told[2]]):
        raw, type_ = json.dumps(fact).encode(), EventType.PERSON_ENTERED
        await notifications.pipeline.process([record(raw, head(type_, str(offset)), topic="people", offset=offset)])
    (kept,) = notifications.mongo.all("people")
    assert (kept["_id"], kept["version"], kept["accounts"]) == ("p-lan", 4, [])


async def test_what_the_officer_did_stays_done_and_the_journal_still_verifies(
    bench: Bench, ministry: Ministry, tmp_path: Path
) -> None:
    funding = await proposed(tmp_path)
    lan = Officer(SECOND["subject"], "finance")
    await funding.tell(*map(PersonEntered.model_validate, bench.events("people")))
    for who, step in ((TUAN, "simulate"), (TUAN, "submit"), (lan, "approve"), (lan, "publish")):
        await funding.done(who, f"/budgets/04/2026/{step}")
    before = await funding.get("/journal/04/2026")
    assert {entry["who"] for entry in before["entries"]} == {"p-lan"}

    await erase(ministry)
    await funding.tell(PersonEntered.model_validate(bench.events("people")[-1]))

    assert await funding.get("/journal/04/2026") == before
    assert (await funding.get("/journal/04/2026/verify"))["whole"] is True


async def test_the_name_of_an_erased_person_is_told_to_nobody(bench: Bench, ministry: Ministry) -> None:
    await erase(ministry)
    for role in ("ministry", "auditor", "finance"):
        async with bench.http(role, account="kim") as http:
            told = (await http.get("/people/p-lan")).json()
        assert (told["person_id"], told["name"]) == ("p-lan", ERASED_LINE)
        assert NAME not in str(told)


# ------------------------------------------------------------------------------------------------- nobody else's


async def test_the_id_is_never_given_to_anybody_else(bench: Bench, ministry: Ministry) -> None:
    await erase(ministry)
    other = ENTERED | {"order_id": "o-9", "name": "Trần Thị Liên", "account": None}
    assert await refused(bench, "/people", other) == ["person_id_taken"]
    body = {"order_id": "o-9", "reason": "x"}
    third = {"issuer": ISSUER, "subject": "lien"}
    for path, order in (
        ("change", {"name": "Trần Thị Liên"}),
        ("change", {"assignment": {"role": "finance", "first_day": "2026-06-01"}}),
        ("accounts", {"account": third}),
        ("end", {"last_day": "2026-12-31"}),
    ):
        assert await refused(bench, f"/people/p-lan/{path}", body | order) == ["person_erased"]


@pytest.mark.parametrize("account", [ENTERED["account"], SECOND], ids=["ended", "in use"])
async def test_the_accounts_are_barred_for_ever(bench: Bench, ministry: Ministry, account: Any) -> None:
    """The same human being would come back as somebody else by the same account, unnoticed."""
    await erase(ministry)
    later = {"role": "finance", "first_day": "2026-06-01"}
    again = ENTERED | {"order_id": "o-9", "person_id": "p-new", "assignment": later, "account": account}
    assert await refused(bench, "/people", again) == ["account_barred"]
    await done(bench, "/people", again | {"account": {"issuer": ISSUER, "subject": "other"}})
    given = {"order_id": "o-10", "reason": "x", "account": account}
    assert await refused(bench, "/people/p-new/accounts", given) == ["account_barred"]


async def test_an_old_order_again_changes_nothing_and_is_not_compared_with_what_it_said(
    bench: Bench, ministry: Ministry
) -> None:
    await erase(ministry)
    assert await refused(bench, "/people", ENTERED) == ["order_id_reused"]
    assert await refused(bench, "/people", ENTERED | {"name": "Trần Thị Liên"}) == ["order_id_reused"]


# ------------------------------------------------------------------------------------------------- who and when


async def test_one_person_alone_erases_nobody(bench: Bench, ministry: Ministry) -> None:
    before = places(bench)
    await ask(ministry)
    assert codes(await ministry.confirm(who="an")) == ["same_person"]
    assert places(bench) == before


@pytest.mark.parametrize("moment", [(2026, 3, 2), (2026, 5, 31, 16, 59)], ids=["in the term", "its last minute"])
async def test_an_officer_whose_term_has_not_ended_is_not_erased(
    bench: Bench, ministry: Ministry, clock: Moving, moment: tuple[int, ...]
) -> None:
    clock.to(*moment)
    assert codes(await ask(ministry)) == ["person_acts"]


@pytest.mark.parametrize("last_day", [None, "2026-12-31"])
async def test_who_is_called_back_between_request_and_confirmation_is_not_erased(
    bench: Bench, ministry: Ministry, last_day: str | None
) -> None:
    await ask(ministry)
    back = {"role": "finance", "first_day": "2026-06-01", "last_day": last_day}
    await done(bench, "/people/p-lan/change", {"order_id": "o-9", "reason": "x", "assignment": back})
    assert codes(await ministry.confirm()) == ["person_acts"]
    assert places(bench)


@pytest.mark.parametrize(
    "text",
    ["Theo đơn của Nguyễn Thị Lan", "NGUYEN THI LAN", "bà nguyễn-thị-lan xin", "tài khoản lan-7d1f", "LAN2 đã khóa"],
)
async def test_an_order_that_names_the_officer_is_refused(bench: Bench, ministry: Ministry, text: str) -> None:
    """It stays on record: the name would be back where it was taken from."""
    assert codes(await ask(ministry, why=text)) == ["names_the_person"]
    assert bench.mongo.all("erasures") == []
    assert (await ask(ministry, why="Đơn xin của đương sự, lần 2")).status_code == 200
    answer = await ministry.post("/erasures/X-1/confirm", {"why": text}, "binh")
    assert codes(answer) == ["names_the_person"]


async def test_what_cannot_be_erased_is_refused_in_words(bench: Bench, ministry: Ministry) -> None:
    assert codes(await ask(ministry, person="p-none")) == ["person_unknown"]
    assert codes(await ask(ministry, person="Nguyễn Thị Lan")) == ["pattern"]
    assert codes(await ask(ministry, receipts=["r"])) == ["one_kind"]
    assert codes(await ask(ministry, person=None)) == ["one_kind"]
    assert (await ask(ministry)).status_code == 200
    assert codes(await ask(ministry, person="p-other")) == ["order_id_reused"]
    assert (await ministry.confirm()).status_code == 200
    assert codes(await ask(ministry, order_id="X-2")) == ["person_erased"]
    assert (await ministry.confirm(who="chi")).json()["confirmed_by"] == "local:binh", "the same again changes nothing"


async def test_an_order_that_waits_goes_with_whom_it_is_about(bench: Bench, ministry: Ministry) -> None:
    waits = {"order_id": "o-8", "reason": REASON, "name": f"{NAME} Anh"}
    assert (await ministry.post("/people/p-lan/change", waits)).status_code == 200
    await erase(ministry)
    assert places(bench) == []
    assert codes(await ministry.post("/people-orders/o-8/confirm", {"why": "x"}, "chi")) == ["entry_settled"]


async def test_of_two_orders_for_the_same_officer_the_second_finds_nobody(bench: Bench, ministry: Ministry) -> None:
    await ask(ministry)
    await ask(ministry, order_id="X-2")
    assert (await ministry.confirm()).status_code == 200
    assert codes(await ministry.confirm("X-2")) == ["person_erased"]
