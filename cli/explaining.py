"""`langhoc explain`: the way of one commune or centre from submission to rank and money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any, get_args

from rich.markup import escape

from cli import result_tree
from cli.client import Client
from cli.output import dong
from cli.platform import console
from cli.result_tree import ground, outcome
from deploy.local import LocalPlatformError
from shared.contracts.register import RegisterCorrected
from shared.contracts.submissions import AssessmentSeries
from shared.registry import Registry, Unit, registry

Story = dict[str, Any]
COMMUNE_CODE = r"[0-9]{5}|D[0-9]{3}"


class Language(StrEnum):
    """Language of an explanation."""

    VI = "vi"
    EN = "en"


def collect(client: Client, subject: str, period: int | None, on: date | None = None) -> Story:
    """Everything the services hold about a commune, a centre, or the subject of another assessment.

    Args:
        subject: commune code, unit id, centre id, or `<series>/<subject>` (`district/001`).
        period: assessment period; `None` = the latest.
        on: day on which a commune's code is meant; `None` = the last day of the period.
    """
    register = _register(client)
    day = on if on is not None else date(period, 12, 31) if period is not None else None
    asked = _dated(register, subject, day) if day is not None else subject
    results = client.get("scoring", f"/results/{asked}", period=period)
    if results:
        period = results[0]["period"]
    elif period is None and on is not None:
        period = on.year
    if period is None:
        raise LocalPlatformError(f"Nothing is known of {subject}. Check the code, or name a period: --period 2025.")
    result = results[0] if results else None
    unit = _meant(register, asked, result, date(period, 12, 31))
    code = unit.code if unit else asked.partition("/")[2] if _is_series(asked) else asked
    story: Story = {"subject": subject, "period": period, "unit": _unit(register, unit) if unit else None}
    story["submissions"] = client.get("intake", f"/subjects/{code}", period=period)
    story["receipts"] = list(client.pages("intake", "/receipts", subject=code, period=period, limit=100))
    story["result"] = result
    story["ranks"] = []
    if unit is not None and not _is_series(asked):
        area_class = result.get("area_class") if result else None
        scopes = (f"province-{unit.province_code}", "nation", *([f"area-{area_class}"] if area_class else []))
        for scope in scopes:
            row = client.find("scoring", f"/rankings/{scope}/{period}/units/{unit.unit_id}")
            if row is not None:
                story["ranks"].append(row)
    story["centres"] = [] if _is_series(asked) else list(_centres(client, code, result, period))
    return story


def _is_series(subject: str) -> bool:
    return subject.partition("/")[0] in get_args(AssessmentSeries)


def _register(client: Client) -> Registry:
    """The register with the corrections that intake has taken."""
    taken = [RegisterCorrected.model_validate(row).correction for row in client.get("intake", "/register")]
    return registry().corrected(taken) if taken else registry()


def _dated(register: Registry, subject: str, day: date) -> str:
    """The subject with a commune's code made the id of the unit that carried it on that day.

    Raises `LocalPlatformError` where no unit did.
    """
    series, _, code = subject.rpartition("/") if _is_series(subject) else ("", "", subject)
    if not re.fullmatch(COMMUNE_CODE, code):
        return subject
    unit = register.unit(code, day)
    if unit is None:
        near = ", ".join(register.candidates(code, day))
        raise LocalPlatformError(
            f"No commune had the code {code} on {day}." + (f" Was one of these meant: {near}?" if near else "")
        )
    return f"{series}/{unit.unit_id}" if series else unit.unit_id


def _meant(register: Registry, subject: str, result: Story | None, day: date) -> Unit | None:
    """The commune that is spoken of, if it is one."""
    unit_id = result["unit_id"] if result and "unit_id" in result else subject.rpartition("/")[2]
    return register.by_id(unit_id) or (None if _is_series(subject) else register.unit(subject, day))


def _unit(known: Registry, unit: Unit) -> Story:
    return {
        "unit_id": unit.unit_id,
        "code": unit.code,
        "name": unit.name,
        "province": unit.province_code,
        "valid_from": str(unit.valid_from) if unit.valid_from else None,
        "valid_to": str(unit.valid_to) if unit.valid_to else None,
        "predecessors": [_relative(known, s.predecessor, s.share) for s in known.predecessors(unit.unit_id)],
        "successors": [_relative(known, s.successor, s.share) for s in known.successors(unit.unit_id)],
    }


def _relative(known: Registry, unit_id: str, share: str) -> Story:
    unit = known.by_id(unit_id)
    return {"unit_id": unit_id, "name": unit.name if unit else "", "share": share}


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

_WORDS = {
    "unit": ("Đơn vị", "Unit"),
    "submission": ("Hồ sơ", "Submission"),
    "result": ("Kết quả", "Result"),
    "rank": ("Xếp hạng", "Rank"),
    "centre": ("Trung tâm học tập cộng đồng", "Community learning centre"),
    "money": ("Kinh phí", "Money"),
    "steps": ("Các bước", "Steps"),
    "province": ("tỉnh", "province"),
    "predecessors": ("từ đơn vị cũ", "predecessor"),
    "successors": ("chuyển sang", "successor"),
    "whole": ("toàn bộ", "whole"),
    "part": ("một phần", "part"),
    "version": ("phiên bản", "version"),
    "receipt": ("phiếu", "receipt"),
}


def _word(key: str, lang: str) -> str:
    return _WORDS[key][0 if lang == "vi" else 1] if key in _WORDS else key


def render(story: Story, language: Language) -> None:
    """Print a story for people."""
    lang = language.value
    _head("unit", lang, f"{story['subject']} · {story['period']}")
    if unit := story["unit"]:
        said = f"  {unit['name']} ({unit['unit_id']}), {_word('province', lang)} {unit['province']}"
        console.print(said, highlight=False)
        for relation in ("predecessors", "successors"):
            for one in unit[relation]:
                share = _word(one["share"], lang)
                console.print(f"  {_word(relation, lang)}: {one['unit_id']} {one['name']} ({share})", highlight=False)
    _submissions(story, lang)
    if story["result"]:
        _result(story["result"], lang)
    for row in story["ranks"]:
        place = f"{row['rank']} / {row['ranked']}" if row["rank"] else row["reason"][lang]
        _head("rank", lang, f"{row['scope']}: [bold]{place}[/bold] ({_word('version', lang)} {row['version']})")
    for centre in story["centres"]:
        _head("centre", lang, centre["centre_id"])
        if centre["result"] and centre["result"] is not story["result"]:
            _result(centre["result"], lang)
        if centre["line"]:
            _money(centre["line"], lang)


def _head(key: str, lang: str, text: str = "") -> None:
    heading = _word(key, lang)
    console.print(f"\n[bold cyan]{heading}[/bold cyan] {text}", highlight=False)


def _submissions(story: Story, lang: str) -> None:
    _head("submission", lang)
    for aggregate in story["submissions"]:
        for entry in aggregate["history"]:
            console.print(
                f"  {aggregate['kind']} v{entry['version']}: {entry['submission_id']} → {entry['status']}, "
                f"{entry['received_at']}, {_word('receipt', lang)} {entry['receipt_id']}",
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
    _head("result", lang, f"[bold]{escape(outcome(result, lang))}[/bold]")
    console.print(result_tree.render(result, lang))


def _money(line: Story, lang: str) -> None:
    allocation = line["allocation"]
    flags = f" · {', '.join(allocation['flags'])}" if allocation["flags"] else ""
    made = f"({line['year']}, {_word('version', lang)} {line['version']})"
    _head("money", lang, f"[bold]{dong(allocation['amount'])}[/bold] {made}{flags}")
    _steps(allocation["steps"], lang)


def _steps(steps: list[Story], lang: str) -> None:
    _head("steps", lang)
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {step['what'][lang]}", highlight=False)
        said = ground(step["citation"], step["provenance"], lang)
        console.print(f"     [dim]{escape(said)}[/dim]", highlight=False)
