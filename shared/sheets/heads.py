"""The head of a sheet: the row that declares what it is and how its numbers are written, and the row of headings. Pure.

    langhoc | commune | province | 01 | period | 2025 | numbers | vi | unit | đồng | sheet | 7f3a09c1
    unit_code | unit_name | … | C5.1.share.numerator | …
    Mã đơn vị | Tên đơn vị | … (for people; left out or not)

A sheet without the first row is read as its sender declares it beside the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from shared.contracts.base import Problem, Text, to_nfc
from shared.refusals import problem
from shared.sheets.cells import RawRow, address
from shared.sheets.columns import Column, Form, SheetRefused

MARK = "langhoc"
"""What stands in the first cell of a sheet that declares itself."""
ANSWERS: Mapping[str, Text] = {
    "answer.status": Text(vi="Mã kết quả", en="Status code"),
    "answer.words": Text(vi="Kết quả", en="Status"),
    "answer.reason": Text(vi="Vì sao", en="Reason"),
    "answer.mend": Text(vi="Cách sửa", en="How to mend it"),
}
"""Headings of what an answered sheet has beside its own columns; who hands it in again need not take them out."""
BEFORE = "before."
"""How headings of last year's figures begin; they stand beside the columns of this year, and are never read."""
FILLED = "filled"
"""What a sheet declares of columns that its template filled in: who each row is about."""
LOOKED_AT = 30
"""Rows in which the head is looked for."""


def declared(rows: Sequence[RawRow]) -> tuple[int, dict[str, str]]:
    """The row that declares the sheet and what it says (its kind under `kind`); 0 and nothing where there is none."""
    for row in rows:
        texts = row.texts()
        if texts and texts[0].casefold() == MARK:
            pairs = dict(zip(texts[2::2], texts[3::2], strict=False))
            return row.number, {"kind": texts[1] if len(texts) > 1 else "", **{k: v for k, v in pairs.items() if k}}
    return 0, {}


@dataclass(frozen=True, slots=True)
class Head:
    """Where the columns of a form stand in a sheet."""

    form: Form
    rows: frozenset[int]
    """Numbers of the rows that make it up; none of them is data."""
    first: int
    """Number of the first row behind it."""
    columns: Mapping[int, Column]
    """By their place, from 0."""
    unread: Mapping[int, str]
    """Places that are not read, with their headings: an earlier answer, last year's figures."""
    heading: int
    """Number of the row of headings for programs."""
    headings: Sequence[str]

    declared: int = 0
    """Places of the row that declares the sheet."""

    @property
    def width(self) -> int:
        """Places up to the last heading."""
        return len(self.headings)

    @property
    def reach(self) -> int:
        """Places up to the last one of the head."""
        return max(self.width, self.declared)

    def place(self, pointer: str, row: int) -> str:
        """The address of the cell that a place in the body (JSON pointer) stands in; the pointer where there is none.

        What is said about a whole object stands in the first of its cells.
        """
        path = tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
        for depth in range(len(path), 0, -1):
            for place, column in self.columns.items():
                # A neighbour that only shares `content` says nothing; one of the same target does.
                near = depth == len(path) or depth > 2 or len(column.path) == depth
                if near and column.path[:depth] == path[:depth]:
                    return address(row, place)
        return pointer


def head_of(form: Form, rows: Sequence[RawRow], behind: int) -> Head:
    """Find the headings of a form among the first rows of a sheet.

    Args:
        behind: number of the row that declares the sheet, 0 where none does.

    Raises:
        SheetRefused: no heading is found; or with every heading that is unknown, stands twice, is merged, or misses.
    """
    known = _known(form)
    row = next((one for one in rows if one.number > behind and _hits(one, known)), None)
    if row is None:
        raise SheetRefused(problem("sheets.no_headings", kind=form.kind, some=", ".join(_some(form))))
    texts = row.texts()
    while texts and not texts[-1]:
        texts.pop()
    # A file that says nothing true of its size has rows as wide as anybody looks.
    first = next((one.cells for one in rows if one.number == behind), ())
    said = max((place for place, cell in enumerate(first, start=1) if not cell.blank), default=0)
    columns: dict[int, Column] = {}
    unread: dict[int, str] = {}
    problems: list[Problem] = []
    for place, text in enumerate(texts):
        at = address(row.number, place)
        column = known.get(_same(text))
        if row.cells[place].trouble == "merged":
            problems.append(problem("sheets.heading_merged", at))
        elif text in ANSWERS or text.startswith(BEFORE):
            unread[place] = text
        elif column is None and (share := _share_named(text, form)):
            problems.append(problem("sheets.heading_of_share", at, given=text[:80], share=share))
        elif column is None and text:
            near = get_close_matches(text, [one.id for one in form.columns], n=3, cutoff=0.5)
            problems.append(problem("sheets.heading_unknown", at, given=text[:80], near=_near(near)))
        elif column is not None and column in columns.values():
            problems.append(problem("sheets.heading_twice", at, given=column.id))
        elif column is not None:
            columns[place] = column
    whole = not problems  # what misses may only be spelled wrongly, or merged
    missing = [one for one in form.columns if whole and one.required and one not in columns.values()]
    problems += [problem("sheets.heading_missing", f"{row.number}:{row.number}", id=one.id, name=one.name)
                 for one in missing]  # fmt: skip
    if problems:
        raise SheetRefused(*problems)
    head = frozenset(one.number for one in rows if one.number <= row.number)
    names = next((one for one in rows if one.number == row.number + 1), None)
    if names is not None and _is_names(names, columns):
        head |= {names.number}
    return Head(form, head, max(head) + 1, columns, unread, row.number, texts, said)


def _known(form: Form) -> dict[str, Column]:
    """The columns by each heading that they may have; a name that two share is none."""
    found: dict[str, Column] = {}
    twice: set[str] = set()
    for column in form.columns:
        for heading in {_same(column.name.vi), _same(column.name.en)}:
            if heading in found:
                twice.add(heading)
            found[heading] = column
    kept = {heading: column for heading, column in found.items() if heading not in twice}
    return kept | {_same(column.id): column for column in form.columns}


def _share_named(text: str, form: Form) -> str | None:
    """The share that a heading names as one figure: `C5.1`, its name, or both."""
    for column in form.columns:
        share, _, count = column.id.rpartition(".")
        if count == "numerator":
            whole = [name.rpartition(" – ")[0] for name in (column.name.vi, column.name.en)]
            names = [share, share.removesuffix(".share"), *whole, *(name.partition(" ")[2] for name in whole)]
            if _same(text).removesuffix(" (%)") in map(_same, filter(None, names)):
                return share
    return None


def _same(text: str) -> str:
    return " ".join(to_nfc(text).casefold().split())


def _hits(row: RawRow, known: Mapping[str, Column]) -> bool:
    """Whether this is the row of headings: half of what stands in it are such, or two at least."""
    texts = [_same(text) for text in row.texts() if text]
    hits = sum(text in known for text in texts)
    return hits >= 2 or 0 < len(texts) <= 2 * hits


def _is_names(row: RawRow, columns: Mapping[int, Column]) -> bool:
    texts = row.texts()
    given = [(place, text) for place, text in enumerate(texts) if text and place in columns]
    return bool(given) and all(
        _same(text) in (_same(columns[place].name.vi), _same(columns[place].name.en)) for place, text in given
    )


def _some(form: Form) -> list[str]:
    needed = [column.id for column in form.columns if column.required]
    return needed or [column.id for column in form.columns[:3]]


def _near(near: list[str]) -> Text:
    if not near:
        return Text(vi="", en="")
    named = ", ".join(f"`{one}`" for one in near)
    return Text(vi=f" Có thể là {named}.", en=f" Perhaps {named}.")
