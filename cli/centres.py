"""`langhoc centres`: whether each commune has one centre."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption, day_of
from cli.output import Column, Format, Language, emit, number, plain_errors, say
from shared.answers.centres import CentreThere, CommuneCentres, ProvinceCentres


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("centres")(listed)


def listed(
    province: AnyProvince = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="Day that is looked at; today by default.")] = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """One centre in each commune: how many communes have one, and with --province those that have none or several.

    By the register as it stands. A suspended centre is there, one that was closed is not. Nothing follows from it by
    itself: whether centres are merged or founded is decided by the authority.

    Example: langhoc centres --province 46 --on 2025-12-31
    """
    with plain_errors():
        found = Client().get("intake", "/centres", list[ProvinceCentres], province=province, on=day_of(on))
        if format is Format.JSON:
            emit(found, [], format)
            return
        vi = language is Language.VI
        if format is Format.CSV:
            emit([(of.province, one) for of in found for one in of.others], _rows(language), format)
            return
        emit(found, _counts(language), format, title=_title(found, language))
        for of in found if province is not None else ():
            if of.others:
                emit([(of.province, one) for one in of.others], _rows(language)[1:], format)
            if of.unplaced:
                ids = ", ".join(map(partial(_named, language), of.unplaced))
                say(f"Không rõ xã: {ids}" if vi else f"In an unknown commune: {ids}")


def _title(found: list[ProvinceCentres], language: Language) -> str:
    day = f" · {language.words.day(found[0].on)}" if found else ""
    return ("Mỗi xã một trung tâm" if language is Language.VI else "One centre in each commune") + day


def _counts(language: Language) -> list[Column[ProvinceCentres]]:
    vi = language is Language.VI
    return [
        Column("province", "Tỉnh" if vi else "Province"),
        number("communes", "Số xã" if vi else "Communes"),
        number("with_one", "Có một" if vi else "With one"),
        number("with_none", "Chưa có" if vi else "With none"),
        number("with_several", "Có nhiều" if vi else "With several"),
    ]


def _rows(language: Language) -> list[Column[tuple[str, CommuneCentres]]]:
    vi = language is Language.VI
    return [
        Column("province", "Tỉnh" if vi else "Province", lambda row: row[0]),
        Column("code", "Mã xã" if vi else "Code", lambda row: row[1].code),
        Column("name", "Xã" if vi else "Commune", lambda row: row[1].name),
        number("count", "Trung tâm" if vi else "Centres", lambda row: len(row[1].centres)),
        Column(
            "centres",
            "Mã trung tâm" if vi else "Ids",
            lambda row: ", ".join(map(partial(_named, language), row[1].centres)),
        ),
    ]


def _named(language: Language, centre: CentreThere) -> str:
    if not centre.suspended:
        return centre.centre_id
    return f"{centre.centre_id} ({'đang đình chỉ' if language is Language.VI else 'suspended'})"
