"""Which amounts rest on what the ministry took in as history: support of earlier years, or a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from services.funding.decisions.proposal.inputs import ProvinceInputs
from services.funding.domain import Budget
from shared.contracts.facts import Allocation, ImportedSupport, SupportAccepted, SupportOnRecord

IMPORTED = "imported"
"""Flag of a line (and its run): it rests on what the ministry took in as history."""
Figures = Mapping[tuple[str, int], ImportedSupport]
"""By centre and budget year."""
Files = Mapping[tuple[str, int, str | None], str | None]
"""Which import handed in what a grade rests on, by centre, period and the number of the decision that gave it."""


def marked(budget: Budget, inputs: ProvinceInputs) -> Budget:
    """The budget, each line and grant with the imported figures that it is measured against, and the imported file or
    decision that gave its grade.

    What all lines share (λ, the cap of who has no base) is moved by each of them, and marks none.
    """
    supports, payments = _figures(inputs.supports), _figures(inputs.equipment)
    files: dict[tuple[str, int, str | None], str | None] = {
        (one.centre_id, one.period, None): one.imported for one in inputs.scores if one.imported
    }
    files |= {(one.centre_id, one.period, one.decision_number): one.imported for one in inputs.graded if one.imported}
    if not (supports or payments or files):
        return budget
    lines = tuple(_marked(line, supports, _measures(line, inputs.year), files) for line in budget.lines)
    grants = budget.equipment
    if grants is not None:
        paid = {line.centre_id: [key for key in payments if key[0] == line.centre_id] for line in grants.lines}
        grants = replace(grants, lines=tuple(_marked(line, payments, paid[line.centre_id]) for line in grants.lines))
    flags = {IMPORTED} if any(IMPORTED in line.flags for line in lines) else set()
    return replace(budget, lines=lines, equipment=grants, flags=tuple(sorted({*budget.flags, *flags})))


def _figures(supports: Iterable[SupportAccepted]) -> Figures:
    return {
        (one.centre_id, one.year): ImportedSupport(
            centre_id=one.centre_id,
            year=one.year,
            import_id=name,
            decision_number=one.under.decision_number if one.under else None,
        )
        for one in supports
        if (name := one.imported) is not None
    }


def _marked(
    line: Allocation,
    figures: Figures,
    measures: Iterable[tuple[str, int]],
    files: Files = MappingProxyType({}),
) -> Allocation:
    if line.basis is None:
        return line
    found, graded = tuple(figures[key] for key in sorted(set(measures)) if key in figures), line.basis.graded
    file = files.get((line.centre_id, graded.period, graded.decision_number)) if graded else None
    if not (found or file):
        return line
    told: dict[str, object] = {"imported": found}
    if graded is not None and file:
        told["graded"] = graded.model_copy(update={"imported": file})
    basis = line.basis.model_copy(update=told)
    return line.model_copy(update={"flags": [*line.flags, IMPORTED], "basis": basis})


def _measures(line: Allocation, year: int) -> Iterator[tuple[str, int]]:
    """The supports, by centre and year, that a line is measured against."""
    yield line.centre_id, year - 1
    basis = line.basis
    if basis is None:
        return
    if basis.succession is not None:
        before = basis.succession.year - 1
        yield line.centre_id, before
        yield from ((part.predecessor, before) for part in basis.succession.parts)
    if basis.lineage is not None:
        for record in (basis.lineage.last, basis.lineage.before):
            yield from _recorded(line.centre_id, record) if record else ()


def _recorded(centre_id: str, record: SupportOnRecord) -> Iterator[tuple[str, int]]:
    yield centre_id, record.year
    yield from ((part.predecessor, record.year) for part in record.parts)
