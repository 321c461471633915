"""The register cut down to a few communes: of a whole nation, rankings would be all that a test computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from shared.registry import REORGANISATION, Registry, Unit, copies, registry

LEGACY = date(2025, 6, 30)


@contextmanager
def country_of(wanted: Callable[[Unit], bool]) -> Iterator[Registry]:
    """Meanwhile the one register of this process holds only these communes, and what they came from or became."""
    one = registry()
    units = {unit.unit_id: unit for day in (LEGACY, REORGANISATION) for unit in one.units(day) if wanted(unit)}
    rows = [row for id in units for row in (*one.successors(id), *one.predecessors(id))]
    units |= {id: unit for row in rows for id in (row.predecessor, row.successor) if (unit := one.by_id(id))}
    legacy, today = one.provinces(LEGACY), one.provinces(REORGANISATION)
    speakers = {province.code: one.speaker(province.code, LEGACY) for province in legacy}
    whole, small = dict(vars(one)), Registry((*legacy, *today), units.values(), speakers, set(rows))
    _become(one, vars(small))
    try:
        yield one
    finally:
        _become(one, whole)


def _become(one: Registry, what: dict[str, object]) -> None:
    vars(one).clear()
    vars(one).update(what)
    copies._corrected.cache_clear()  # registers made of it, known by their corrections alone
