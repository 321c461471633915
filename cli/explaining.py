"""`langhoc explain`: the way of one commune or centre from submission to rank and money.

Each service says what it knows of the subject (`/explanations`, docs/adr/0027); here it is only put in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import typer
from rich.markup import escape

from cli import result_tree
from cli.client import Client
from cli.options import FormatOption, LanguageOption, day_of
from cli.output import Format, Language, console, dong, emit, plain_errors, say
from cli.result_tree import outcome
from shared.answers.budgets import FundingExplanation, ToldLine, ToldProposal
from shared.answers.register import IntakeExplanation, UnitView
from shared.answers.results import AnyResult, CentreResult, Neighbourhood, ScoringExplanation
from shared.contracts.base import Text
from shared.contracts.facts import Allocation
from shared.rulebook import HANOI
from shared.wording import AREAS


@dataclass(frozen=True, slots=True)
class Story:
    """What the services know of a commune, a centre, or the subject of another assessment, in one period."""

    intake: IntakeExplanation
    scoring: ScoringExplanation
    funding: FundingExplanation


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(explain)


def explain(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE|SUBJECT",
            help="Commune code (5 digits), unit id, centre id, or another assessment's subject, e.g. district/001.",
        ),
    ],
    period: Annotated[int | None, typer.Option(help="Assessment period; the latest by default.")] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Day on which the code is meant, e.g. 2022-12-31.")
    ] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """The whole way from a submission to rank and money, each step with its rule and citation.

    A code alone names no unit: most codes were used again in July 2025. It is read on the day given with --on, else on
    the last day of --period.
    """
    with plain_errors():
        story = collect(Client(), code, period, day_of(on))
        if format is Format.JSON:
            emit([], [], format, full=story)
        else:
            render(story, language)


def collect(client: Client, subject: str, period: int | None, on: date | None = None) -> Story:
    """Ask all of them: scoring first, which knows the latest period and whom a code means then."""
    scoring = client.get("scoring", f"/explanations/{subject}", ScoringExplanation, period=period, on=on)
    path = f"/explanations/{scoring.subject}"
    return Story(
        client.get("intake", path, IntakeExplanation, period=scoring.period, on=on),
        scoring,
        client.get("funding", path, FundingExplanation, period=scoring.period, on=on),
    )


# ------------------------------------------------------------------------------------------------ rendering

_WORDS = {
    "unit": ("Đơn vị", "Unit"),
    "submission": ("Hồ sơ", "Submission"),
    "result": ("Kết quả", "Result"),
    "rank": ("Xếp hạng", "Rank"),
    "centre": ("Trung tâm học tập cộng đồng", "Community learning centre"),
    "money": ("Kinh phí", "Money"),
    "equipment": ("Trang thiết bị ban đầu", "Initial equipment"),
    "province": ("tỉnh", "province"),
    "predecessors": ("từ đơn vị cũ", "predecessor"),
    "successors": ("chuyển sang", "successor"),
    "whole": ("toàn bộ", "whole"),
    "part": ("một phần", "part"),
    "version": ("phiên bản", "version"),
    "receipt": ("phiếu", "receipt"),
    "reason": ("lý do", "reason"),
    "doubtful": ("khó đúng", "hardly true"),
    "reopening": ("được nhận theo lệnh mở lại kỳ", "taken under the reopening"),
    "history": ("được nhận theo lệnh nhập lịch sử", "taken under the order of history"),
    "not_released": ("chưa công bố", "not released"),
    "released": (
        "công bố lần {number}, {rank}, quyết định {decision} ngày {day}",
        "release {number}, {rank}, decision {decision} of {day}",
    ),
    "place": ("hạng", "rank"),
    "no_place": ("không xếp hạng", "not ranked"),
    "withdrawn": (
        "đã thu hồi theo quyết định {decision} ngày {day}",
        "withdrawn by decision {decision} of {day}",
    ),
    "unready": ("trình khi chưa đủ hồ sơ hoặc số liệu", "submitted without its file or figure"),
    "nation": ("toàn quốc", "the nation"),
}
_NAMES: Mapping[str, tuple[str, str]] = {
    "commune": ("cộng đồng học tập cấp xã", "commune"),
    "centre": ("trung tâm học tập cộng đồng", "centre"),
    "assessment": ("đánh giá", "assessment"),
    "registration": ("đăng ký trung tâm", "registration"),
    "envelope": ("tổng kinh phí được giao", "envelope"),
    "support": ("mức hỗ trợ", "support"),
    "recognition": ("quyết định công nhận", "recognition"),
    "withdrawal": ("rút", "withdrawal"),
    "revocation": ("thu hồi", "revocation"),
    "accepted": ("được nhận", "accepted"),
    "accepted_late": ("được nhận, nộp muộn", "accepted late"),
    "held": ("tạm giữ", "held"),
    "rejected": ("bị từ chối", "rejected"),
    "conflict": ("không được nhận, khác dữ liệu đã có", "in conflict with what was accepted"),
    "duplicate": ("đã nhận trước đây", "received before"),
    "unchanged": ("không có gì thay đổi", "unchanged"),
}
"""What kinds of submission, what is done with them and what becomes of them are called."""

FLAGS: Mapping[str, Text] = {
    "below_legal_minimum": Text(vi="dưới mức tối thiểu theo luật", en="below the legal minimum"),
    "hold_harmless_relaxed": Text(vi="mức bảo đảm năm trước bị giảm", en="protection of last year relaxed"),
    "provincial_norm_relaxed": Text(vi="mức riêng của tỉnh bị giảm", en="province's own norm relaxed"),
    "caps_relaxed": Text(vi="nới giới hạn tăng", en="cap relaxed"),
    "awaited": Text(vi="còn trong hạn nộp hồ sơ", en="file awaited"),
    "pending": Text(vi="hồ sơ đang chờ xử lý", en="file pending"),
    "not_due": Text(vi="chưa phải nộp hồ sơ", en="no file due yet"),
    "not_submitted": Text(vi="không nộp hồ sơ", en="no file submitted"),
    "without_base": Text(vi="không có mức so sánh năm trước", en="without a base"),
    "last_year_unknown": Text(vi="chưa có số liệu hỗ trợ năm trước", en="last year's support unknown"),
    "last_year_differs": Text(vi="số liệu năm trước khác quyết định", en="last year's support is not as decided"),
    "imported": Text(vi="có số liệu do Bộ nhập", en="rests on what the ministry imported"),
    "withdrawn": Text(vi="đã rút khỏi đề nghị", en="withdrawn"),
}
"""What a line is marked with, in words."""


def marks(line: Allocation, language: Language) -> str:
    """What a line is marked with, in words."""
    is_owed = line.assessment == "not_submitted" and not {"not_due", "withdrawn"} & set(line.flags)
    return _in_words([*line.flags, *(["not_submitted"] if is_owed else [])], language)


def _in_words(flags: Iterable[str], language: Language) -> str:
    """A mark that only a newer service knows stands as it is."""
    return ", ".join(language.of(FLAGS[flag]) if flag in FLAGS else flag for flag in flags)


def _word(key: str, language: Language, words: Mapping[str, tuple[str, str]] = _WORDS) -> str:
    return words[key][0 if language is Language.VI else 1] if key in words else key


def name_of(key: str, language: Language) -> str:
    """What a kind of submission, what is done with it, or what became of it is called."""
    return _word(key, language, _NAMES)


def render(story: Story, language: Language) -> None:
    """Print a story for people."""
    scoring = story.scoring
    _head("unit", language, f"{scoring.subject} · {scoring.period}")
    if story.intake.unit:
        _unit(story.intake.unit, language)
    _submissions(story.intake, language)
    if scoring.result:
        _result(scoring.result, language)
    for place in scoring.ranks:
        _rank(place, language)
    results = {result.centre_id: result for result in scoring.centres}
    lines = {line.allocation.centre_id: line for line in story.funding.lines}
    for centre_id in sorted(results.keys() | lines.keys()):
        _centre(centre_id, results.get(centre_id), lines.get(centre_id), language)
        for one in story.funding.accepted:
            if one.centre_id == centre_id:
                at = language.words.moment(one.at.astimezone(HANOI))
                say(f"  {_word('unready', language)} {one.year}: {one.by}, {at}: {one.why}")


def _head(key: str, language: Language, text: str = "") -> None:
    console.print(f"\n[bold cyan]{_word(key, language)}[/bold cyan] {text}", highlight=False)


def _unit(unit: UnitView, language: Language) -> None:
    say(f"  {unit.name} ({unit.unit_id}), {_word('province', language)} {unit.province}")
    for relation, relatives in (("predecessors", unit.predecessors), ("successors", unit.successors)):
        for one in relatives:
            share = _word(one.share, language)
            say(f"  {_word(relation, language)}: {one.unit_id} {one.name} ({share})")


def _submissions(known: IntakeExplanation, language: Language) -> None:
    _head("submission", language)
    for accepted in known.submissions:
        for entry in accepted.history:
            at = language.words.moment(entry.received_at.astimezone(HANOI))
            what = f"{name_of(entry.act, language)} · " if entry.act != "submission" else ""
            status = name_of(entry.status, language)
            kind = name_of(accepted.kind, language)
            say(f"  {kind} v{entry.version}: {what}{entry.submission_id} → {status}, {at}")
            say(f"    {_word('receipt', language)} {entry.receipt_id}")
            if entry.reason:
                say(f"    {_word('reason', language)}: {entry.reason}")
    for doubt in (each for one in known.doubtful for each in one.warnings):
        said = f"{doubt.field}: {language.of(doubt.said)} → {language.of(doubt.mend)}"
        console.print(f"  [yellow]{_word('doubtful', language)}[/yellow] {escape(said)}", highlight=False)
    for receipt in known.receipts:
        if receipt.under:
            order = receipt.under.imported or receipt.under.id
            say(f"  {receipt.submission_id}: {_word(receipt.under.kind, language)} {order}")
        for problem in receipt.problems:
            said = f"{problem.field}: {language.of(problem.said)} → {language.of(problem.mend)}"
            console.print(f"  [yellow]{name_of(receipt.status, language)}[/yellow] {escape(said)}", highlight=False)


def _result(result: AnyResult, language: Language) -> None:
    _head("result", language, f"[bold]{escape(outcome(result, language))}[/bold]")
    console.print(result_tree.render(result, language))


def _rank(place: Neighbourhood, language: Language) -> None:
    where = f"{place.rank} / {place.ranked}" if place.rank else language.of(place.reason) if place.reason else "–"
    version = f"({_word('version', language)} {place.version})"
    _head("rank", language, f"{_scope(place.scope, language)}: [bold]{where}[/bold] {version}")
    say(f"  {_release(place, language)}")
    for row in (*place.above, place, *place.below) if place.rank else ():
        style = "bold" if row is place else "dim"
        say(f"  {row.rank or '–':>6}  {row.code}  {row.name}, {row.holder}", style=style)


def _scope(scope: str, language: Language) -> str:
    """Whose ranking it is."""
    kind, _, of = scope.partition("-")
    if kind == "area":
        return next((language.of(name) for area, name in AREAS.items() if area == of), of)
    return f"{_word(kind, language)} {of}".strip()


def _release(place: Neighbourhood, language: Language) -> str:
    """What the public sees of the place."""
    if place.released is None:
        return _word("not_released", language)
    act, rank = place.released.act, place.released.rank
    said = _word(act.state, language).format(
        number=act.version,
        rank=f"{_word('place', language)} {rank}" if rank else _word("no_place", language),
        decision=act.decision_number,
        day=language.words.day(act.decided_on),
    )
    return f"{said}: {act.reason}" if act.reason else said


def _centre(centre_id: str, result: CentreResult | None, line: ToldProposal | None, language: Language) -> None:
    _head("centre", language, centre_id)
    if result:
        _result(result, language)
    if line:
        _money(line, language)


def _money(line: ToldProposal, language: Language) -> None:
    made = f"({line.year}, {_word('version', language)} {line.version})"
    _allocation("money", line.allocation, made, marks(line.allocation, language), language)
    if line.grant:
        _allocation("equipment", line.grant, made, _in_words(line.grant.flags, language), language)


def _allocation(key: str, allocation: ToldLine, made: str, marked: str, language: Language) -> None:
    flags = f" · {marked}" if marked else ""
    _head(key, language, f"[bold]{dong(allocation.amount)}[/bold] {made}{flags}")
    console.print(result_tree.steps(allocation.steps, language))
