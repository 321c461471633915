"""`langhoc explain`: read by somebody who knows the regulations and no code. Rendered at 100 columns and read."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import pytest
from rich.console import Console

from cli import explaining
from cli.explaining import Language
from deploy.local import LocalPlatformError
from services.scoring.queries.results import results
from shared.registry import registry
from tests.unit.scoring_assessments import (
    area_targets,
    assessment,
    learning_models,
    share,
    standards,
    universal_education,
)
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import UNIT, centre, commune, points, recognition, targets
from tests.unit.test_scoring_areas import province

WIDTH = 100


class Services:
    """What the services answer: scoring's own results, and nothing from the others."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def get(self, service: str, path: str, **query: Any) -> Any:
        """The answer, by path."""
        self.asked.append(path)
        return self.answers.get(path, {"items": []} if path == "/allocations" else [])

    def find(self, service: str, path: str, **query: Any) -> Any:
        """Nothing is ranked here."""
        return None

    def pages(self, service: str, path: str, **query: Any) -> list[Any]:
        """Nothing is paged here."""
        return []


async def told(
    subject: str,
    *facts: Any,
    lang: Language = Language.EN,
    period: int = 2025,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """The lines that are shown for a subject of a period."""
    bench = await Bench().start()
    await bench.accept(*facts)
    await bench.settle()
    services = Services(**{f"/results/{subject}": await results(bench.mongo, subject, period)})
    story = explaining.collect(services, subject, period)  # type: ignore[arg-type]
    recorded = Console(width=WIDTH, file=io.StringIO(), record=True, force_terminal=False)
    monkeypatch.setattr(explaining, "console", recorded)
    explaining.render(story, lang)
    lines = recorded.export_text().splitlines()
    assert max(map(len, lines)) <= WIDTH
    return [line.rstrip() for line in lines]


def flat(lines: list[str]) -> str:
    """The text without its breaks and guide lines."""
    return " ".join(re.sub("[│├└─]", " ", " ".join(lines)).split())


STORY = (
    commune(targets(C5_1={"type": "share", "share": {"numerator": 3123, "denominator": 5021}})),
    recognition(),
    universal_education(standards(TH1=share(970))),
)


async def test_every_value_stands_with_what_was_asked_its_evidence_and_its_article(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = flat(await told(UNIT, *STORY, monkeypatch=monkeypatch))
    for part in (
        "Result Level 1 (computed; not yet a decision that recognises)",
        "Thông tư 25/2023/TT-BGDĐT ngày 27/12/2023",
        "C1.1 Awareness work on lifelong learning value yes asked yes — level 1: ✓ met; level 2: ✓ met",
        "C5.1 Share of citizens holding the title Learning Citizen value 3123/5021",
        "≥ 60 % — level 1: ✓ met",
        "≥ 80 % — level 2: ✗ not met",
        "62.198 % (3123/5021), needs 80 %: 894 people are missing",
        "evidence biên bản",
        "Thông tư 25/2023/TT-BGDĐT Điều 6-9 (chỉ tiêu 5.1); Quyết định 324/QĐ-KHVN · in the text of the law",
        "For the next grade or level",
    ):
        assert part in text, part


async def test_what_stands_beside_the_result_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = await told(UNIT, *STORY, monkeypatch=monkeypatch)
    text = flat(lines)
    for part in (
        "level 1, decision 12/QĐ-PGDĐT of 2024-03-15, in force on the cut-off date",
        f"universal education {UNIT}: preschool for 5-year-olds 1, primary 2, lower secondary 3, literacy 2",
        "Versions before",
        "v1: Level 1 (computed; not yet a decision that recognises); replaced because of a decision that recognises",
        "replaced because of another result that it uses changed",
        "submission version 1, received 10/01/2026 10:00; result version 3",
    ):
        assert part in text, part
    fingerprint = next(line for line in lines if "Fingerprint" in line).split()[-1]
    assert len(fingerprint) == 64


async def test_the_same_in_vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    text = flat(await told(UNIT, *STORY, lang=Language.VI, monkeypatch=monkeypatch))
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
    subject: str, fact: Any, lang: Language, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = flat(await told(subject, fact, lang=lang, monkeypatch=monkeypatch))
    assert said in text
    assert not re.search("[↑↓]|preschool_5|lower_secondary", text)


async def test_the_grade_of_a_centre_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = "00004@pre-2025-07"
    facts = (
        commune(points("lc_commune_44_2014"), unit_id=unit, period=2023, rubric="lc_commune_44_2014"),
        centre(points("clc_2553_2013", N4="0"), period=2023, unit_id=unit),
    )
    text = flat(await told(unit, *facts, lang=Language.VI, period=2023, monkeypatch=monkeypatch))
    assert "giá trị TT/1: khá yêu cầu tốt — ✗ không đạt" in text
    assert "TC4: chỉ số TC4.c (TT/1: Khá; cần Tốt) không đạt, nên được nhiều nhất 8 điểm" in text


async def test_targets_that_hold_for_other_kinds_of_unit_are_said_to_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = area_targets("lu_unit_24_2023")
    assert content.traits == []
    unit = assessment("learning_unit", "truong-1", "lu_unit_24_2023", content, name="Trường 1")
    text = flat(await told("learning_unit/truong-1", unit, lang=Language.VI, monkeypatch=monkeypatch))
    assert "Hồ sơ không nêu loại đơn vị nào trong các loại riêng: không áp dụng C1.3" in text


async def test_points_stand_with_their_maximum_and_grades_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    text = flat(await told("TT/1", centre(points("clc_2553_2013", N4="12.5")), monkeypatch=monkeypatch))
    assert "82.5 points → good" in text
    assert "12.5 of 30 points" in text
    assert "provisional default of Langhoc" in text


async def test_a_missing_value_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = flat(await told(UNIT, commune(targets(C1_1=None)), monkeypatch=monkeypatch))
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
def test_a_code_is_read_on_the_day_on_which_it_is_meant(
    subject: str, period: int | None, on: date | None, asked: str
) -> None:
    services = Services()
    story = explaining.collect(services, subject, period, on)  # type: ignore[arg-type]
    assert services.asked[:2] == ["/register", f"/results/{asked}"]
    assert story["period"] == (period or (on.year if on else None))


def test_a_code_that_nobody_carried_on_that_day_is_told_with_what_may_be_meant() -> None:
    known, day = registry(), date(2025, 12, 31)
    gone = next(unit for unit in known.units(date(2022, 12, 31)) if known.unit(unit.code, day) is None)
    with pytest.raises(LocalPlatformError, match=f"No commune had the code {gone.code} on 2025-12-31") as refused:
        explaining.collect(Services(), gone.code, 2025)  # type: ignore[arg-type]
    for code in known.candidates(gone.code, day):
        assert code in str(refused.value)
