"""Decisions on support as tables and as open-contracting releases (OCDS 1.1 style). Pure. Money in đồng."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from xlsxwriter import Workbook

from shared.contracts.facts import Decided
from shared.registry import REORGANISATION, registry
from shared.texts import neutral, neutral_cell

Cell = str | int
COLUMNS = (
    "province", "year", "purpose", "centre_id", "centre", "commune_code", "version", "amount", "previous_amount",
    "delta", "floor", "grade", "performance_factor", "equity_factor", "size_factor", "flags", "decided_at",
    "decided_by", "why", "journal_entry", "journal_number", "journal_hash",
)  # fmt: skip
"""Of every table, in this order; later ones are appended, none is renamed."""
_MONEY = frozenset({"amount", "previous_amount", "delta", "floor"})
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
OCID_PREFIX = "ocds-langhoc"
CURRENCY = "VND"


def row_of(decided: Decided) -> tuple[Cell, ...]:
    """One decision in the order of `COLUMNS`. Codes and factors are text, amounts are whole numbers."""
    line = decided.allocation
    return (
        decided.province,
        decided.year,
        decided.purpose,
        decided.centre_id,
        line.name,
        line.commune_code,
        decided.version,
        decided.amount,
        "" if decided.previous_amount is None else decided.previous_amount,
        decided.delta,
        line.floor,
        line.grade or "",
        line.performance_factor,
        line.equity_factor,
        line.size_factor,
        " ".join(line.flags),
        decided.decided_at.isoformat(),
        decided.decided_by,
        decided.why,
        decided.entry,
        decided.journal.number,
        decided.journal.hash,
    )


def csv_of(decisions: Iterable[Decided]) -> bytes:
    """UTF-8 with byte order mark, so that spreadsheets read Vietnamese; lines end in CR LF (RFC 4180).

    No text is run as a formula. Spreadsheets also drop leading zeros of codes in any CSV: people who open the file by
    hand take the XLSX.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    rows = map(row_of, decisions)
    writer.writerows([neutral_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def xlsx_of(decisions: Sequence[Decided]) -> bytes:
    """One sheet for people: codes stay text with their leading zeros, amounts are numbers that can be summed."""
    file = io.BytesIO()
    workbook = Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # Same decisions, same bytes: the file's own date is that of its last decision.
    workbook.set_properties(
        {"created": max((one.decided_at for one in decisions), default=_NEVER).replace(tzinfo=None)}
    )
    bold, money = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "#,##0"})
    sheet = workbook.add_worksheet("decisions")
    sheet.write_row(0, 0, COLUMNS, bold)
    for number, decided in enumerate(decisions, start=1):
        for column, cell in enumerate(row_of(decided)):
            if isinstance(cell, int) and COLUMNS[column] in _MONEY:
                sheet.write_number(number, column, cell, money)
            elif isinstance(cell, int):
                sheet.write_number(number, column, cell)
            else:
                sheet.write_string(number, column, neutral(cell))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(decisions), 1), len(COLUMNS) - 1)
    workbook.close()
    return file.getvalue()


def release_id(decided: Decided, version: int) -> str:
    """Id of the release that tells one version of a decision."""
    return f"{_ocid(decided)}-v{version}"


def _ocid(decided: Decided) -> str:
    return f"{OCID_PREFIX}-{decided.year}-{decided.purpose}-{decided.centre_id}"


def release_of(decided: Decided) -> dict[str, Any]:
    """One version of a decision as a release: the whole state, and from the second on the amendment with its reason."""
    id, first = release_id(decided, decided.version), decided.version == 1
    planning: dict[str, Any] = {
        "rationale": decided.why,
        "budget": {
            "id": f"{decided.province}/{decided.year}/{decided.purpose}",
            "description": f"{decided.allocation.name} ({decided.centre_id})",
            "amount": {"amount": decided.amount, "currency": CURRENCY},
        },
    }
    if not first:
        planning["amendments"] = [
            {
                "id": str(decided.version - 1),
                "date": decided.decided_at.isoformat(),
                "rationale": decided.why,
                "amendsReleaseID": release_id(decided, decided.version - 1),
                "releaseID": id,
            }
        ]
    return {
        "ocid": _ocid(decided),
        "id": id,
        "date": decided.decided_at.isoformat(),
        "tag": ["planning" if first else "planningUpdate"],
        "initiationType": "tender",
        "language": "vi",
        "parties": [
            {"id": f"VN-PROVINCE-{decided.province}", "name": _province(decided.province), "roles": ["payer"]},
            {"id": f"VN-TTHTCD-{decided.centre_id}", "name": decided.allocation.name, "roles": ["payee"]},
        ],
        "planning": planning,
    }


def _province(code: str) -> str:
    """Its name; budgets carry the codes that hold since July 2025."""
    found = registry().province(code, REORGANISATION)
    return found.name if found else code


def package_of(decisions: Sequence[Decided], *, uri: str, published_at: datetime) -> dict[str, Any]:
    """Releases in one package, oldest first."""
    ordered = sorted(decisions, key=lambda one: (one.decided_at, one.centre_id, one.version))
    return {
        "uri": uri,
        "version": "1.1",
        "publishedDate": published_at.isoformat(),
        "publisher": {"name": "Langhoc"},
        "releases": [release_of(one) for one in ordered],
    }
