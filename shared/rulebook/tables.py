"""Point tables that a ministry or province has decided itself, in place of a provisional one of a rubric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from shared.contracts.base import Nfc, Provenance
from shared.refusals import problem
from shared.rulebook.errors import Findings, RulebookError, Unfit, of_validation
from shared.rulebook.overlays import NATION, Layers, Placed, layered, overlapping, owned
from shared.rulebook.points import Grade, PointsRubric, PointTable
from shared.rulebook.source import Dated, read


class OwnPointTable(Dated, PointTable):
    """A table for one rubric, from one day on, with the decision that it rests on."""

    rubric: Nfc
    grades: Annotated[list[Grade] | None, Field(min_length=1)] = None
    """Own grade bands, where those of the rubric are provisional too; `None` = the rubric's."""

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if self.provenance is not Provenance.FOUND:
            raise Unfit("rulebook.table_not_decided")
        if not self.id.startswith(f"{self.rubric}/"):
            raise Unfit("rulebook.table_id_taken", id=self.id, prefix=f"{self.rubric}/")
        return self


Tables = Mapping[str, Layers[OwnPointTable]]
"""Own tables by rubric."""


def load_tables(places: Sequence[Path], rubrics: Mapping[str, PointsRubric]) -> Tables:
    """All own tables: `ministry/point_tables/*.yaml` and `provinces/<code>/point_tables/*.yaml`, one per file.

    Args:
        places: folders of the rulebook.
        rubrics: those with points, by id.

    Raises:
        RulebookError: with all that is wrong, in a file, between a table and its rubric, or in the succession of the
            tables that one owner has for one rubric.
    """
    found = Findings()
    placed: list[Placed[OwnPointTable]] = []
    for place in owned(places, "point_tables/*.yaml"):
        if place.owner == NATION:
            continue  # a file without a place; `rulebook check` says so
        with found.noting():
            table = read(place.file, OwnPointTable, place.name)
            placed.append(Placed(table, place))
            if table.rubric not in rubrics:
                known = ", ".join(rubrics)
                unknown = problem("rulebook.unknown_rubric", "rubric", rubric=table.rubric, known=known)
                raise RulebookError(place.name, unknown)
            _prove(table, rubrics[table.rubric], place.name)
    tables = {}
    for id in sorted({one.version.rubric for one in placed}):
        with found.noting():
            tables[id] = layered(f"point tables of {id}", [one for one in placed if one.version.rubric == id])
    found.settle()
    return tables


def _prove(table: OwnPointTable, rubric: PointsRubric, file: str) -> None:
    found = Findings()
    if rubric.point_table.provenance is not Provenance.PROVISIONAL:
        found.add(file, "rubric", "rulebook.table_is_law", rubric=rubric.id)
    if table.id == rubric.point_table.id:
        found.add(file, "id", "rulebook.id_used_twice", id=table.id)
    if not overlapping(table, rubric):
        start, end = rubric.effective_from, rubric.effective_to
        found.add(file, "effective_from", "rulebook.table_outside_rubric", rubric=rubric.id, start=start, end=end)
    if table.grades is not None:
        known = [grade.id for grade in rubric.grades]
        names = ", ".join(known)
        if any(grade.provenance is not Provenance.PROVISIONAL for grade in rubric.grades):
            found.add(file, "grades", "rulebook.bands_are_law", rubric=rubric.id)
        for grade in table.grades:
            if grade.id not in known:
                found.add(file, "grades", "rulebook.unknown_grade", who=table.id, grade=grade.id, known=names)
    try:
        under(rubric, table)
    except ValidationError as error:
        for one in error.errors():
            found.errors.append(RulebookError(file, of_validation(one, "")))
    found.settle()


def under(rubric: PointsRubric, table: OwnPointTable) -> PointsRubric:
    """The rubric as it applies where the table is in force. Raises `ValidationError` if the two do not fit."""
    grades = rubric.grades if table.grades is None else table.grades
    return PointsRubric.model_validate(dict(rubric) | {"point_table": table, "grades": grades})
