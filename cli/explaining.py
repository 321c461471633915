"""`langhoc explain`: the way of one commune or centre from submission to rank and money."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any

from rich.padding import Padding
from rich.table import Table

from cli.client import Client
from cli.output import dong
from cli.platform import console
from deploy.local import LocalPlatformError
from shared.registry import Unit, registry

Story = dict[str, Any]


class Language(StrEnum):
    """Language of an explanation."""

    VI = "vi"
    EN = "en"


def collect(client: Client, subject: str, period: int | None) -> Story:
    """Everything the services hold about a commune code, unit id or centre id."""
    results = client.get("scoring", f"/results/{subject}", period=period)
    if results:
        period = results[0]["period"]
    if period is None:
        raise LocalPlatformError(f"Nothing is known of {subject}. Check the code, or name a period: --period 2025.")
    result = results[0] if results else None
    code = result["code"] if result and "code" in result else subject.split("@", 1)[0]
    unit = registry().unit(code, date(period, 12, 31))
    story: Story = {"subject": subject, "period": period, "unit": _unit(unit) if unit else None}
    story["submissions"] = client.get("intake", f"/subjects/{code}", period=period)
    story["receipts"] = list(client.pages("intake", "/receipts", subject=code, period=period, limit=100))
    story["result"] = result
    story["ranks"] = []
    if unit is not None:
        for scope in (f"province-{unit.province_code}", "nation"):
            row = client.find("scoring", f"/rankings/{scope}/{period}/units/{unit.unit_id}")
            if row is not None:
                story["ranks"].append(row)
    story["centres"] = list(_centres(client, code, result, period))
    return story


def _unit(unit: Unit) -> Story:
    known = registry()
    return {
        "unit_id": unit.unit_id,
        "code": unit.code,
        "name": unit.name,
        "province": unit.province_code,
        "valid_from": str(unit.valid_from) if unit.valid_from else None,
        "valid_to": str(unit.valid_to) if unit.valid_to else None,
        "predecessors": [_relative(s.predecessor, s.share) for s in known.predecessors(unit.unit_id)],
        "successors": [_relative(s.successor, s.share) for s in known.successors(unit.unit_id)],
    }


def _relative(unit_id: str, share: str) -> str:
    unit = registry().by_id(unit_id)
    return f"{unit_id} {unit.name if unit else ''} ({share})"


def _centres(client: Client, code: str, result: Story | None, period: int) -> Iterator[Story]:
    if result is not None and "centre_id" in result:
        ids = [result["centre_id"]]
    else:
        ids = [centre["centre_id"] for centre in client.get("intake", f"/communes/{code}/centres")]
    for centre_id in ids:
        results = client.get("scoring", f"/results/{centre_id}", period=period)
        lines = client.get("funding", "/allocations", centre_id=centre_id, year=period + 1)["items"]
        if results or lines:
            yield {
                "centre_id": centre_id,
                "result": results[0] if results else None,
                "line": lines[0] if lines else None,
            }


# ------------------------------------------------------------------------------------------------ rendering

_HEADINGS = {
    "unit": ("Đơn vị", "Unit"),
    "submission": ("Hồ sơ", "Submission"),
    "result": ("Kết quả", "Result"),
    "rank": ("Xếp hạng", "Rank"),
    "centre": ("Trung tâm học tập cộng đồng", "Community learning centre"),
    "money": ("Kinh phí", "Money"),
    "next": ("Để đạt mức tiếp theo", "For the next grade or level"),
    "steps": ("Các bước", "Steps"),
}


def render(story: Story, language: Language) -> None:
    """Print a story for people."""
    lang = language.value
    _head("unit", lang, f"{story['subject']} · {story['period']}")
    if unit := story["unit"]:
        console.print(f"  {unit['name']} ({unit['unit_id']}), province {unit['province']}", highlight=False)
        for relation in ("predecessors", "successors"):
            for relative in unit[relation]:
                console.print(f"  {relation[:-1]}: {relative}", highlight=False)
    _submissions(story, lang)
    if story["result"]:
        _result(story["result"], lang)
    for row in story["ranks"]:
        place = f"{row['rank']} / {row['ranked']}" if row["rank"] else row["reason"][lang]
        _head("rank", lang, f"{row['scope']}: [bold]{place}[/bold] (version {row['version']})")
    for centre in story["centres"]:
        _head("centre", lang, centre["centre_id"])
        if centre["result"] and centre["result"] is not story["result"]:
            _result(centre["result"], lang)
        if centre["line"]:
            _money(centre["line"], lang)


def _head(key: str, lang: str, text: str = "") -> None:
    heading = _HEADINGS[key][0 if lang == "vi" else 1]
    console.print(f"\n[bold cyan]{heading}[/bold cyan] {text}", highlight=False)


def _submissions(story: Story, lang: str) -> None:
    _head("submission", lang)
    for aggregate in story["submissions"]:
        for entry in aggregate["history"]:
            console.print(
                f"  {aggregate['kind']} v{entry['version']}: {entry['submission_id']} → {entry['status']}, "
                f"{entry['received_at']}, receipt {entry['receipt_id']}",
                highlight=False,
            )
    for receipt in story["receipts"]:
        for problem in receipt["problems"]:
            console.print(
                f"  [yellow]{receipt['status']}[/yellow] {problem['field']}: {problem['message'][lang]} "
                f"→ {problem['mend'][lang]}",
                highlight=False,
            )


def _result(result: Story, lang: str) -> None:
    outcome = (
        f"level {result['level']}"
        if result["level"] is not None
        else f"{result['total']} → {result['grade']}"
        if result["total"] is not None
        else result["state"]
    )
    _head(
        "result",
        lang,
        f"[bold]{outcome}[/bold] · {result['rubric']} · version {result['version']} · {result['provenance']}",
    )
    table = Table(box=None, pad_edge=False)
    for name in ("", "", "value", "required / max", "met", "citation"):
        table.add_column(name)
    for criterion in result["criteria"]:
        table.add_row(
            criterion["id"],
            criterion["name"][lang],
            criterion["points"] or "",
            criterion["max_points"] or "",
            _met(criterion["met"]),
            f"{criterion['citation']} [{criterion['provenance']}]".replace("[", r"\["),
        )
        for target in criterion["targets"]:
            why = f" — {target['reason'][lang]}" if target["reason"] else ""
            table.add_row(
                target["id"],
                f"  {target['name'][lang]}{why}",
                target["value"] or "—",
                " · ".join(f"{level} {text}" for level, text in target["threshold"].items()),
                _met(target["met"]),
                f"{target['citation']} [{target['provenance']}]".replace("[", r"\["),
            )
    console.print(Padding(table, (0, 0, 0, 2)))
    if result["next_step"]:
        _head("next", lang)
        for text in result["next_step"]:
            console.print(f"  • {text[lang]}", highlight=False)
    _steps(result["explanation"], lang)


def _met(met: dict[str, bool | None]) -> str:
    signs = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "?"}
    return " ".join(f"{level}{signs[value]}" for level, value in met.items())


def _money(line: Story, lang: str) -> None:
    allocation = line["allocation"]
    flags = f" · {', '.join(allocation['flags'])}" if allocation["flags"] else ""
    _head(
        "money", lang, f"[bold]{dong(allocation['amount'])}[/bold] ({line['year']}, version {line['version']}){flags}"
    )
    _steps(allocation["steps"], lang)


def _steps(steps: list[Story], lang: str) -> None:
    _head("steps", lang)
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {step['what'][lang]}", highlight=False)
        console.print(f"     [dim]{step['citation']} · {step['provenance']}[/dim]", highlight=False)
