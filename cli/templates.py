"""`langhoc template`: a sheet to fill in, with the province's own centres and last year's figures where it may ask."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cli.client import Client, NoAnswer, Refused
from cli.deployments import NoLogin
from cli.options import ProvinceOption
from cli.output import CommandError, both, plain_errors, say
from cli.sheets import PeriodOption, SeriesOption, refusals
from deploy.local.errors import NotRunning
from shared.contracts.base import Text, to_nfc
from shared.contracts.facts import Accepted, AssessmentAccepted, CentreAccepted, CommuneAccepted, RegistrationAccepted
from shared.messaging.clock import BusinessClock
from shared.registry import registry
from shared.rulebook import HANOI, cut_off
from shared.sheets import (
    Assessed,
    Form,
    Style,
    Subject,
    Unit,
    csv_template,
    form_of,
    kinds,
    subjects_of,
    xlsx_template,
)

A = TypeVar("A", bound=Accepted)
PAGE = 200
"""Facts that are asked for at once: of an assessment each may be large."""
MOST = 20_000
"""Facts that are asked for; the largest province has some hundred centres, and some thousand learning units."""
UNASKED = (NotRunning, NoLogin, NoAnswer, Refused)
"""Why a form has only what this command knows by itself."""


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(template)


def template(
    kind: Annotated[str, typer.Argument(help=f"What is filed: {', '.join(kinds())}.")],
    province: ProvinceOption,
    period: PeriodOption = None,
    series: SeriesOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write, .xlsx or .csv; by default KIND-PROVINCE.xlsx.")
    ] = None,
    centres: Annotated[
        Path | None, typer.Option(help="CSV of the province's centres: id, name; instead of asking for them.")
    ] = None,
    numbers: Annotated[Style, typer.Option(help="How numbers are written: vi as in 2.982 and 62,198.")] = "vi",
    unit: Annotated[Unit, typer.Option(help="Unit of amounts of money.")] = "đồng",
) -> None:
    """Make a sheet to fill in: drop-downs, the province's own communes and centres, a page that explains each column.

    An assessment has a row for each of them, and last year's figures beside the columns; its period is last year, where
    none is named. Where nobody can be asked, it says what is missing.

    Example: langhoc template commune --province 01 --period 2025 -o communes.xlsx
    """
    with plain_errors(), refusals():
        today = BusinessClock().now().astimezone(HANOI).date()
        form = form_of(kind, province=province, period=period or today.year - 1, series=series)
        period_of_name = f"-{form.fixed['period']}" if "period" in form.fixed else ""
        file = output or Path(f"{kind}-{province}{period_of_name}.xlsx")
        if file.exists():
            raise CommandError(f"{file} is there already, perhaps filled in. Name another file with -o.")
        known = _known(form, province, centres)
        subjects = subjects_of(form, province, registry(), known.centres, known.before)
        sheet = secrets.token_hex(4)
        if file.suffix.casefold() == ".csv":
            content = csv_template(form, province, sheet, numbers, unit, subjects)
        else:
            content = xlsx_template(
                form,
                province,
                sheet,
                register=registry(),
                today=today,
                centres=known.centres,
                subjects=subjects,
                numbers=numbers,
                unit=unit,
            )
        try:
            file.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror or error}") from error
        for text in known.missing:
            say(both(text), style="yellow")
        rows = f"{_counted(form, subjects)} " if subjects else ""
        say(
            f"{file}: {len(form.columns)} columns. {rows}"
            f"Fill it in, then try: langhoc submit {file} -p {province} --dry-run"
        )


def _counted(form: Form, subjects: Sequence[Subject]) -> str:
    with_figures = sum(bool(one.before) for one in subjects)
    return f"{len(subjects)} rows wait for figures, {with_figures} with those of {form.fixed['period'] - 1} beside."


# ------------------------------------------------------------------------------------------------- what is known


@dataclass
class _Known:
    """What is known of a province, and what is not."""

    centres: list[tuple[str, str]] = field(default_factory=list)
    before: list[Assessed] = field(default_factory=list)
    missing: list[Text] = field(default_factory=list)


def _known(form: Form, province: str, given: Path | None) -> _Known:
    """The province's centres, as far as the form names any, and what is accepted of the period before."""
    known = _Known()
    if given is not None:
        known.centres = _read(given)
    elif form.kind != "registration" and any(column.id == "centre_id" for column in form.columns):
        vi, en = "danh sách trung tâm của tỉnh", "the province's centres"
        with _asking(known, Text(vi=vi, en=en)):
            known.centres = _registered(form, province, known)
    if form.rubric is not None:
        year = form.fixed["period"] - 1
        with _asking(known, Text(vi=f"số liệu năm {year}", en=f"the figures of {year}")):
            known.before = _accepted_before(form, province, known)
    return known


@contextmanager
def _asking(known: _Known, what: Text) -> Iterator[None]:
    """What cannot be asked for is missing, and the form is made without it."""
    try:
        yield
    except UNASKED as error:
        known.missing.append(Text(vi=f"Thiếu {what.vi}: không hỏi được.", en=f"Without {what.en}: {error}"))


def _registered(form: Form, province: str, known: _Known) -> list[tuple[str, str]]:
    """Ids and names of the registered centres; for a period those that there were on its cut-off date."""
    facts = _facts(RegistrationAccepted, "registration", province, known)
    if form.rubric is not None:
        on = cut_off(form.fixed["period"])
        facts = [one for one in facts if one.opened_on <= on and (one.closed_on is None or on < one.closed_on)]
    if not facts:
        known.missing.append(Text(vi="Tỉnh chưa đăng ký trung tâm nào.", en="The province has registered no centre."))
    return [(one.centre_id, one.name) for one in facts]


def _accepted_before(form: Form, province: str, known: _Known) -> list[Assessed]:
    models: dict[str, type[CommuneAccepted | CentreAccepted | AssessmentAccepted]] = {
        "commune": CommuneAccepted,
        "centre": CentreAccepted,
        "assessment": AssessmentAccepted,
    }
    year, series = form.fixed["period"] - 1, form.fixed.get("series")
    found = _facts(models[form.kind], form.kind, province, known, period=year, series=series)
    others = sorted({one.rubric for one in found} - {form.fixed["rubric"]})
    if not found:
        known.missing.append(Text(vi=f"Năm {year} chưa có số liệu được nhận.", en=f"Nothing is accepted of {year}."))
    elif others:
        names = ", ".join(others)
        known.missing.append(
            Text(
                vi=f"Số liệu năm {year} theo {names} không đặt cạnh được: quy định khác, cột khác.",
                en=f"Figures of {year} under {names} cannot stand beside: another rule has other columns.",
            )
        )
    return list(found)


def _facts(model: type[A], kind: str, province: str, known: _Known, **query: object) -> list[A]:
    client = Client(usual="province", province=province)
    pages = client.pages("intake", "/accepted", model, kind=kind, province=province, limit=PAGE, **query)
    found = list(islice(pages, MOST + 1))
    if len(found) > MOST:
        known.missing.append(Text(vi=f"Chỉ có {MOST} hồ sơ đầu tiên.", en=f"Only the first {MOST} are there."))
    return found[:MOST]


def _read(file: Path) -> list[tuple[str, str]]:
    """Ids and names; a first row of headings is passed over."""
    try:
        text = to_nfc(file.read_text(encoding="utf-8-sig"))
        rows = [row for row in csv.reader(io.StringIO(text)) if row and row[0].strip()]
    except (OSError, UnicodeError, csv.Error) as error:
        raise CommandError(f"{file} cannot be read as CSV in UTF-8: {error}") from error
    found = [(row[0].strip(), row[1].strip() if len(row) > 1 else "") for row in rows]
    return [each for each in found if each[0] not in ("id", "centre_id")]
