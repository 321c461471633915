"""What is accepted and yet hardly true: the list of a province is made of the facts as they stand, whenever they came.

What each kind of warning is raised by, and what is near to it and right: `tests/cases/plausible.yaml`.
"""

from __future__ import annotations

import asyncio
import itertools
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from cli.main import app as langhoc
from cli.output import console
from deploy.local.identity import Role
from services.intake.domain import doubts, earlier, plausible
from shared.contracts.catalogue import EventType
from shared.contracts.facts import CommuneAccepted, RecognitionAccepted
from shared.contracts.submissions import RecognitionWithdrawn, Submission, SupportSubmitted
from shared.refusals import problem
from shared.registry import registry
from shared.rulebook import HANOI, NoRuleInForce, cut_off, plausibility_on
from shared.rulebook.checking import read_all
from shared.rulebook.source import DATA
from tests.fakes.memory import MemoryMongo
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import commune, recognition, registration
from tests.unit.rulebook_samples import put, version
from tests.unit.wire import answered_by, http_of

JANUARY = datetime(2026, 1, 10, 9, 30, tzinfo=HANOI)
CAO_BO = "00952"
"""A commune of Tuyên Quang (08) that the reform of 2025 left as it was."""
Sent = tuple[EventType, Submission]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Still(JANUARY))


def citizens(count: int, **changes: Any) -> Sent:
    """A file in which so many citizens are counted, three in four of them learning citizens."""
    share = {"numerator": count * 3 // 4, "denominator": count}
    target = {"type": "share", "share": share, "evidence": ["Biểu CDHT-03"]}
    content = {"scoring": "pass_fail", "targets": {"C5.1": target}}
    return EventType.COMMUNE_SUBMITTED, commune(**{"unit_code": CAO_BO, "content": content} | changes)


def recognised(id: str, **changes: Any) -> Sent:
    return EventType.RECOGNITION_SUBMITTED, recognition(**{"submission_id": id, "unit_code": CAO_BO} | changes)


async def listed(bench: Bench, role: Role = "province", of: str | None = "08", **asked: Any) -> dict[str, Any]:
    """A page of the list."""
    async with bench.http(role, of) as http:
        answer = await http.get("/warnings", params=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def codes(page: dict[str, Any]) -> list[str]:
    """What is listed: by subject and period, which warnings."""
    return [
        f"{one['subject']}/{one['period']} {warning['code']}" for one in page["items"] for warning in one["warnings"]
    ]


# ------------------------------------------------------------------------------------------------ the list


FACTS: dict[str, Sent] = {
    "last year": citizens(12_640, submission_id="F-2024", period=2024),
    "this year": citizens(126_400, submission_id="F-2025"),
    "level 1": recognised("Q-2024", period=2024, decided_on="2025-01-20"),
    "level 2": recognised("Q-2025", level=2),
}


@pytest.mark.parametrize("order", [*itertools.permutations(FACTS)], ids=", ".join)
async def test_the_same_facts_make_the_same_list_in_whatever_order_they_came(
    bench: Bench, order: tuple[str, ...]
) -> None:
    """The receipt of this year's file was warned only where last year's was known; the list says it in any case."""
    said = {}
    for name in order:
        said[name] = [one.code for one in (await bench.receive(*FACTS[name], "08")).warnings]
    assert codes(await listed(bench)) == [f"{CAO_BO}/2025 population_jump"]
    told = order.index("last year") < order.index("this year")
    assert said["this year"] == (["population_jump"] if told else [])
    opened = order.index("level 1") < order.index("level 2")
    assert said["level 2"] == ([] if opened else ["level_1_unknown"])
    assert said["last year"] == said["level 1"] == []


async def test_what_is_mended_or_withdrawn_is_gone_and_what_loses_its_ground_comes(bench: Bench) -> None:
    for name in FACTS:
        await bench.receive(*FACTS[name], "08")
    mended = citizens(12_700, submission_id="F-2025-2", corrects_version=1)
    await bench.receive(*mended, "08")
    assert codes(await listed(bench)) == []
    gone = RecognitionWithdrawn(
        submission_id="Q-3", unit_code=CAO_BO, period=2024, corrects_version=1, reason="gửi nhầm"
    )
    await bench.receive(EventType.RECOGNITION_WITHDRAWN, gone, "08")
    assert codes(await listed(bench)) == [f"{CAO_BO}/2025 level_1_unknown"]


async def test_a_province_sees_its_own_and_the_ministry_and_auditors_all(bench: Bench) -> None:
    for province, code in (("08", CAO_BO), ("01", "00004")):
        bare = {"scoring": "pass_fail", "targets": {"C1.1": {"type": "boolean", "met": True}}}
        file = commune(submission_id=code, unit_code=code, content=bare)
        await bench.receive(EventType.COMMUNE_SUBMITTED, file, province)
    own, other = f"{CAO_BO}/2025 value_without_evidence", "00004/2025 value_without_evidence"
    assert codes(await listed(bench)) == [own]
    assert codes(await listed(bench, "ministry", None)) == codes(await listed(bench, "auditor", None)) == [other, own]
    assert codes(await listed(bench, "ministry", None, province="01", period=2025)) == [other]
    assert codes(await listed(bench, "ministry", None, period=2024)) == []
    async with bench.http("province", "08") as http:
        foreign = await http.get("/warnings", params={"province": "01"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "other_province")


async def test_pages_of_any_size_hold_all_of_it_once(bench: Bench) -> None:
    """Those without a period first; a page of what nobody doubts is empty, and not the last."""
    centre = registration(centre_id="TT-1", commune_code=CAO_BO, population_served=300_001)
    await bench.receive(EventType.CENTRE_REGISTERED, centre, "08")
    for year in (2024, 2025):
        paid = SupportSubmitted(submission_id=f"S-{year}", centre_id="TT-1", year=year, amount=25)
        await bench.receive(EventType.SUPPORT_SUBMITTED, paid, "08")
    await bench.receive(*citizens(12_640), "08")
    whole = codes(await listed(bench))
    assert whole == ["TT-1/None served_too_many", "TT-1/2024 amount_too_small", "TT-1/2025 amount_too_small"]
    for limit in (1, 2, 3):
        found, after = list[str](), dict[str, Any]()
        while True:
            page = await listed(bench, limit=limit, **after)
            found += codes(page)
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert found == whole


async def test_the_command_shows_what_is_doubted_and_how_to_mend_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await bench.receive(*citizens(12_640, submission_id="F-2024", period=2024), "08")
    await bench.receive(*citizens(126_400), "08")
    monkeypatch.setattr(console, "_width", 100)
    answered_by(monkeypatch, intake=bench.http("province", "08"), scoring=http_of("scoring", MemoryMongo(), tmp_path))
    shown = await at_terminal("warnings", "--province", "08")
    assert "population_jump" in shown
    assert "C5.1 có mẫu số 126.400; kỳ 2024 là 12.640." in shown
    assert "→ Vẫn được chấp nhận." in shown
    assert "population_jump,/content/targets/C5.1/share/denominator" in await at_terminal("warnings", "--format", "csv")
    assert await at_terminal("warnings", "--period", "2024", "--lang", "en") == "Nothing is doubted."


async def at_terminal(*arguments: str) -> str:
    """What the command prints, however it was broken into lines."""
    with structlog.testing.capture_logs():
        result = await asyncio.to_thread(CliRunner().invoke, langhoc, list(arguments))
    return " ".join(result.output.split())


async def test_whoever_asks_why_sees_it_too(bench: Bench) -> None:
    await bench.receive(*citizens(126_400), "08")
    await bench.receive(*citizens(12_640, submission_id="F-2024", period=2024), "08")
    async with bench.http("province", "08") as http:
        known = (await http.get(f"/explanations/{CAO_BO}", params={"period": 2025})).json()
        foreign = await bench.http("province", "01").get(f"/explanations/{CAO_BO}", params={"period": 2025})
    assert codes({"items": known["doubtful"]}) == [f"{CAO_BO}/2025 population_jump"]
    assert known["receipts"][0]["warnings"] == []
    assert foreign.json()["doubtful"] == []


# ------------------------------------------------------------------------------------------------ one subject


def decision(period: int, level: int, signed: date, unit_id: str = f"{CAO_BO}@2025-07") -> RecognitionAccepted:
    return RecognitionAccepted(
        version=1,
        submission_id=f"Q-{period}",
        receipt_id="r",
        province="08",
        received_at=JANUARY,
        unit_id=unit_id,
        code=unit_id.split("@")[0],
        period=period,
        level=level,
        decision_number="12/QĐ-UBND",
        decided_on=signed,
        decided_by="Chủ tịch",
    )


def test_few_periods_are_looked_at_however_long_the_history_is() -> None:
    level_2 = decision(2031, 2, date(2031, 12, 1))
    assert earlier(level_2, registry()) == dict.fromkeys((2030, 2029, 2028, 2027), CAO_BO)
    assert earlier(decision(2031, 1, date(2031, 12, 1)), registry()) == {}


@pytest.mark.parametrize(
    ("signed", "told"), [(date(2028, 1, 1), []), (date(2027, 12, 31), ["level_1_unknown"])], ids=["valid", "expired"]
)
def test_a_decision_on_level_1_opens_level_2_for_as_long_as_it_is_valid(signed: date, told: list[str]) -> None:
    found = doubts(decision(2031, 2, date(2031, 12, 1)), [decision(2027, 1, signed)])
    assert [one.code for one in found] == told


def test_the_same_commune_is_found_under_another_code_and_another_commune_under_the_same_is_not() -> None:
    def file(unit_id: str) -> CommuneAccepted:
        _, sent = citizens(12_640)
        said = sent.model_dump(include={"submission_id", "period", "rubric", "content"})
        told = {"version": 1, "receipt_id": "r", "province": "08", "received_at": JANUARY}
        about = {"unit_id": unit_id, "code": unit_id[:5], "name": "x", "holder": "08"}
        return CommuneAccepted.model_validate(said | told | about)

    assert earlier(file("11948@2025-07"), registry()) == {2024: "D318"}
    assert earlier(file("00004@2025-07"), registry()) == {}


# ------------------------------------------------------------------------------------------------ the rule


def test_a_ministry_sets_its_own_bounds_and_a_figure_that_no_rule_asks_for_is_refused(tmp_path: Path) -> None:
    said = {"who": {"vi": "x", "en": "x"}, "provenance": "found", "citation": "x"}
    same = [said | {"figures": ["C5.1/share", "C5.2/share"]}]
    own = version("plausibility.yaml", id="plausibility/bo", same_people={"lc_commune_25_2023": same})
    put(tmp_path, "ministry/plausibility.yaml", {"versions": [own]})
    errors = read_all((DATA, tmp_path)).errors
    assert [(one.problem.code, one.path) for one in errors] == [
        ("unknown_reference", "plausibility/bo/same_people/lc_commune_25_2023")
    ]


def test_a_warning_is_never_worth_more_than_what_it_warns_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no rule says what is hardly true, nothing is: intake goes on."""

    def none(on: date, province: str | None = None) -> Any:
        raise NoRuleInForce("plausibility.yaml", problem("rulebook.none_in_force", on=on))

    assert plausibility_on(cut_off(2025)).jump.times == 2
    monkeypatch.setattr(plausible, "plausibility_on", none)
    assert doubts(decision(2031, 2, date(2031, 12, 1)), []) == []
