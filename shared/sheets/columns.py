"""The columns of a sheet, derived from the contract of its kind and the rubric in force for its period. Pure.

form = form_of("commune", province="01", period=2025)
[column.id for column in form.columns]  # ['unit_code', …, 'C5.1.share.numerator', 'C5.1.share.denominator', …]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from shared.contracts.base import CommuneCode, Dong, Identifier, Label, Points, Quantity, Text
from shared.contracts.catalogue import CONTRACTS
from shared.contracts.submissions import (
    AssessmentSeries,
    AwardedPoints,
    CentreSubmitted,
    CommuneSubmitted,
    ShareTarget,
    Submission,
    TargetsContent,
    TargetValue,
)
from shared.errors import LanghocError
from shared.refusals import problem
from shared.rulebook import NoRuleInForce, PassFailRubric, PointsRubric, Rubric, Series, rubric_for, ruled, rules_of
from shared.rulebook.indicators import ShareAtLeast
from shared.rulebook.reports import PartsField, ReportRubric
from shared.rulebook.targets import PartsRule, RecognisedShareRule
from shared.sheets.words import EXPLAINED, FIELDS, Holds
from shared.wording import AREAS

Path = tuple[str, ...]
_NAMED: Sequence[tuple[object, Holds]] = (
    (CommuneCode, Holds.UNIT),
    (Identifier, Holds.ID),
    (Label, Holds.TEXT),
    (Dong, Holds.MONEY),
    (Points, Holds.DECIMAL),
    (Quantity, Holds.DECIMAL),
)
_PLAIN: Mapping[object, Holds] = {
    bool: Holds.FLAG,
    int: Holds.WHOLE,
    str: Holds.TEXT,
    date: Holds.DATE,
    Decimal: Holds.DECIMAL,
    list: Holds.LIST,
    Literal: Holds.CHOICE,
}
_UNITS = frozenset({"unit_code", "commune_code", "subject"})
"""Fields that may name a unit of the register, whatever their pattern allows besides."""
_DECLARED = frozenset({"submission_id", "rubric", "content"})
"""Made of the sheet, or of its head."""


INDICATOR = "indicator"
"""Before the id of an indicator that is also a criterion's."""


class SheetRefused(LanghocError):
    """A sheet that is not read, or a template that cannot be made, with everything that is wrong with it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what stands in its cells, and where it goes in the body of the submission."""

    id: str
    """Its heading for programs: `amount`, `C5.1.share.numerator`."""
    path: Path
    """Keys from the body's root to the value."""
    holds: Holds
    name: Text
    """Its heading for people."""
    required: bool = False
    choices: Mapping[str, Text] = field(default_factory=dict)
    """Values that may be chosen, with what they mean."""

    @property
    def note(self) -> Text:
        """What may stand in a cell."""
        return EXPLAINED[self.holds]


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of sheet: its columns, and what its head says once for all rows."""

    kind: str
    event: str
    """The `ce_type` of what its rows become."""
    model: type[Submission]
    columns: tuple[Column, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Period, rubric and series, where the columns depend on them."""
    rubric: Rubric | None = None


@cache
def kinds() -> Mapping[str, tuple[str, type[Submission]]]:
    """Every kind of submission by its short name, with its event type and contract, in the catalogue's order."""
    found = {}
    for contract in CONTRACTS.values():
        if contract.family == "submissions":
            short = contract.value.removeprefix("langhoc.").removesuffix(".v1").removesuffix(".submitted")
            short = "registration" if short == "centre.registered" else short
            found[short] = (contract.value, cast(type[Submission], contract.model))
    return found


def form_of(kind: str, *, province: str, period: int | None = None, series: str | None = None) -> Form:
    """The columns of a kind of sheet.

    Args:
        kind: a key of `kinds()`.
        province: today's code of the sender: its own point table sets the columns of a points rubric.
        period: the year that is assessed; needed of assessments, whose rubric it decides.
        series: of kind `assessment`, what is assessed.

    Raises:
        SheetRefused: there is no such kind or series, the period is missing, or no rubric was in force.
    """
    if kind not in kinds():
        raise SheetRefused(problem("sheets.kind_unknown", kind=kind, known=", ".join(kinds())))
    type_, model = kinds()[kind]
    if "content" not in model.model_fields:
        return Form(kind, type_, model, tuple(_fields(model)))
    series = {CommuneSubmitted: "commune", CentreSubmitted: "centre"}.get(model, series)
    if series not in ("commune", "centre", *get_args(AssessmentSeries)):
        known = ", ".join(one for one in get_args(AssessmentSeries) if one in ruled())
        raise SheetRefused(problem("sheets.series_unknown", series=series or "–", known=known))
    if period is None:
        raise SheetRefused(problem("sheets.period_missing", kind=kind))
    try:
        rubric = rubric_for(cast(Series, series), period, province)
    except (NoRuleInForce, ValueError, OverflowError) as error:  # a year that no calendar has, has no rule either
        rules = rules_of(cast(Series, series))
        raise SheetRefused(problem("sheets.no_rubric", series=series, period=period, rules=rules)) from error
    fixed: dict[str, Any] = {"period": period, "rubric": rubric.id}
    if "series" in model.model_fields:
        fixed = {"series": series, **fixed}
    own = (column for column in _fields(model) if column.id not in fixed)
    return Form(kind, type_, model, (*own, *_content(rubric)), fixed, rubric)


# ------------------------------------------------------------------------------------------------------- fields


def _fields(model: type[BaseModel]) -> Iterator[Column]:
    """The subject first, as people look for it; how it is read, and what corrects an earlier version, last."""
    hints = get_type_hints(model, include_extras=True)
    later = [name for name in ("code_system", "corrects_version", "reason") if name in hints]
    for name in [*(one for one in hints if one not in later), *later]:
        if name in model.model_fields and name not in _DECLARED:
            yield _column(name, (name,), hints[name], FIELDS[name], model.model_fields[name].is_required())


def _column(id: str, path: Path, hint: object, name: Text, required: bool = False) -> Column:
    holds, choices = _holds(hint)
    if path[-1] in _UNITS:
        holds = Holds.UNIT
    return Column(id, path, holds, name, required, choices)


def _holds(hint: object) -> tuple[Holds, Mapping[str, Text]]:
    """What a field of this type holds, and the values that it chooses among."""
    for alias, holds in _NAMED:
        if hint == alias:
            return holds, {}
    origin = get_origin(hint)
    if origin is Annotated or origin in (Union, UnionType):
        return _holds(next(one for one in get_args(hint) if one is not type(None)))
    if origin is Literal:
        values = [str(value) for value in get_args(hint)]
        return Holds.CHOICE, {value: AREAS.get(value, Text(vi=value, en=value)) for value in values}  # type: ignore[call-overload]
    return _PLAIN[origin or hint], {}


# ------------------------------------------------------------------------------------------------------ content


def _content(rubric: Rubric) -> Iterator[Column]:
    """What the rubric asks for, in the order of the law."""
    if isinstance(rubric, PointsRubric):
        for criterion in rubric.criteria:
            yield from _leaves(AwardedPoints, ("content", "points", criterion.id), criterion.id, criterion.name)
            for one in criterion.indicators:
                if isinstance(one.rule, ShareAtLeast):
                    # One that is called like its criterion must not take the headings of that.
                    id = f"{INDICATOR}.{one.id}" if one.id == criterion.id else one.id
                    yield from _leaves(ShareTarget, ("content", "indicators", one.id), id, one.name)
        return
    if isinstance(rubric, PassFailRubric) and rubric.traits is not None:
        for number, group in enumerate(rubric.traits.groups, start=1):
            id = f"traits.{number}"
            yield Column(id, ("content", "traits", str(number)), Holds.CHOICE, FIELDS["traits"], True, group)
    for target in rubric.targets:
        path = ("content", "targets", target.id)
        if isinstance(target, PartsRule | PartsField):
            for part, name in target.parts.items():
                words = _joined(target.id, target.name, name)
                yield Column(f"{target.id}.parts.{part}", (*path, "parts", part), Holds.FLAG, words)
            evidence = _joined(target.id, target.name, FIELDS["evidence"])
            yield Column(f"{target.id}.evidence", (*path, "evidence"), Holds.LIST, evidence)
        elif not isinstance(target, RecognisedShareRule):  # counted from decisions, never sent
            yield from _leaves(_value_models()[target.type], path, target.id, target.name)
    if isinstance(rubric, ReportRubric):
        return
    hints = get_type_hints(TargetsContent, include_extras=True)
    for claim in ("difficult_area", "specially_difficult"):
        for key in (claim, f"{claim}_basis"):
            yield _column(key, ("content", key), hints[key], FIELDS[key])


@cache
def _value_models() -> Mapping[str, type[BaseModel]]:
    """The models of targets' values by their type."""
    models = get_args(get_args(TargetValue)[0])
    return {model.model_fields["type"].default: model for model in models}


def _leaves(model: type[BaseModel], path: Path, id: str, name: Text) -> Iterator[Column]:
    """A column for each value within a model; the type of a target is no question to anybody."""
    for key, hint in get_type_hints(model, include_extras=True).items():
        if key not in model.model_fields or key == "type":
            continue
        place = (*path, key)
        inner = f"{id}.{key}"
        words = _joined("" if len(place) > 4 else path[2], name, FIELDS[key])
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            yield from _leaves(hint, place, inner, words)
        else:
            yield _column(inner, place, hint, words)


def _joined(id: str, name: Text, leaf: Text) -> Text:
    def one(whole: str, part: str) -> str:
        return " – ".join(each for each in (f"{id} {whole}".strip(), part) if each)

    return Text(vi=one(name.vi, leaf.vi), en=one(name.en, leaf.en))
