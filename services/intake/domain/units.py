"""Does a submission name something that exists, and may its sender speak for it?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.intake.domain.findings import Arrival, Awaited, Findings, Known, Subject
from services.intake.problems import candidates
from shared.contracts.base import Text
from shared.contracts.submissions import AssessmentSeries, AssessmentSubmitted
from shared.refusals import problem
from shared.registry import RegisterGap, Unit, same_name
from shared.rulebook import cut_off


def check_unit(
    findings: Findings, code: str, pointer: str, on: date, arrival: Arrival, known: Known, name: str | None = None
) -> None:
    """The commune of that day, and the sender's right: today's successor of the province that held it then."""
    found = known.register.lookup(code, on, name)
    if isinstance(found, RegisterGap):
        _hold(findings, code, pointer, on, found.candidates)
        return
    if not isinstance(found, Unit):
        near = candidates(found.candidates)
        findings.problems.append(problem("intake.unit_unknown", pointer, code=code, on=on, candidates=near))
        return
    findings.unit = found
    findings.subject = Subject(found.unit_id, found.name, found.province_code)
    _check_right(findings, code, pointer, found.province_code, on, arrival, known)


def _hold(findings: Findings, code: str, pointer: str, on: date, near: Sequence[str] = ()) -> None:
    findings.held.append(problem("intake.register_gap", pointer, code=code, candidates=candidates(near)))
    findings.awaited = Awaited(code, on)


def check_name(findings: Findings, name: str | None, pointer: str) -> None:
    """A name is a label: one that differs from the register is a warning, a spelling of it not even that."""
    if name and findings.subject and not same_name(name, findings.subject.name):
        findings.warnings.append(problem("intake.name_differs", pointer, given=name, registered=findings.subject.name))


def check_subject(findings: Findings, data: AssessmentSubmitted, arrival: Arrival, known: Known) -> None:
    """The subject of an assessment, as its series names it."""
    level = _LEVELS[data.series]
    if not level.form.fullmatch(data.subject):
        near = known.register.candidates(data.subject, cut_off(data.period)) if level is _COMMUNE else ()
        findings.problems.append(
            problem(
                "intake.subject_form",
                "/subject",
                given=data.subject,
                expected=level.words,
                candidates=candidates(near),
            )
        )
        return
    level.check(findings, data, arrival, known)


def _check_commune(findings: Findings, data: AssessmentSubmitted, arrival: Arrival, known: Known) -> None:
    check_unit(findings, data.subject, "/subject", cut_off(data.period), arrival, known, data.name)


def _check_district(findings: Findings, data: AssessmentSubmitted, arrival: Arrival, known: Known) -> None:
    on, code = cut_off(data.period), data.subject
    ended = known.register.districts_ended
    if ended is not None and on >= ended:
        findings.problems.append(problem("intake.level_closed", "/series", period=data.period, ended=ended))
        return
    district = known.register.district(code, on)
    if district is None:
        _hold(findings, code, "/subject", on)
        return
    findings.subject = Subject(code, district.name, district.province_code)
    _check_right(findings, code, "/subject", district.province_code, on, arrival, known)


def _check_province(findings: Findings, data: AssessmentSubmitted, arrival: Arrival, known: Known) -> None:
    on, code = cut_off(data.period), data.subject
    province = known.register.province(code, on)
    if province is None:
        findings.problems.append(problem("intake.province_unknown", "/subject", code=code, on=on))
        return
    findings.subject = Subject(code, province.name, code)
    _check_right(findings, code, "/subject", code, on, arrival, known)


def _check_learning_unit(findings: Findings, data: AssessmentSubmitted, arrival: Arrival, known: Known) -> None:
    """No register holds learning units: their id is the province's own, and belongs to the first that used it."""
    findings.subject = Subject(data.subject, data.name or data.subject, arrival.province)
    if known.owner not in (None, arrival.province):
        findings.problems.append(
            problem(
                "intake.subject_of_other_province",
                "/subject",
                subject=data.subject,
                entitled=known.owner,
                province=arrival.province,
            )
        )


def _check_right(
    findings: Findings, code: str, pointer: str, holder: str, on: date, arrival: Arrival, known: Known
) -> None:
    entitled = known.register.speaker(holder, on)
    if entitled != arrival.province:
        findings.problems.append(
            problem("intake.not_entitled", pointer, code=code, entitled=entitled, province=arrival.province)
        )


@dataclass(frozen=True, slots=True)
class _Level:
    """A kind of subject: how it is named, and where it is looked up."""

    form: re.Pattern[str]
    words: Text
    check: Callable[[Findings, AssessmentSubmitted, Arrival, Known], None]


_COMMUNE = _Level(
    re.compile(r"[0-9]{5}|D[0-9]{3}"),
    Text(vi="mã đơn vị cấp xã: 5 chữ số, hoặc D và 3 chữ số", en="a commune code: 5 digits, or D and 3 digits"),
    _check_commune,
)
_LEVELS: Mapping[AssessmentSeries, _Level] = {
    "universal_education": _COMMUNE,
    "learning_models": _COMMUNE,
    "district": _Level(
        re.compile(r"[0-9]{3}"), Text(vi="mã huyện: 3 chữ số", en="a district code: 3 digits"), _check_district
    ),
    "province": _Level(
        re.compile(r"[0-9]{2}"), Text(vi="mã tỉnh: 2 chữ số", en="a province code: 2 digits"), _check_province
    ),
    "learning_unit": _Level(
        re.compile(r".+"), Text(vi="mã đơn vị học tập", en="the id of a learning unit"), _check_learning_unit
    ),
}
