"""`langhoc rulebook`: prove, show and compare the rules that results and money are computed by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import typer
from pydantic import RootModel

from cli.options import LanguageOption, known_province
from cli.output import Format, Language, emit, fail, headed, say
from cli.rules_text import Change, changes, ground, heading, said, tree
from shared.rulebook import HANOI, AreaList, FundingNorms, RulebookError, calendar, checking, goals_for
from shared.rulebook.areas import area_lists
from shared.rulebook.basis import RubricBase, Series
from shared.rulebook.checking import AREAS, LAYERED, Book, Reader, expiring, read_all
from shared.rulebook.on_day import on_day
from shared.rulebook.overlays import MINISTRY, NATION, Placed, folders, with_packages
from shared.rulebook.points import PointsRubric
from shared.rulebook.rubrics import cut_off, end_of, ruled
from shared.rulebook.source import DATA, Dated, read
from shared.rulebook.tables import OwnPointTable, under

V = TypeVar("V", bound=Dated)

app = typer.Typer(no_args_is_help=True, help="The rules by which results and money are computed: prove, show, compare.")
FormatOption = Annotated[Format, typer.Option("--format", help="Text for people, json or csv for programs.")]
OnOption = Annotated[str | None, typer.Option("--on", help="Day, as YYYY-MM-DD; today without it.", metavar="DATE")]
ProvinceOption = Annotated[
    str | None, typer.Option("--province", callback=known_province, help="Code of the province on that day.")
]


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="rulebook")


# ------------------------------------------------------------------------------------------------------- check


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="Own rules, to be proven together with the shipped ones.")
    ] = None,
    months: Annotated[int, typer.Option(min=0, help="Warn of rules that end within so many months.")] = 6,
    on: OnOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Prove every rule: name everything that is wrong, how to mend it, and what ends soon. Exit 1 if anything is wrong.

    Without a folder the rules that the platform would use are proven: the shipped ones and those of LANGHOC_RULEBOOK.
    """
    day = _day(on)
    places = folders() if folder is None else (DATA, *with_packages(folder))
    book = read_all(places)
    ending = expiring(day, months, book.rules)
    if format is Format.TABLE:
        for error in book.errors:
            for line in _problem(error, language):
                say(line, soft_wrap=True)
        for placed in ending:
            say(_ending(placed, language), soft_wrap=True)
        say(_verdict(book, places, language), soft_wrap=True)
    else:
        rows = [_row(error, language) for error in book.errors]
        rows += [
            {"kind": "ends", "file": one.place.name, "place": one.version.id, "what": _ending(one, language)}
            for one in ending
        ]
        columns = ("kind", "file", "place", "code", "what", "expected", "mend")
        emit(rows, headed(**{name: name for name in columns}), format)
    raise typer.Exit(1 if book.errors else 0)


def _problem(error: RulebookError, language: Language) -> list[str]:
    problem = error.problem
    words = {"vi": ("Cần", "Cách sửa"), "en": ("Expected", "Mend")}[language]
    return [
        f"{error.file}{f' › {error.path}' if error.path else ''}",
        f"  {said(problem.message, language)}  ({problem.code})",
        f"  {words[0]}: {said(problem.expected, language)}",
        f"  {words[1]}: {said(problem.mend, language)}",
        "",
    ]


def _row(error: RulebookError, language: Language) -> dict[str, str]:
    problem = error.problem
    texts = {"what": problem.message, "expected": problem.expected, "mend": problem.mend}
    return {
        "kind": "problem",
        "file": error.file,
        "place": error.path,
        "code": problem.code,
        **{key: said(text, language) for key, text in texts.items()},
    }


def _ending(placed: Placed[Any], language: Language) -> str:
    version: Dated = placed.version
    follower = None if version.successor in (None, "not_found") else version.successor
    if language is Language.VI:
        after = f"{follower} tiếp nối" if follower else "chưa có quy định tiếp nối: cần ban hành"
        return f"Sắp hết hiệu lực: {version.id} ngày {version.effective_to}; {after} ({placed.place.name})"
    after = f"{follower} follows" if follower else "nothing follows: decide what does"
    return f"Ends soon: {version.id} on {version.effective_to}; {after} ({placed.place.name})"


def _verdict(book: Book, places: Sequence[Path], language: Language) -> str:
    where = ", ".join("langhoc" if place == DATA else str(place) for place in places)
    if language is Language.VI:
        state = f"{len(book.errors)} lỗi" if book.errors else "không có lỗi"
        return f"{len(book.rules)} quy định trong {where}: {state}."
    state = _problems(book) if book.errors else "no problem"
    return f"{len(book.rules)} rules in {where}: {state}."


def _problems(book: Book) -> str:
    return f"{len(book.errors)} problem{'s' if len(book.errors) > 1 else ''}"


@app.command()
def guard(folder: Annotated[Path, typer.Argument(help="Own rules that are to be used from now on.")]) -> None:
    """List a folder's new rules in its released.yaml, so that from now on a change of them is refused."""
    book = read_all((DATA,) if folder.resolve() == DATA else (DATA, *with_packages(folder)))
    wrong = [error for error in book.errors if error.problem.code != "not_in_release"]
    if wrong:
        for error in wrong:
            for line in _problem(error, Language.EN):
                say(line, soft_wrap=True)
        fail("Nothing was noted. Mend what is wrong first.")
    added = checking.release(DATA if folder.resolve() == DATA else folder, book.rules)
    say(f"Guarded: {', '.join(added) or 'nothing new'}", soft_wrap=True)


# -------------------------------------------------------------------------------------------------------- show


@app.command()
def show(
    id: Annotated[
        str | None,
        typer.Argument(help="A rule's id, a kind of policy (funding_policy), a series (commune), calendar or goals."),
    ] = None,
    on: OnOption = None,
    province: ProvinceOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show one rule for people: values, thresholds, bands, grounds, gaps, who decides. Without an id: all of them."""
    day, book = _day(on), _sound()
    if id is None:
        rows = [_listed(placed, day, language) for placed in book.rules]
        emit(rows, headed(**{key: key.replace("_", " ") for key in rows[0]}), format, title=f"{len(rows)} rules, {day}")
    elif id == "calendar":
        _calendar(day.year, language, format)
    elif id == "goals":
        _goals(day.year, province, language, format)
    else:
        rule = _found(book, id, day, province)
        if format is Format.TABLE:
            for line in _lines(rule, book, day, province, language):
                say(line, soft_wrap=True)
        else:
            emit([_flat(change) for change in changes({}, rule)], headed(place="place", after="value"), format)


def _listed(placed: Placed[Any], day: date, language: Language) -> dict[str, str]:
    rule: Dated = placed.version
    return {
        "id": rule.id,
        "name": said(rule.name, language),
        "owner": placed.place.owner or "nation",
        "from": rule.effective_from.isoformat(),
        "to": "" if rule.effective_to is None else rule.effective_to.isoformat(),
        "in_force": "yes" if rule.in_force(day) else "no",
        "provenance": rule.provenance.value,
    }


def _lines(rule: Dated, book: Book, day: date, province: str | None, language: Language) -> list[str]:
    vi = language is Language.VI
    if isinstance(rule, FundingNorms):
        areas = _nearest([one for one in book.rules if isinstance(one.version, AreaList)], day, None)
        listed = ("không có" if vi else "none") if areas is None else areas.legal_reference
        which = f"  {'Danh mục khu vực ngày' if vi else 'List of area classes on'} {day}: {listed}"
        return [*heading(rule, language), which, *tree(rule, language)]
    if not isinstance(rule, RubricBase):
        return [*heading(rule, language), *tree(rule, language)]
    decides = ", ".join(said(one.name, language) for one in rule.decided_by)
    extra = [
        f"  {'Ai quyết định ngày' if vi else 'Who decides on'} {day}: "
        f"{decides or ('chưa tìm thấy' if vi else 'not found')}"
    ]
    for period in (day.year - 1, day.year):
        due = (end_of(rule.deadline, period) - timedelta(days=1)).date()
        if rule.in_force(cut_off(period)) and day <= due:
            extra.append(f"  {'Hạn nộp của kỳ' if vi else 'Last day for the period'} {period}: {due}")
    if isinstance(rule, PointsRubric):
        extra.append(f"  {'Bảng điểm áp dụng' if vi else 'Point table that applies'}: {rule.point_table.id}")
    return [*heading(rule, language), *extra, *tree(rule, language)]


def _applied(book: Book, rubric: PointsRubric, day: date, province: str | None) -> PointsRubric:
    """The rubric with the point table that the province, else the ministry, has on that day."""
    tables: list[Placed[OwnPointTable]] = [
        one for one in book.rules if isinstance(one.version, OwnPointTable) and one.version.rubric == rubric.id
    ]
    own = _nearest(tables, day, province)
    return rubric if own is None else under(rubric, own)


def _nearest(rules: Sequence[Placed[V]], day: date, province: str | None) -> V | None:
    """The version in force on a day: the province's, else the ministry's, else the nation's."""
    for owner in (province, MINISTRY, NATION):
        for placed in rules:
            if placed.place.owner == owner and placed.version.in_force(day):
                return placed.version
    return None


def _calendar(period: int, language: Language, format: Format) -> None:
    rows = []
    for due in calendar(period):
        end = None if due.end is None else (due.end - timedelta(days=1)).date()
        rows.append(
            {
                "last_day": "" if end is None else end.isoformat(),
                "who": said(due.row.who, language),
                "what": said(due.row.what, language),
                "to": "" if due.row.to is None else said(due.row.to, language),
                "open": "" if due.gap is None else said(due.gap, language),
                "ground": ground(due.row),
            }
        )
    columns = headed(last_day="last day", who="who", what="what", to="to", open="open", ground="ground")
    emit(rows, columns, format, title=f"Calendar of the period {period}")


def _goals(year: int, province: str | None, language: Language, format: Format) -> None:
    rows = [
        {
            "by": str(goal.year),
            "goal": said(goal.name, language),
            "share": said(goal.value),
            "difficult_area": "" if goal.value_difficult_area is None else said(goal.value_difficult_area),
            "note": "" if goal.note is None else said(goal.note, language),
            "ground": ground(goal),
        }
        for goal in goals_for(year, province)
    ]
    columns = headed(by="by", goal="goal", share="share", difficult_area="difficult area", note="note", ground="ground")
    emit(rows, columns, format, title=f"Goals towards which {year} counts")


# -------------------------------------------------------------------------------------------------------- diff


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A rule's id, a file, or KIND@DATE (commune@2023-12-31).")],
    after: Annotated[str, typer.Argument(help="The other one.")],
    province: ProvinceOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """What differs between two rules, value by value; with a date as they hold on that very day."""
    book = _sound()
    found = changes(_named(book, before, province), _named(book, after, province))
    if not found and format is Format.TABLE:
        say("No value differs.")
        return
    emit([_flat(change) for change in found], headed(place="place", before="before", after="after"), format)


def _flat(change: Change) -> dict[str, str]:
    return {"place": change.place, "before": change.before or "", "after": change.after or ""}


def _named(book: Book, name: str, province: str | None) -> Any:
    if Path(name).is_file():
        try:
            return read(Path(name), RootModel[dict[str, Any]]).root
        except RulebookError as error:
            fail(str(error))
    kind, _, day = name.partition("@")
    return _found(book, kind, _day(day) if day else None, province)


# ------------------------------------------------------------------------------------------------------ common


def _found(book: Book, name: str, on: date | None, province: str | None) -> Dated:
    """The rule of that id, or the version of that kind or series that is in force on a day, as it holds then.

    Args:
        on: `None`: a rule as it stands in its file; of a kind or series today's version.
    """
    day = on or _day(None)
    by_id: dict[str, Dated] = {placed.version.id: placed.version for placed in book.rules}
    readers: dict[str, Reader] = {**LAYERED, AREAS: area_lists}
    kinds = {Path(file).stem: load for file, load in readers.items()}
    version: Dated | None = by_id.get(name)
    if version is None and name in kinds:
        version = _nearest(kinds[name](folders()).all, day, province)
    elif version is None and name in get_args(Series):
        rubrics = [one for one in by_id.values() if isinstance(one, RubricBase) and one.series == name]
        version = next((one for one in rubrics if one.in_force(day)), None)
    elif version is None:
        known = ", ".join([*sorted(by_id), *kinds, *sorted(ruled())])
        fail(f"There is no rule {name!r}. Known are: {known}")
    if version is None:
        fail(f"No version of {name} was in force on {day}.")
    if on is None and name in by_id:
        return version
    if isinstance(version, PointsRubric):
        version = _applied(book, version, day, province)
    return on_day(version, day)


def _sound() -> Book:
    """The rulebook that the platform would use; refuses to speak about one that has a fault."""
    book = read_all()
    if book.errors:
        fail(f"The rulebook has {_problems(book)}; `langhoc rulebook check` names them all.")
    return book


def _day(text: str | None) -> date:
    try:
        return datetime.now(HANOI).date() if text is None else date.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no day of the calendar; write it as YYYY-MM-DD.")
