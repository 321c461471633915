"""In which list a code stands: the same message under any code of the same unit, and never another unit's."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import domain
from services.intake.domain.code_systems import day_of
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.submissions import Coded, CodeSystem, Withdrawal
from shared.registry import REORGANISATION, Unit, registry
from shared.rulebook import cut_off
from tests.unit.delivery_samples import AT
from tests.unit.intake_samples import Intake, assessment, commune, recognition, registration

SYSTEMS: tuple[CodeSystem, ...] = get_args(CodeSystem)
ARRIVAL = domain.Arrival("01", AT)
OLD = registry().units(date(2025, 6, 30))
NEW = registry().units(REORGANISATION)


def read(data: Any) -> tuple[Any, list[str]]:
    """The message in the codes of its day, and the codes of its notes."""
    found, notes = domain.in_codes_of_its_day(data, ARRIVAL, registry())
    return found, [note.code for note in notes]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_list_is_named_as_the_ids_of_its_units_end(system: CodeSystem) -> None:
    """The registry's own words; and a list is read on a day on which its units exist."""
    units = {"pre-2025-07": OLD, "2025-07": NEW}[system]
    assert {unit.unit_id.split("@", 1)[1] for unit in units} == {system}
    for on in (date(2024, 12, 31), date(2025, 6, 30), REORGANISATION, date(2026, 12, 31)):
        assert all(unit.valid(day_of(system, on)) for unit in units)


@given(st.sampled_from(OLD + NEW), st.sampled_from([2023, 2024, 2025]))
def test_a_file_is_followed_to_the_same_unit_or_nowhere(unit: Unit, period: int) -> None:
    """Whatever code of whatever list: the unit itself on its day, its one continuation, or the message as it was."""
    system: CodeSystem = "pre-2025-07" if unit in OLD else "2025-07"
    sent = commune(unit_code=unit.code, period=period, code_system=system)
    found, notes = read(sent)
    meant = registry().unit(found.unit_code, cut_off(period))
    if unit.valid(cut_off(period)):
        assert (meant, found.code_system, notes) == (unit, None, [])
    elif found.code_system is None:
        assert meant is not None
        assert meant.unit_id != unit.unit_id
        assert meant.unit_id in registry().lineage(unit.unit_id)
        assert notes == ["code_followed"]
    else:
        assert found == sent
        assert not any(
            other.valid(cut_off(period)) for id in registry().lineage(unit.unit_id) if (other := registry().by_id(id))
        )
    assert read(found) == (found, [])


@given(st.sampled_from(OLD))
def test_a_place_is_followed_as_far_as_it_went_whole(unit: Unit) -> None:
    found, _ = read(registration(commune_code=unit.code, code_system="pre-2025-07"))
    there = registry().counterpart(unit.unit_id, ARRIVAL.day)
    assert (found.commune_code, found.code_system) == ((there.code, None) if there else (unit.code, "pre-2025-07"))


@pytest.mark.parametrize(
    "sent",
    [
        assessment("district", "095", code_system="2025-07"),
        assessment("province", "01", code_system="pre-2025-07"),
        assessment("learning_unit", "00004", code_system="pre-2025-07"),
        recognition(series="learning_unit", unit_code="00004", code_system="pre-2025-07"),
        commune(),
    ],
)
def test_nothing_is_said_by_it_of_other_codes_and_ids(sent: Coded) -> None:
    """Nor of anything where it is absent."""
    assert read(sent) == (sent, [])


def test_the_same_under_either_code_is_one_subject_and_the_same_id_under_both_is_a_conflict() -> None:
    """Con Co: what its sender said is hashed as it was said, what it says as it is meant."""
    intake, told = Intake(), {"unit_code": "D471", "code_system": "pre-2025-07"}
    first, _ = intake.receive(EventType.COMMUNE_SUBMITTED, commune(**told), province="44")
    again, _ = intake.receive(EventType.COMMUNE_SUBMITTED, commune(**told), province="44")
    under_new, _ = intake.receive(EventType.COMMUNE_SUBMITTED, commune(unit_code="19742"), province="44")
    anew, _ = intake.receive(
        EventType.COMMUNE_SUBMITTED, commune(unit_code="19742", submission_id="QT-2"), province="44"
    )
    assert [one.status for one in (first, again, under_new, anew)] == [
        Status.ACCEPTED,
        Status.DUPLICATE,
        Status.CONFLICT,
        Status.UNCHANGED,
    ]
    assert [one.subject for one in (first, anew)] == ["19742", "19742"]
    assert [warning.code for warning in first.warnings] == ["code_followed"], "its key is the code that it says"


@pytest.mark.parametrize("withdrawn", Withdrawal.__subclasses__(), ids=lambda model: model.__name__)
def test_a_withdrawal_names_its_version_and_its_reason_whatever_else_it_may_say(withdrawn: type[Withdrawal]) -> None:
    fields = withdrawn.model_fields
    assert {"submission_id", "corrects_version", "reason"} <= {name for name in fields if fields[name].is_required()}
    assert issubclass(withdrawn, Coded) is ("code_system" in fields)
