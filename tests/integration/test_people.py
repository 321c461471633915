"""The directory on real servers: entered at intake, it counts in every service once it was read there."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from deploy.local.identity import issue_token
from tests.platform import ServiceProcesses

pytestmark = pytest.mark.integration
SERVICES = ("intake", "scoring", "funding", "notifications")
ENTERED = {"person_id": "p-ba", "name": "Lê Văn Ba", "assignment": {"role": "finance", "first_day": "2020-01-01"}}
NAME, SUBJECT, REASON = "Nguyễn Thị Thử Nghiệm", "kiem-thu-7d1f", "Công văn thử nghiệm 7"


def answer(processes: ServiceProcesses, service: str, subject: str = SUBJECT) -> tuple[int, str]:
    """How a service answers an auditor's token of this subject that asks for what the ministry alone may see."""
    token = issue_token(processes.folder, subject, "auditor")
    found = httpx.get(f"{processes.url(service)}/flow", headers={"Authorization": f"Bearer {token}"}, timeout=20)
    return found.status_code, found.json().get("code", "answered")


def order(processes: ServiceProcesses, path: str, **body: Any) -> None:
    """An order on the directory that is carried out: by another person than gave it, but for the end of an account."""
    sent(processes, path, "minh", reason=REASON, **body)
    if not path.endswith("/accounts/end"):
        sent(processes, f"/people-orders/{body['order_id']}/confirm", "binh", why=REASON)


def sent(processes: ServiceProcesses, path: str, who: str, **body: Any) -> None:
    token = issue_token(processes.folder, who, "ministry")
    url, headers = f"{processes.url('intake')}{path}", {"Authorization": f"Bearer {token}"}
    done = httpx.post(url, json=body, headers=headers, timeout=20)
    assert done.status_code == 200, done.text


def held(processes: ServiceProcesses, service: str) -> dict[str, str]:
    """Everything in a service's database, by collection."""
    database = processes.database(service)
    return {name: str(list(database[name].find())) for name in database.list_collection_names()}


async def test_a_person_acts_in_every_service_from_entry_to_end(processes: ServiceProcesses, topics: str) -> None:
    processes.start(*SERVICES)
    account = {"issuer": "langhoc-local", "subject": SUBJECT}
    assert {answer(processes, service) for service in SERVICES} == {(403, "role_not_allowed")}, "by its token, locally"

    entered = {"person_id": "p-thu", "name": NAME, "account": account}
    order(processes, "/people", order_id="o-1", assignment={"role": "ministry", "first_day": "2020-01-01"}, **entered)
    await asyncio.to_thread(processes.wait_settled, *SERVICES)
    assert {answer(processes, service) for service in SERVICES} == {(200, "answered")}, "the directory counts"

    order(processes, "/people/p-thu/end", order_id="o-2", last_day="2020-12-31")
    await asyncio.to_thread(processes.wait_settled, *SERVICES)
    assert {answer(processes, service) for service in SERVICES} == {(403, "acts_no_more")}

    order(processes, "/people/p-thu/change", order_id="o-3", assignment={"role": "ministry", "first_day": "2021-01-01"})
    order(processes, "/people/p-thu/accounts/end", order_id="o-4", account=account)
    await asyncio.to_thread(processes.wait_settled, *SERVICES)
    assert {answer(processes, service) for service in SERVICES} == {(403, "account_ended")}, (
        "nor does it stand for itself"
    )

    # Names, accounts and reasons lie in one collection of one database; the others know the person by its id.
    for service in SERVICES:
        kept = held(processes, service)
        assert "p-thu" in kept["people"]
        told = {name for name, text in kept.items() if any(one in text for one in (NAME, SUBJECT, REASON))}
        assert told == ({"persons"} if service == "intake" else set())

    # Erased by two persons when the term is over, nobody knows who it was: not even by a hash beside the id.
    ((key,),) = [one["accounts"] for one in processes.database("funding")["people"].find({"_id": "p-thu"})]
    order(processes, "/people/p-thu/end", order_id="o-5", last_day="2021-12-31")
    sent(processes, "/erasures", "minh", order_id="X-1", person="p-thu", why="12/2026")
    sent(processes, "/erasures/X-1/confirm", "binh", why="12/2026")
    await asyncio.to_thread(processes.wait_settled, *SERVICES)
    for service in SERVICES:
        kept = held(processes, service)
        assert "p-thu" in kept["people"]
        assert [name for name, text in kept.items() if any(one in text for one in (NAME, SUBJECT, REASON))] == []
        assert [name for name, text in kept.items() if key in text] == (["accounts"] if service == "intake" else [])


async def test_the_first_operators_come_from_a_file_once_however_many_start_with_it(
    processes: ServiceProcesses, topics: str
) -> None:
    file = processes.folder / "first-operators.json"
    names = {"p-mot": "Nguyễn Văn Một", "p-hai": "Trần Thị Hai"}
    operators = [
        {"person_id": id, "name": name, "issuer": "langhoc-local", "subject": id} for id, name in names.items()
    ]
    file.write_text(json.dumps(operators), encoding="utf-8")
    for instance in (0, 1):
        processes.launch("intake", instance=instance, LANGHOC_FIRST_OPERATORS=str(file))
    for instance in (0, 1):
        processes.wait_ready("intake", instance)
    said = [processes.whole_log("intake", instance) for instance in (0, 1)]
    assert sum("people.first_operators_entered" in log for log in said) == 1
    assert sum("people.first_operators_not_needed" in log for log in said) == 1
    kept = {one["_id"]: one["version"] for one in processes.database("intake")["persons"].find()}
    assert kept == {"p-hai": 1, "p-mot": 1}

    assert answer(processes, "intake", "p-mot") == (200, "answered"), "an operator, whatever the token says"
    sent(processes, "/people", "p-mot", order_id="o-1", reason=REASON, **ENTERED)
    sent(processes, "/people-orders/o-1/confirm", "p-hai", why=REASON)
