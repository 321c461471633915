"""One result for people: the outcome in words, and under it, criterion by criterion, value, rule, evidence and reason.

Written for somebody who knows the regulations and no code; readable at 100 columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cli.platform import VIETNAM
from shared.rulebook import PassFailRubric, PointsRubric, rubric
from shared.rulebook.targets import PartsRule

Json = Mapping[str, Any]
Said = Callable[[str], str]
_W: Mapping[str, tuple[str, str]] = {
    "level": ("mức độ", "level"),
    "points": ("điểm", "points"),
    "computed": ("kết quả tính, chưa phải quyết định công nhận", "computed; not yet a decision that recognises"),
    "incomplete": ("chưa đủ căn cứ, chưa xếp loại", "incomplete, so nothing is graded yet"),
    "shares": ("đã tính các tỷ lệ, so với mục tiêu", "shares computed, beside the goals"),
    "increase": ("tăng so với năm trước", "more than in the previous year"),
    "decrease": ("giảm so với năm trước", "less than in the previous year"),
    "rule": ("Quy định", "Rule"),
    "ground": ("Căn cứ", "Ground"),
    "made": ("Lập từ", "Made from"),
    "made_from": (
        "hồ sơ phiên bản {input}, nhận {at}; kết quả phiên bản {version}",
        "submission version {input}, received {at}; result version {version}",
    ),
    "hash": ("Mã kiểm", "Fingerprint"),
    "recognition": ("Công nhận", "Recognition"),
    "no_recognition": ("chưa ghi nhận quyết định nào", "no decision is recorded"),
    "decision": ("quyết định {number} ngày {day}", "decision {number} of {day}"),
    "in_force": ("còn hiệu lực vào ngày chốt", "in force on the cut-off date"),
    "expired": ("đã hết hiệu lực từ {day}", "expired on {day}"),
    "references": ("Dùng kết quả khác", "Uses other results"),
    "missing": ("Chưa có giá trị", "Without a value"),
    "value": ("giá trị", "value"),
    "asked": ("yêu cầu", "asked"),
    "evidence": ("minh chứng", "evidence"),
    "none": ("không có", "none"),
    "why": ("lý do", "reason"),
    "by": ("theo", "by"),
    "of": ("trên", "of"),
    "true": ("có", "yes"),
    "false": ("không", "no"),
    "yes": ("đạt", "met"),
    "no": ("không đạt", "not met"),
    "open": ("chưa tính được", "cannot be computed"),
    "next": ("Để đạt mức tiếp theo", "For the next grade or level"),
    "steps": ("Các bước", "Steps"),
    "superseded": ("Các phiên bản trước", "Versions before"),
    "found": ("có trong văn bản", "in the text of the law"),
    "partly": ("tìm thấy một phần", "found in part"),
    "provisional": ("mặc định tạm thời của Langhoc", "provisional default of Langhoc"),
    "correction": ("hồ sơ đính chính", "a corrected submission"),
    "cause_recognition": ("quyết định công nhận", "a decision that recognises"),
    "reference": ("kết quả khác được dùng đã thay đổi", "another result that it uses changed"),
    "recompute": ("tính lại theo lệnh", "an order to judge again"),
    "register": ("đính chính danh mục đơn vị hành chính", "a correction of the register"),
    "replaced": ("thay bởi", "replaced because of"),
}
_SIGNS: Mapping[bool | None, tuple[str, str, str]] = {
    True: ("✓", "green", "yes"),
    False: ("✗", "red", "no"),
    None: ("?", "yellow", "open"),
}


_NAMES: Mapping[str, tuple[str, str]] = {
    "centre": ("trung tâm học tập cộng đồng", "community learning centre"),
    "universal_education": ("phổ cập giáo dục, xóa mù chữ", "universal education"),
    "learning_models": ("mô hình học tập", "learning models"),
    "grade": ("xếp loại", "grade"),
    "tot": ("tốt", "tốt (good)"),
    "kha": ("khá", "khá (fair)"),
    "trung_binh": ("trung bình", "trung bình (average)"),
    "yeu": ("yếu", "yếu (weak)"),
    "preschool_5": ("mầm non cho trẻ 5 tuổi", "preschool for 5-year-olds"),
    "primary": ("tiểu học", "primary"),
    "lower_secondary": ("trung học cơ sở", "lower secondary"),
    "literacy": ("xóa mù chữ", "literacy"),
    "learning_citizens": ("công dân học tập", "learning citizens"),
    "learning_families": ("gia đình học tập", "learning families"),
    "learning_clans": ("dòng họ học tập", "learning clans"),
    "learning_hamlets": ("cộng đồng học tập thôn", "hamlet learning communities"),
    "learning_units": ("đơn vị học tập", "learning units"),
}
"""What results that others use are called; a name that is not here stands as it is."""

GRADES = ("tot", "kha", "trung_binh", "yeu")


def _name(id: str, lang: str) -> str:
    return _NAMES[id][0 if lang == "vi" else 1] if id in _NAMES else id


def word(key: str, lang: str) -> str:
    """A word of the explanation; one that only a newer service knows stands as it is."""
    return _W[key][0 if lang == "vi" else 1] if key in _W else key


def outcome(result: Json, lang: str) -> str:
    """What a result comes to, in words."""
    if result["state"] == "incomplete":
        return word("incomplete", lang)
    if result["level"] is not None:
        return f"{_level_name(result, lang)} ({word('computed', lang)})"
    if result["grade"] is not None:
        grade = _grade_name(result, lang)
        return f"{_plain(result['total'])} {word('points', lang)} → {grade}" if result["total"] is not None else grade
    if result.get("standards"):
        return ", ".join(f"{_name(id, lang)}: {word('level', lang)} {n}" for id, n in result["standards"].items())
    return word("shares", lang)


def render(result: Json, lang: str) -> RenderableType:
    """The whole explanation of a result."""
    said = _said_in(result, lang)
    criteria = [_criterion(each, said, lang) for each in result["criteria"]]
    parts: list[RenderableType] = [_facts(result, lang), Text(), *criteria]
    if result["next_step"]:
        parts += [_heading("next", lang), *_bullets(text[lang] for text in result["next_step"])]
    parts += [_heading("steps", lang), *_steps(result["explanation"], lang)]
    if result.get("superseded"):
        parts += [_heading("superseded", lang), *_bullets(_before(each, result, lang) for each in result["superseded"])]
    return Padding(Group(*parts), (0, 0, 0, 2))


def ground(citation: str, provenance: str, lang: str) -> str:
    """A citation, and how well it is supported."""
    return f"{citation} · {word(provenance, lang)}"


# ------------------------------------------------------------------------------------------------- parts


def _facts(result: Json, lang: str) -> Table:
    rows = [("rule", f"{_legal_reference(result)} ({result['rubric']})"), ("ground", word(result["provenance"], lang))]
    at = f"{datetime.fromisoformat(result['received_at']).astimezone(VIETNAM):%d/%m/%Y %H:%M}"
    made = word("made_from", lang).format(input=result["input_version"], at=at, version=result["version"])
    rows += [("made", made), ("hash", result["hash"]), ("recognition", _recognition(result["recognition"], lang))]
    rows += [("references", _reference(each, lang)) for each in result["references"]]
    if result["missing"]:
        rows.append(("missing", ", ".join(result["missing"])))
    return _lines(((word(key, lang), value) for key, value in rows), style="bold")


def _criterion(criterion: Json, said: Said, lang: str) -> Tree:
    head = Text(criterion["name"][lang])
    if criterion["id"] not in _NAMES:  # standards have no number in the law
        head = Text.assemble((f"{criterion['id']} ", "bold"), head)
    if criterion["max_points"] is not None:
        got = "?" if criterion["points"] is None else _plain(criterion["points"])
        maximum = f"{word('of', lang)} {_plain(criterion['max_points'])} {word('points', lang)}"
        head.append(f" — {got} {maximum}", "bold")
    if criterion["met"]:
        head.append(" — ").append(_met(criterion["met"], lang))
    tree = Tree(head, guide_style="dim")
    if not criterion["targets"]:
        tree.add(_lines(_details(criterion, said, lang)))
    else:
        if criterion["reason"]:
            tree.add(Text(criterion["reason"][lang]))
        for target in criterion["targets"]:
            branch = tree.add(Text.assemble((f"{target['id']} ", "bold"), target["name"][lang]))
            branch.add(_lines(_details(target, said, lang)))
    return tree


def _details(judged: Json, said: Said, lang: str) -> list[tuple[str, RenderableType]]:
    """The lines below a criterion or target."""
    rows: list[tuple[str, RenderableType]] = []
    if "value" in judged:
        rows.append((word("value", lang), said(judged["value"] or "—")))
        for asked, levels in _by_threshold(judged).items():
            met = _met({level: judged["met"].get(level) for level in levels}, lang)
            rows.append((word("asked", lang), Text.assemble(said(asked), " — ", met)))
    if judged["reason"]:
        rows.append((word("why", lang), judged["reason"][lang]))
    if "value" in judged or judged["evidence"]:
        rows.append((word("evidence", lang), "; ".join(judged["evidence"]) or word("none", lang)))
    return [*rows, (word("by", lang), Text(ground(judged["citation"], judged["provenance"], lang), "dim"))]


def _by_threshold(target: Json) -> dict[str, list[str]]:
    """Levels by what they ask for: often the same of both."""
    levels: dict[str, list[str]] = {}
    for level, asked in target["threshold"].items():
        levels.setdefault(asked, []).append(level)
    return levels


def _said_in(result: Json, lang: str) -> Said:
    """How values and thresholds of a result are said: ids of parts and grades, yes and no, arrows as words."""
    rule = _rule(result)
    words = {"true": word("true", lang), "false": word("false", lang)}
    words |= {"↑": word("increase", lang), "↓": word("decrease", lang)}
    words |= {id: _name(id, lang) for id in GRADES}
    if isinstance(rule, PassFailRubric):
        parts = (target.parts for target in rule.targets if isinstance(target, PartsRule))
        words |= {id: getattr(name, lang) for each in parts for id, name in each.items()}

    def said(value: str) -> str:
        listed = [re.split("(=|: )", each) for each in value.split(", ")]
        return ", ".join("".join(": " if each == "=" else words.get(each, each) for each in one) for one in listed)

    return said


def _met(met: Mapping[str, bool | None], lang: str) -> Text:
    text = Text()
    for level, value in met.items():
        sign, style, said = _SIGNS[value]
        label = f"{word('level', lang)} {level[1:]}: " if level.startswith("L") and level[1:].isdigit() else ""
        text.append("; " if text else "").append(label).append(f"{sign} {word(said, lang)}", style)
    return text


def _recognition(recognition: Json | None, lang: str) -> str:
    if recognition is None:
        return word("no_recognition", lang)
    level, grade = recognition["level"], recognition["grade"]
    decided = word("decision", lang).format(
        number=recognition["decision_number"], day=_day(recognition["decided_on"], lang)
    )
    what = f"{word('level', lang)} {level}" if level is not None else _name(grade, lang)
    held = word("in_force", lang) if recognition["in_force"] else word("expired", lang)
    return f"{what}, {decided}, {held.format(day=_day(recognition['valid_until'], lang))}"


def _day(iso: str, lang: str) -> str:
    """A day as it is written in the language."""
    return f"{date.fromisoformat(iso):%d/%m/%Y}" if lang == "vi" else iso


def _reference(reference: Json, lang: str) -> str:
    said = ", ".join(f"{_name(name, lang)} {_name(value, lang)}" for name, value in reference["outcome"].items())
    return (
        f"{_name(reference['series'], lang)} {reference['subject']}: {said} "
        f"({reference['rubric']}, v{reference['version']}, {reference['hash'][:12]})"
    )


def _before(superseded: Json, result: Json, lang: str) -> str:
    cause = "cause_recognition" if superseded["cause"] == "recognition" else superseded["cause"]
    said = outcome({**result, **superseded}, lang)
    replaced = f"{word('replaced', lang)} {word(cause, lang)}"
    return f"v{superseded['version']}: {said}; {replaced} ({superseded['hash'][:12]})"


def _steps(steps: Iterable[Json], lang: str) -> list[RenderableType]:
    rows = []
    for number, step in enumerate(steps, 1):
        text = Text.assemble(step["what"][lang], "\n", (ground(step["citation"], step["provenance"], lang), "dim"))
        rows.append((f"{number}.", text))
    return [_lines(rows)]


def _lines(rows: Iterable[tuple[str, RenderableType]], style: str = "dim") -> Table:
    """Labels and what stands beside them, wrapped within its own column."""
    table = Table.grid(padding=(0, 1))
    table.add_column(style=style, no_wrap=True)
    table.add_column(ratio=1)
    for label, value in rows:
        table.add_row(label, Text(value) if isinstance(value, str) else value)
    return table


def _bullets(texts: Iterable[str]) -> list[RenderableType]:
    return [_lines([("•", text) for text in texts])]


def _heading(key: str, lang: str) -> Text:
    return Text(f"\n{word(key, lang)}", "bold cyan")


# ------------------------------------------------------------------------------------------------- names


def _rule(result: Json) -> Any:
    """The rubric, where the rulebook on this side has it too."""
    try:
        return rubric(result["rubric"])
    except KeyError:
        return None


def _legal_reference(result: Json) -> str:
    rule = _rule(result)
    return str(rule.legal_reference if rule is not None else result["rubric"])


def _level_name(result: Json, lang: str) -> str:
    rule, level = _rule(result), result["level"]
    if isinstance(rule, PassFailRubric) and level:
        return str(getattr(rule.levels[level - 1].name, lang))
    return f"{word('level', lang)} {level}"


def _grade_name(result: Json, lang: str) -> str:
    rule, grade = _rule(result), result["grade"]
    if isinstance(rule, PointsRubric):
        return str(next((getattr(each.name, lang) for each in rule.grades if each.id == grade), grade))
    return str(grade)


def _plain(points: str) -> str:
    """Points without trailing zeros."""
    return points.rstrip("0").rstrip(".") if "." in points else points
