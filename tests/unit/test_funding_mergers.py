"""What merged and split centres are measured against: what is on record for last year, of all whom they continue."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from services.funding.domain import Participation, Registered, participants
from shared.contracts.base import Status
from shared.contracts.facts import BudgetProposed, Receipt, RegistrationAccepted, SupportAccepted
from shared.rulebook import FundingPolicy, funding_policy
from tests.funding_rules import changed
from tests.unit.funding_bench import NOW, Bench, envelope, registration, score, support
from tests.unit.test_funding_withdrawals import withdrawal

POLICY = funding_policy(date(2026, 1, 1))
MONTHS = changed(POLICY, {"proration": {"use": "months", "counts": "first_day"}})
OLD, JULY = date(2010, 1, 1), date(2025, 7, 1)


def part_of(
    key: str,
    register: list[Registered],
    supports: dict[tuple[str, int], int],
    year: int = 2026,
    policy: FundingPolicy = POLICY,
) -> Participation:
    return participants(register, year, policy, supports, before=policy.proration)[key]


def base(part: Participation, policy: FundingPolicy = POLICY) -> Fraction | None:
    assert part.lineage is not None
    centre: Any = type("Months", (), {"months": part.months})
    return part.lineage.base(centre, policy)


MERGED = [
    Registered("a", 5_000, OLD, JULY),
    Registered("b", 5_000, OLD, JULY),
    Registered("c", 10_000, JULY, None, ("a", "b")),
]
WHOLE = {("a", 2024): 24, ("b", 2024): 20}


@pytest.mark.parametrize(
    ("year", "supports", "expected"),
    [
        (2025, WHOLE, 44),
        (2026, WHOLE, 44),
        (2026, WHOLE | {("c", 2025): 50}, 50),
        (2026, WHOLE | {("c", 2025): 30}, 44),
        (2026, WHOLE | {("a", 2025): 12, ("b", 2025): 10, ("c", 2025): 30}, 52),
        (2026, {("a", 2025): 12, ("b", 2025): 10, ("c", 2025): 30}, 52),
        (2026, {("a", 2025): 24, ("b", 2025): 20}, 44),
        (2027, WHOLE | {("c", 2026): 30}, 44),
        (2027, {("a", 2025): 12, ("b", 2025): 10, ("c", 2025): 30, ("c", 2026): 30}, 52),
        (2027, WHOLE | {("c", 2025): 90, ("c", 2026): 30}, 44),
        (2028, WHOLE | {("c", 2027): 30}, 30),
    ],
    ids=[
        "in the year of the merger",
        "the year after, nothing on record for the year of the merger",
        "its own is more",
        "its own is less",
        "halves of the year of the merger and its own",
        "the same without a record of the year before",
        "whole years of the predecessors, nothing of its own",
        "the third year",
        "the third year, the halves were the last on record",
        "what it had alone is no guarantee",
        "the transition is over",
    ],
)
def test_the_base_of_a_merged_centre(year: int, supports: dict[tuple[str, int], int], expected: int) -> None:
    part = part_of("c", MERGED, supports, year)
    assert base(part) == expected
    assert not part.unknown


@pytest.mark.parametrize(
    ("year", "supports", "missing"),
    [
        (2025, {("a", 2024): 24}, ("b",)),
        (2026, {("a", 2025): 24}, ("b",)),
        (2026, {}, ("a", "b")),
        (2026, {("a", 2023): 24, ("b", 2023): 20}, ("a", "b")),
        (2027, WHOLE, ("c",)),
        (2026, {("a", 2025): 24, ("b", 2025): 0}, ()),
        (2026, {("a", 2025): 24, ("b", 2024): 20, ("a", 2024): 24}, ()),
    ],
    ids=[
        "one predecessor without record",
        "one without record of the year of the merger",
        "nobody has one",
        "records of long ago",
        "its own is missing by now",
        "0 is a figure",
        "the year before is whole",
    ],
)
def test_whose_figure_is_missing(year: int, supports: dict[tuple[str, int], int], missing: tuple[str, ...]) -> None:
    assert part_of("c", MERGED, supports, year).unknown == missing


def test_a_predecessor_that_nobody_registered_is_missing() -> None:
    register = [*MERGED[:1], Registered("c", 10_000, JULY, None, ("a", "nobody"))]
    assert part_of("c", register, {("a", 2025): 24}).unknown == ("nobody",)


@pytest.mark.parametrize(
    ("opened", "support", "unknown"),
    [
        (date(2024, 12, 31), None, ("a",)),
        (date(2025, 1, 1), None, ()),
        (date(2024, 12, 31), 0, ()),
        (OLD, 5, ()),
    ],
)
def test_missing_is_not_new(opened: date, support: int | None, unknown: tuple[str, ...]) -> None:
    supports = {} if support is None else {("a", 2025): support}
    part = part_of("a", [Registered("a", 8_000, opened)], supports)
    assert (part.unknown, part.last_year) == (unknown, support)


def test_a_policy_may_take_a_missing_figure_for_a_new_centre() -> None:
    lenient = changed(POLICY, {"unknown": {"gets": "as_new"}})
    assert part_of("a", [Registered("a", 8_000, OLD)], {}, policy=lenient).unknown == ()


def test_a_chain_is_followed_to_its_beginning() -> None:
    register = [
        Registered("a", 1, OLD, date(2024, 1, 1)),
        Registered("b", 1, date(2024, 1, 1), JULY, ("a",)),
        Registered("c", 1, JULY, None, ("b",)),
    ]
    assert base(part_of("c", register, {("a", 2023): 30, ("b", 2024): 20, ("b", 2025): 10, ("c", 2025): 5})) == 30
    assert base(part_of("c", register, {("b", 2024): 20, ("b", 2025): 10, ("c", 2025): 5})) == 20


def test_a_standing_centre_that_takes_in_another_one() -> None:
    register = [Registered("a", 1, OLD, None, ("b",)), Registered("b", 1, OLD, JULY)]
    whole = {("a", 2024): 20, ("b", 2024): 30, ("a", 2025): 35, ("b", 2025): 15}
    assert base(part_of("a", register, whole)) == 50
    assert base(part_of("a", register, {("a", 2025): 35})) == 35
    assert part_of("a", register, {("b", 2025): 35}).unknown == ("a",)


def test_the_parts_of_a_split_are_the_whole() -> None:
    register = [
        Registered("p", 1, OLD, JULY),
        Registered("s", 6_000, JULY, None, ("p",)),
        Registered("t", 3_000, JULY, None, ("p",)),
    ]
    supports = {("p", 2025): 30, ("s", 2025): 5}
    assert [base(part_of(key, register, supports)) for key in "st"] == [25, 10]


@pytest.mark.parametrize(
    ("supports", "bases"),
    [({("p", 2025): 30}, [20, 10]), ({("p", 2025): 30, ("s", 2025): 4}, [30, 4]), ({("p", 2024): 30}, [None, 10])],
    ids=["one figure for both", "each has its own", "only the year before is known"],
)
def test_a_part_is_split_off_and_the_rest_goes_on(
    supports: dict[tuple[str, int], int], bases: list[int | None]
) -> None:
    register = [Registered("p", 6_000, OLD), Registered("s", 3_000, JULY, None, ("p",))]
    parts = [part_of(key, register, supports) for key in "ps"]
    assert [None if part.unknown else base(part) for part in parts] == bases


def test_of_the_year_of_a_change_twelfths_are_not_counted_twice() -> None:
    register = [
        Registered("a", 1, OLD, date(2026, 7, 1)),
        Registered("c", 1, date(2026, 7, 1), None, ("a",)),
    ]
    supports = {("a", 2025): 24}
    assert [part_of(key, register, supports, policy=MONTHS).months for key in "ac"] == [6, 6]
    assert base(part_of("c", register, supports, policy=MONTHS), MONTHS) == 12
    halves = supports | {("a", 2026): 12, ("c", 2026): 12}
    assert base(part_of("c", register, halves, 2027, MONTHS), MONTHS) == 24


def test_a_support_of_half_a_year_does_not_stand_for_the_predecessors() -> None:
    """Under twelfths the other half was theirs; what they had in it is missing."""
    assert part_of("c", MERGED, {("c", 2025): 22}, policy=MONTHS).unknown == ("a", "b")
    assert part_of("c", MERGED, {("c", 2025): 22}).unknown == ()


# ------------------------------------------------------------------------------------------------- in other provinces


def refused(centre_id: str, receipt_id: str) -> Receipt:
    return Receipt(
        receipt_id=receipt_id,
        status=Status.REJECTED,
        province="04",
        received_at=NOW,
        channel="http",
        body_hash="0" * 64,
        kind="centre",
        subject=centre_id,
        period=2025,
    )


def lines(bench: Bench) -> dict[str, tuple[int, int | None]]:
    told = {event.allocation.centre_id: event.allocation for event in bench.events(BudgetProposed)}
    return {key: (line.amount, line.last_year) for key, line in told.items()}


def of(province: str, centre_id: str, amount: int, version: int = 1) -> SupportAccepted:
    return support(centre_id, amount, version=version).model_copy(update={"province": province})


FACTS = [
    registration("p", "08", area_class="other", closed_on=JULY),
    registration("q", "04", area_class="other", closed_on=JULY),
    registration("x", "04", area_class="other", opened_on=JULY, predecessors=["p", "q"]),
    of("08", "p", 10_000_000),
    of("04", "q", 20_000_000),
    score("x", "kha"),
]


@pytest.mark.parametrize("order", list(permutations(range(len(FACTS))))[::37])
async def test_a_predecessor_in_another_province_counts_in_any_order(order: tuple[int, ...], tmp_path: Path) -> None:
    bench = await Bench(tmp_path).ready()
    await bench.tell(envelope(36_000_000))
    await bench.settle()
    for nth in order:
        await bench.tell(FACTS[nth])
        await bench.settle()
    assert lines(bench)["x"] == (36_000_000, 30_000_000)


async def test_what_changes_in_one_province_is_computed_in_that_of_the_successor(tmp_path: Path) -> None:
    """Also through a chain, and where a sibling of a split is corrected."""
    bench = await Bench(tmp_path).ready()
    await bench.tell(envelope(100_000_000), *FACTS)
    await bench.tell(registration("r", "12", area_class="other", closed_on=JULY))
    await bench.tell(
        registration("p", "08", 2, area_class="other", opened_on=date(2025, 7, 1), closed_on=JULY, predecessors=["r"])
    )
    await bench.settle()
    await bench.tell(of("12", "r", 5_000_000))
    await bench.settle()
    assert lines(bench)["x"][1] == 35_000_000
    await bench.tell(registration("z", "33", area_class="other", opened_on=JULY, predecessors=["p"]))
    await bench.settle()
    assert lines(bench)["x"][1] == 27_500_000  # half of the 15 million of p and r by now
    await bench.tell(registration("z", "33", 2, area_class="other", opened_on=JULY))
    await bench.settle()
    assert lines(bench)["x"][1] == 35_000_000  # nothing that is kept names z and p together any more


async def test_a_sibling_that_is_withdrawn_elsewhere_shares_nothing_any_more(tmp_path: Path) -> None:
    bench = await Bench(tmp_path).ready()
    sibling = registration("z", "33", area_class="other", opened_on=JULY, predecessors=["p"])
    await bench.tell(envelope(100_000_000), *FACTS, sibling)
    await bench.settle()
    assert lines(bench)["x"][1] == 25_000_000
    await bench.tell(withdrawal("registration", "z").model_copy(update={"province": "33"}))
    await bench.settle()
    assert lines(bench)["x"][1] == 30_000_000


HOME = [registration("w", "04"), of("04", "w", 20_000_000), envelope(100_000_000)]
CLAIM = [
    registration("z", "33", area_class="other", opened_on=JULY, predecessors=["w"]),
    envelope(50_000_000, province="33"),
]


@pytest.mark.parametrize("order", list(permutations(range(5)))[::11])
async def test_nobody_elsewhere_takes_a_part_of_what_a_centre_goes_on_with(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    """Whether its predecessor was claimed before it was registered or after."""
    bench = await Bench(tmp_path).ready()
    for nth in order:
        await bench.tell([*HOME, *CLAIM][nth])
        await bench.settle()
    assert lines(bench)["w"][1] == 20_000_000
    assert lines(bench)["z"][1] is None


@pytest.mark.parametrize(
    ("heir", "expected"),
    [
        (registration("v", "04", opened_on=JULY, predecessors=["w"]), {"v": 20_000_000, "z": None}),
        (None, {"z": 20_000_000}),
    ],
    ids=["somebody continues it at home", "nobody does"],
)
async def test_what_a_closed_centre_had_leaves_its_province_where_nobody_there_continues_it(
    heir: RegistrationAccepted | None, expected: dict[str, int | None], tmp_path: Path
) -> None:
    bench = await Bench(tmp_path).ready()
    await bench.tell(registration("w", "04", closed_on=JULY), *HOME[1:], *CLAIM, *([heir] if heir else []))
    await bench.settle()
    assert {key: line[1] for key, line in lines(bench).items()} == expected


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_refused_file_follows_its_centre_into_another_province(order: tuple[int, ...], tmp_path: Path) -> None:
    """What a province that never had the centre sent in its name does not."""
    bench = await Bench(tmp_path).ready()
    await bench.tell(envelope(100_000_000, province="08"), registration("w"), of("04", "w", 30_000_000))
    facts = [registration("w", "08", 2), refused("w", "r-1"), refused("v", "r-2").model_copy(update={"province": "33"})]
    await bench.tell(registration("v", "08"), of("08", "v", 30_000_000))
    for nth in order:
        await bench.tell(facts[nth])
        await bench.settle()
    assert lines(bench) == {"w": (25_500_000, 30_000_000), "v": (20_000_000, 30_000_000)}
