"""Has each commune one centre, as the directive wants it? By the register as it stands, of one day. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from services.intake.domain.completeness import Centre
from shared.answers.centres import CentreThere, CommuneCentres, ProvinceCentres
from shared.registry import Registry


def centres_of_communes(
    centres: Iterable[Centre], register: Registry, on: date, province: str | None
) -> list[ProvinceCentres]:
    """Per province, in order: how many communes have one centre, and those that have none or several.

    Args:
        centres: all that are registered; counted are those that exist on the day, suspended or not.
        province: today's code; `None` = all of them.
    """
    by_unit: dict[str, list[CentreThere]] = defaultdict(list)
    unplaced: dict[str, list[CentreThere]] = defaultdict(list)
    for one in sorted(centres, key=lambda centre: centre.centre_id):
        if not one.exists(on):
            continue
        there = CentreThere(centre_id=one.centre_id, name=one.name, suspended=not one.works(on))
        unit = register.counterpart(one.unit_id, on)
        (by_unit[unit.unit_id] if unit else unplaced[one.registered_by]).append(there)
    communes: dict[str, list[CommuneCentres]] = defaultdict(list)
    for unit in register.units(on):
        speaker = register.speaker(unit.province_code, on)
        if province in (None, speaker):
            found = CommuneCentres(code=unit.code, name=unit.name, centres=by_unit.get(unit.unit_id, []))
            communes[speaker].append(found)
    return [
        ProvinceCentres(
            province=code,
            on=on,
            communes=len(all_of_it),
            with_one=sum(len(each.centres) == 1 for each in all_of_it),
            with_none=sum(not each.centres for each in all_of_it),
            with_several=sum(len(each.centres) > 1 for each in all_of_it),
            others=sorted((each for each in all_of_it if len(each.centres) != 1), key=lambda each: each.code),
            unplaced=unplaced.get(code, []),
        )
        for code, all_of_it in sorted(communes.items())
    ]
