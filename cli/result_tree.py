"""One result for people: the outcome in words, and under it, criterion by criterion, value, rule, evidence and reason.

Written for somebody who knows the regulations and no code; readable at 100 columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cli.output import Language
from shared.answers.results import AnyResult, AppealRef, AssessmentResult
from shared.contracts.base import Provenance, Step
from shared.contracts.explained import CriterionResult, TargetResult
from shared.contracts.facts import Recognition, RecognitionInForce, Reference, Superseded
from shared.contracts.series import SERIES
from shared.rulebook import HANOI, PassFailRubric, PointsRubric, Rubric, rubric, rubrics
from shared.rulebook.reports import PartsField, ReportRubric, ShareField
from shared.rulebook.targets import PartsRule
from shared.wording import reached

Said = Callable[[str], str]
Rows = list[tuple[str, RenderableType]]
_W: Mapping[str, tuple[str, str]] = {
    "level": ("mức độ", "level"),
    "points": ("điểm", "points"),
    "computed": ("kết quả tính, chưa phải quyết định công nhận", "computed; not yet a decision that recognises"),
    "incomplete": ("chưa đủ căn cứ, chưa xếp loại", "incomplete, so nothing is graded yet"),
    "unassessed": ("hồ sơ đã rút, chưa được đánh giá", "withdrawn, so unassessed"),
    "shares": ("đã tính các tỷ lệ, so với mục tiêu", "shares computed, beside the goals"),
    "allowed": ("được phép sáp nhập", "the merger is allowed"),
    "not_allowed": ("không được sáp nhập", "the merger is not allowed"),
    "review_only": ("chỉ được rà soát, chưa được sáp nhập", "a review is allowed, and no merger yet"),
    "no_rule_found": ("không tìm thấy quy định, không kết luận", "no rule was found, so none is applied"),
    "finding": ("Kết luận", "Finding"),
    "reported": ("báo cáo đủ các mục bắt buộc", "the report is complete"),
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
    "handed_in": ("Nguồn hồ sơ", "Source"),
    "imported": ("Bộ nhập, đợt", "imported by the ministry,"),
    "by_decision": ("quyết định công nhận", "recognising decision"),
    "decision": ("quyết định {number} ngày {day}", "decision {number} of {day}"),
    "in_force": ("còn hiệu lực vào ngày chốt", "in force on the cut-off date"),
    "expired": ("đã hết hiệu lực từ {day}", "expired on {day}"),
    "revoked": ("bị thu hồi từ {day} theo quyết định {number}", "revoked from {day} on by decision {number}"),
    "references": ("Dùng kết quả khác", "Uses other results"),
    "missing": ("Chưa có giá trị", "Without a value"),
    "appeals": ("Đề nghị xem xét lại", "Appeal"),
    "appealed": ("phiên bản", "version"),
    "appeal_open": ("chờ Bộ trả lời", "waits for the ministry"),
    "appeal_withdrawn": ("đã rút", "withdrawn"),
    "appeal_upheld": ("được chấp nhận", "upheld"),
    "appeal_dismissed": ("bị bác", "dismissed"),
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
    "inapplicable": ("không áp dụng, tính là", "not applicable, counts as"),
    "open": ("chưa tính được", "cannot be computed"),
    "next": ("Để đạt mức tiếp theo", "For the next grade or level"),
    "next_of_report": ("Còn thiếu", "What is missing still"),
    "steps": ("Các bước", "Steps"),
    "superseded": ("Các phiên bản trước", "Versions before"),
    "found": ("có trong văn bản", "in the text of the law"),
    "partly": ("tìm thấy một phần", "found in part"),
    "reading": ("cách hiểu của Langhoc", "reading of Langhoc"),
    "not_found": ("không tìm thấy quy định", "not found"),
    "provisional": ("mặc định tạm thời của Langhoc", "provisional default of Langhoc"),
    "withdrawal": ("nơi gửi rút hồ sơ", "its sender withdrew it"),
    "correction": ("hồ sơ đính chính", "a corrected submission"),
    "cause_recognition": ("quyết định công nhận hoặc thu hồi", "a decision that recognises or revokes"),
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


def _name(id: str, language: Language) -> str:
    return _NAMES[id][0 if language is Language.VI else 1] if id in _NAMES else id


def word(key: str, language: Language) -> str:
    """A word of the explanation; one that only a newer service knows stands as it is."""
    return _W[key][0 if language is Language.VI else 1] if key in _W else key


def cause_in(cause: str, language: Language) -> str:
    """Why a result was judged again, in words."""
    return word("cause_recognition" if cause == "recognition" else cause, language)


def outcome(result: AnyResult, language: Language, replaced: Superseded | None = None) -> str:
    """What a result, or a version of it that was replaced, comes to, in words."""
    held, rule = replaced or result, _rule(result)
    if held.state != "scored":
        return word(held.state, language)
    if held.level is not None:
        return f"{_level_name(held.level, rule, language)} ({word('computed', language)})"
    if held.grade is not None:
        grade = _grade_name(held.grade, rule, language)
        return grade if held.total is None else f"{language.words(held.total)} {word('points', language)} → {grade}"
    if isinstance(result, AssessmentResult) and result.standards:
        levels = {_name(id, language): language.of(reached(level)) for id, level in result.standards.items()}
        return ", ".join(f"{name}: {level}" for name, level in levels.items())
    if isinstance(result, AssessmentResult) and result.finding is not None and replaced is None:
        return word(result.finding, language)
    return word("reported" if isinstance(rule, ReportRubric) else "shares", language)


def render(result: AnyResult, language: Language) -> RenderableType:
    """The whole explanation of a result."""
    rule = _rule(result)
    said = _said_in(rule, language)
    written = _written_in(rule, language)
    criteria = [_criterion(each, written.get(each.id, said), language) for each in result.criteria]
    parts: list[RenderableType] = [_facts(result, rule, language), Text(), *criteria]
    if result.next_step:
        heading = "next_of_report" if isinstance(rule, ReportRubric) else "next"
        parts += [_heading(heading, language), *_bullets(map(language.of, result.next_step))]
    parts += _steps(result.explanation, language)
    if result.superseded:
        before = (_before(each, result, language) for each in result.superseded)
        parts += [_heading("superseded", language), *_bullets(before)]
    return Padding(Group(*parts), (0, 0, 0, 2))


def steps(made: Iterable[Step], language: Language) -> RenderableType:
    """How something was made, step by step, each on its ground."""
    return Padding(Group(*_steps(made, language)), (0, 0, 0, 2))


# ------------------------------------------------------------------------------------------------- parts


def _facts(result: AnyResult, rule: Rubric | None, language: Language) -> Table:
    law = f"{rule.legal_reference if rule else result.rubric} ({result.rubric})"
    at = language.words.moment(result.received_at.astimezone(HANOI))
    made = word("made_from", language).format(input=result.input_version, at=at, version=result.version)
    rows = [("rule", law), ("ground", word(result.provenance, language)), ("made", made), ("hash", result.hash)]
    if result.imported is not None:
        rows.append(("handed_in", f"{word('imported', language)} {result.imported}"))
    if isinstance(result, AssessmentResult) and result.finding is not None:
        rows.append(("finding", word(result.finding, language)))
    rows.append(("recognition", _recognition(result.recognition, language)))
    rows += [("references", _reference(each, language)) for each in result.references]
    if result.missing:
        rows.append(("missing", ", ".join(result.missing)))
    rows += [("appeals", _appeal(each, language)) for each in result.appeals]
    return _lines(((word(key, language), value) for key, value in rows), style="bold")


def _appeal(appeal: AppealRef, language: Language) -> str:
    state = word(f"appeal_{appeal.state}", language)
    return f"{appeal.province}/{appeal.appeal_id} ({word('appealed', language)} {appeal.result_version}): {state}"


def _criterion(criterion: CriterionResult, said: Said, language: Language) -> Tree:
    head = Text(language.of(criterion.name))
    if criterion.id not in _NAMES:  # standards have no number in the law
        head = Text.assemble((f"{criterion.id} ", "bold"), head)
    if criterion.max_points is not None:
        got = "?" if criterion.points is None else language.words(criterion.points)
        maximum = f"{word('of', language)} {language.words(criterion.max_points)} {word('points', language)}"
        head.append(f" — {got} {maximum}", "bold")
    elif criterion.points is not None:  # what a rule allows is not known that is not there
        head.append(f" — {language.words(criterion.points)} {word('points', language)}", "bold")
    itself = [one.id for one in criterion.targets] == [criterion.id]  # a figure that is a criterion: said once
    if criterion.met and not itself:
        head.append(" — ").append(_met(criterion.met, language))
    tree = Tree(head, guide_style="dim")
    if itself or not criterion.targets:
        tree.add(_lines(_details(criterion.targets[0] if itself else criterion, said, language)))
    else:
        if criterion.reason:
            tree.add(Text(language.of(criterion.reason)))
        for target in criterion.targets:
            branch = tree.add(Text.assemble((f"{target.id} ", "bold"), language.of(target.name)))
            branch.add(_lines(_details(target, said, language)))
    return tree


def _details(judged: CriterionResult | TargetResult, said: Said, language: Language) -> Rows:
    """The lines below a criterion or target."""
    rows: Rows = []
    if isinstance(judged, TargetResult):
        rows.append((word("value", language), said(judged.value) if judged.value else "—"))
        for asked, levels in _by_threshold(judged).items():
            met = _met({level: judged.met.get(level) for level in levels}, language)
            if not judged.applicable:
                met = Text.assemble((f"– {word('inapplicable', language)} ", "yellow"), "(", met, ")")
            rows.append((word("asked", language), Text.assemble(said(asked), " — ", met)))
    if judged.reason:
        rows.append((word("why", language), language.of(judged.reason)))
    if isinstance(judged, TargetResult) or judged.evidence:
        rows.append((word("evidence", language), "; ".join(judged.evidence) or word("none", language)))
    return [*rows, (word("by", language), Text(_ground(judged.citation, judged.provenance, language), "dim"))]


def _by_threshold(target: TargetResult) -> dict[str, list[str]]:
    """Levels by what they ask for: often the same of both."""
    levels: dict[str, list[str]] = {}
    for level, met in target.met.items():
        if level in target.threshold or met is not None:
            levels.setdefault(target.threshold.get(level, "—"), []).append(level)
    return levels


def _written_in(rule: Rubric | None, language: Language) -> Mapping[str, Said]:
    """How values of a report's fields are said that are no words and no shares, by field."""
    words = language.words
    by_type: Mapping[str, Said] = {
        "count": lambda value: words(int(value)),
        "money": lambda value: words.money(int(value)),
        "day": lambda value: words.day(date.fromisoformat(value)),
        "text": str,
    }
    fields = rule.fields if isinstance(rule, ReportRubric) else []
    return {one.id: by_type[one.type] for one in fields if one.type in by_type}


def _said_in(rule: Rubric | None, language: Language) -> Said:
    """How values and thresholds of a result are said: ids of parts and grades, yes and no, arrows as words."""
    words = {"true": word("true", language), "false": word("false", language)}
    words |= {"↑": word("increase", language), "↓": word("decrease", language)}
    words |= {id: _name(id, language) for id in GRADES}
    if isinstance(rule, PassFailRubric | ReportRubric):
        parts = (target.parts for target in rule.targets if isinstance(target, PartsRule | PartsField))
        words |= {id: language.of(name) for each in parts for id, name in each.items()}

    def said(value: str) -> str:
        listed = [re.split("(=|: )", each) for each in value.split(", ")]
        return ", ".join("".join(": " if each == "=" else words.get(each, each) for each in one) for one in listed)

    return said


def _met(met: Mapping[str, bool | None], language: Language) -> Text:
    text = Text()
    for level, value in met.items():
        sign, style, said = _SIGNS[value]
        label = f"{word('level', language)} {level[1:]}: " if level.startswith("L") and level[1:].isdigit() else ""
        text.append("; " if text else "").append(label).append(f"{sign} {word(said, language)}", style)
    return text


def graded(decision: Recognition, language: Language) -> str:
    """A decision on a centre's grade of a period without a result."""
    day = _day(decision.decided_on, language)
    said = [
        _name(decision.grade or "", language),
        word("decision", language).format(number=decision.decision_number, day=day),
    ]
    if (gone := decision.revocation) is not None:
        day = _day(gone.effective_from, language)
        said.append(word("revoked", language).format(day=day, number=gone.decision_number))
    if decision.imported is not None:
        said.append(f"{word('imported', language)} {decision.imported}")
    return ", ".join(said)


def _recognition(recognition: RecognitionInForce | None, language: Language) -> str:
    if recognition is None:
        return word("no_recognition", language)
    day = _day(recognition.decided_on, language)
    decided = word("decision", language).format(number=recognition.decision_number, day=day)
    level, grade = recognition.level, recognition.grade or ""
    what = f"{word('level', language)} {level}" if level is not None else _name(grade, language)
    held, revocation = word("in_force" if recognition.in_force else "expired", language), recognition.revocation
    said = [held.format(day=_day(recognition.valid_until, language))]
    if revocation is not None:
        day = _day(revocation.effective_from, language)
        revoked = word("revoked", language).format(day=day, number=revocation.decision_number)
        said = [*(said if recognition.in_force else []), revoked]
    if recognition.imported is not None:
        said.append(f"{word('imported', language)} {recognition.imported}")
    return ", ".join([what, decided, *said])


def _day(day: date, language: Language) -> str:
    """A day as it is written in the language."""
    return language.words.day(day)


def _reference(reference: Reference, language: Language) -> str:
    levels, names = reference.series == "universal_education", _told_as(reference.rubric, language)
    said = ", ".join(
        f"{names.get(name) or _name(name, language)} "
        f"{language.of(reached(int(value))) if levels else _name(value, language)}"
        for name, value in reference.outcome.items()
    )
    made = f"{reference.rubric}, v{reference.version}, {reference.hash[:12]}"
    if reference.decision_number is not None:
        made = f"{word('by_decision', language)} {reference.decision_number}"
    series: dict[str, str] = {name: language.of(about.name) for name, about in SERIES.items() if name not in _NAMES}
    return f"{series.get(reference.series) or _name(reference.series, language)} {reference.subject}: {said} ({made})"


def _told_as(rubric_id: str, language: Language) -> Mapping[str, str]:
    """What the shares of a report are called."""
    rule = next((one for one in rubrics() if one.id == rubric_id), None)
    fields = rule.fields if isinstance(rule, ReportRubric) else ()
    return {one.told_as: language.of(one.name) for one in fields if isinstance(one, ShareField)}


def _before(superseded: Superseded, result: AnyResult, language: Language) -> str:
    replaced = f"{word('replaced', language)} {cause_in(superseded.cause, language)}"
    if superseded.reason:
        replaced += f": {superseded.reason}"
    return f"v{superseded.version}: {outcome(result, language, superseded)}; {replaced} ({superseded.hash[:12]})"


def _steps(made: Iterable[Step], language: Language) -> list[RenderableType]:
    rows = []
    for number, step in enumerate(made, 1):
        by = (_ground(step.citation, step.provenance, language), "dim")
        rows.append((f"{number}.", Text.assemble(language.of(step.what), "\n", by)))
    return [_heading("steps", language), _lines(rows)]


def _ground(citation: str, provenance: Provenance, language: Language) -> str:
    """A citation, and how well it is supported."""
    return f"{citation} · {word(provenance, language)}"


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


def _heading(key: str, language: Language) -> Text:
    return Text(f"\n{word(key, language)}", "bold cyan")


# ------------------------------------------------------------------------------------------------- names


def _rule(result: AnyResult) -> Rubric | None:
    """The rubric, where the rulebook on this side has it too."""
    try:
        return rubric(result.rubric)
    except KeyError:
        return None


def _level_name(level: int, rule: Rubric | None, language: Language) -> str:
    if isinstance(rule, PassFailRubric) and level:
        return language.of(rule.levels[level - 1].name)
    return language.of(reached(level))


def _grade_name(grade: str, rule: Rubric | None, language: Language) -> str:
    names = {each.id: language.of(each.name) for each in rule.grades} if isinstance(rule, PointsRubric) else {}
    return names.get(grade, grade)
