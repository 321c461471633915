"""`langhoc budget reconcile`: what the treasury paid beside what was decided, centre by centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from cli.client import Client
from cli.options import FormatOption, LanguageOption, ProvinceOption, YearOption
from cli.output import Column, Format, Language, change, emit, money, number, plain_errors, say
from shared.answers.payments import PaymentLine, ReconciliationView
from shared.contracts.base import Text
from shared.contracts.facts import PaymentState, Purpose, PurposeReconciled
from shared.wording import EN, VI

STATES: Mapping[PaymentState, Text] = {
    "paid": Text(vi="đã chi đủ", en="paid"),
    "partly": Text(vi="chi một phần", en="partly paid"),
    "not_paid": Text(vi="chưa chi", en="not paid"),
    "overpaid": Text(vi="chi quá", en="overpaid"),
    "paid_without_decision": Text(vi="chi khi chưa có quyết định", en="paid without a decision"),
    "not_registered": Text(vi="trung tâm không có trong danh mục", en="centre not registered"),
    "returned_more": Text(vi="thu hồi nhiều hơn đã chi", en="more returned than paid"),
    "nothing_due": Text(vi="không có khoản phải chi", en="nothing due"),
}
PURPOSES: Mapping[Purpose, Text] = {
    "operating": Text(vi="hoạt động", en="operating"),
    "equipment": Text(vi="thiết bị", en="equipment"),
}


def reconcile(
    province: ProvinceOption,
    year: YearOption,
    all_: Annotated[bool, typer.Option("--all", help="Also the centres that were paid what was decided.")] = False,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """What was paid of a budget beside what was decided: the sums, and the centres that differ.

    Example: langhoc budget reconcile --province 01 --year 2026
    """
    with plain_errors():
        found = Client().get("funding", f"/budgets/{province}/{year}/reconciliation", ReconciliationView)
        lines = [line for line in found.lines if all_ or line.differs]
        if format is Format.TABLE:
            emit(found.purposes, _sums(language), format, title=_title(found, language))
            if not lines:
                say("Không có trung tâm nào chênh lệch." if language is Language.VI else "No centre differs.")
                return
        emit(lines, _columns(language, format), format, full=found)


def _title(found: ReconciliationView, language: Language) -> str:
    passed = Text(vi=" (đã qua)", en=" (passed)") if found.overdue else Text(vi="", en="")
    return language.of(
        Text(
            vi=f"Chi trả năm {found.year} của tỉnh {found.province}; hạn {VI.day(found.paid_by)}{passed.vi}",
            en=f"Payments {found.year} of province {found.province}; due {EN.day(found.paid_by)}{passed.en}",
        )
    )


def _heading(language: Language, vi: str, en: str) -> str:
    return language.of(Text(vi=vi, en=en))


def _sums(language: Language) -> list[Column[PurposeReconciled]]:
    return [
        Column("purpose", _heading(language, "Mục đích", "Purpose"), lambda one: language.of(PURPOSES[one.purpose])),
        money("decided", _heading(language, "Quyết định ₫", "Decided ₫")),
        money("stated", _heading(language, "Tỉnh báo ₫", "Stated ₫"), lambda one: one.stated or None),
        money("paid", _heading(language, "Đã chi ₫", "Paid ₫")),
        change("difference", _heading(language, "Chênh lệch ₫", "Difference ₫")),
        number("centres", _heading(language, "Trung tâm", "Centres"), lambda one: sum(one.centres.values())),
    ]


def _columns(language: Language, format: Format) -> list[Column[PaymentLine]]:
    """Programs read the words of the contract, and more columns than a terminal has room for."""
    people = format is Format.TABLE
    columns: list[Column[PaymentLine]] = [
        Column("centre_id", _heading(language, "Trung tâm", "Centre")),
        Column(
            "purpose",
            _heading(language, "Mục đích", "Purpose"),
            lambda one: language.of(PURPOSES[one.purpose]) if people else one.purpose,
        ),
        Column(
            "state",
            _heading(language, "Tình trạng", "State"),
            lambda one: language.of(STATES[one.state]) if people else one.state,
        ),
        money("decided", _heading(language, "Quyết định ₫", "Decided ₫")),
        money("stated", _heading(language, "Tỉnh báo ₫", "Stated ₫")),
        money("paid", _heading(language, "Đã chi ₫", "Paid ₫")),
        change("difference", _heading(language, "Chênh lệch ₫", "Difference ₫")),
    ]
    further: list[Column[PaymentLine]] = [
        number("payments", "Payments"),
        Column("paid_on", "Paid on"),
        Column("name", "Name"),
        Column("differs", "Differs"),
    ]
    return columns if people else [*columns, *further]
