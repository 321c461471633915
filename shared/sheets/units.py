"""Which unit a cell names: by its code, by `code – name`, or by a name that exactly one unit bears on the day. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from shared.contracts.series import series_of
from shared.registry import REORGANISATION, District, Province, Registry, Unit, same_name

_CODE = re.compile(r"[0-9]{5}|D[0-9]{3}")
_BOTH = re.compile(r"(D?[0-9]{2,5})\s+[-–—]\s+(.+)")
_DIGITS = re.compile(r"[0-9]+(?:\s[0-9]+)*")
COMMUNES = frozenset(series_of("commune"))
"""Series whose subjects are communes (universal education also has districts and provinces)."""
MOST = 8


@dataclass(frozen=True, slots=True)
class Meant:
    """What a cell names. Exactly one of `code` and `why` is set."""

    code: str | None = None
    by_name: bool = False
    """Found by its name."""
    why: str | None = None
    """`zeros`: digits got lost; `differs`: code and name are of two units; `above`: it names a district or province;
    `unknown`, `several`: of the name."""
    near: tuple[Unit, ...] = ()
    """Units that may be meant."""
    above: District | Province | None = None
    """The district or province that bears this code or name: no commune."""


def meant(text: str, register: Registry, on: date, province: str) -> Meant:
    """The commune that a text names on a day, as the register of that day knows it.

    Args:
        province: today's code of the sender; names are looked for among the units that it speaks for.
    """
    both = _BOTH.fullmatch(text)
    if both:
        above = _above(both[1], register, on, province) if len(both[1]) < 5 else None
        if above is not None:
            return Meant(why="above", above=above)
        unit = register.unit(both[1], on)
        if unit is not None and not same_name(unit.name, both[2]):
            return Meant(why="differs", near=(unit, *register.named(both[2], on))[:MOST])
        return Meant(both[1])
    if _CODE.fullmatch(text):
        return Meant(text)
    if _DIGITS.fullmatch(text):
        found = register.unit(re.sub(r"\s", "", text).zfill(5), on)
        above = _above(text, register, on, province)
        if above is not None and not found:
            return Meant(why="above", above=above)
        return Meant(why="zeros", near=(found,) if found else (), above=above)
    return _named(text, register, on, province)


def _above(text: str, register: Registry, on: date, province: str) -> District | Province | None:
    """The district or province of this code or name for which the sender speaks; of districts, the last that were."""
    days = (on, min(on, REORGANISATION - timedelta(days=1)))
    for day in days:
        both: list[District | Province] = [*register.provinces(day), *register.districts(day)]
        for one in both:
            held = one.code if isinstance(one, Province) else one.province_code
            named = text in (one.code, one.name) or same_name(one.name, text)
            if named and register.speaker(held, day) == province:
                return one
    return None


def _named(text: str, register: Registry, on: date, province: str) -> Meant:
    whole = register.named(text, on)
    own = [unit for unit in whole if register.speaker_of(unit) == province]
    if not own:  # published lists leave out what kind of unit it is
        held = [one.code for one in register.provinces(on) if register.speaker(one.code, on) == province]
        own = [
            unit
            for code in held
            for unit in register.units(on, code)
            if same_name(unit.name.removeprefix(unit.type).strip(), text)
        ]
    if len(own) == 1:
        return Meant(own[0].code, by_name=True)
    above = None if own else _above(text, register, on, province)
    if above is not None:
        return Meant(why="above", near=tuple(whole)[:MOST], above=above)
    return Meant(why="several" if own else "unknown", near=tuple(own or whole)[:MOST])
