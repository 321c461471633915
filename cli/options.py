"""Options that many commands have."""

from __future__ import annotations

from datetime import date
from difflib import get_close_matches
from typing import Annotated

import typer

from cli.output import CommandError, Format, Language
from shared.registry import registry

FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, json or csv for programs.")]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of what is said.")]


def known_province(code: str | None) -> str | None:
    """A province that is or was. Raises `typer.BadParameter`: nothing at all would be found of another one."""
    known = registry().province_codes
    if code is not None and code not in known:
        near = get_close_matches(code.strip().zfill(2), known, n=3, cutoff=0.5)
        raise typer.BadParameter(f"{code!r} is the code of no province; perhaps {', '.join(near) or known[0]}.")
    return code


ProvinceOption = Annotated[
    str, typer.Option("--province", "-p", callback=known_province, help="Province code, two digits.")
]
AnyProvince = Annotated[
    str | None, typer.Option("--province", "-p", callback=known_province, help="Province code, two digits.")
]
YearOption = Annotated[int, typer.Option("--year", "-y", help="Budget year.")]


def day_of(text: str | None) -> date | None:
    """The day that was named. Raises `CommandError`."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a date. Write it like 2022-12-31.") from None
