"""The directory on real servers: entered at intake, it counts in every service once it was read there."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from deploy.local.identity import issue_token
from tests.platform import ServiceProcesses

pytestmark = pytest.mark.integration
SERVICES = ("intake", "scoring", "funding", "notifications")
NAME, SUBJECT, REASON = "Nguyễn Thị Thử Nghiệm", "kiem-thu-7d1f", "Công văn thử nghiệm 7"


def answer(processes: ServiceProcesses, service: str, subject: str = SUBJECT) -> tuple[int, str]:
    """How a service answers an auditor's token of this subject that asks for what the ministry alone may see."""
    token = issue_token(processes.folder, subject, "auditor")
    found = httpx.get(f"{processes.url(service)}/flow", headers={"Authorization": f"Bearer {token}"}, timeout=20)
    return found.status_code, found.json().get("code", "answered")


def order(processes: ServiceProcesses, path: str, **body: Any) -> dict[str, Any]:
    """An order on the directory that is carried out."""
    token = issue_token(processes.folder, "minh", "ministry")
    url, headers = f"{processes.url('intake')}{path}", {"Authorization": f"Bearer {token}"}
    done = httpx.post(url, json={"reason": REASON, **body}, headers=headers, timeout=20)
    assert done.status_code == 200, done.text
    found: dict[str, Any] = done.json()
    return found


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
        database = processes.database(service)
        held = {name: str(list(database[name].find())) for name in database.list_collection_names()}
        assert "p-thu" in held["people"]
        told = {name for name, text in held.items() if any(one in text for one in (NAME, SUBJECT, REASON))}
        assert told == ({"persons"} if service == "intake" else set())
