"""What `langhoc explain` says of everything that can become of a file, a decision or an amount, on the four services.

`explained.yaml` is played, and the command asks the services in memory. Read at 80 columns, in both languages.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli import budget, data, explaining, output
from cli.client import Client
from cli.main import app as langhoc
from cli.output import Language
from deploy.local.identity import ensure_signing_key
from tests.casework.case import MINISTRY, Case, load
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import plays_of
from tests.unit.wire import answered_by

WIDTH = 80
BEFORE, AFTER = load([Path(__file__).with_name("explained.yaml")])
WHILE_FILES_COME = [
    # awaited, and accepted so by name
    ("LC-1", "còn trong hạn nộp hồ sơ", "file awaited"),
    ("LC-1", "còn trong hạn nộp đến hết ngày 10/04/2026", "may still come in time until 2026-04-10"),
    (
        "LC-1",
        "trình khi chưa đủ hồ sơ hoặc số liệu 2026: local:lan",
        "submitted without its file or figure 2026: local:lan",
    ),
    # pending
    ("LC-2", "hồ sơ đang chờ xử lý", "file pending"),
    ("LC-2", "bị từ chối /content/points/N1/points", "rejected /content/points/N1/points"),
    ("LC-2", "giữ như vậy đến khi khóa sổ kỳ, hết ngày 31/12/2026", "kept so until the period closes after 2026-12-31"),
    # without a base, no file due, initial equipment
    ("LC-3", "chưa phải nộp hồ sơ, không có mức so sánh năm trước", "no file due yet, without a base"),
    ("LC-3", "Trang thiết bị ban đầu 30.000.000", "Initial equipment 30.000.000"),
    # last year unknown
    ("LC-4", "chưa có số liệu hỗ trợ năm trước", "last year's support unknown"),
    # withdrawn, with its reason
    ("02680", "v2: rút · withdraw-commune-02680 → được nhận", "v2: withdrawal · withdraw-commune-02680 → accepted"),
    ("02680", "lý do: gửi nhầm xã", "reason: gửi nhầm xã"),
    ("02680", "Kết quả hồ sơ đã rút, chưa được đánh giá", "Result withdrawn, so unassessed"),
    ("02680", "công bố lần 1, không xếp hạng, quyết định", "release 1, not ranked, decision"),
    # corrected, with its reason
    ("03085", "thay bởi hồ sơ đính chính: nhập nhầm biểu", "because of a corrected submission: nhập nhầm biểu"),
    # revoked
    ("03004", "bị thu hồi từ 01/12/2025 theo quyết định 7/QĐ-UBND", "revoked from 2025-12-01 on by decision 7/QĐ-UBND"),
    ("03004", "thay bởi quyết định công nhận hoặc thu hồi", "because of a decision that recognises or revokes"),
    # not applicable
    ("02671", "không áp dụng, tính là (mức độ 1: ✓ đạt)", "not applicable, counts as (level 1: ✓ met)"),
    # carried over
    ("04462", "được tiếp tục tính", "is carried over"),
    # counted by single decisions
    ("04462", "xã báo 4, theo từng quyết định là 1", "the commune tells 4, single decisions 1"),
    ("04462", "Mô hình học tập", "Learning models"),
    # released, and not
    ("04462", "Xếp hạng tỉnh 15: 1 / 4", "Rank province 15: 1 / 4"),
    ("04462", "công bố lần 1, hạng 1, quyết định QĐ 1/QĐ", "release 1, rank 1, decision QĐ 1/QĐ"),
    ("04462", "chưa công bố", "not released"),
]
WHEN_IT_HAS_CLOSED = [
    # not submitted
    ("LC-1", "không nộp hồ sơ", "no file submitted"),
    # refused by the closing, then taken under a reopening
    ("02671", "bị từ chối /period", "rejected /period"),
    ("02671", "in-time-again → được nhận, nộp muộn", "in-time-again → accepted late"),
    ("02671", "được nhận theo lệnh mở lại kỳ MO-LAI-1", "taken under the reopening MO-LAI-1"),
    # history
    ("03085", "được nhận theo lệnh nhập lịch sử LICH-SU-1", "taken under the order of history LICH-SU-1"),
    ("03085", "Nguồn hồ sơ Bộ nhập, đợt LICH-SU-1", "Source imported by the ministry, LICH-SU-1"),
    # a release that was withdrawn
    ("02680", "đã thu hồi theo quyết định", "withdrawn by decision"),
    ("02680", "ngày 20/02/2026: Có khiếu nại", "of 2026-02-20: Có khiếu nại"),
]


LISTS = [
    ("budget show -p 15 -y 2026", ["Of 4 centres 2 awaited, 1 pending, 1 without a base", "unknown of LC-4"]),
    ("budget show -p 15 -y 2026", ["submitted without file or figure of LC-1, LC-4", "initial equipment 30.000.000 ₫"]),
    ("alerts -p 15", ["công bố xếp hạng · province-15 · 2025", "kết quả dưới ngưỡng · 03085@2025-07 · 2025"]),
    ("alerts -p 15 --lang en", ["a file was rejected · LC-2 · 2025 · by 2026-04-10", "→ Correct the points of N1."]),
    ("rankings -p 15 --period 2025 --lang vi", ["Xã Nậm Xé 15 chưa đạt", "được nơi gửi", "released as number 1"]),
    ("rankings -p 15 --period 2025", ["not reached", "withdrawn by its"]),
    (
        "rankings -p 15 --period 2025 --changes --lang vi",
        ["quyết định công nhận hoặc thu hồi", "4 · chưa đạt hồ sơ đính chính"],
    ),
    ("warnings -p 15 --period 2025 --lang en", ["single decisions come to 1, the commune tells 4"]),
    ("periods -y 2025 --lang vi", ["31/12/2026", "không"]),
    ("budgets -p 15 -y 2026", ["last year's", "without a", "30.000.000"]),
]
"""Of each list some words; what does not fit a column is broken into lines."""


@pytest.mark.parametrize(("case", "said"), [(BEFORE, WHILE_FILES_COME), (AFTER, WHEN_IT_HAS_CLOSED)])
async def test_every_state_has_its_words(
    case: Case, said: Sequence[tuple[str, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_signing_key(tmp_path)
    (play,) = plays_of(case)
    world = await MemoryWorld(tmp_path).begin()
    await perform(world, [play])
    assert play.found == []
    answered_by(monkeypatch, **{name: world.client(MINISTRY, name) for name in ("intake", "scoring", "funding")})
    for subject in sorted({subject for subject, *_ in said}):
        story = await asyncio.to_thread(_collected, subject)
        told = {language: _shown(story, language, monkeypatch) for language in Language}
        for of, vi, en in said:
            if of == subject:
                assert vi in told[Language.VI], (subject, vi)
                assert en in told[Language.EN], (subject, en)


def _collected(subject: str) -> explaining.Story:
    return explaining.collect(Client(), subject, 2025)


def _shown(story: explaining.Story, language: Language, monkeypatch: pytest.MonkeyPatch) -> str:
    """The text without its breaks and guide lines."""
    recorded = Console(width=WIDTH, file=io.StringIO(), record=True, force_terminal=False)
    for module in (explaining, output):
        monkeypatch.setattr(module, "console", recorded)
    explaining.render(story, language)
    lines = recorded.export_text().splitlines()
    assert max(map(len, lines)) <= WIDTH
    return " ".join(re.sub("[│├└─]", " ", " ".join(lines)).split())


async def test_lists_say_it_in_words_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_signing_key(tmp_path)
    (play,) = plays_of(BEFORE)
    world = await MemoryWorld(tmp_path).begin()
    await perform(world, [play])
    services = ("intake", "scoring", "funding", "notifications")
    answered_by(monkeypatch, **{name: world.client(MINISTRY, name) for name in services})

    async def shown(command: str) -> str:
        recorded = Console(width=WIDTH, file=io.StringIO(), record=True, force_terminal=False)
        for module in (output, budget, data):
            monkeypatch.setattr(module, "console", recorded)
        done = await asyncio.to_thread(CliRunner().invoke, langhoc, command.split())
        assert done.exit_code == 0, done.output
        return " ".join((recorded.export_text() + done.output).split())

    for command, said in LISTS:
        text = await shown(command)
        for each in said:
            assert each in text, (command, each, text)
