"""The rules desk: proposed by one, rehearsed on what is kept, released by another; and a rehearsal is what happens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.identity import ensure_signing_key
from services.funding.decisions import RUNS as BUDGETS
from services.funding.opening import opening
from services.scoring.decisions import RANKINGS, RESULTS
from shared.messaging.collections import OUTBOX, RECALCULATIONS
from shared.rulebook.checking import read_all
from shared.rulebook.decided import DECIDED
from shared.rulebook.overlays import folders, using
from shared.rulebook.proposed import laid_out
from shared.web import streams
from tests.casework.case import USUAL, Officer, load
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import plays_of
from tests.unit.rulebook_samples import shipped, version

AN, BINH = Officer(name="an", role="ministry"), Officer(name="binh", role="ministry")
DESK = "/rule-proposals"
WHY = "Quyết định 12/QĐ-BGDĐT"
CASE = """
case: rules-desk
title: Two communes and three centres of Hải Phòng, and a centre of Nghệ An whose budget is approved
why: what a rule moves shows on them
given:
  - send:
      - {registration: HP-A, commune_code: "10507", area_class: region_1, province: 31}
      - {registration: HP-B, commune_code: "10525", area_class: region_1, province: 31}
      - {registration: NA-A, commune_code: "16816", area_class: region_1, province: 40}
      - {registration: NA-B, commune_code: "17329", area_class: region_1, province: 40}
  - send:
      - {support: HP-A, province: 31}
      - {support: HP-B, province: 31}
      - {support: NA-A, province: 40}
      - {support: NA-B, province: 40}
      - {centre: HP-A, as: good, province: 31}
      - {centre: HP-B, province: 31}
      - {centre: NA-A, as: good, province: 40}
      - {centre: NA-B, as: weak, province: 40}
      - {commune: "10507", province: 31, content: {targets: {C1.1: {met: false}, C5.1: {share: {numerator: 12600}}}}}
      - {commune: "10525", province: 31}
      - {envelope: 2026, amount: 43500000, province: 31}
      - {envelope: 2026, id: tien-40, amount: 43500000, province: 40}
  - {budget: 40/2026, step: simulate, by: "lan, province 40"}
  - {budget: 40/2026, step: submit, by: "lan, province 40"}
  - {budget: 40/2026, step: approve, by: "hoa, finance"}
expect:
  results:
    centre HP-A/2025: {grade: tot}
"""


def banded(code: str) -> dict[str, Any]:
    """A province's own bands for centres: good from 95 points on, instead of 80."""
    grades = [dict(each, provenance="found", citation=WHY) for each in shipped("rubrics/clc_2553_2013.yaml")["grades"]]
    grades[2]["max"] = grades[3]["min"] = 95
    return {
        "rubric": "clc_2553_2013",
        "id": f"clc_2553_2013/{code}-2025",
        "name": {"vi": "Bảng điểm của tỉnh", "en": "Point table of the province"},
        "effective_from": date(2025, 7, 1),
        "provenance": "found",
        "citation": WHY,
        "total": 100,
        "step": 0.5,
        "maxima": {"N1": 20, "N2": 30, "N3": 20, "N4": 30},
        "grades": grades,
    }


def in_yaml(content: Any) -> str:
    return yaml.safe_dump(content, allow_unicode=True)


def reordered() -> dict[str, Any]:
    """The ministry ranks by the mean first."""
    changed = version("ranking_policy.yaml", id="ranking_policy/ministry-1", provenance="found", citation=WHY)
    changed["order"] = changed["order"] | {"pass_fail": ["mean_over_own_threshold", "level"]}
    return {"versions": [changed]}


def dearer() -> dict[str, Any]:
    """The ministry moves more money by the grade."""
    changed = version(
        "funding_policy.yaml",
        id="funding_policy/ministry-1",
        provenance="found",
        citation=WHY,
        effective_from=date(2026, 1, 1),
    )
    changed["performance"] = changed["performance"] | {
        "by_grade": {"tot": 1.5, "kha": 0.75, "trung_binh": 0.5, "yeu": 0.25}
    }
    return {"versions": [changed]}


FILES: Mapping[str, Mapping[str, str]] = {
    "bands": {f"provinces/{code}/point_tables/clc.yaml": in_yaml(banded(code)) for code in ("31", "40")},
    "order": {"ministry/ranking_policy.yaml": in_yaml(reordered())},
    "money": {"ministry/funding_policy.yaml": in_yaml(dearer())},
}


@pytest.fixture
async def world(tmp_path: Path) -> MemoryWorld:
    ensure_signing_key(tmp_path)
    file = tmp_path / "case.yaml"
    file.write_text(CASE, encoding="utf-8")
    world = await MemoryWorld(tmp_path).begin()
    (case,) = load([file])
    (play, *_) = plays_of(case)
    await perform(world, [play])
    assert play.found == []
    return world


async def post(world: MemoryWorld, who: Officer, path: str, body: Any, service: str = "scoring") -> Any:
    return await world.order(who, service, path, body, "key")


async def done(world: MemoryWorld, who: Officer, path: str, body: Any, service: str = "scoring") -> Any:
    answer = await post(world, who, path, body, service)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def proposed(world: MemoryWorld, files: Mapping[str, str], id: str = "QD-12") -> Any:
    return await done(world, AN, DESK, {"id": id, "files": dict(files), "why": WHY})


def kept(world: MemoryWorld) -> Any:
    """Everything that is stored and published, but for proposals and the commands that made them."""
    return {
        name: {collection: world.mongo(name).all(collection) for collection in ("results", "allocations", "runs")}
        | {"events": len(world.mongo(name).all(OUTBOX)), "requests": world.mongo(name).all(RECALCULATIONS)}
        for name in ("scoring", "funding")
    } | {"records": len(world.records("scores", "rankings", "rules", "budgets"))}


async def rehearsed(world: MemoryWorld, proposal: Any) -> tuple[Any, dict[str, Any]]:
    """What scoring and, by its supposed results, funding tell."""
    found = await done(world, AN, f"{DESK}/{proposal['id']}/rehearsal", {"period": 2025})
    money = {}
    for code in ("31", "40"):
        scores = [each for each in found["scores"] if each["province"] == code]
        body = {"files": proposal["files"], "scores": scores}
        money[code] = await done(world, AN, f"/rule-rehearsals/{code}", body, "funding")
    return found, money


@contextmanager
def installed(files: Mapping[str, str]) -> Iterator[None]:
    """As if all services had been started with these files among their rules."""
    with using((*folders(), laid_out(files))):
        yield


def ranks(world: MemoryWorld) -> dict[tuple[str, str], int | None]:
    """Rank by scope and unit, of all rankings as they stand."""
    scoring = world.mongo("scoring")
    pages = {row["_id"]: row for row in scoring.all("ranking_pages")}
    found: dict[tuple[str, str], int | None] = {}
    for head in (RANKINGS.read(row) for row in scoring.all(RANKINGS.name)):
        for entry in head.manifest:
            page = pages[f"{head.scope}/{head.period}/{entry.version}/{entry.page}"]
            found |= {(head.scope, row["unit_id"]): row["rank"] for row in page["rows"]}
    return found


def figures(world: MemoryWorld) -> dict[str, tuple[Any, ...]]:
    results = [RESULTS.read(row) for row in world.mongo("scoring").all(RESULTS.name)]
    return {
        f"{one.kind} {one.subject}": tuple(
            getattr(one.result, name, None) for name in ("state", "total", "grade", "level")
        )
        for one in results
    }


def amounts(world: MemoryWorld) -> dict[tuple[str, str | None, str], int]:
    """By province, centre (`None`: the reserve) and what it is."""
    funding = world.mongo("funding")
    found: dict[tuple[str, str | None, str], int] = {}
    for line in funding.all("allocations"):
        found[line["province"], line["allocation"]["centre_id"], "support"] = line["allocation"]["amount"]
    for run in funding.all(BUDGETS.name):
        found[run["province"], None, "support"] = run["reserve"]
    for one in funding.all("adjustments"):
        said = one["proposal"]
        found[said["province"], said["centre_id"], "adjustment"] = said["corrected"]
    return found


@pytest.mark.parametrize("rules", FILES)
async def test_a_rehearsal_tells_exactly_what_happens_once_the_rules_are_used(world: MemoryWorld, rules: str) -> None:
    files = FILES[rules]
    proposal = await proposed(world, files)
    before = kept(world)
    found, money = await rehearsed(world, proposal)
    assert kept(world) == before, "nothing is written, published or asked for"
    assert (await rehearsed(world, proposal)) == (found, money), "the same again, to the digest"

    was, ranked, paid = figures(world), ranks(world), amounts(world)
    world.tick(USUAL + timedelta(hours=1))
    with installed(files):
        answer = await post(world, AN, "/recompute", {"id": "anew", "period": 2025, "why": WHY})
        assert answer.status_code == 202, answer.text
        await opening(world.services["funding"].commands)
        await world.rest()
    becomes = figures(world)
    really = {key: becomes[key] for key in was if was[key] != becomes[key]}
    told = {f"{each['kind']} {each['subject']}": each["after"] for each in found["results"]}
    assert {key: (each["grade"], each["level"]) for key, each in told.items()} == {
        key: (values[2], values[3]) for key, values in really.items()
    }
    assert {(each["scope"], each["unit_id"]): each["after"] for each in found["ranks"]} == {
        key: rank for key, rank in ranks(world).items() if ranked[key] != rank
    }
    now = amounts(world)
    assert {
        (one["province"], one["centre_id"], one["what"]): one["after"]
        for each in money.values()
        for one in each["amounts"]
    } == {key: amount for key, amount in now.items() if paid.get(key) != amount}
    moved = {"bands": ("results", "amounts"), "order": ("ranks",), "money": ("amounts",)}[rules]
    shown = {
        "results": found["moved"],
        "ranks": found["ranks_moved"],
        "amounts": sum(each["amounts_moved"] for each in money.values()),
    }
    assert {name for name, count in shown.items() if count} == set(moved), "each kind of rule moves what it is about"


async def test_budgets_follow_a_start_with_other_rules_and_no_other_start(world: MemoryWorld) -> None:
    funding = world.services["funding"]

    async def asked() -> int:
        await opening(funding.commands)
        return sum(row["due"] is None for row in funding.mongo.all(RECALCULATIONS))

    assert (await asked(), await asked()) == (1, 1), "what they were made by before is not known"
    paid = amounts(world)
    await world.rest()
    assert (amounts(world), await asked()) == (paid, 0)
    with installed(FILES["order"]):
        assert (await asked(), await asked()) == (1, 1)


async def test_all_is_counted_and_the_first_are_told(world: MemoryWorld) -> None:
    await proposed(world, FILES["bands"])
    whole = await done(world, AN, f"{DESK}/QD-12/rehearsal", {"period": 2025})
    short = await done(world, AN, f"{DESK}/QD-12/rehearsal", {"shown": 1, "period": 2025})
    assert (whole["judged"], whole["moved"], whole["by_kind"]) == (6, 2, {"centre": 2})
    assert (short["moved"], len(short["results"]), short["seen"]) == (2, 1, whole["seen"])
    other = await done(world, AN, f"{DESK}/QD-12/rehearsal", {"period": 2024})
    assert (other["judged"], other["seen"] == whole["seen"]) == (0, False)


async def test_who_waits_long_hears_that_work_goes_on(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    await proposed(world, FILES["bands"])
    quick = await done(world, AN, f"{DESK}/QD-12/rehearsal", {"period": 2025})
    monkeypatch.setattr(streams, "BEAT_SECONDS", 0.0)
    slow = await post(world, AN, f"{DESK}/QD-12/rehearsal", {"period": 2025})
    assert (slow.status_code, slow.json()) == (200, quick)
    assert slow.text.startswith("\n")


async def test_an_approved_budget_stays_and_its_adjustment_is_told(world: MemoryWorld) -> None:
    proposal = await proposed(world, FILES["bands"])
    _, money = await rehearsed(world, proposal)
    assert {one["what"] for one in money["31"]["amounts"]} == {"support"}
    assert [(one["centre_id"], one["what"]) for one in money["40"]["amounts"]] == [("NA-A", "adjustment")]
    (moved,) = money["40"]["moved"]
    assert (moved["before"], moved["after"]) == (None, None)


async def test_two_persons_and_the_digest_release_rules(world: MemoryWorld) -> None:
    proposal = await proposed(world, FILES["bands"])
    assert (proposal["state"], proposal["is_current"], proposal["in_use"]) == ("proposed", True, False)
    assert proposal["new"] == ["clc_2553_2013/31-2025", "clc_2553_2013/40-2025"]
    right = {"digest": proposal["digest"], "why": WHY}
    assert (await post(world, AN, f"{DESK}/QD-12/release", right)).json()["code"] == "same_person"
    other = await post(world, BINH, f"{DESK}/QD-12/release", right | {"digest": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "rules_other_digest")
    assert (await world.ask(BINH, "scoring", f"{DESK}/QD-12/package")).json()["code"] == "rules_not_released"
    released = await done(world, BINH, f"{DESK}/QD-12/release", right)
    assert (released["state"], released["decided"]["by"]) == ("released", "local:binh")
    assert await done(world, BINH, f"{DESK}/QD-12/release", right) == released, "the same order again"
    taken_back = await post(world, AN, f"{DESK}/QD-12/withdraw", right)
    assert (taken_back.status_code, taken_back.json()["code"]) == (409, "rules_decided")


async def test_files_that_changed_under_the_same_id_are_refused(world: MemoryWorld) -> None:
    proposal = await proposed(world, FILES["bands"])
    assert await proposed(world, FILES["bands"]) == proposal, "the same again is the same"
    changed = {place: text.replace("95", "94") for place, text in FILES["bands"].items()}
    answer = await post(world, AN, DESK, {"id": "QD-12", "files": changed, "why": WHY})
    assert (answer.status_code, answer.json()["code"]) == (409, "release_id_reused")


async def test_rules_that_came_into_use_meanwhile_ask_for_another_proposal(world: MemoryWorld) -> None:
    proposal = await proposed(world, FILES["bands"])
    await proposed(world, FILES["order"], "QD-13")
    with installed(FILES["order"]):
        answer = await post(world, BINH, f"{DESK}/QD-12/release", {"digest": proposal["digest"], "why": WHY})
        assert (answer.status_code, answer.json()["code"]) == (409, "rules_moved_on")
        answer = await post(world, BINH, f"{DESK}/QD-12/rehearsal", {"period": 2025})
        assert (answer.status_code, answer.json()["code"]) == (409, "rules_moved_on")
        listed = (await world.ask(AN, "scoring", DESK)).json()["items"]
        assert [(each["id"], each["is_current"]) for each in listed] == [("QD-12", False), ("QD-13", False)]
        assert all("files" not in each for each in listed)


async def test_a_proposal_is_withdrawn_by_its_digest_and_not_released_any_more(world: MemoryWorld) -> None:
    body = {"digest": (await proposed(world, FILES["bands"]))["digest"], "why": WHY}
    assert (await done(world, AN, f"{DESK}/QD-12/withdraw", body))["state"] == "withdrawn"
    assert (await post(world, BINH, f"{DESK}/QD-12/release", body)).json()["code"] == "rules_decided"
    listed = await world.ask(AN, "scoring", f"{DESK}?state=withdrawn")
    assert [each["id"] for each in listed.json()["items"]] == ["QD-12"]


async def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_kept(world: MemoryWorld) -> None:
    table = banded("31") | {"maxima": {"N1": 21, "N2": 30, "N3": 20, "N4": 30}}
    files = {
        "provinces/31/point_tables/clc.yaml": in_yaml(table),
        "ministry/ranking_policy.yaml": "versions: []",
        "ministry/rules.yaml": "a: 1",
    }
    answer = await post(world, AN, DESK, {"id": "QD-12", "files": files, "why": WHY})
    assert (answer.status_code, answer.json()["code"]) == (422, "unsound")
    told = {(each["field"].split()[0], each["code"]) for each in answer.json()["problems"]}
    assert told == {
        ("provinces/31/point_tables/clc.yaml", "maxima_not_total"),
        ("ministry/ranking_policy.yaml", "wrong_value"),
        ("ministry/rules.yaml", "unexpected_file"),
    }
    assert world.mongo("scoring").all("rule_proposals") == []


@pytest.mark.parametrize(
    "place", ["../goals.yaml", "/goals.yaml", "rubrics/../../x.yaml", "goals.txt", "released.yaml", "decided.yaml"]
)
async def test_a_file_that_has_no_place_is_refused(world: MemoryWorld, place: str) -> None:
    for path, service in ((DESK, "scoring"), ("/rule-rehearsals/31", "funding")):
        body = {"files": {place: "a: 1"}} | ({"id": "QD-12", "why": WHY} if service == "scoring" else {})
        answer = await post(world, AN, path, body, service)
        assert answer.status_code == 422, answer.text
    assert world.mongo("scoring").all("rule_proposals") == []


@pytest.mark.parametrize(
    "who",
    [
        Officer(name="lan", role="province", province="31"),
        Officer(name="hoa", role="finance"),
        Officer(name="kim", role="auditor"),
    ],
    ids=lambda who: who.role,
)
async def test_the_desk_is_the_ministrys_alone(world: MemoryWorld, who: Officer) -> None:
    proposal = await proposed(world, FILES["order"])
    decision = {"digest": proposal["digest"], "why": WHY}
    asked = [
        await post(world, who, DESK, {"id": "QD-13", "files": dict(FILES["order"]), "why": WHY}),
        await post(world, who, f"{DESK}/QD-12/rehearsal", {"period": 2025}),
        await post(world, who, f"{DESK}/QD-12/release", decision),
        await post(world, who, f"{DESK}/QD-12/withdraw", decision),
        await post(world, who, "/rule-rehearsals/31", {"files": dict(FILES["order"])}, "funding"),
        *[await world.ask(who, "scoring", path) for path in (DESK, f"{DESK}/QD-12", f"{DESK}/QD-12/package")],
    ]
    assert {answer.status_code for answer in asked} == {403}


async def test_what_is_installed_is_what_was_released(world: MemoryWorld, tmp_path: Path) -> None:
    proposal = await proposed(world, FILES["bands"])
    await done(world, BINH, f"{DESK}/QD-12/release", {"digest": proposal["digest"], "why": "đã xem bản tính thử"})
    package = (await world.ask(AN, "scoring", f"{DESK}/QD-12/package")).json()
    folder = tmp_path / "own"
    for place, text in package["files"].items():
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    places = (*folders(), folder)
    assert read_all(places).errors == ()
    with using(places):
        shown = (await world.ask(AN, "scoring", f"{DESK}/QD-12")).json()
        assert (shown["in_use"], shown["is_current"]) == (True, False)
        assert (await world.ask(AN, "scoring", f"{DESK}/QD-12/package")).json() == package

    def codes() -> list[str]:
        return [error.problem.code for error in read_all(places).errors]

    table = folder / "provinces/31/point_tables/clc.yaml"
    right = table.read_text(encoding="utf-8")
    table.write_text(right + "# a word\n", encoding="utf-8")
    assert codes() == ["decided_file_differs"], "not a byte of it"
    table.write_text(right, encoding="utf-8")
    (folder / "ministry").mkdir()
    (folder / "ministry/ranking_policy.yaml").write_text(FILES["order"]["ministry/ranking_policy.yaml"])
    assert codes() == ["decided_file_differs"], "nothing beside them"
    (folder / "ministry/ranking_policy.yaml").unlink()
    record = (folder / DECIDED).read_text(encoding="utf-8")
    (folder / DECIDED).write_text(record.replace(json.dumps(package["digest"]), json.dumps("0" * 64)), encoding="utf-8")
    assert codes() == ["decided_digest_differs"]
