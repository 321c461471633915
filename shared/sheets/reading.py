"""Opening a sheet and reading it row by row, in little memory: what it is, how it is read, and counts that add up.

sheet = open_sheet(Path("communes.xlsx"), Options("01", today))
for row in sheet.rows():
    …
sheet.counts  # Counter({'ready': 124, 'blank': 2, 'header': 3, 'refused': 1})
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple, cast, get_args

from shared.contracts.base import Problem
from shared.refusals import problem
from shared.registry import Registry, registry
from shared.sheets.cells import RawRow, address
from shared.sheets.columns import Form, SheetRefused, form_of, kinds
from shared.sheets.encodings import SAMPLE_CHARACTERS, is_old, recognised
from shared.sheets.files import MOST_ROWS, Table, tables
from shared.sheets.guarding import LAST_ROW
from shared.sheets.heads import FILLED, LOOKED_AT, Head, declared, head_of
from shared.sheets.numbers import UNITS, Style, Unit
from shared.sheets.rows import Ground, Row, State, read_row
from shared.sheets.values import Repair, Terms

BESIDE = 8
"""Columns behind the last heading that are looked at, so that what stands there is not left out without a word."""

MOST_BLANK = 10_000
"""Blank rows one after the other; what stands behind them was hardly meant to be there, and nobody sees it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a sender says beside the file. What the sheet declares itself may be left out, and never contradicted."""

    province: str
    today: date
    kind: str | None = None
    period: int | None = None
    series: str | None = None
    numbers: Style | None = None
    unit: Unit | None = None
    table: str | None = None
    """Name of the sheet, where a file has several."""
    repair: frozenset[Repair] = frozenset()
    hidden: bool = False
    """Send hidden rows too."""


@dataclass
class Sheet:
    """A sheet that can be read, as often as asked."""

    table: Table
    head: Head
    ground: Ground
    last: int
    """Number of the last row in which something stands."""
    widest: int
    """Places up to the last one in which something stands."""
    notes: list[Problem]
    """What was met in the whole file."""
    counts: Counter[State] = field(default_factory=Counter)
    """Rows of the last reading, by what became of them; their sum is the rows read."""

    @property
    def form(self) -> Form:
        """Its kind and columns."""
        return self.head.form

    def raw(self) -> Iterator[RawRow]:
        """Its rows as they stand."""
        return self.table.rows(self.head.reach + BESIDE, self.last)

    def rows(self) -> Iterator[Row]:
        """Its rows, read. Raises `SheetRefused` where the file was changed meanwhile."""
        self.counts.clear()
        for raw in self.raw():
            row = read_row(raw, self.ground)
            self.counts[row.state] += 1
            yield row


def open_sheet(path: Path, options: Options, register: Registry | None = None) -> Sheet:
    """Look at the whole file once: is it sound, what is it, in which encodings.

    Raises:
        SheetRefused: nothing of it is read, with everything that is wrong with it.
    """
    register = register or registry()
    table, rows = _chosen(path, options)
    behind, said = declared(rows)
    _known(said)
    terms = _terms(said, options, register)
    form = _form(said, options)
    head = head_of(form, rows, behind)
    looked = _looked_through(table, head)
    notes = list(table.notes)
    if looked.formulas:
        notes.append(problem("sheets.formulas_counted", count=looked.formulas))
    filled = said.get(FILLED, "").split()
    beforehand = {*head.unread, *(place for place, column in head.columns.items() if column.id in filled)}
    ground = Ground(head, terms, said.get("sheet", ""), looked.old, options.hidden, frozenset(beforehand))
    return Sheet(table, head, ground, looked.last, looked.widest, notes)


def _chosen(path: Path, options: Options) -> tuple[Table, list[RawRow]]:
    """The one table that is meant, with its first rows."""
    found = tables(path, "encoding" in options.repair)
    names = ", ".join(one.name for one in found) or "–"
    if options.table is not None and len(found) > 0:
        found = [one for one in found if one.name == options.table] or found[:0]
        if not found:
            raise SheetRefused(problem("sheets.sheet_unknown", name=options.table, names=names))
    starts = [(one, list(one.rows(last=LOOKED_AT))) for one in found]
    meant = [each for each in starts if declared(each[1])[0]]
    if not meant:
        meant = [each for each in starts if any(not row.blank for row in each[1])]
    if not meant:
        raise SheetRefused(problem("sheets.empty"))
    if len(meant) > 1:
        names = ", ".join(one.name for one, _ in meant)
        raise SheetRefused(problem("sheets.several_sheets", names=names))
    return meant[0]


def _known(said: Mapping[str, str]) -> None:
    problems = []
    if said.get("numbers") and said["numbers"] not in get_args(Style):
        problems.append(problem("sheets.declared_wrongly", name="numbers", given=said["numbers"], known="vi, en"))
    if said.get("unit") and said["unit"] not in UNITS:
        problems.append(problem("sheets.declared_wrongly", name="unit", given=said["unit"], known=", ".join(UNITS)))
    if said.get("period") and not (said["period"].isascii() and said["period"].isdigit() and len(said["period"]) == 4):
        problems.append(problem("sheets.declared_wrongly", name="period", given=said["period"], known="2013–2100"))
    if problems:
        raise SheetRefused(*problems)


def _terms(said: Mapping[str, str], options: Options, register: Registry) -> Terms:
    beside: Mapping[str, object] = {
        "kind": options.kind,
        "province": options.province,
        "period": options.period,
        "series": options.series,
        "numbers": options.numbers,
        "unit": options.unit,
    }
    problems = [
        problem("sheets.declared_otherwise", name=name, sheet=said[name], beside=str(value))
        for name, value in beside.items()
        if value is not None and said.get(name) and said[name] != str(value)
    ]
    if problems:
        raise SheetRefused(*problems)
    return Terms(
        province=options.province,
        today=options.today,
        register=register,
        numbers=options.numbers or cast(Style | None, said.get("numbers") or None),
        unit=options.unit or cast(Unit, said.get("unit") or "đồng"),
        repair=options.repair,
    )


def _form(said: Mapping[str, str], options: Options) -> Form:
    kind = options.kind or said.get("kind")
    if not kind:
        raise SheetRefused(problem("sheets.kind_missing", known=", ".join(kinds())))
    period = options.period or (int(said["period"]) if said.get("period") else None)
    form = form_of(kind, province=options.province, period=period, series=options.series or said.get("series"))
    if form.rubric is not None and said.get("rubric", form.rubric.id) != form.rubric.id:
        raise SheetRefused(
            problem("sheets.rubric_otherwise", rubric=said["rubric"], needed=form.rubric.id, period=period)
        )
    return form


class _Looked(NamedTuple):
    """What one look at the whole sheet tells."""

    last: int
    widest: int
    formulas: int
    old: Mapping[int, str]


def _looked_through(table: Table, head: Head) -> _Looked:
    last = filled = formulas = 0
    widest = head.width
    samples: dict[int, list[str]] = {place: [] for place in head.columns}
    room = dict.fromkeys(head.columns, SAMPLE_CHARACTERS)
    for raw in table.rows(head.reach + BESIDE):
        if raw.number > LAST_ROW:
            raise SheetRefused(problem("sheets.too_many_rows", most=MOST_ROWS))
        if raw.blank:
            continue
        filled_to = max(place for place, cell in enumerate(raw.cells) if not cell.blank)
        if raw.number - last > MOST_BLANK:
            raise SheetRefused(problem("sheets.far_away", address(raw.number, filled_to), most=MOST_BLANK))
        last, filled, widest = raw.number, filled + 1, max(widest, filled_to + 1)
        if filled > MOST_ROWS:
            raise SheetRefused(problem("sheets.too_many_rows", most=MOST_ROWS))
        if raw.number < head.first:
            continue
        for place, cell in enumerate(raw.cells):
            formulas += cell.formula
            if room.get(place, 0) > 0 and isinstance(cell.value, str) and is_old(cell.value):
                samples[place].append(cell.value)
                room[place] -= len(cell.value)
    return _Looked(last, widest, formulas, _old(samples))


def _old(samples: Mapping[int, Sequence[str]]) -> dict[int, str]:
    found = {place: recognised(texts) for place, texts in samples.items() if texts}
    return {place: encoding for place, encoding in found.items() if encoding is not None}
