"""The register is corrected by events: the same for everybody, checked before it is taken, never rewriting the past."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from services.intake.domain import Known, centre_holder, check_correction, life_of
from shared.contracts.catalogue import EventType
from shared.contracts.facts import RegistrationAccepted
from shared.contracts.register import RegisterCorrection
from shared.contracts.submissions import CentreSubmitted
from shared.messaging.consume import envelope
from shared.messaging.decide.asking import STALE
from shared.messaging.decide.register import REGISTER, keep
from shared.messaging.messages import Received
from shared.messaging.send import events
from shared.registry import Registry, Unit, corrected_register, registry, touched_units, with_correction
from tests.fakes.known import Documents
from tests.unit.delivery_samples import AT, head, record
from tests.unit.register_samples import correction, fact, gap_filled, split, unit, ward_made

END_2025, END_2026, OLD = date(2025, 12, 31), date(2026, 12, 31), date(2022, 12, 31)
LAST_DAY, FIRST_DAY = date(2026, 4, 30), date(2026, 5, 1)


def corrected(*corrections: RegisterCorrection) -> Registry:
    """The register after them."""
    return registry().corrected(corrections)


def found(correction: RegisterCorrection, register: Registry | None = None) -> list[tuple[str, str]]:
    """What is wrong with a correction, and where."""
    return [(one.code, one.field) for one in check_correction(register or registry(), correction)]


# ------------------------------------------------------------------------------------------------- what it does


def test_d5_a_code_that_the_imported_data_lack_resolves_after_its_correction() -> None:
    """D5: imported data with a source; a later event mends it, and the imported register itself stays as it was."""
    after = corrected(gap_filled())
    old = after.unit("00999", OLD)
    assert old is not None
    assert (old.unit_id, old.name, old.valid_from, old.valid_to) == (
        "00999@pre-2024-01-01",
        "Xã Cũ",
        None,
        date(2024, 1, 1),
    )
    assert after.unit("00999", date(2023, 12, 31)) is old
    assert after.unit("00999", date(2024, 1, 1)) is None
    assert after.entitled_sender("00999", OLD) == "01"
    assert len(after.units(OLD)) == 10_041
    assert len(after.units(date(2024, 12, 31))) == len(registry().units(OLD)) == 10_040
    assert registry().unit("00999", OLD) is None


def test_d5_a_wrong_province_is_mended_for_the_whole_life_of_the_unit() -> None:
    """D5: a public mapping was wrong where a new commune joins communes of two old provinces."""
    wrong = registry().by_id("01273@2025-07")
    assert wrong is not None
    mended = {"unit_id": wrong.unit_id, "name": wrong.name, "type": wrong.type, "province_code": "08",
              "valid_from": "2025-07-01"}  # fmt: skip
    after = corrected(correction(changed=[mended]))
    assert after.entitled_sender("01273", END_2025) == "08"
    assert (after.by_id(wrong.unit_id), after.unit("01273", END_2025)) == (after.unit("01273", END_2025),) * 2
    kept = after.by_id(wrong.unit_id)
    assert kept is not None
    assert kept.area_km2 == wrong.area_km2, "what a correction does not speak of stays"
    assert wrong.code in {one.code for one in after.units(END_2025, "08")}
    assert wrong.code not in {one.code for one in after.units(END_2025, "04")}


def test_d8_a_change_within_the_year_counts_by_the_state_on_the_cut_off_date() -> None:
    """D8: issued in March, in effect in May: the period 2025 is the commune's, 2026 the ward's, no month is split."""
    one = ward_made()
    assert (one.decree.issued_on, one.decree.effective_on) == (date(2026, 3, 15), date(2026, 5, 1))
    after = corrected(one)
    names = [after.lookup("00454", day) for day in (END_2025, date(2026, 3, 15), LAST_DAY, FIRST_DAY, END_2026)]
    assert [name.name for name in names if isinstance(name, Unit)] == [
        "Xã Đông Anh", "Xã Đông Anh", "Xã Đông Anh", "Phường Đông Anh", "Phường Đông Anh",
    ]  # fmt: skip
    assert after.lineage("00454@2025-07") == after.lineage("00454@2026-05-01") == ("00454@2025-07", "00454@2026-05-01")


def test_d8_the_view_of_a_unit_tells_both_dates_and_which_day_counts() -> None:
    after = corrected(ward_made())
    ward = after.by_id("00454@2026-05-01")
    assert ward is not None
    life = life_of(after, ward)
    decree = next(line for line in life if "Nghị quyết 1/2026" in line.vi)
    assert "ban hành ngày 15/03/2026, hiệu lực từ ngày 01/05/2026" in decree.vi
    assert "issued on 2026-03-15, in effect from 2026-05-01" in decree.en
    assert "31 December" in life[-1].en
    assert "31/12" in life[-1].vi
    assert any("Continues Xã Đông Anh (00454@2025-07)" in line.en for line in life)
    of_2025 = after.by_id("00004@2025-07")
    assert of_2025 is not None
    said = " ".join(line.en for line in life_of(after, of_2025))
    assert "Quyết định 19/2025/QĐ-TTg, issued on 2025-06-30, in effect from 2025-07-01" in said
    assert "Another unit bore code 00004 at another time: Phường Trúc Bạch (00004@pre-2025-07)" in said


def test_d2_the_successors_of_a_split_start_unassessed() -> None:
    """D2: no primary target gets the data, not even the one that keeps the code."""
    after = corrected(split())
    for code in ("00004", "00005"):
        half = after.unit(code, END_2026)
        assert half is not None
        assert after.continues(half) is None
        assert after.lineage(half.unit_id) == (half.unit_id,)
        assert any("Starts unassessed" in line.en for line in life_of(after, half))
    assert after.lineage("00004@2025-07") == ("00004@2025-07",)


def test_d1_predecessors_are_closed_and_stay_to_be_found() -> None:
    """D1: elsewhere the sources of a merge were deleted."""
    register = corrected(split())
    before, after = registry().by_id("00004@2025-07"), register.by_id("00004@2025-07")
    assert before is not None
    assert after is not None
    assert (before.valid_to, after.valid_to) == (None, FIRST_DAY)
    assert register.unit("00004", END_2025) is after
    assert [one.unit_id for one in register.units(END_2025)] == [one.unit_id for one in registry().units(END_2025)]


def test_d3_rights_before_and_after_the_effective_day() -> None:
    """D3: a commune moves to another province in mid-2026; who held it on the day speaks for it."""
    moved = correction(
        ended=["01273@2025-07"],
        added=[{"code": "01273", "name": "Phường Thục Phán", "type": "Phường", "province_code": "08",
                "valid_from": "2026-05-01"}],
        successions=[{"predecessor": "01273@2025-07", "successor": "01273@2026-05-01", "share": "whole"}],
    )  # fmt: skip
    after = corrected(moved)
    assert found(moved) == []
    assert [after.entitled_sender("01273", day) for day in (END_2025, LAST_DAY, FIRST_DAY, END_2026)] == [
        "04", "04", "08", "08",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------- what is refused


def test_the_corrections_of_these_tests_are_sound() -> None:
    for one in (gap_filled(), ward_made(), split()):
        assert found(one) == []


CHANGED = {"unit_id": "00999@2025-07", "name": "Xã Cũ", "type": "Xã", "province_code": "01", "valid_to": "2024-01-01"}
SUCCESSION = {"predecessor": "00004@2025-07", "successor": "00008@2025-07", "share": "whole"}


@pytest.mark.parametrize(
    ("parts", "problems"),
    [
        ({}, [("nothing_corrected", "")]),
        ({"ended": ["00004@2025-07", "00004@2025-07"]}, [("named_twice", "/ended")]),
        ({"ended": ["00004@2024-01"]}, [("unit_id_unknown", "/ended/0")]),
        ({"ended": ["00004@pre-2025-07"]}, [("unit_not_in_force", "/ended/0")]),
        ({"added": [unit(valid_to=None)]}, [("unit_without_dates", "/added/0/valid_from")]),
        ({"added": [unit(valid_from="2024-01-01")]}, [("dates_reversed", "/added/0/valid_to")]),
        ({"added": [unit(province_code="99")]}, [("province_unknown", "/added/0/province_code")]),
        # Province 02 was Hà Giang, and is none since July 2025.
        ({"added": [unit(province_code="02")]}, []),
        ({"added": [unit(province_code="02", valid_from="2026-01-01", valid_to=None)]},
         [("province_unknown", "/added/0/province_code")]),
        ({"added": [unit(district_code="001")]}, [("district_half_named", "/added/0/district_name")]),
        ({"added": [unit("00004")]}, [("code_borne_twice", "/added/0/valid_from")]),
        ({"added": [unit("00004", valid_from="2026-05-01", valid_to=None)]},
         [("code_borne_twice", "/added/0/valid_from")]),
        ({"changed": [CHANGED]}, [("unit_id_unknown", "/changed/0/unit_id")]),
        ({"successions": [SUCCESSION]}, [
            ("succession_against_dates", "/successions/0"),
        ]),
        ({"ended": ["00004@2025-07"], "successions": [SUCCESSION]}, []),
        ({"successions": [SUCCESSION | {"successor": "00009@2025-07"}]},
         [("unit_id_unknown", "/successions/0/successor")]),
        ({"successions": [SUCCESSION | {"successor": "00004@2025-07"}]},
         [("succeeds_itself", "/successions/0/successor")]),
        ({"successions": [{"predecessor": "00001@pre-2025-07", "successor": "00004@2025-07", "share": "part"}]},
         [("one_main_successor", "/successions"), ("whole_and_more", "/successions")]),
        ({"removed_successions": [{"predecessor": "00001@pre-2025-07", "successor": "00004@2025-07"}]},
         [("succession_unknown", "/removed_successions/0")]),
        # The mending of a wrong succession: the old one out, the right one in.
        ({"removed_successions": [{"predecessor": "00001@pre-2025-07", "successor": "00097@2025-07"}],
          "successions": [{"predecessor": "00001@pre-2025-07", "successor": "00004@2025-07", "share": "whole"}]}, []),
        ({"ended": ["99999@2025-07", "00004@pre-2025-07"], "added": [unit(province_code="99", valid_to=None)]},
         [("unit_without_dates", "/added/0/valid_from"), ("province_unknown", "/added/0/province_code"),
          ("unit_id_unknown", "/ended/0"), ("unit_not_in_force", "/ended/1")]),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_with_a_correction_is_found_at_once(
    parts: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    assert found(correction(**parts)) == problems


def test_a_unit_that_was_added_cannot_be_added_again() -> None:
    assert found(correction("QD-2", added=[unit()]), corrected(gap_filled())) == [("unit_exists", "/added/0/code")]


def test_no_part_of_the_past_changes_by_a_correction_of_today() -> None:
    """Every unit that a correction does not name is the same object before and after, on both sides of the reform."""
    one = split()
    after = corrected(one)
    for day in (OLD, END_2025):
        for each in registry().units(day):
            if each.unit_id not in touched_units(one):
                assert after.by_id(each.unit_id) is each


# ------------------------------------------------------------------------------------------------- for everybody


def test_the_same_corrections_give_the_same_register_in_whatever_order_they_arrive() -> None:
    facts = [fact(1, gap_filled("00999")), fact(2, gap_filled("00998")), fact(3, split())]
    documents = []
    for order in permutations(facts):
        states = Documents()
        for one in order:
            states.run(keep, heard(one))
        documents.append(states[REGISTER])
    assert all(document == documents[0] for document in documents)
    assert corrected_register(documents[0]) is corrected_register(documents[-1]), "made once per content"
    assert [one.correction_id for one in corrected_register(documents[0]).corrections] == [
        "GAP-00999",
        "GAP-00998",
        "SPLIT",
    ]


def heard(one: Any) -> Received[Any]:
    """The fact as it is read from its topic."""
    sent = record(events.body_of(one), head(EventType.REGISTER_CORRECTED, f"e-{one.version}"), key="register")
    received: Received[Any] = envelope.read(sent, received_at=AT, trusted=True)
    return received


def test_a_repeated_correction_changes_nothing() -> None:
    states = Documents()
    states.run(keep, heard(fact(1, gap_filled())))
    again = states.decide(keep, heard(fact(1, gap_filled())))
    assert (again.verdict, again.puts, again.events) == (STALE, {}, [])
    assert corrected_register(states[REGISTER]).unit("00999", OLD) is not None


def test_without_corrections_the_register_is_the_imported_one() -> None:
    assert corrected_register(None) is registry()


def test_a_document_that_was_tampered_with_is_not_served_from_another_ones_register() -> None:
    """The register is known by the hash of its corrections, which `with_correction` alone makes."""
    first = with_correction(None, fact(1, gap_filled()))
    second = with_correction(first, fact(2, split()))
    assert first is not None
    assert second is not None
    assert first["hash"] != second["hash"]
    assert corrected_register(first).unit("00005", END_2026) is None
    assert corrected_register(second).unit("00005", END_2026) is not None


def test_a_centre_lies_where_the_corrected_register_says() -> None:
    """D5: by the own point table of that province intake checks it, and scoring judges it."""
    mended = correction(
        changed=[{"unit_id": "01273@2025-07", "name": "Phường Thục Phán", "type": "Phường", "province_code": "01",
                  "valid_from": "2025-07-01"}]
    )  # fmt: skip
    data = CentreSubmitted.model_validate(
        {"submission_id": "S-1", "centre_id": "C-1", "period": 2025, "rubric": "clc_2553_2013",
         "content": {"scoring": "points", "points": {}}}
    )  # fmt: skip
    centre = RegistrationAccepted(
        version=1, submission_id="R-1", receipt_id="r-1", province="04", received_at=AT, late=False, centre_id="C-1",
        name="TTHTCĐ Thục Phán", commune_code="01273", unit_id="01273@2025-07", area_class="other",
        population_served=9_000, opened_on=date(2010, 9, 5),
    )  # fmt: skip
    for register, holder in ((registry(), "04"), (registry().corrected([mended]), "01")):
        assert centre_holder(data, Known(register, {"C-1": centre})) == holder
