"""`langhoc register`, `held` and `compare`: units over time, and corrections of their register."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import MOST, Client
from cli.options import AnyProvince, FormatOption, LanguageOption, day_of
from cli.output import Column, CommandError, Format, Language, console, emit, headed, number, plain_errors, say
from cli.people import Names
from shared.answers.register import Corrected, Relative, Touched, UnitView
from shared.answers.results import AnyResult, CommuneResult
from shared.contracts.facts import Receipt
from shared.contracts.register import RegisterCorrected
from shared.rulebook import RulebookError
from shared.rulebook.text import load
from shared.wording import reached

OnOption = Annotated[
    str | None, typer.Option(metavar="DATE", help="Day on which the code is meant, e.g. 2022-12-31; today by default.")
]
Code = Annotated[str, typer.Argument(help="Commune code (5 digits) or unit id.")]

register = typer.Typer(no_args_is_help=True, help="The register of units: look, and correct it.")
held = typer.Typer(no_args_is_help=True, help="Submissions that wait for the register.")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(register, name="register")
    parent.add_typer(held, name="held")
    parent.command()(compare)


# ------------------------------------------------------------------------------------------------- register


@register.command()
def correct(
    file: Annotated[Path, typer.Argument(help="YAML file of one correction: its decree, and what it changes.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would release and touch.")] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Correct the register by a decree. Taken whole, or not at all with everything that is wrong with it.

    Entering the same file twice corrects once. Submissions that waited for a code which it explains are decided.

    Example: langhoc register correct decree.yaml --dry-run
    """
    with plain_errors():
        client = Client()
        path = f"/register/corrections?dry_run={str(dry_run).lower()}"
        answer = client.post("intake", path, Corrected, _read(file))
        touched = [Standing(row, _standing(client, row)) for row in answer.touched]
        if format is not Format.JSON:
            _tell(answer)
        if touched or format is not Format.TABLE:
            title = "Accepted submissions about these units; they stand, a province may correct them"
            full = {**answer.model_dump(), "touched": [asdict(row.touched) | {"result": row.result} for row in touched]}
            emit(touched, TOUCHED, format, title=title, full=full)


@dataclass(frozen=True, slots=True)
class Standing:
    """An accepted submission about a unit of the correction, and what its assessment has come to."""

    touched: Touched
    result: str


def _read(file: Path) -> Any:
    try:
        return load(file.read_bytes(), str(file), texts=True)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except RulebookError as error:
        raise CommandError(f"{file} cannot be used: {error}") from error


def _standing(client: Client, row: Touched) -> str:
    if row.kind not in ("commune", "assessment"):
        return ""
    subject = row.unit if row.kind == "commune" else f"{row.subject.split('/', 1)[0]}/{row.unit}"
    found = _results(client, subject, row.period)
    return _outcome(found[0]) if found else ""


def _tell(answer: Corrected) -> None:
    if answer.repeated:
        say(f"This correction was taken before, as version {answer.version}. Nothing changed.")
        return
    say(f"The register {'would become' if answer.dry_run else 'is now'} version {answer.version}.")
    if answer.releases:
        will = "would be" if answer.dry_run else "are being"
        emit(answer.releases, RELEASES, Format.TABLE, title=f"Held submissions that {will} decided again")


@register.command("list")
def corrections(language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE) -> None:
    """The corrections that the register has taken: by whom, on which ground, issued when and in effect from when."""
    with plain_errors():
        client = Client()
        taken = client.get("intake", "/register", list[RegisterCorrected])
        if not taken and format is Format.TABLE:
            say("The register was not corrected; it is the imported one.")
            return
        vi = language is Language.VI
        columns: list[Column[RegisterCorrected]] = [
            number("version", "Phiên bản" if vi else "Version"),
            Column("id", "Mã" if vi else "Id", lambda one: one.correction.correction_id),
            Column("decree", "Văn bản" if vi else "Decree", lambda one: one.correction.decree.number),
            Column("issued", "Ban hành" if vi else "Issued", lambda one: one.correction.decree.issued_on),
            Column("effective", "Hiệu lực" if vi else "In effect", lambda one: one.correction.decree.effective_on),
            Column("why", "Lý do" if vi else "Why", lambda one: one.correction.why),
            Column("by", "Người nhập" if vi else "Entered by", lambda one: one.entered_by, Names(client)),
        ]
        emit(taken, columns, format)


@register.command()
def show(
    code: Code, on: OnOption = None, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE
) -> None:
    """What a code means on a day: the unit, its life and decrees, where it came from and where it went.

    A code alone names no unit: most codes were used again in July 2025.
    """
    with plain_errors():
        unit = _unit(Client(), code, on)
        if format is not Format.TABLE:
            emit([unit], UNIT, format, full=unit)
            return
        _life(unit, language)
        relatives = [("predecessors", one) for one in unit.predecessors]
        relatives += [("successors", one) for one in unit.successors]
        if relatives:
            emit(relatives, RELATIVES, format)


def _unit(client: Client, code: str, on: str | None) -> UnitView:
    return client.get("intake", f"/register/units/{code}", UnitView, on=day_of(on))


def _life(unit: UnitView, language: Language) -> None:
    console.print(f"\n[bold cyan]{escape(unit.name)}[/bold cyan]  {unit.unit_id}", highlight=False)
    for line in unit.life:
        say(f"  • {language.of(line)}")


# ------------------------------------------------------------------------------------------------- held


@held.command("list")
def list_held(
    province: AnyProvince = None, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE
) -> None:
    """Submissions that cannot be decided yet, with the codes that may be meant. A correction of the register decides
    them by itself; so does a new submission with the right code."""
    with plain_errors():
        receipts = list(Client().pages("intake", "/held", Receipt, province=province, limit=MOST))
        if not receipts and format is Format.TABLE:
            say("Nothing is held.")
            return
        columns: list[Column[Receipt]] = [
            Column("province", "From"),
            Column("submission_id", "Submission"),
            Column("kind", "Kind"),
            Column("subject", "Subject"),
            Column("period", "Period"),
            Column("received_at", "Received"),
            Column("why", "Why", lambda receipt: language.of(receipt.problems[0].message)),
            Column("expected", "Expected", lambda receipt: language.of(receipt.problems[0].expected)),
        ]
        emit(receipts, columns, format)


# ------------------------------------------------------------------------------------------------- compare


def compare(
    code: Code, on: OnOption = None, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE
) -> None:
    """A unit beside those it came from, across the reform: every result stays under the unit that earned it.

    Says whether the unit continues one of them or starts unassessed, and why.
    """
    with plain_errors():
        client = Client()
        unit = _unit(client, code, on)
        own = _own(client, unit.unit_id)
        before = [(one, _own(client, one.unit_id)) for one in unit.predecessors]
        if format is Format.JSON:
            results = [one.model_dump() | {"results": found} for one, found in before]
            emit([], [], format, full={"unit": unit, "results": own, "predecessors": results})
            return
        if format is Format.TABLE:
            _life(unit, language)
        vi = language is Language.VI
        columns: list[Column[Compared]] = [
            Column("relation", "Quan hệ" if vi else "Relation"),
            Column("unit_id", "Đơn vị" if vi else "Unit"),
            Column("name", "Tên" if vi else "Name"),
            number("period", "Kỳ" if vi else "Period", lambda row: row.result and row.result.period),
            Column("result", "Kết quả" if vi else "Result", lambda row: _told(row.result, vi)),
            Column("rubric", "Quy định" if vi else "Rule", lambda row: row.result and row.result.rubric),
        ]
        rows = [row for one, found in before for row in _lines(_relation(one, vi), one, found[:1])]
        emit([*rows, *_lines("đơn vị này" if vi else "this unit", unit, own)], columns, format)


@dataclass(frozen=True, slots=True)
class Compared:
    """One result of the unit or of one that it came from; `None`: it was not assessed."""

    relation: str
    unit_id: str
    name: str
    result: CommuneResult | None


def _results(client: Client, subject: str, period: int | None = None) -> list[AnyResult]:
    return client.get("scoring", f"/results/{subject}", list[AnyResult], period=period)


def _own(client: Client, unit_id: str) -> list[CommuneResult]:
    """A unit's own results, newest period first: none of another unit, even if both are the same one."""
    found = _results(client, unit_id)
    return [result for result in found if isinstance(result, CommuneResult) and result.unit_id == unit_id]


def _relation(predecessor: Relative, vi: bool) -> str:
    if vi:
        return "tiền thân, toàn bộ" if predecessor.share == "whole" else "tiền thân, một phần"
    return f"predecessor, {predecessor.share}"


def _lines(relation: str, unit: UnitView | Relative, results: Sequence[CommuneResult]) -> Iterator[Compared]:
    for result in results or (None,):
        yield Compared(relation, unit.unit_id, unit.name, result)


def _told(result: CommuneResult | None, vi: bool) -> str:
    return _outcome(result) if result else "chưa được đánh giá" if vi else "not assessed"


def _outcome(result: AnyResult) -> str:
    if result.level is not None:
        return reached(result.level).en
    return f"{result.total} {result.grade}" if result.grade is not None else result.state


TOUCHED: list[Column[Standing]] = [
    Column("kind", "Kind", lambda row: row.touched.kind),
    Column("subject", "Subject", lambda row: row.touched.subject),
    Column("period", "Period", lambda row: row.touched.period),
    Column("province", "Province", lambda row: row.touched.province),
    number("version", "Version", lambda row: row.touched.version),
    Column("unit", "Accepted for", lambda row: row.touched.unit),
    Column("means_now", "Code means now", lambda row: row.touched.means_now),
    Column("result", "Result"),
]
RELEASES = headed(
    code="Waits for", period="Period", province="Province", submission_id="Submission", receipt_id="Receipt"
)
UNIT = headed(unit_id="Unit", name="Name", province="Province")
RELATIVES: list[Column[tuple[str, Relative]]] = [
    Column("relation", "", lambda row: row[0]),
    Column("unit_id", "Unit", lambda row: row[1].unit_id),
    Column("name", "Name", lambda row: row[1].name),
    Column("share", "Share", lambda row: row[1].share),
]
