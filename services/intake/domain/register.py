"""Is a correction of the register sound? All its problems at once; and what it means for codes that wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from shared.contracts.base import Problem, Text
from shared.contracts.register import AddedUnit, RegisterCorrection, UnitState
from shared.refusals import problem
from shared.registry import Registry, unit_id_of

MOST_NAME = 100
"""Characters of a unit's name: 500 of them stand on a page of a ranking, which must fit into one record."""


def resolves(register: Registry, code: str, on: date) -> bool:
    """Whether a commune's or district's code means something on that day."""
    return register.unit(code, on) is not None or register.district(code, on) is not None


def check_correction(register: Registry, correction: RegisterCorrection) -> list[Problem]:
    """Everything that is wrong with a correction of this register; nothing of it is taken until nothing is.

    Each reference is checked first; only a correction whose references hold is tried out, and the register that it
    would lead to is checked for codes that two units bear at once, and for successions that lose or double a unit.
    """
    found = [*_empty(correction), *_repeated(correction), *_units(register, correction), *_rows(register, correction)]
    return found or [*_overlaps(register, correction), *_dates_and_shares(register, correction)]


def _empty(correction: RegisterCorrection) -> Iterator[Problem]:
    parts = (correction.added, correction.changed, correction.ended)
    if not any((*parts, correction.successions, correction.removed_successions)):
        yield problem("intake.nothing_corrected")


def _repeated(correction: RegisterCorrection) -> Iterator[Problem]:
    """The same thing twice: which of the two is meant?"""
    lists: Mapping[str, Sequence[str]] = {
        "/added": [_id_of(one) for one in correction.added],
        "/changed": [one.unit_id for one in correction.changed],
        "/ended": correction.ended,
        "/successions": [f"{row.predecessor} → {row.successor}" for row in correction.successions],
        "/removed_successions": [f"{row.predecessor} → {row.successor}" for row in correction.removed_successions],
    }
    for pointer, names in lists.items():
        for name, times in Counter(names).items():
            if times > 1:
                yield problem("intake.named_twice", pointer, what=name)
    for name in sorted(set(lists["/changed"]) & set(lists["/ended"])):
        yield problem("intake.named_twice", "/ended", what=name)


def _id_of(added: AddedUnit) -> str:
    return unit_id_of(added.code, added.valid_from, added.valid_to)


def _units(register: Registry, correction: RegisterCorrection) -> Iterator[Problem]:
    for index, added in enumerate(correction.added):
        pointer = f"/added/{index}"
        if added.valid_from is None and added.valid_to is None:
            yield problem("intake.unit_without_dates", f"{pointer}/valid_from", code=added.code)
        elif register.by_id(_id_of(added)) is not None:
            yield problem("intake.unit_exists", f"{pointer}/code", unit=_id_of(added))
        yield from _state(register, pointer, added)
    for index, changed in enumerate(correction.changed):
        pointer = f"/changed/{index}"
        if register.by_id(changed.unit_id) is None:
            yield _unknown_unit(register, f"{pointer}/unit_id", changed.unit_id)
        yield from _state(register, pointer, changed)
    for index, ended in enumerate(correction.ended):
        unit, day = register.by_id(ended), correction.decree.effective_on
        if unit is None:
            yield _unknown_unit(register, f"/ended/{index}", ended)
        elif not unit.valid(day - timedelta(days=1)):
            yield problem("intake.unit_not_in_force", f"/ended/{index}", unit=ended, on=day)


def _state(register: Registry, pointer: str, state: UnitState) -> Iterator[Problem]:
    if state.valid_from and state.valid_to and state.valid_to <= state.valid_from:
        yield problem("intake.dates_reversed", f"{pointer}/valid_to", first=state.valid_from, end=state.valid_to)
    if len(state.name) > MOST_NAME:
        yield problem("intake.unit_name_too_long", f"{pointer}/name", length=len(state.name), most=MOST_NAME)
    on = state.valid_from or (state.valid_to or date.max) - timedelta(days=1)
    if register.province(state.province_code, on) is None:
        yield problem("intake.province_unknown", f"{pointer}/province_code", code=state.province_code, on=on)
    if (state.district_code is None) != (state.district_name is None):
        yield problem("intake.district_half_named", f"{pointer}/district_name")


def _rows(register: Registry, correction: RegisterCorrection) -> Iterator[Problem]:
    new = {_id_of(one) for one in correction.added}
    for index, row in enumerate(correction.successions):
        for end, unit_id in (("predecessor", row.predecessor), ("successor", row.successor)):
            if unit_id not in new and register.by_id(unit_id) is None:
                yield _unknown_unit(register, f"/successions/{index}/{end}", unit_id)
        if row.predecessor == row.successor:
            yield problem("intake.succeeds_itself", f"/successions/{index}/successor", unit=row.successor)
    for index, gone in enumerate(correction.removed_successions):
        if all(gone.successor != row.successor for row in register.successors(gone.predecessor)):
            yield problem(
                "intake.succession_unknown",
                f"/removed_successions/{index}",
                predecessor=gone.predecessor,
                successor=gone.successor,
            )


def _unknown_unit(register: Registry, pointer: str, unit_id: str) -> Problem:
    known = ", ".join(unit.unit_id for unit in register.bearers(unit_id.split("@", 1)[0]))
    expected = Text(vi="mã đơn vị và ngày", en="a code and its day")
    if known:
        expected = Text(vi=f"một trong: {known}", en=f"one of: {known}")
    return problem("intake.unit_id_unknown", pointer, unit=unit_id, known=expected)


def _overlaps(register: Registry, correction: RegisterCorrection) -> Iterator[Problem]:
    after = register.corrected([correction])
    states = [(f"/added/{index}/valid_from", _id_of(one)) for index, one in enumerate(correction.added)]
    states += [(f"/changed/{index}/valid_from", one.unit_id) for index, one in enumerate(correction.changed)]
    for pointer, unit_id in states:
        unit = after.by_id(unit_id)
        assert unit is not None
        for other in after.bearers(unit.code):
            if other.unit_id != unit_id and unit.meets(other):
                yield problem("intake.code_borne_twice", pointer, code=unit.code, unit=unit_id, other=other.unit_id)


def _dates_and_shares(register: Registry, correction: RegisterCorrection) -> Iterator[Problem]:
    after = register.corrected([correction])
    for index, row in enumerate(correction.successions):
        before, then = after.by_id(row.predecessor), after.by_id(row.successor)
        assert before is not None
        assert then is not None
        backwards = before.valid_from and then.valid_from and then.valid_from < before.valid_from
        still = row.share == "whole" and (before.valid_to is None or (then.valid_to or date.max) <= before.valid_to)
        if backwards or still:
            yield problem(
                "intake.succession_against_dates",
                f"/successions/{index}",
                predecessor=before.unit_id,
                successor=then.unit_id,
            )
    pairs = [*correction.successions, *correction.removed_successions]
    for unit_id in dict.fromkeys(pair.predecessor for pair in pairs):
        own = after.successors(unit_id)
        if own and sum(row.is_default for row in own) != 1:
            yield problem("intake.one_main_successor", "/successions", unit=unit_id)
        if len(own) > 1 and any(row.share == "whole" for row in own):
            yield problem("intake.whole_and_more", "/successions", unit=unit_id)
