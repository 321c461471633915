"""Decisions as files: what a spreadsheet, a system and the public read."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.funding.api.exports import latest
from services.funding.domain.releases import COLUMNS, csv_of, package_of, xlsx_of
from shared.contracts.facts import Decided, JournalMark
from tests.unit.test_funding_views import line

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MARK = JournalMark(number=7, hash="c" * 64)


def decided(
    centre_id: str = "c-1", amount: int = 25_000_000, version: int = 1, before: int | None = None, **changes: Any
) -> Decided:
    facts = {
        "province": "04",
        "year": 2026,
        "purpose": "operating",
        "centre_id": centre_id,
        "version": version,
        "amount": amount,
        "previous_amount": before,
        "delta": amount - (before or 0),
        "allocation": line(centre_id, amount).model_copy(update={"commune_code": "00123", "flags": ["a", "b"]}),
        "entry": 2,
        "journal": MARK,
        "decided_by": "binh",
        "decided_at": NOW + timedelta(days=version),
        "why": "theo đề nghị",
    }
    return Decided.model_validate({**facts, **changes})


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_reads_back_in_a_spreadsheet_and_in_a_program() -> None:
    content = csv_of([decided(), decided("c-2", 0, before=5, version=2)])
    assert content.startswith(b"\xef\xbb\xbf"), "without it spreadsheets misread Vietnamese"
    first, second = _rows(content)
    assert tuple(first) == COLUMNS
    assert (first["commune_code"], first["amount"], first["previous_amount"]) == ("00123", "25000000", "")
    assert (second["previous_amount"], second["delta"], second["why"]) == ("5", "-5", "theo đề nghị")
    assert first["centre"] == "TTHTCĐ c-1"


@pytest.mark.parametrize("text", ["=1+1", "+84", "-cmd|' /C calc'!A0", "@SUM(A1)"])
def test_a_text_is_never_run_as_a_formula(text: str) -> None:
    (row,) = _rows(csv_of([decided(why=text)]))
    assert row["why"] == f"'{text}"
    assert "<f>" not in _sheet(xlsx_of([decided(why=text)]))


def _sheet(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return file.read("xl/worksheets/sheet1.xml").decode()


def test_xlsx_keeps_codes_as_text_and_amounts_as_numbers() -> None:
    content = xlsx_of([decided()])
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert "<t>00123</t>" in file.read("xl/sharedStrings.xml").decode()
    assert "<v>25000000</v>" in _sheet(content)
    assert xlsx_of([decided()]) == content, "same decisions, same bytes"


def test_releases_tell_each_version_and_why_it_amends_the_one_before() -> None:
    versions = [decided(amount=23_000_000, version=2, before=25_000_000, why="xếp loại được đính chính"), decided()]
    package = package_of(versions, uri="https://langhoc/exports/04/2026", published_at=NOW)
    assert package["version"] == "1.1"
    assert {"uri", "publishedDate", "publisher", "releases"} <= package.keys()
    first, second = package["releases"]
    for release in (first, second):
        assert {"ocid", "id", "date", "tag", "initiationType"} <= release.keys(), "what OCDS demands of a release"
    assert first["ocid"] == second["ocid"]
    assert (first["tag"], second["tag"]) == (["planning"], ["planningUpdate"])
    assert "amendments" not in first["planning"]
    (amendment,) = second["planning"]["amendments"]
    assert (amendment["amendsReleaseID"], amendment["releaseID"]) == (first["id"], second["id"])
    assert amendment["rationale"] == "xếp loại được đính chính"
    assert second["planning"]["budget"]["amount"] == {"amount": 23_000_000, "currency": "VND"}
    assert first["parties"][0]["name"].endswith("Cao Bằng")


def test_what_stands_is_the_newest_version_of_each_decision() -> None:
    versions = [
        decided(),
        decided(amount=1, version=2, before=25_000_000),
        decided("c-0"),
        decided(purpose="equipment"),
    ]
    assert [(one.centre_id, one.purpose, one.version) for one in latest(versions)] == [
        ("c-0", "operating", 1),
        ("c-1", "equipment", 1),
        ("c-1", "operating", 2),
    ]
