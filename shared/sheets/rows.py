"""From a row of cells to a submission, or to everything that is wrong with it, by the address of its cell. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, Protocol, cast

from pydantic import ValidationError

from shared.contracts.base import Problem, Text, canonical
from shared.contracts.submissions import AssessmentSubmitted, Content, Titled
from shared.refusals import problem
from shared.refusals.validation import expected_of
from shared.rulebook import check_by_decision, check_content, cut_off
from shared.sheets.cells import Cell, RawRow, address
from shared.sheets.columns import Column, Form
from shared.sheets.encodings import is_old, mended
from shared.sheets.heads import Head
from shared.sheets.values import Terms, Told, shown, unit_of, value_of
from shared.sheets.words import Holds
from shared.texts import neutral


class _Assessed(Protocol):
    """A submission with the values of a rubric."""

    content: Content


State = Literal["blank", "header", "ready", "refused"]
_TEXTS = frozenset({Holds.TEXT, Holds.ID, Holds.UNIT, Holds.LIST, Holds.CHOICE, Holds.FLAG})


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one row of a sheet."""

    number: int
    state: State
    data: Mapping[str, Any] | None = None
    """Body of the submission, of a row that is `ready`."""
    problems: list[Problem] = field(default_factory=list)
    """Why it is refused; `field` is the address of the cell."""
    warnings: list[Problem] = field(default_factory=list)
    """What was mended, or read in a way that should be looked at."""


@dataclass(frozen=True, slots=True)
class Ground:
    """All that a row is read by, besides itself."""

    head: Head
    terms: Terms
    sheet: str = ""
    """Identity that the sheet declares: the same row of another sheet is another submission."""
    old: Mapping[int, str] = field(default_factory=dict)
    """Old encodings by column."""
    hidden: bool = False
    """Whether hidden rows are sent too."""
    beforehand: frozenset[int] = frozenset()
    """Places in which something stands before anybody writes: a row with nothing else is blank."""


def read_row(raw: RawRow, ground: Ground) -> Row:
    """Read one row: blank, part of the head, ready to be sent, or refused with all that is wrong with it."""
    head = ground.head
    if raw.number in head.rows or raw.texts()[: head.width] == list(head.headings):
        return Row(raw.number, "header")
    written = (cell for place, cell in enumerate(raw.cells) if place not in ground.beforehand)
    if all(cell.blank for cell in written):
        return Row(raw.number, "blank")
    told = Told()
    values: dict[str, Any] = {}
    for place, cell in enumerate(raw.cells):
        column = head.columns.get(place)
        if cell.blank or place in head.unread:
            continue
        at = address(raw.number, place)
        if column is None:
            told.problems.append(problem("sheets.cell_without_heading", at, given=shown(cell)))
            continue
        ready = _in_unicode(cell, at, column, place, ground, told)
        if ready is not None:
            values[column.id] = value_of(ready, at, column, ground.terms, told)
    if raw.hidden and not ground.hidden:
        told.problems.append(problem("sheets.row_hidden", f"{raw.number}:{raw.number}"))
    _units(raw.number, values, ground, told)
    data = body_of(head.form, values)
    if not told.problems:
        told.problems += _of_contract(raw, data, head)
    if told.problems:
        return Row(raw.number, "refused", None, told.problems, told.warnings)
    return Row(raw.number, "ready", {"submission_id": id_of(head.form, ground.sheet, data), **data}, [], told.warnings)


def body_of(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """The body that values of columns make, without an id. A cell in which nothing stands is no value."""
    data: dict[str, Any] = dict(form.fixed)
    rubric = form.rubric
    if rubric is not None:
        points = rubric.scoring == "points"
        data["content"] = {"scoring": "points", "points": {}} if points else {"scoring": "pass_fail", "targets": {}}
    kinds = {} if rubric is None or rubric.scoring == "points" else {one.id: one.type for one in rubric.targets}
    for column in form.columns:
        value = values.get(column.id)
        if value is None:
            continue
        if column.path[:2] == ("content", "traits"):
            data["content"].setdefault("traits", []).append(value)
            continue
        place = data
        for depth, key in enumerate(column.path[:-1], start=1):
            place = place.setdefault(key, {})
            if column.path[1:2] in (("targets",), ("indicators",)) and depth == 3:
                place.setdefault("type", kinds.get(key, "share"))
        place[column.path[-1]] = value
    return data


def id_of(form: Form, sheet: str, data: Mapping[str, Any]) -> str:
    """The submission's id: the same row of the same sheet has the same one, however often it is sent."""
    said = {"sheet": sheet, "type": form.event, "data": data}
    return f"sheet-{hashlib.sha256(canonical(said)).hexdigest()[:24]}"


# ----------------------------------------------------------------------------------------------------- in a row


def _in_unicode(cell: Cell, at: str, column: Column, place: int, ground: Ground, told: Told) -> Cell | None:
    """The cell with its text in Unicode; `None` where it is in an old encoding that nobody asked to mend."""
    old = ground.old.get(place)
    if old is None or column.holds not in _TEXTS or not isinstance(cell.value, str) or not is_old(cell.value):
        return cell
    text = mended(cell.value, old)
    if "encoding" not in ground.terms.repair:
        told.problems.append(problem("sheets.encoding_old", at, encoding=old.upper(), meant=neutral(text)[:80]))
        return None
    told.warnings.append(problem("sheets.cell_encoding_mended", at, encoding=old.upper(), meant=neutral(text)[:80]))
    return Cell(text, cell.format, cell.trouble, cell.formula)


def _units(row: int, values: dict[str, Any], ground: Ground, told: Told) -> None:
    """Codes of units are read last: what they mean hangs on the series and the day that the row speaks of."""
    form = ground.head.form
    for place, column in ground.head.columns.items():
        text = values.get(column.id)
        if column.holds is not Holds.UNIT or text is None:
            continue
        series = "commune" if column.id == "commune_code" else form.fixed.get("series") or values.get("series")
        on = _day(form, values, ground.terms.today)
        at = address(row, place)
        values[column.id] = unit_of(str(text), at, series or "commune", on, ground.terms, told)


def _day(form: Form, values: Mapping[str, Any], today: date) -> date:
    """The day of which a row speaks: the cut-off date of its period, of a closed centre the last day of its life, of a
    title that of its decision."""
    if issubclass(form.model, Titled):
        return date.fromisoformat(decided) if (decided := values.get("decided_on")) else today
    period = form.fixed.get("period") or values.get("period")
    if isinstance(period, int) and date.min.year <= period <= date.max.year:
        return cut_off(period)
    closed = values.get("closed_on")
    return date.fromisoformat(closed) - timedelta(days=1) if closed else today


def _of_contract(raw: RawRow, data: Mapping[str, Any], head: Head) -> list[Problem]:
    """What the contract and the rubric say against a row; the rest is for intake to say."""
    form = head.form
    try:
        body = json.dumps({"submission_id": "sheet", **data}, ensure_ascii=False)
        whole = form.model.model_validate_json(body)
    except ValidationError as error:
        return [_of_validation(raw, one, head) for one in error.errors(include_url=False)]
    if form.rubric is None:
        return []
    found, _ = check_content(form.rubric, cast(_Assessed, whole).content)
    if isinstance(whole, AssessmentSubmitted):
        found += check_by_decision(form.rubric, whole.by_decision, whole.content)
    return [one.model_copy(update={"field": head.place(one.field, raw.number)}) for one in found]


def _of_validation(raw: RawRow, error: Mapping[str, Any], head: Head) -> Problem:
    """An entry of Pydantic's list in words, at the cell that it is about; a value as it is shown there."""
    location = [str(part) for part in error["loc"] if part != "[key]"]
    keyed = [column for column in head.form.columns if _leads(column.path, location)]
    column = max(keyed, key=lambda one: len(one.path), default=None)
    place = next((place for place, one in head.columns.items() if one == column), None)
    at = address(raw.number, place or 0)
    if error["type"] != "missing":
        given = shown(raw.cells[place]) if place is not None else str(error.get("input"))[:80]
        return problem("sheets.cell_out_of_bounds", at, given=given, expected=expected_of(error))
    if column is None:
        name = "/".join(location)
        return problem("sheets.cell_empty", at, name=Text(vi=name, en=name))
    if place is None:  # it stands beside what belongs to the same figure
        beside = head.place("/" + "/".join(column.path), raw.number)
        return problem("sheets.column_needed", beside, id=column.id, name=column.name)
    return problem("sheets.cell_empty", at, name=column.name)


def _leads(path: tuple[str, ...], location: list[str]) -> bool:
    """Whether a column's path is the location, which also has tags of unions and places in lists."""
    rest = iter(location)
    return all(key in rest for key in path)
