"""`langhoc explain`: read by somebody who knows the regulations and no code. Rendered at 100 columns and read."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli import explaining, output
from cli.client import Client
from cli.explaining import collect, render
from cli.main import app as langhoc
from cli.output import CommandError, Language
from services.scoring.decisions import Act, RankingYear, release
from shared.answers.register import IntakeExplanation
from shared.contracts.catalogue import EventType
from shared.contracts.register import RegisterCorrected
from shared.contracts.submissions import CommuneWithdrawn, TargetsContent
from shared.messaging.decide.asking import Order
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.reader import Reader
from shared.registry import registry, with_correction
from tests.fakes.memory import MemoryMongo
from tests.property.test_merger_properties import RULE, RULES, merger
from tests.unit.funding_bench import proposed
from tests.unit.intake_bench import Bench as IntakeBench
from tests.unit.intake_samples import commune as submitted
from tests.unit.register_samples import gap_filled
from tests.unit.scoring_assessments import (
    area_targets,
    assessment,
    learning_models,
    share,
    standards,
    universal_education,
)
from tests.unit.scoring_bench import NOW, Bench
from tests.unit.scoring_samples import UNIT, centre, commune, points, recognition, revocation, targets, withdrawn
from tests.unit.test_scoring_areas import province
from tests.unit.wire import answered_by, http_of

WIDTH = 100
BEFORE = "00004@pre-2025-07"


Explain = Callable[..., Awaitable[list[str]]]


@pytest.fixture
async def bench() -> Bench:
    """A scoring service."""
    return await Bench().start()


@pytest.fixture
async def services(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, MemoryMongo]:
    """The databases of the services that the command asks: scoring's, and two that know nothing yet."""
    databases = {"intake": MemoryMongo(), "scoring": bench.mongo, "funding": MemoryMongo()}
    answered_by(monkeypatch, **{name: http_of(name, mongo, tmp_path) for name, mongo in databases.items()})
    return databases


@pytest.fixture
def explain(bench: Bench, services: dict[str, MemoryMongo], monkeypatch: pytest.MonkeyPatch) -> Explain:
    """The lines that are shown for a subject of a period, after these facts."""

    async def explain(subject: str, *facts: Any, lang: Language = Language.EN, period: int = 2025) -> list[str]:
        await bench.accept(*facts)
        await bench.settle()
        story = await asyncio.to_thread(lambda: collect(Client(), subject, period))
        recorded = Console(width=WIDTH, file=io.StringIO(), record=True, force_terminal=False)
        for module in (explaining, output):
            monkeypatch.setattr(module, "console", recorded)
        render(story, lang)
        lines = recorded.export_text().splitlines()
        assert max(map(len, lines)) <= WIDTH
        return [line.rstrip() for line in lines]

    return explain


def flat(lines: list[str]) -> str:
    """The text without its breaks and guide lines."""
    return " ".join(re.sub("[│├└─]", " ", " ".join(lines)).split())


STORY = (
    commune(targets(C5_1={"type": "share", "share": {"numerator": 3123, "denominator": 5021}})),
    recognition(),
    universal_education(standards(TH1=share(970))),
)


async def test_every_value_stands_with_what_was_asked_its_evidence_and_its_article(explain: Explain) -> None:
    text = flat(await explain(UNIT, *STORY))
    for part in (
        "Result Level 1 (computed; not yet a decision that recognises)",
        "Thông tư 25/2023/TT-BGDĐT ngày 27/12/2023",
        "C1.1 Awareness work on lifelong learning value yes asked yes — level 1: ✓ met; level 2: ✓ met",
        "C5.1 Share of citizens holding the title Learning Citizen value 3123/5021",
        "≥ 60 % — level 1: ✓ met",
        "≥ 80 % — level 2: ✗ not met",
        "62.198 % (3123/5021), needs 80 %: 894 people are missing",
        "evidence biên bản",
        "Thông tư 25/2023/TT-BGDĐT (chỉ tiêu 5.1); Quyết định 324/QĐ-KHVN · in the text of the law",
        "For the next grade or level",
    ):
        assert part in text, part


async def test_what_stands_beside_the_result_is_told(explain: Explain) -> None:
    lines = await explain(UNIT, *STORY)
    text = flat(lines)
    for part in (
        "level 1, decision 12/QĐ-PGDĐT of 2024-03-15, in force on the cut-off date",
        f"universal education {UNIT}: preschool for 5-year-olds level 1, "
        "primary level 2, lower secondary level 3, literacy level 2",
        "Versions before",
        "v1: Level 1 (computed; not yet a decision that recognises); replaced because of a decision that recognises",
        "replaced because of another result that it uses changed",
        "submission version 1, received 2026-01-10 10:00; result version 3",
    ):
        assert part in text, part
    fingerprint = next(line for line in lines if "Fingerprint" in line).split()[-1]
    assert len(fingerprint) == 64


async def test_what_nobody_is_there_for_is_not_applicable(explain: Explain) -> None:
    empty = commune(targets(C5_1={"type": "share", "share": {"numerator": 0, "denominator": 0}}))
    text = flat(await explain(UNIT, empty))
    for part in (
        "value 0/0",
        "≥ 60 % — – not applicable, counts as (level 1: ✓ met)",
        "C5.1: not applicable, the cohort is empty.",
        "Not applicable, the cohort is empty: C5.1; it counts as met and stays out of rankings.",
        "không văn bản nào quy định trường hợp không có đối tượng (mẫu số 0) · provisional default of Langhoc",
    ):
        assert part in text, part
    assert "≥ 60 % — – không áp dụng, tính là (mức độ 1: ✓ đạt)" in flat(await explain(UNIT, lang=Language.VI))


async def test_what_was_released_of_a_place_stands_beside_it(explain: Explain, bench: Bench) -> None:
    await explain(UNIT, commune(targets()))
    await bench.settle(rankings=True)
    head = bench.documents("rankings")["province-01/2025"]
    assert "not released" in flat(await explain(UNIT))
    act = Act(
        order_id="o-1",
        ranking=RankingYear("province-01", 2025),
        state="released",
        number=head["version"],
        hash=head["hash"],
        decision_number="318/QĐ",
        decided_on=date(2026, 1, 9),
        signed_by="Giám đốc Sở",
        reason=None,
        by="an",
        role="ministry",
    )
    reader = Reader(bench.mongo)
    await bench.write(reader, await decided(Run(release, Order("o-1", act, NOW), reader, NOW), reader))
    assert "release 1, rank 1, decision 318/QĐ of 2026-01-09" in flat(await explain(UNIT))
    assert "công bố lần 1, hạng 1, quyết định 318/QĐ ngày 09/01/2026" in flat(await explain(UNIT, lang=Language.VI))
    back = replace(act, order_id="o-2", state="withdrawn", number=1, hash=None, reason="Có khiếu nại")
    reader = Reader(bench.mongo)
    await bench.write(reader, await decided(Run(release, Order("o-2", back, NOW), reader, NOW), reader))
    assert "withdrawn by decision 318/QĐ of 2026-01-09: Có khiếu nại" in flat(await explain(UNIT))


async def test_the_same_in_vietnamese(explain: Explain) -> None:
    text = flat(await explain(UNIT, *STORY, lang=Language.VI))
    for part in (
        "Kết quả Mức độ 1 (kết quả tính, chưa phải quyết định công nhận)",
        "giá trị 3123/5021",
        "mức độ 2: ✗ không đạt",
        "minh chứng biên bản",
        "thiếu 894 người",
        "Để đạt mức tiếp theo",
        "thay bởi quyết định công nhận",
        "Phường Ba Đình (00004@2025-07), tỉnh 01",
        "từ đơn vị cũ: 00004@pre-2025-07 Phường Trúc Bạch (toàn bộ)",
        "quyết định 12/QĐ-PGDĐT ngày 15/03/2024",
        "lấy 2 từ kết quả kỳ 2025 theo Nghị định 20/2014/NĐ-CP",
    ):
        assert part in text, part
    assert not re.search("predecessor|province|true|office", text), "no word of the program"


@pytest.mark.parametrize(
    ("subject", "fact", "lang", "said"),
    [
        (f"universal_education/{UNIT}", universal_education(standards(TH1=share(970))), Language.VI,
         "Kết quả mầm non cho trẻ 5 tuổi: mức độ 1, tiểu học: mức độ 2, trung học cơ sở: mức độ 3, xóa mù chữ"),
        (f"learning_models/{UNIT}", learning_models(), Language.VI, "Kết quả đã tính các tỷ lệ, so với mục tiêu"),
        (f"learning_models/{UNIT}", learning_models(), Language.EN, "Result shares computed, beside the goals"),
        ("province/01", province(period=2025), Language.EN, "asked more than in the previous year"),
        ("province/01", province(period=2025), Language.VI, "yêu cầu tăng so với năm trước"),
        ("province/01", province(period=2025), Language.VI, "Không tính được C4.1 vì lý do đã nêu"),
    ],
)  # fmt: skip
async def test_every_kind_of_result_is_told_in_words(
    subject: str, fact: Any, lang: Language, said: str, explain: Explain
) -> None:
    text = flat(await explain(subject, fact, lang=lang))
    assert said in text
    assert not re.search("[↑↓]|preschool_5|lower_secondary", text)


async def test_the_grade_of_a_centre_is_told_by_its_name(explain: Explain) -> None:
    unit = "00004@pre-2025-07"
    facts = (
        commune(points("lc_commune_44_2014"), unit_id=unit, period=2023, rubric="lc_commune_44_2014"),
        centre(points("clc_2553_2013", N4="0"), period=2023, unit_id=unit),
    )
    text = flat(await explain(unit, *facts, lang=Language.VI, period=2023))
    assert "giá trị TT/1: khá yêu cầu tốt — ✗ không đạt" in text
    assert "TC4: chỉ số TC4.c (TT/1: Khá; cần Tốt) không đạt, nên được nhiều nhất 8 điểm" in text


async def test_targets_that_hold_for_other_kinds_of_unit_are_said_to_be_left_out(explain: Explain) -> None:
    content = area_targets("lu_unit_24_2023")
    assert content.traits == []
    unit = assessment("learning_unit", "truong-1", "lu_unit_24_2023", content, name="Trường 1")
    text = flat(await explain("learning_unit/truong-1", unit, lang=Language.VI))
    assert "Hồ sơ không nêu loại đơn vị nào trong các loại riêng: không áp dụng C1.3" in text


@pytest.mark.parametrize(("lang", "finding", "against"), [
    (Language.EN, "Finding a review is allowed, and no merger yet", "A contradiction: the directive wants no merger"),
    (Language.VI, "Kết luận chỉ được rà soát, chưa được sáp nhập", "Mâu thuẫn: chỉ thị không cho sáp nhập"),
])  # fmt: skip
async def test_a_merger_is_told_with_what_the_rule_of_its_day_says(
    lang: Language, finding: str, against: str, explain: Explain
) -> None:
    content = merger(date(2025, 11, 3), dict.fromkeys(RULES.parts, 0) | {"TT1": 1, "TR1": 1})
    text = flat(await explain("centre_merger/SN-1", assessment("centre_merger", "SN-1", RULE.id, content), lang=lang))
    assert finding in text
    assert against in text
    assert "Công văn 6365/BGDĐT-TCCB ngày 09/10/2025" in text
    assert "SS1" not in text


async def test_a_revoked_decision_and_a_withdrawn_file_are_told_as_such(explain: Explain) -> None:
    revoked = recognition(version=2, revocation=revocation(date(2025, 6, 1)))
    text = flat(await explain(UNIT, commune(targets(2)), revoked))
    assert "level 1, decision 12/QĐ-PGDĐT of 2024-03-15, revoked from 2025-06-01 on by decision 3/QĐ" in text
    assert "reading of Langhoc" in text
    text = flat(await explain(UNIT, withdrawn(commune(targets(2))), lang=Language.VI))
    assert "hồ sơ đã rút, chưa được đánh giá" in text
    assert "thay bởi nơi gửi rút hồ sơ" in text
    assert "Gửi nhầm" in text


async def test_nobody_reaches_a_level_0(explain: Explain) -> None:
    failed = commune(targets(1, C1_1={"type": "boolean", "met": False}))
    text = flat(await explain(UNIT, failed, universal_education(standards(TH1=share(0))), lang=Language.VI))
    assert "mức độ 0" not in text.lower()
    assert "chưa đạt" in text


async def test_points_stand_with_their_maximum_and_grades_have_names(explain: Explain) -> None:
    text = flat(await explain("TT/1", centre(points("clc_2553_2013", N4="12.5"))))
    assert "82.5 points → good" in text
    assert "12.5 of 30 points" in text
    assert "provisional default of Langhoc" in text


async def test_a_missing_value_is_said_to_be_missing(explain: Explain) -> None:
    text = flat(await explain(UNIT, commune(targets(C1_1=None))))
    assert "incomplete, so nothing is graded yet" in text
    assert "Without a value C1.1" in text
    assert "? cannot be computed" in text


# ------------------------------------------------------------------------------------------------ what a code means


@pytest.mark.parametrize(
    ("subject", "period", "on", "asked"),
    [
        ("00004", 2025, None, UNIT),
        ("00004", 2022, None, "00004@pre-2025-07"),
        ("00004", None, date(2025, 6, 30), "00004@pre-2025-07"),
        ("00004", None, date(2025, 7, 1), UNIT),
        ("00004", 2025, date(2022, 1, 1), "00004@pre-2025-07"),
        ("universal_education/00004", 2022, None, "universal_education/00004@pre-2025-07"),
        ("district/001", 2024, None, "district/001"),
        ("TT/00004", 2025, None, "TT/00004"),
    ],
)
async def test_a_code_is_read_on_the_day_on_which_it_is_meant(
    subject: str, period: int | None, on: date | None, asked: str, services: dict[str, MemoryMongo]
) -> None:
    story = await asyncio.to_thread(lambda: collect(Client(), subject, period, on))
    assert (story.scoring.subject, story.intake.subject, story.funding.subject) == (asked, asked, asked)
    assert story.scoring.period == (period or (on.year if on else None))


async def test_a_code_without_a_day_is_that_of_its_latest_result(
    bench: Bench, services: dict[str, MemoryMongo]
) -> None:
    with pytest.raises(CommandError, match="Nothing is known of 00004"):
        await asyncio.to_thread(lambda: collect(Client(), "00004", None))
    await bench.accept(commune(points("lc_commune_44_2014"), unit_id=BEFORE, period=2023, rubric="lc_commune_44_2014"))
    story = await asyncio.to_thread(lambda: collect(Client(), "00004", None))
    assert (story.scoring.subject, story.scoring.period) == (BEFORE, 2023)
    assert story.intake.unit
    assert story.intake.unit.unit_id == BEFORE


@pytest.mark.usefixtures("services")
async def test_a_code_that_nobody_carried_on_that_day_is_told_with_what_may_be_meant() -> None:
    known, day = registry(), date(2025, 12, 31)
    gone = next(unit for unit in known.units(date(2022, 12, 31)) if known.unit(unit.code, day) is None)
    with pytest.raises(CommandError, match=f"No commune had the code {gone.code} on 2025-12-31") as refused:
        await asyncio.to_thread(lambda: collect(Client(), gone.code, 2025))
    for code in known.candidates(gone.code, day):
        assert code in str(refused.value)


async def test_a_code_is_read_by_the_corrected_register(services: dict[str, MemoryMongo]) -> None:
    """D5: what the ministry corrected is what everybody is told."""
    with pytest.raises(CommandError, match="No commune had the code 00999"):
        await asyncio.to_thread(lambda: collect(Client(), "00999", 2022))
    fact = RegisterCorrected(
        version=1, correction=gap_filled(), entered_by="an", entered_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    for mongo in services.values():
        await mongo.insert("register", [{"_id": "corrections", "_rev": 1, **(with_correction(None, fact) or {})}])
        mongo.seal()
    story = await asyncio.to_thread(lambda: collect(Client(), "00999", 2022))
    assert story.intake.unit
    assert story.intake.unit.unit_id == "00999@pre-2024-01-01"


@pytest.mark.usefixtures("services")
async def test_programs_get_the_three_answers_as_they_are(bench: Bench) -> None:
    await bench.accept(*STORY)
    shown = await asyncio.to_thread(CliRunner().invoke, langhoc, ["explain", UNIT, "--format", "json"])
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)
    assert told.keys() == {"intake", "scoring", "funding"}
    assert told["intake"]["unit"]["name"] == "Phường Ba Đình"
    assert told["scoring"]["result"]["level"] == 1
    assert told["funding"]["lines"] == []


# ---------------------------------------------------------------------------------------------- what each answers


async def test_money_is_told_of_a_centre_and_of_the_commune_in_which_it_lies(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    line = bench.mongo.all("allocations")[0]
    centre_id, code = line["allocation"]["centre_id"], line["allocation"]["commune_code"]
    async with http_of("funding", bench.mongo, tmp_path) as http:
        one = (await http.get(f"/explanations/{centre_id}?period=2025")).json()
        assert [each["allocation"]["centre_id"] for each in one["lines"]] == [centre_id]
        assert one["lines"][0]["allocation"]["steps"]
        assert (await http.get(f"/explanations/{centre_id}?period=2024")).json()["lines"] == []
        commune = (await http.get(f"/explanations/{code}")).json()
        assert commune["subject"] == f"{code}@2025-07"
        assert centre_id in [each["allocation"]["centre_id"] for each in commune["lines"]]
    async with http_of("funding", bench.mongo, tmp_path, "province", "01") as other:
        assert (await other.get(f"/explanations/{code}")).json()["lines"] == []


async def test_another_province_sees_no_result_but_whom_it_is_of(bench: Bench, tmp_path: Path) -> None:
    await bench.accept(*STORY, centre(points("clc_2553_2013")))
    for role, of, seen in (("ministry", None, True), ("province", "01", True), ("province", "04", False)):
        async with http_of("scoring", bench.mongo, tmp_path, role, of) as http:
            found = (await http.get(f"/explanations/{UNIT}")).json()
        assert (found["subject"], found["period"]) == (UNIT, 2025)
        assert (found["result"] is not None, bool(found["centres"])) == (seen, seen), role


async def test_what_was_submitted_is_told_with_its_versions(tmp_path: Path) -> None:
    bench = IntakeBench(tmp_path)
    await bench.receive(EventType.COMMUNE_SUBMITTED, submitted())
    async with bench.http() as http:
        found = (await http.get("/explanations/00004?period=2025")).json()
    assert found["unit"]["name"] == "Phường Ba Đình"
    (accepted,) = found["submissions"]
    assert [each["version"] for each in accepted["history"]] == [1]
    assert [each["subject"] for each in found["receipts"]] == ["00004"]
    async with bench.http("province", "04") as other:
        found = (await other.get("/explanations/00004?period=2025")).json()
    assert (found["submissions"], found["receipts"]) == ([], [])


async def test_a_withdrawal_and_its_reason_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = IntakeBench(tmp_path)
    await bench.receive(EventType.COMMUNE_SUBMITTED, submitted())
    gone = {"submission_id": "HN-2", "unit_code": "00004", "period": 2025, "corrects_version": 1, "reason": "gửi nhầm"}
    await bench.receive(EventType.COMMUNE_WITHDRAWN, CommuneWithdrawn.model_validate(gone))
    async with bench.http() as http:
        found = IntakeExplanation.model_validate((await http.get("/explanations/00004?period=2025")).json())
    recorded = Console(width=WIDTH, file=io.StringIO(), record=True, force_terminal=False)
    monkeypatch.setattr(output, "console", recorded)
    explaining._submissions(found, Language.VI)
    text = flat(recorded.export_text().splitlines())
    assert "cộng đồng học tập cấp xã v2: rút · HN-2 → được nhận" in text
    assert "lý do: gửi nhầm" in text


# ------------------------------------------------------------------------------------------------------- reports


def year_of_a_centre() -> TargetsContent:
    """What a centre of vocational and continuing education reports, a figure of each type."""
    return TargetsContent.model_validate(
        {
            "targets": {
                "TT1": {"type": "parts", "parts": {"continuing_education": True, "vocational_training": False}},
                "TT2": {"type": "text", "text": "12=1/QĐ, true"},
                "TT3": {"type": "day", "day": "2016-03-01"},
                "HV1": {"type": "count", "count": 1640},
                "KP1": {"type": "money", "amount": 6_400_000_000},
            }
        }
    )


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (Language.VI, ["đào tạo nghề nghiệp: không", "12=1/QĐ, true", "01/03/2016", "1.640", "6.400.000.000 đồng"]),
        (Language.EN, ["vocational training: no", "12=1/QĐ, true", "2016-03-01", "1,640", "6,400,000,000 đồng"]),
    ],
)
async def test_figures_of_a_report_are_said_as_people_write_them(
    explain: Explain, lang: Language, said: list[str]
) -> None:
    centre = assessment("vocational_centre", "YB-1", "vocational_centre_39_2015", year_of_a_centre())
    text = flat(await explain("vocational_centre/YB-1", centre, lang=lang))
    assert [words for words in said if words not in text] == []
    assert ("Nộp bản bổ sung có TT1" if lang is Language.VI else "Send a correction that has TT1") in text
    assert text.count({Language.VI: "TT2 Số quyết định", Language.EN: "TT2 Number of the decision"}[lang]) == 1


async def test_difficult_areas_stand_beside_their_own_goal(explain: Explain) -> None:
    content = targets(CS1=share(4000, 10_000), CS2=share(599, 2000), PT1=share(450, 1000))
    text = flat(await explain("streaming/01", assessment("streaming", "01", "streaming_2239_2021", content)))
    everywhere, there = "elementary or trung cấp training", "Lower-secondary graduates of specially difficult areas"
    assert f"{everywhere} value 4000/10000 asked ≥ 40 % — ✓ met asked ≥ 50 % — ✗ not met" in text
    assert f"{there} who went on to {everywhere} value 599/2000 asked ≥ 30 % — ✗ not met evidence" in text
    assert f"{there} who went on to {everywhere} 29.95 % (599/2000), needs 30 %: 1 graduates are missing" in text
