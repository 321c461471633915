"""`langhoc register`, `held` and `compare`: units over time, and corrections of their register."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cli.client import Client
from cli.explaining import Language
from cli.output import emit
from cli.platform import Format, console, plain_errors
from deploy.local import LocalPlatformError
from shared.rulebook import RulebookError
from shared.rulebook.text import bounded

Story = dict[str, Any]
FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, json or csv for programs.")]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of what is said.")]
OnOption = Annotated[
    str | None, typer.Option(metavar="DATE", help="Day on which the code is meant, e.g. 2022-12-31; today by default.")
]
Code = Annotated[str, typer.Argument(help="Commune code (5 digits) or unit id.")]

register = typer.Typer(no_args_is_help=True, help="The register of units: look, and correct it.")
held = typer.Typer(no_args_is_help=True, help="Submissions that wait for the register.")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(register, name="register")
    parent.add_typer(held, name="held")
    parent.command()(compare)


# ------------------------------------------------------------------------------------------------- register


class _Text(yaml.SafeLoader):
    """YAML in which `00004` stays a code and `2026-05-01` a text: only nothing, true and false are no text."""

    yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in rules if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:bool")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@register.command()
def correct(
    file: Annotated[Path, typer.Argument(help="YAML file of one correction: its decree, and what it changes.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would release and touch.")] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Correct the register by a decree. Taken whole, or not at all with everything that is wrong with it.

    Entering the same file twice corrects once. Submissions that waited for a code which it explains are decided.

    Example: langhoc register correct decree.yaml --dry-run
    """
    with plain_errors():
        client = Client()
        path = f"/register/corrections?dry_run={str(dry_run).lower()}"
        answer = client.post("intake", path, _read(file))
        answer["touched"] = [row | {"result": _standing(client, row)} for row in answer["touched"]]
        if format is not Format.JSON:
            _tell(answer)
        columns = {
            "kind": "Kind",
            "subject": "Subject",
            "period": "Period",
            "province": "Province",
            "version": "Version",
            "unit": "Accepted for",
            "means_now": "Code means now",
            "result": "Result",
        }
        if answer["touched"] or format is not Format.TABLE:
            title = "Accepted submissions about these units; they stand, a province may correct them"
            emit(answer["touched"], columns, format, title=title, numbers=["version"], full=answer)


def _read(file: Path) -> Any:
    try:
        return yaml.load(bounded(file.read_bytes(), str(file)), Loader=_Text)  # a SafeLoader
    except OSError as error:
        raise LocalPlatformError(f"{file} cannot be read: {error.strerror}.") from error
    except (RulebookError, yaml.YAMLError) as error:
        raise LocalPlatformError(f"{file} cannot be used: {error}") from error


def _standing(client: Client, row: Story) -> str:
    """What the touched assessment has come to."""
    if row["kind"] not in ("commune", "assessment"):
        return ""
    subject = row["unit"] if row["kind"] == "commune" else f"{row['subject'].split('/', 1)[0]}/{row['unit']}"
    found = client.get("scoring", f"/results/{subject}", period=row["period"])
    return _outcome(found[0]) if found else ""


def _tell(answer: Story) -> None:
    if answer["repeated"]:
        console.print(f"This correction was taken before, as version {answer['version']}. Nothing changed.")
        return
    would = "would become" if answer["dry_run"] else "is now"
    console.print(f"The register {would} version {answer['version']}.", highlight=False)
    if answer["releases"]:
        will = "would be" if answer["dry_run"] else "are being"
        columns = {
            "code": "Waits for",
            "period": "Period",
            "province": "Province",
            "submission_id": "Submission",
            "receipt_id": "Receipt",
        }
        emit(answer["releases"], columns, Format.TABLE, title=f"Held submissions that {will} decided again")


@register.command("list")
def corrections(language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE) -> None:
    """The corrections that the register has taken: by whom, on which ground, issued when and in effect from when."""
    with plain_errors():
        taken = Client().get("intake", "/register")
        if not taken and format is Format.TABLE:
            console.print("The register was not corrected; it is the imported one.")
            return
        rows = [
            {
                "version": one["version"],
                "id": one["correction"]["correction_id"],
                "decree": one["correction"]["decree"]["number"],
                "issued": one["correction"]["decree"]["issued_on"],
                "effective": one["correction"]["decree"]["effective_on"],
                "why": one["correction"]["why"],
                "by": one["entered_by"],
            }
            for one in taken
        ]
        vi = language is Language.VI
        columns = {
            "version": "Phiên bản" if vi else "Version",
            "id": "Mã" if vi else "Id",
            "decree": "Văn bản" if vi else "Decree",
            "issued": "Ban hành" if vi else "Issued",
            "effective": "Hiệu lực" if vi else "In effect",
            "why": "Lý do" if vi else "Why",
            "by": "Người nhập" if vi else "Entered by",
        }
        emit(rows, columns, format, numbers=["version"], full=taken)


@register.command()
def show(
    code: Code, on: OnOption = None, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE
) -> None:
    """What a code means on a day: the unit, its life and decrees, where it came from and where it went.

    A code alone names no unit: most codes were used again in July 2025.
    """
    with plain_errors():
        unit = _unit(Client(), code, on)
        if format is not Format.TABLE:
            emit([unit], {"unit_id": "Unit", "name": "Name", "province": "Province"}, format, full=unit)
            return
        _life(unit, language)
        relatives = [
            {"relation": relation, **row} for relation in ("predecessors", "successors") for row in unit[relation]
        ]
        if relatives:
            emit(relatives, {"relation": "", "unit_id": "Unit", "name": "Name", "share": "Share"}, format)


def _unit(client: Client, code: str, on: str | None) -> Story:
    if on is not None:
        try:
            date.fromisoformat(on)
        except ValueError:
            raise LocalPlatformError(f"{on!r} is not a date. Write it like 2022-12-31.") from None
    unit: Story = client.get("intake", f"/register/units/{code}", on=on)
    return unit


def _life(unit: Story, language: Language) -> None:
    console.print(f"\n[bold cyan]{unit['name']}[/bold cyan]  {unit['unit_id']}", highlight=False)
    for line in unit["life"]:
        console.print(f"  • {line[language.value]}", highlight=False, markup=False)


# ------------------------------------------------------------------------------------------------- held


@held.command("list")
def list_held(
    province: Annotated[str | None, typer.Option("--province", "-p", help="Province code, two digits.")] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Submissions that cannot be decided yet, with the codes that may be meant. A correction of the register decides
    them by itself; so does a new submission with the right code."""
    with plain_errors():
        receipts = list(Client().pages("intake", "/held", province=province, limit=1_000))
        if not receipts and format is Format.TABLE:
            console.print("Nothing is held.")
            return
        rows = [
            {**receipt, "why": receipt["problems"][0]["message"][language.value],
             "expected": receipt["problems"][0]["expected"][language.value]}
            for receipt in receipts
        ]  # fmt: skip
        columns = {
            "province": "From",
            "submission_id": "Submission",
            "kind": "Kind",
            "subject": "Subject",
            "period": "Period",
            "received_at": "Received",
            "why": "Why",
            "expected": "Expected",
        }
        emit(rows, columns, format, full=receipts)


# ------------------------------------------------------------------------------------------------- compare


def compare(
    code: Code, on: OnOption = None, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE
) -> None:
    """A unit beside those it came from, across the reform: every result stays under the unit that earned it.

    Says whether the unit continues one of them or starts unassessed, and why.
    """
    with plain_errors():
        client = Client()
        unit = _unit(client, code, on)
        story = {
            "unit": unit,
            "results": _results(client, unit["unit_id"]),
            "predecessors": [row | {"results": _results(client, row["unit_id"])} for row in unit["predecessors"]],
        }
        if format is Format.JSON:
            print(json.dumps(story, ensure_ascii=False, indent=2))
            return
        if format is Format.TABLE:
            _life(unit, language)
        vi = language is Language.VI
        columns = {
            "relation": "Quan hệ" if vi else "Relation",
            "unit_id": "Đơn vị" if vi else "Unit",
            "name": "Tên" if vi else "Name",
            "period": "Kỳ" if vi else "Period",
            "result": "Kết quả" if vi else "Result",
            "rubric": "Quy định" if vi else "Rule",
        }
        emit(list(_rows(story, vi)), columns, format, numbers=["period"])


def _results(client: Client, unit_id: str) -> list[Story]:
    """A unit's own results, newest period first: none of another unit, even if both are the same one."""
    found = client.get("scoring", f"/results/{unit_id}")
    return [result for result in found if result.get("unit_id") == unit_id]


def _rows(story: Story, vi: bool) -> Iterator[Story]:
    names = (
        {"whole": "toàn bộ", "part": "một phần"} if vi else {"whole": "predecessor, whole", "part": "predecessor, part"}
    )
    nothing = "chưa được đánh giá" if vi else "not assessed"
    for row in story["predecessors"]:
        relation = f"tiền thân, {names[row['share']]}" if vi else names[row["share"]]
        yield from _lines(relation, row["unit_id"], row["name"], row["results"][:1], nothing)
    unit = story["unit"]
    yield from _lines("đơn vị này" if vi else "this unit", unit["unit_id"], unit["name"], story["results"], nothing)


def _lines(relation: str, unit_id: str, name: str, results: list[Story], nothing: str) -> Iterator[Story]:
    base = {"relation": relation, "unit_id": unit_id, "name": name}
    for result in results:
        yield base | {"period": result["period"], "result": _outcome(result), "rubric": result["rubric"]}
    if not results:
        yield base | {"period": None, "result": nothing, "rubric": None}


def _outcome(result: Story) -> str:
    if result["level"] is not None:
        return f"level {result['level']}"
    return f"{result['total']} {result['grade']}" if result["grade"] is not None else str(result["state"])
