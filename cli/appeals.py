"""`langhoc appeals`: a province appeals against a result; the ministry upholds or dismisses that."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.client import Client
from cli.late import DecisionOption, WhyOption
from cli.options import AnyProvince, FormatOption, LanguageOption, ProvinceOption
from cli.output import Column, Format, Language, emit, fail, number, plain_errors, say
from cli.people import Names
from shared.answers.results import AppealState, AppealView, AssessmentResult, CentreResult, ScoringExplanation
from shared.contracts.base import Text
from shared.contracts.facts import AppealFollows
from shared.rulebook import HANOI, named_closable

STATES: Mapping[AppealState, Text] = {
    "open": Text(vi="chờ trả lời", en="waits"),
    "overdue": Text(vi="quá hạn trả lời", en="overdue"),
    "withdrawn": Text(vi="đã rút", en="withdrawn"),
    "dismissed": Text(vi="bị bác", en="dismissed"),
    "upheld": Text(vi="được chấp nhận", en="upheld"),
}
FOLLOWS: Mapping[AppealFollows, Text] = {
    "correct": Text(vi="tỉnh gửi bản sửa", en="the province files a correction"),
    "reopen": Text(vi="Bộ mở lại kỳ cho đối tượng này", en="the ministry opens the period for this subject"),
    "recompute": Text(vi="Bộ ra lệnh tính lại", en="the ministry orders it to be judged again"),
}
AppealId = Annotated[str, typer.Argument(help="Id of the appeal, from `langhoc appeals`.")]

appeals = typer.Typer(invoke_without_command=True, help="Appeals against results, and the ministry's decisions.")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(appeals, name="appeals")


@appeals.callback()
def listed(
    context: typer.Context,
    province: AnyProvince = None,
    period: Annotated[int | None, typer.Option(help="Period of the result.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what nobody has decided yet.")] = False,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Who appeals against which version of a result, why, until when it is decided, and who decided what.

    Example: langhoc appeals --waiting
    """
    if context.invoked_subcommand is not None:
        return
    with plain_errors():
        client = Client()
        asked = {"province": province, "period": period, "waiting": "true" if waiting else None}
        found = list(client.pages("scoring", "/appeals", AppealView, **asked))
        if not found and format is Format.TABLE:
            say("Không có đề nghị nào." if language is Language.VI else "There is no appeal.")
            return
        _show(client, found, language, format)


@appeals.command()
def ask(
    subject: Annotated[str, typer.Argument(help="Commune code, unit id, centre id, or <series>/<subject id>.")],
    province: ProvinceOption,
    period: Annotated[int, typer.Option(help="Period of the result.")],
    why: WhyOption,
    id: Annotated[str | None, typer.Option("--id", help="The appeal's own id, to make the same again.")] = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask the ministry, in a province's name, to look again at the version of a result that stands.

    Example: langhoc appeals ask 00691 -p 08 --period 2025 --why "Chỉ tiêu C5.1 tính theo số liệu cũ"
    """
    with plain_errors():
        client = Client(usual="province", province=province)
        result = client.get("scoring", f"/explanations/{subject}", ScoringExplanation, period=period).result
        series: str
        match result:
            case None:
                fail(f"{province} has no result of {subject} for {period}.")
            case AssessmentResult():
                series, own = result.series, result.subject_id
            case CentreResult():
                series, own = "centre", result.centre_id
            case _:
                series, own = "commune", result.unit_id
        body = {
            "appeal_id": id or uuid.uuid4().hex,
            "series": series,
            "subject": own,
            "period": result.period,
            "result_version": result.version,
            "result_hash": result.hash,
            "reason": why,
        }
        _show(client, [client.post("scoring", f"/appeals/{province}", AppealView, body)], language, format)


@appeals.command()
def withdraw(
    appeal: AppealId,
    province: ProvinceOption,
    why: WhyOption,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask no more, while nobody has decided."""
    with plain_errors():
        client = Client(usual="province", province=province)
        path = f"/appeals/{province}/{appeal}/withdraw"
        _show(client, [client.post("scoring", path, AppealView, {"reason": why})], language, format)


@appeals.command()
def uphold(
    appeal: AppealId,
    province: ProvinceOption,
    follows: Annotated[str, typer.Option("--follows", help="What changes the figures: correct, reopen or recompute.")],
    why: WhyOption,
    decision: DecisionOption = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say that the appeal is right, and what follows: it changes no figure by itself. By another than who made it.

    Example: langhoc appeals uphold KN-1 -p 08 --follows correct --why "Số liệu nộp còn thiếu"
    """
    answer = {"upheld": True, "follows": follows, "reason": why, "decision_number": decision}
    _answer(province, appeal, answer, language, format)


@appeals.command()
def dismiss(
    appeal: AppealId,
    province: ProvinceOption,
    why: WhyOption,
    decision: DecisionOption = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say that the result stays as it is, with a reason. By another person than who made the appeal."""
    _answer(province, appeal, {"upheld": False, "reason": why, "decision_number": decision}, language, format)


def _answer(province: str, appeal: str, answer: Mapping[str, object], language: Language, format: Format) -> None:
    with plain_errors():
        client = Client()
        path = f"/appeals/{province}/{appeal}/answer"
        _show(client, [client.post("scoring", path, AppealView, answer)], language, format)


def _show(client: Client, found: Sequence[AppealView], language: Language, format: Format) -> None:
    vi = language is Language.VI

    def day(end: datetime) -> str:
        """The last day before it."""
        return language.words.day((end - timedelta(microseconds=1)).astimezone(HANOI))

    columns: list[Column[AppealView]] = [
        Column("appeal_id", "Đề nghị" if vi else "Appeal"),
        Column("province", "Tỉnh" if vi else "Province"),
        Column("series", "Loại" if vi else "Series", shown=lambda what: language.of(named_closable(what)), below=True),
        Column("subject", "Đối tượng" if vi else "Subject"),
        Column("name", "Tên" if vi else "Name", below=True),
        number("period", "Kỳ" if vi else "Period"),
        number("result_version", "Phiên bản" if vi else "Version"),
        number("newest_version", "Đang đứng" if vi else "Stands now"),
        Column("state", "Tình trạng" if vi else "State", shown=lambda state: language.of(STATES[state])),
        Column("reason", "Lý do" if vi else "Why", below=True),
        Column("decide_by", "Trả lời đến hết" if vi else "Answer until", shown=day),
        Column(
            "follows",
            "Việc tiếp theo" if vi else "What follows",
            lambda one: one.decision and one.decision.follows,
            lambda follows: language.of(FOLLOWS[follows]),
            below=True,
        ),
        Column(
            "answer",
            "Trả lời" if vi else "Answer",
            lambda one: one.decision.reason if one.decision else one.withdrawn and one.withdrawn.reason,
            below=True,
        ),
        Column(
            "decided_by",
            "Người quyết định" if vi else "Decided by",
            lambda one: one.decision and one.decision.decided_by,
            Names(client) if format is Format.TABLE else str,
            below=True,
        ),
    ]
    emit(found, columns, format, title="Đề nghị xem xét lại kết quả" if vi else "Appeals", full=list(found))
