"""A database that commit 19223d0 wrote, in today's services: read whole, told as before, and gone on with.

All four services run on it in one process, on fakes of both servers. What this cannot show is a real server's indexes
over these documents: that is `tests/conformance/test_old_database.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.publishing import Message
from deploy.local.identity import ensure_signing_key
from shared.contracts.catalogue import EventType
from shared.messaging.collections import RECALCULATIONS
from tests import old_database
from tests.casework.case import MINISTRY, Officer
from tests.casework.in_memory import MemoryWorld

FINANCE = Officer(name="an", role="finance"), Officer(name="binh", role="finance")


@pytest.fixture
async def world(tmp_path: Path) -> MemoryWorld:
    """Today's services, which find what the old ones left."""
    ensure_signing_key(tmp_path)
    world = MemoryWorld(tmp_path)
    for service in old_database.SERVICES:
        await old_database.load(world.mongo(service), service)
    await world.come(old_database.LEFT_AT, [])
    return await world.begin()


def is_same_instant(told: Any, now: Any) -> bool:
    """Whether both are texts of one moment: `+00:00` is also written `Z`."""
    try:
        return datetime.fromisoformat(told) == datetime.fromisoformat(now)
    except (TypeError, ValueError):
        return False


def missing(told: Any, now: Any, path: str = "") -> Iterator[str]:
    """Where an answer of today is not what was told then; a field that is new since is no difference."""
    if isinstance(told, dict) and isinstance(now, dict):
        for name, value in told.items():
            yield from missing(value, now[name], f"{path}/{name}") if name in now else [f"{path}/{name} is gone"]
    elif isinstance(told, list) and isinstance(now, list) and len(told) == len(now):
        for number, (one, other) in enumerate(zip(told, now, strict=True)):
            yield from missing(one, other, f"{path}/{number}")
    elif told != now and not is_same_instant(told, now):
        yield f"{path}: {told!r} was told, {now!r} is said now"


@pytest.mark.parametrize("service", old_database.SERVICES)
async def test_every_view_tells_what_it_told_then(world: MemoryWorld, service: str) -> None:
    differences: list[str] = []
    for path, told in old_database.answers(service).items():
        answer = await world.ask(MINISTRY, service, path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        differences += [f"{path} {each}" for each in missing(in_order(path, told), in_order(path, answer.json()))]
    assert differences == []


def in_order(path: str, answer: Any) -> Any:
    """What is accepted of a subject comes by period; the order within one is nobody's promise. Receipts came by their
    ids then, and the newest come first now."""
    if path.startswith("/subjects/"):
        return sorted(answer, key=lambda each: str(each["kind"]))
    if path.partition("?")[0] in ("/receipts", "/held"):
        return answer | {"items": sorted(answer["items"], key=lambda each: str(each["receipt_id"]))}
    return answer


# ---------------------------------------------------------------------------------------------------- it goes on


def again(world: MemoryWorld, kind: str, number: int = 0, **changes: Any) -> Message:
    """A newer version of a submission that the old services accepted, from the bytes that they kept."""
    accepted = [row for row in world.mongo("intake").all("aggregates") if row["kind"] == kind and row["period"] == 2025]
    row = sorted(accepted, key=lambda each: str(each["_id"]))[number]
    (receipt,) = [
        each for each in world.mongo("intake").all("receipts") if each["_id"] == row["accepted"]["receipt_id"]
    ]
    body = json.loads(receipt["raw"]) | {"submission_id": "NEW", "corrects_version": row["version"]} | changes
    key = body.get("centre_id") or body["unit_code"]
    return Message(row["province"], key, EventType(f"langhoc.{kind}.submitted.v1"), json.dumps(body).encode())


async def told(world: MemoryWorld, service: str, path: str) -> Any:
    """The body of a 200."""
    answer = await world.ask(MINISTRY, service, path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_newer_file_supersedes_an_old_result_and_open_requests_are_taken_up(world: MemoryWorld) -> None:
    for kind, name in (("commune", "unit_id"), ("centre", "centre_id")):
        message = again(world, kind, content=json.loads(again(world, kind, 1).body)["content"])
        (before,) = await told(world, "scoring", f"/results/{message.key}?period=2025")
        await world.come(old_database.LEFT_AT, [message])
        await world.rest()
        (after,) = await told(world, "scoring", f"/results/{before[name]}?period=2025")
        assert after["version"] == before["version"] + 1
        assert [each["version"] for each in after["superseded"]] == [*range(1, after["version"])]
        assert after["superseded"][:-1] == before["superseded"]
        accepted = [each for each in await told(world, "intake", f"/subjects/{message.key}") if each["kind"] == kind]
        assert [line["version"] for line in accepted[-1]["history"]] == [*range(1, accepted[-1]["version"] + 1)]
    assert world.mongo("scoring").all(RECALCULATIONS) == []


async def test_what_was_accepted_then_is_taken_back_and_revoked(world: MemoryWorld) -> None:
    """Documents of every older shape: aggregates, results (counts of areas among them), decisions."""
    before = await world.dead_letters()
    rows = sorted(world.mongo("intake").all("aggregates"), key=lambda each: str(each["_id"]))
    ended, messages = dict[str, Any](), list[Message]()
    for kind in ("commune", "centre", "assessment", "recognition"):
        for row in [each for each in rows if each["kind"] == kind][:14]:
            series, _, subject = row["subject"].rpartition("/")
            name = {"centre": "centre_id", "assessment": "subject"}.get(kind, "unit_code")
            body = {"submission_id": f"W-{len(messages)}", "period": row["period"], "corrects_version": row["version"]}
            body |= {name: subject, "reason": "Gửi nhầm"} | ({"series": series} if kind == "assessment" else {})
            if kind == "recognition":
                body |= {"decision_number": "9/QĐ", "decided_on": "2026-03-01", "decided_by": "Sở GDĐT"}
            type_ = EventType(f"langhoc.{kind}.{'revoked' if kind == 'recognition' else 'withdrawn'}.v1")
            messages.append(Message(row["province"], subject, type_, json.dumps(body).encode()))
            ended[str(body["submission_id"])] = row
    await world.come(old_database.LEFT_AT, messages)
    await world.rest()
    receipts = {row["submission_id"]: row["receipt"] for row in world.mongo("intake").all("receipts")}
    for id, row in ended.items():
        assert (receipts[id]["status"], receipts[id]["version"]) == ("accepted", row["version"] + 1), receipts[id]
        if row["kind"] != "recognition":
            fact = row["accepted"]
            named = {"commune": fact.get("unit_id"), "centre": row["subject"]}
            subject = named.get(row["kind"]) or f"{fact['series']}/{fact['subject_id']}"
            (result,) = await told(world, "scoring", f"/results/{subject}?period={row['period']}")
            assert (result["state"], result["level"], result["grade"]) == ("unassessed", None, None)
    kinds = {row["_id"].partition("/")[2].partition("/")[0] for row in ended.values() if row["kind"] == "assessment"}
    assert kinds == {"district", "province", "learning_unit", "universal_education", "learning_models"}
    kept = {row["_id"]: row for row in world.mongo("scoring").all("recognitions")}
    decided = [row["accepted"]["unit_id"] for row in ended.values() if row["kind"] == "recognition"]
    assert decided
    assert all(one["revocation"] is not None for unit_id in decided for one in kept[unit_id]["items"])
    assert await world.dead_letters() == before


async def test_rankings_go_on_from_their_old_pages(world: MemoryWorld) -> None:
    before = await told(world, "scoring", "/rankings/nation/2025/head")
    await world.rest()
    after = await told(world, "scoring", "/rankings/nation/2025/head")
    assert after["version"] == before["version"] + 1
    changes = await told(world, "scoring", f"/rankings/nation/2025/changes?version={after['version']}")
    assert changes


async def test_an_approved_budget_is_adjusted_and_a_submitted_one_submitted_again(world: MemoryWorld) -> None:
    an, binh = FINANCE

    async def take(who: Officer, path: str, step: str, seen: Any) -> None:
        body = {"why": "Theo biên bản họp", "version": seen["version"], "hash": seen["hash"]}
        answer = await world.order(who, "funding", f"{path}/{step}", body, f"{path}/{step}")
        assert answer.status_code == 200, answer.text

    await world.rest()
    adjustments = (await told(world, "funding", "/adjustments?province=46&limit=500"))["items"]
    assert {each["state"] for each in adjustments} >= {"proposed", "submitted", "approved", "refused", "void"}
    for seen in adjustments:
        path = f"/adjustments/{seen['adjustment_id']}"
        if seen["state"] == "proposed":
            await take(an, path, "submit", seen)
        if seen["state"] in ("proposed", "submitted"):
            await take(binh, path, "approve", await told(world, "funding", path))
    seen = await told(world, "funding", "/budgets/12/2026")
    assert seen["state"] == "proposed", "its lines are explained in other words now: nobody approves what nobody read"
    for who, step in ((an, "simulate"), (an, "submit"), (binh, "approve")):
        await take(who, "/budgets/12/2026", step, await told(world, "funding", "/budgets/12/2026"))
    await take(binh, "/budgets/12/2026", "publish", await told(world, "funding", "/budgets/12/2026"))
    await world.rest()
    for province in ("12", "46"):
        assert (await told(world, "funding", f"/journal/{province}/2026/verify"))["whole"] is True
        assert (await told(world, "funding", f"/budgets/{province}/2026/snapshot/verify"))["same"] is True
        assert (await told(world, "funding", f"/budgets/{province}/2026/proof"))["holds"] is True


async def test_a_correction_of_a_centre_becomes_an_adjustment(world: MemoryWorld) -> None:
    before = (await told(world, "funding", "/adjustments?province=46&limit=500"))["items"]
    rows = sorted(world.mongo("intake").all("aggregates"), key=lambda each: str(each["_id"]))
    centres = [row for row in rows if row["kind"] == "centre" and row["period"] == 2025]
    touched = {each["centre_id"] for each in before}
    good = {row["centre_id"] for row in world.mongo("funding").all("scores") if row["grade"] == "tot"} - touched
    (number, *_) = (n for n, each in enumerate(centres) if each["province"] == "46" and each["subject"] in good)
    content = json.loads(again(world, "centre", number).body)["content"]
    for points in content["points"].values():
        points["points"] = str(int(float(points["points"])) // 3)
    await world.come(old_database.LEFT_AT, [again(world, "centre", number, content=content)])
    await world.rest()
    after = (await told(world, "funding", "/adjustments?province=46&limit=500"))["items"]
    (new,) = [each for each in after if each["adjustment_id"] not in {one["adjustment_id"] for one in before}]
    assert (new["centre_id"], new["state"]) == (centres[number]["subject"], "proposed")


async def test_the_register_is_corrected_once_more(world: MemoryWorld) -> None:
    kept = await told(world, "intake", "/register")
    (waiting,) = (await told(world, "intake", "/held"))["items"]
    correction = {
        "correction_id": "NEW",
        "why": "Danh mục nhập thiếu đơn vị",
        "source": "Công báo (dữ liệu tổng hợp)",
        "decree": {"number": "Nghị quyết 9", "issued_on": "2023-11-14", "effective_on": "2024-01-01"},
        "added": [
            {
                "code": waiting["subject"],
                "name": "Xã Dào San",  # as the file that waits calls it
                "type": "Xã",
                "province_code": waiting["province"],
                "valid_to": "2024-01-01",
            }
        ],
    }
    answer = await world.order(MINISTRY, "intake", "/register/corrections", correction, "NEW")
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == len(kept) + 1
    await world.rest()
    assert (await told(world, "intake", "/held"))["items"] == []
    (result,) = await told(world, "scoring", f"/results/{waiting['subject']}?period=2022")
    assert result["unit_id"] == f"{waiting['subject']}@pre-2024-01-01"


async def test_nothing_of_it_ends_as_a_dead_letter_and_all_results_are_judged_as_they_stand(world: MemoryWorld) -> None:
    before = await world.dead_letters()
    await world.rest()
    for days, period in enumerate((2022, 2024, 2025), start=1):
        answer = await world.order(MINISTRY, "scoring", "/recompute/dry-run", {"period": period}, "dry")
        *lines, last = map(json.loads, answer.text.splitlines())
        # Goals that were loaded since stand beside shares (ADR 61): they judge nobody.
        assert [one for one in lines if one["kind"] != "learning_models"] == [], last
        assert not any(last["summary"]["outcomes"].values())
        order = {"id": f"all-{period}", "period": period, "why": "Sau khi nâng cấp"}
        assert (await world.order(MINISTRY, "scoring", "/recompute", order, "all")).status_code == 202
        await world.rest()
        await world.come(old_database.LEFT_AT + timedelta(days=days), [])  # an order looks now and then
        await world.rest()
        ended = await told(world, "scoring", f"/recompute/all-{period}")
        changed = 2 * last["summary"]["changed"]  # and the commune that rests on it
        assert (ended["state"], ended["changed"], ended["violations"]) == ("done", changed, [])
    assert await world.dead_letters() == before
