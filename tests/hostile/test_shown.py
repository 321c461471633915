"""Whatever is stored, what shows it shows text: terminal, JSON, csv, xlsx, log, refusal.

Facts are older than the border, and another program may write into a database: so no renderer trusts what it shows.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import zipfile
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import structlog
import typer
from rich.table import Table
from rich.text import Text as RichText
from rich.tree import Tree

from cli import output
from cli.output import Column, Format, NeutralConsole, emit
from services.funding.domain import csv_of, xlsx_of
from shared.refusals import problem
from shared.texts import neutral
from tests.hostile.inputs import Input, each
from tests.logs import service_logs
from tests.unit.test_funding_exports import decided

OBEYED = re.compile(
    r"[^\n\x20-\x7e\xa0-\U0010ffff]|[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff\ue000-\uf8ff]"
    r"|[\U000e0000-\U000effff]"
)
"""What a terminal obeys, or cannot show; written out here, and not asked of the code that is tried."""
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
WIDTH = 80


def text_of(given: Input) -> str:
    text = json.loads(given["text"])
    assert isinstance(text, str)
    return text


def drawn(draw: Callable[[NeutralConsole], None]) -> str:
    """What reaches a terminal of 80 columns."""
    file = io.StringIO()
    draw(NeutralConsole(file=file, width=WIDTH))
    return file.getvalue()


def table(text: str) -> Table:
    made = Table(title=RichText(text))
    made.add_column("Name", overflow="fold")
    made.add_row(text)
    made.add_row(RichText(text))
    return made


DRAWN: dict[str, Callable[[str], Callable[[NeutralConsole], None]]] = {
    "said": lambda text: lambda console: console.print(text, markup=False, highlight=False),
    "a table": lambda text: lambda console: console.print(table(text), markup=False),
    "a tree": lambda text: lambda console: console.print(Tree(RichText(text))),
    "several parts": lambda text: lambda console: console.print(RichText.assemble(text, "\n", (text, "bold"))),
    "a line of another": lambda text: lambda console: console.print("Trung tâm", RichText(text)),
}


@pytest.mark.parametrize("way", DRAWN)
@each("shown")
def test_a_terminal_gets_nothing_but_text(given: Input, way: str) -> None:
    shown = drawn(DRAWN[way](text_of(given)))
    assert OBEYED.search(shown) is None
    if way == "said":  # parts that are drawn one by one lose some controls before
        assert set("".join(neutral(text_of(given), lines=True).split())) <= set(shown), "nothing is hidden"
    assert all(len(line) <= WIDTH for line in shown.splitlines())


@each("shown")
def test_a_table_of_a_command_is_as_wide_as_it_looks(
    given: Input, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = io.StringIO()
    monkeypatch.setattr(output, "console", NeutralConsole(file=file, width=WIDTH))
    rows = [{"name": text_of(given), "amount": 5}]
    columns: list[Column[Any]] = [Column("name", "Name"), output.number("amount", "Amount")]
    emit(rows, columns, Format.TABLE)
    assert OBEYED.search(file.getvalue()) is None
    assert "5" in file.getvalue()
    capsys.readouterr()
    emit(rows, columns, Format.JSON)
    written = capsys.readouterr().out
    assert OBEYED.search(written) is None
    assert json.loads(written)[0]["name"] == text_of(given), "escaped, and still the same"
    emit(rows, columns, Format.CSV)
    _harmless(capsys.readouterr().out.removeprefix(output.UTF8_BOM), "name", text_of(given))


@each("shown")
def test_a_failure_says_it_without_doing_it(given: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(output, "errors", NeutralConsole(file=file, width=WIDTH))
    with pytest.raises(typer.Exit):
        output.fail(text_of(given))
    assert OBEYED.search(file.getvalue()) is None


@each("shown")
def test_a_sheet_computes_nothing(given: Input) -> None:
    text = text_of(given)
    one = decided(why=text, decided_by=text)
    one = one.model_copy(update={"allocation": one.allocation.model_copy(update={"name": text, "flags": [text]})})
    content = csv_of([one]).decode("utf-8-sig")
    for column in ("why", "decided_by", "centre", "flags"):
        _harmless(content, column, text)
    with zipfile.ZipFile(io.BytesIO(xlsx_of([one]))) as file:
        for part in file.namelist():
            ElementTree.fromstring(file.read(part))  # a program that checks reads every part
        assert "<f>" not in file.read("xl/worksheets/sheet1.xml").decode()
        assert OBEYED.search("".join(ElementTree.fromstring(file.read("xl/sharedStrings.xml")).itertext())) is None


def _harmless(content: str, column: str, text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert OBEYED.search(row[column]) is None
    assert "\n" not in row[column]
    assert FORMULA.match(row[column]) is None
    assert row[column].removeprefix("'") == neutral(text), "and it is still to be read"


@each("shown")
def test_a_log_has_one_line_and_the_text(given: Input, capsys: pytest.CaptureFixture[str]) -> None:
    with service_logs():
        structlog.get_logger().warning("tried", name=text_of(given))
        logging.getLogger("library").warning("tried %s", text_of(given))
        lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert OBEYED.search("".join(lines)) is None
    assert json.loads(lines[0])["name"] == text_of(given)


@each("shown")
def test_a_refusal_repeats_no_text_as_it_came(given: Input) -> None:
    said = problem("http.not_found", f"/{text_of(given)}", what="name", id=text_of(given))
    for text in (said.field, said.message.vi, said.message.en):
        assert OBEYED.search(text) is None
