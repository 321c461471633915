"""Options that many commands have."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from cli.output import CommandError, Format, Language

FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, json or csv for programs.")]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of what is said.")]
ProvinceOption = Annotated[str, typer.Option("--province", "-p", help="Province code, two digits.")]
AnyProvince = Annotated[str | None, typer.Option("--province", "-p", help="Province code, two digits.")]
YearOption = Annotated[int, typer.Option("--year", "-y", help="Budget year.")]


def day_of(text: str | None) -> date | None:
    """The day that was named. Raises `CommandError`."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a date. Write it like 2022-12-31.") from None
