"""What stands in a template before anybody writes in it: a row for each subject, and last year's figures. Pure.

What is filled in beforehand is no file: a row with nothing else is blank. Last year's figures stand beside their
columns, and are never read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.contracts.base import Text
from shared.contracts.facts import AssessmentAccepted, CentreAccepted, CommuneAccepted
from shared.contracts.series import kind_of
from shared.registry import Registry
from shared.rulebook import cut_off
from shared.sheets.columns import Column, Form
from shared.sheets.heads import BEFORE
from shared.sheets.words import Holds

Centres = Sequence[tuple[str, str]]
"""Ids and names of the province's own centres."""
Assessed = CommuneAccepted | CentreAccepted | AssessmentAccepted
"""What is accepted of a subject's last period."""
_FIGURES = frozenset({Holds.WHOLE, Holds.DECIMAL, Holds.FLAG, Holds.CHOICE})
_NAMES = ("unit_name", "name")


@dataclass(frozen=True, slots=True)
class Subject:
    """One row that waits for its figures."""

    cells: Mapping[str, str]
    """What is filled in, by column: who it is."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """Last year's figures, by column."""


def subjects_of(
    form: Form, province: str, register: Registry, centres: Centres = (), before: Sequence[Assessed] = ()
) -> list[Subject]:
    """Everybody whom a province assesses with this form, in the order of their codes; nobody, of other forms.

    Args:
        province: today's code of whoever files.
        centres: those that exist on the period's cut-off date.
        before: what is accepted of the period before. A unit has the figures of no other that had its code; learning
            units, which no register holds, are those of last year.
    """
    if form.rubric is None:
        return []
    last = {_subject(fact): fact for fact in before}
    found = []
    for id, name, identities in _filed(form, province, register, centres, before):
        known = next((last[one] for one in identities if one in last), None)
        cells = {column.id: name for column in form.columns if column.id in _NAMES and name}
        cells[_subject_column(form)] = f"{id} – {name}" if name else id
        found.append(Subject(cells, _figures(form, known)))
    return found


def laid_out(form: Form, subjects: Sequence[Subject]) -> list[Column]:
    """The columns of a template: behind each of which last year has a figure, that of last year."""
    told = {id for subject in subjects for id in subject.before}
    pairs = ((column, _of_last_year(form, column)) if column.id in told else (column,) for column in form.columns)
    return [column for pair in pairs for column in pair]


def _of_last_year(form: Form, column: Column) -> Column:
    year = form.fixed["period"] - 1
    name = Text(vi=f"Năm {year}: {column.name.vi}", en=f"{year}: {column.name.en}")
    return replace(column, id=f"{BEFORE}{column.id}", name=name, required=False, choices={})


def _subject_column(form: Form) -> str:
    return next(column.id for column in form.columns if column.holds in (Holds.UNIT, Holds.ID))


def _subject(fact: Assessed) -> str:
    match fact:
        case CommuneAccepted():
            return fact.unit_id
        case CentreAccepted():
            return fact.centre_id
        case AssessmentAccepted():
            return fact.subject_id


def _filed(
    form: Form, province: str, register: Registry, centres: Centres, before: Sequence[Assessed]
) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Id, name, and all ids under which last year may know the same subject."""
    series, on = form.fixed.get("series", form.kind), cut_off(form.fixed["period"])
    held = [one for one in register.provinces(on) if register.speaker(one.code, on) == province]
    match kind_of(series):
        case "centre":
            yield from ((id, name, (id,)) for id, name in centres)
        case "province":
            yield from ((one.code, one.name, (one.code,)) for one in held)
        case "district":
            codes = {one.code for one in held}
            own = [one for one in register.districts(on) if one.province_code in codes]
            yield from ((one.code, one.name, (one.code,)) for one in own)
        case "learning_unit" | "vocational_centre" | "centre_merger":
            for unit in (one for one in before if isinstance(one, AssessmentAccepted)):
                yield unit.subject_id, "" if unit.name == unit.subject_id else unit.name, (unit.subject_id,)
        case "commune":
            for one in held:
                for commune in register.units(on, one.code):
                    yield commune.code, commune.name, register.lineage(commune.unit_id)


def _figures(form: Form, fact: Assessed | None) -> dict[str, Any]:
    """Its figures by column; none under another rule, whose columns of the same name mean something else."""
    if fact is None or form.rubric is None or fact.rubric != form.rubric.id:
        return {}
    said = fact.model_dump(mode="json", exclude_defaults=True)
    values = {column.id: _at(said, column.path) for column in form.columns if column.holds in _FIGURES}
    return {id: value for id, value in values.items() if value is not None}


def _at(said: Any, path: Sequence[str]) -> Any:
    for key in path:
        said = said.get(key) if isinstance(said, dict) else None
    return said
