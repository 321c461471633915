"""Does a submission name something that exists, and may its sender speak for it?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from services.intake.domain.code_systems import day_of
from services.intake.domain.findings import Arrival, Awaited, Findings, Known, Subject
from services.intake.problems import candidates
from shared.contracts.base import Text
from shared.contracts.series import SubjectKind, kind_of
from shared.contracts.submissions import AssessmentSeries, CodeSystem, RecognisedSeries
from shared.refusals import problem
from shared.registry import REORGANISATION, RegisterGap, Registry, Unit, same_name
from shared.rulebook import cut_off


def check_unit(
    findings: Findings,
    code: str,
    pointer: str,
    on: date,
    arrival: Arrival,
    known: Known,
    name: str | None = None,
    system: CodeSystem | None = None,
) -> None:
    """The commune of that day, and the sender's right: today's successor of the province that held it then.

    `system`: the list in which the code stands, where nothing of that day was found for it (`in_codes_of_its_day`).
    """
    read = day_of(system, on)
    found = known.register.lookup(code, read, name)
    if isinstance(found, RegisterGap):
        _hold(findings, code, pointer, read, found.candidates)
        return
    if not isinstance(found, Unit):
        near = candidates(found.candidates)
        findings.problems.append(problem("intake.unit_unknown", pointer, code=code, on=read, candidates=near))
        return
    if system is not None:
        near = candidates(_kin(known.register, found, on))
        findings.problems.append(
            problem(
                "intake.code_of_other_time", pointer, code=code, system=system, name=found.name, on=on, candidates=near
            )
        )
        return
    findings.unit = found
    findings.subject = Subject(found.unit_id, found.name, found.province_code)
    _check_right(findings, code, pointer, found.province_code, on, arrival, known)


def _kin(register: Registry, unit: Unit, on: date) -> Sequence[str]:
    """Codes of that day of what came of a unit, or of what it came from."""
    rows = [*register.successors(unit.unit_id), *register.predecessors(unit.unit_id)]
    units = [register.by_id(id) for row in rows for id in (row.successor, row.predecessor)]
    return sorted({unit.code for unit in units if unit is not None and unit.valid(on)})[:MOST_NAMED]


def _hold(findings: Findings, code: str, pointer: str, on: date, near: Sequence[str] = ()) -> None:
    findings.held.append(problem("intake.register_gap", pointer, code=code, candidates=candidates(near)))
    findings.awaited = Awaited(code, on)


def check_name(findings: Findings, name: str | None, pointer: str, on: date, known: Known) -> None:
    """A name is a label: one that differs from the register is a warning, a spelling of it not even that.

    The name of another commune of that day is neither: code and name speak of two units, and one of them is wrong.
    """
    if not name or not findings.subject or same_name(name, findings.subject.name):
        return
    if findings.unit and (others := known.register.named(name, on)):
        near = candidates([one.code for one in others[:MOST_NAMED]])
        findings.problems.append(
            problem(
                "intake.name_of_other_unit",
                pointer,
                given=name,
                registered=findings.subject.name,
                candidates=near,
            )
        )
    else:
        findings.warnings.append(problem("intake.name_differs", pointer, given=name, registered=findings.subject.name))


MOST_NAMED = 10
"""Units of one name that a refusal lists."""


class Named(NamedTuple):
    """How a submission names its subject."""

    series: RecognisedSeries | AssessmentSeries
    code: str
    pointer: str
    period: int
    name: str | None = None
    decided: bool = False
    """By an authority's decision: universal education is recognised of districts and provinces too."""
    system: CodeSystem | None = None
    """The list in which a commune's code stands; `None`: that of the day on which it is read."""
    day: date | None = None
    """The day on which a commune's code is read; `None`: the period's cut-off date."""

    @property
    def on(self) -> date:
        """The day of which it speaks."""
        return self.day or cut_off(self.period)


def check_subject(findings: Findings, named: Named, arrival: Arrival, known: Known) -> None:
    """The subject of an assessment or a decision, as its series names it on the period's cut-off date."""
    above = [_DISTRICT, _PROVINCE] if named.decided and named.series == "universal_education" else []
    kind = kind_of(named.series)
    assert kind is not None, f"{named.series} is submitted"
    levels = [_LEVELS[kind], *above]
    level = next((one for one in levels if one.form.fullmatch(named.code)), None)
    if level is not None:
        level.check(findings, named, arrival, known)
        return
    near = known.register.candidates(named.code, named.on) if _COMMUNE in levels else ()
    expected = Text(vi="; ".join(one.words.vi for one in levels), en="; ".join(one.words.en for one in levels))
    findings.problems.append(
        problem("intake.subject_form", named.pointer, given=named.code, expected=expected, candidates=candidates(near))
    )


def _check_commune(findings: Findings, named: Named, arrival: Arrival, known: Known) -> None:
    check_unit(findings, named.code, named.pointer, named.on, arrival, known, named.name, named.system)


def _check_district(findings: Findings, named: Named, arrival: Arrival, known: Known) -> None:
    on, code = cut_off(named.period), named.code
    ended = known.register.districts_ended
    if ended is not None and on >= ended:
        pointer = "/series" if named.series == "district" else named.pointer
        findings.problems.append(problem("intake.level_closed", pointer, period=named.period, ended=ended))
        return
    district = known.register.district(code, on)
    if district is None:
        _hold(findings, code, named.pointer, on)
        return
    findings.subject = Subject(code, district.name, district.province_code)
    _check_right(findings, code, named.pointer, district.province_code, on, arrival, known)


def _check_province(findings: Findings, named: Named, arrival: Arrival, known: Known) -> None:
    on, code = cut_off(named.period), named.code
    province = known.register.province(code, on)
    if province is None:
        findings.problems.append(problem("intake.province_unknown", named.pointer, code=code, on=on))
        return
    findings.subject = Subject(code, province.name, code)
    _check_right(findings, code, named.pointer, code, on, arrival, known)


def _check_centre(findings: Findings, named: Named, arrival: Arrival, known: Known) -> None:
    """A registered centre; it is held by the province in which its commune lay on the period's cut-off date."""
    centre, on = known.centre(named.code), cut_off(named.period)
    if centre is None:
        findings.problems.append(problem("intake.centre_unknown", named.pointer, centre=named.code))
        return
    check_registrar(findings, named.code, named.pointer, arrival, known)
    unit = known.register.counterpart(centre.unit_id, on)
    holder = unit.province_code if unit else centre.province
    findings.subject = Subject(centre.centre_id, centre.name, holder)


def _check_own_id(findings: Findings, named: Named, arrival: Arrival, known: Known) -> None:
    """No register holds learning units, vocational centres or mergers: their id is the province's own, and belongs to
    the first that used it."""
    findings.subject = Subject(named.code, named.name or named.code, arrival.province)
    if known.owner not in (None, arrival.province):
        findings.problems.append(
            problem(
                "intake.subject_of_other_province",
                named.pointer,
                subject=named.code,
                entitled=known.owner,
                province=arrival.province,
            )
        )


def check_registrar(findings: Findings, centre_id: str, pointer: str, arrival: Arrival, known: Known) -> None:
    """A centre's id belongs to the province that registered it first, and moves with its commune alone.

    Until it is registered it belongs to the province that it names (`TTHTCD-79-000001`), or to the one that speaks for
    that province since July 2025. An id that names none is anybody's.
    """
    entitled = known.registrar(centre_id, arrival.day)
    named = _province_named(centre_id, known.register) if entitled is None else None
    if named not in (None, arrival.province):
        findings.problems.append(
            problem(
                "intake.centre_id_of_other_province",
                pointer,
                centre=centre_id,
                entitled=named,
                province=arrival.province,
            )
        )
    if entitled not in (None, arrival.province):
        findings.problems.append(
            problem(
                "intake.centre_of_other_province",
                pointer,
                centre=centre_id,
                entitled=entitled,
                province=arrival.province,
            )
        )


_NAMING = re.compile(r"TTHTCD-(\d{2})-", re.IGNORECASE | re.ASCII)


def _province_named(centre_id: str, register: Registry) -> str | None:
    """Today's province that speaks for the one whose code stands in a centre's id; `None`: it names none."""
    named = _NAMING.match(centre_id)
    before = REORGANISATION - timedelta(days=1)
    if named is None or register.province(named[1], before) is None:
        return None
    return register.speaker(named[1], before)


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
    check: Callable[[Findings, Named, Arrival, Known], None]


_COMMUNE = _Level(
    re.compile(r"[0-9]{5}|D[0-9]{3}"),
    Text(vi="mã đơn vị cấp xã: 5 chữ số, hoặc D và 3 chữ số", en="a commune code: 5 digits, or D and 3 digits"),
    _check_commune,
)
_DISTRICT = _Level(
    re.compile(r"[0-9]{3}"), Text(vi="mã huyện: 3 chữ số", en="a district code: 3 digits"), _check_district
)
_PROVINCE = _Level(
    re.compile(r"[0-9]{2}"), Text(vi="mã tỉnh: 2 chữ số", en="a province code: 2 digits"), _check_province
)
_CENTRE = _Level(
    re.compile(r".+"), Text(vi="mã trung tâm học tập cộng đồng", en="the id of a registered centre"), _check_centre
)
_LEVELS: Mapping[SubjectKind, _Level] = {
    "commune": _COMMUNE,
    "district": _DISTRICT,
    "province": _PROVINCE,
    "centre": _CENTRE,
    "learning_unit": _Level(
        re.compile(r".+"), Text(vi="mã đơn vị học tập", en="the id of a learning unit"), _check_own_id
    ),
    "vocational_centre": _Level(
        re.compile(r".+"),
        Text(vi="mã trung tâm giáo dục nghề nghiệp", en="the id of a vocational centre"),
        _check_own_id,
    ),
    "centre_merger": _Level(
        re.compile(r".+"),
        Text(vi="mã việc sáp nhập do tỉnh đặt", en="the province's own id of a merger"),
        _check_own_id,
    ),
}
