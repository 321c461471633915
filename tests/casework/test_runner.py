"""The runner judges rightly: no case passes that should not, no file is read that says it wrongly."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from deploy.local.identity import ensure_signing_key
from tests.casework.__main__ import main
from tests.casework.case import SHIPPED, Case, UnreadableCases, load
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import ORDERS, Play, plays_of, side_by_side, verdict

CASE = """\
case: sample
title: A commune, a centre and its money
why: a test of the runner
province: 04
given:
  - send:
      - {registration: T-1, commune_code: "01273", area_class: other}
  - send:
      - {commune: 01273}
      - {support: T-1}
      - {centre: T-1, as: weak}
      - {envelope: 2026, amount: 20000000}
  - {budget: 04/2026, step: submit, by: "lan, province 04", refused: [wrong_state]}
expect:
  receipts:
    commune 01273: {status: accepted, warnings: []}
  accepted:
    support T-1: {amount: 20000000, late: false}
  results:
    commune 01273/2025: {level: 1}
    centre T-1/2025: {grade: yeu, total: 35}
  ranks:
    province-04/2025: {01273: 1, 01279: none}
  money:
    T-1/2026: {amount: 20000000, grade: yeu}
  decisions:
    T-1/2026: none
  adjustments:
    T-1/2026: none
  alerts:
    04: {result_below_threshold: [T-1], submission_rejected: []}
"""


def written(folder: Path, text: str, name: str = "case.yaml") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


async def played(folder: Path, text: str) -> list[str]:
    """What the runner says of a case."""
    (case,) = load([written(folder, text)])
    return await judged(folder, case)


async def judged(folder: Path, case: Case) -> list[str]:
    """What the runner says of a case that was read."""
    ensure_signing_key(folder)
    plays = plays_of(case)
    for play in plays:
        await perform(await MemoryWorld(folder).begin(), [play])
    return verdict(case, plays)


# -------------------------------------------------------------------------------------------- what is expected


async def test_what_is_right_passes(tmp_path: Path) -> None:
    assert await played(tmp_path, CASE) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("{status: accepted,", "{status: rejected,", "receipts commune 01273 status: expected rejected, got accepted"),
        ("warnings: []", "warnings: [name_differs]", "receipts commune 01273 warnings: expected name_differs, got"),
        ("late: false", "late: true", "accepted support T-1 late: expected true, got false"),
        ("{amount: 20000000, late: false}", "none", 'accepted support T-1: expected none, got {"version": 1'),
        ("{level: 1}", "{level: 2}", "results commune 01273/2025 level: expected 2, got 1"),
        ("{level: 1}", "none", 'results commune 01273/2025: expected none, got {"version": 1'),
        ("{level: 1}", "{criteria: {C9: {}}}", "results commune 01273/2025 criteria C9: expected {}, got no such"),
        ("total: 35", "total: 35.5", "results centre T-1/2025 total: expected 35.5, got 35"),
        ("{01273: 1,", "{01273: 2,", "ranks province-04/2025 01273: expected 2, got 1"),
        ("01279: none", "00004: none", "ranks province-04/2025 00004: expected none, got no such row"),
        ("{amount: 20000000, grade", "{amount: 20000001, grade", "money T-1/2026 amount: expected 20000001, got"),
        ("T-1/2026: none\n  alerts", "T-1/2026: {state: proposed}\n  alerts", "adjustments T-1/2026: expected"),
        ("T-1/2026: none\n  adj", "T-1/2026: 20000000\n  adj", 'decisions T-1/2026: expected {"amount": 20'),
        ("threshold: [T-1]", "threshold: []", "alerts 04 result_below_threshold: expected none, got T-1"),
        ("rejected: []", "rejected: [T-1]", "alerts 04 submission_rejected: expected T-1, got none"),
        ("[wrong_state]", "[same_person]", "submit of 04/2026: expected same_person, got wrong_state"),
        (", refused: [wrong_state]", "", "submit of 04/2026: expected done, got wrong_state"),
    ],
)  # fmt: skip
async def test_a_wrong_expectation_fails_in_words(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert right in CASE
    (found,) = await played(tmp_path, CASE.replace(right, wrong))
    assert found.startswith(said)


async def test_what_holds_in_one_order_only_fails_with_that_order(tmp_path: Path) -> None:
    """Through intake support of an unknown centre is refused: any order is too much to ask of these two."""
    text = """\
case: not-in-any-order
title: t
why: w
province: 04
given:
  - order: any
    send:
      - {registration: T-1, commune_code: "01273"}
      - {support: T-1}
expect:
  receipts:
    support T-1: accepted
"""
    (found,) = await played(tmp_path, text)
    assert found.endswith("got rejected (centre_unknown /centre_id) (in the order support T-1, registration T-1)")


async def test_a_dead_letter_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.funding.decisions import routes
    from shared.contracts.catalogue import EventType

    async def broken(event: Any, ask: Any) -> Any:
        raise ArithmeticError("as ordered by the test")

    monkeypatch.setitem(routes, EventType.SUPPORT_ACCEPTED, broken)
    found = await played(tmp_path, CASE)
    letter = "dead letters of funding: expected none, got handler_failed: ArithmeticError: as ordered by the test"
    assert letter in found


# --------------------------------------------------------------------------------------------- what is known to fail

KNOWN = """\
known:
  issue: Doors
  seen:
    results commune 01273/2025 level: 1
"""
FAILING = CASE.replace("{level: 1}", "{level: 2}") + KNOWN


async def test_what_is_known_to_fail_may(tmp_path: Path) -> None:
    assert await played(tmp_path, FAILING) == []


async def test_what_is_known_to_fail_and_passes_is_a_failure(tmp_path: Path) -> None:
    (found,) = await played(tmp_path, CASE + KNOWN)
    assert found == "passes, but is known to fail until «Doors»: take `known` away"


async def test_another_difference_than_the_known_one_is_a_failure(tmp_path: Path) -> None:
    (found,) = await played(tmp_path, FAILING.replace("{01273: 1,", "{01273: 2,"))
    assert found == "ranks province-04/2025 01273: expected 2, got 1"
    (found,) = await played(tmp_path, FAILING.replace("2025 level: 1", "2025 level: 0"))
    assert found == "results commune 01273/2025 level: expected 2, got 1"


async def test_a_known_difference_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    (found,) = await played(tmp_path, FAILING + "    money T-1/2026 amount: 1\n")
    assert found == "money T-1/2026 amount: known to differ, and is as expected now"


# ------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("why: a test", "wy: a test", ["1: why: Field required", "3: wy: unknown key"]),
        ("amount: 20000000}\n  - {b", "amout: 20000000}\n  - {b", ["12: given/1/send/3: unknown key amout; beside"]),
        ("as: weak", "as: strong", ["11: given/1/send/2: no template 'strong' of centre; there is default, "]),
        ("  money:", "  mony:", ["24: expect/mony: unknown key"]),
        ("status: accepted", "sttus: accepted", ["16: expect/receipts/commune 01273/0/fields: unknown key sttus; "]),
        ("{level: 1}", "{levle: 1}", ["20: expect/results/commune 01273/2025: unknown key levle; there is "]),
        ("amount: 20000000, grade", "amuont: 20000000, grade", ["25: expect/money/T-1/2026: unknown key amuont; "]),
        ("commune 01273: {s", "commune 01274: {s", ["1: no record is named commune 01274; there is"]),
        ("submission_rejected:", "rejected:", ["31: expect/alerts/04/rejected"]),
        ("{support: T-1}", "{registration: T-1}", ["1: several records are named registration T-1"]),
        ("province: 04\n", "", ["1: no `province` says who sends a record"]),
        ("  - send:\n      - {reg", "  - at: 2026-13-01\n    send:\n      - {reg", ["6: given/0/at: time data"]),
        (', by: "lan, province 04"', "", ["13: given/2: an order needs `step` and `by`"]),
        ("lan, province", "lan, provnce", ["13: given/2/by/role: Input should be 'province'"]),
        ("title: A", "title: A\ntitle: B", ["3: the key 'title' stands here twice"]),
        ("given:", "given: [", [""]),
    ],
)  # fmt: skip
def test_what_a_file_says_wrongly_is_told_with_its_place(
    tmp_path: Path, right: str, wrong: str, said: list[str]
) -> None:
    assert right in CASE
    path = written(tmp_path, CASE.replace(right, wrong, 1))
    with pytest.raises(UnreadableCases) as refused:
        load([path])
    told = str(refused.value).splitlines()
    assert len(told) == len(said)
    for each, start in zip(told, said, strict=True):
        assert each.startswith(f"{path}:{start}")


def test_time_does_not_run_backwards(tmp_path: Path) -> None:
    text = CASE.replace("  - send:\n      - {reg", "  - at: 2026-03-01 10:00\n    send:\n      - {reg").replace(
        "  - {budget", "  - at: 2026-03-01 09:59\n  - {budget"
    )
    with pytest.raises(UnreadableCases, match="time does not run backwards"):
        load([written(tmp_path, text)])


def test_a_name_is_used_once(tmp_path: Path) -> None:
    paths = [written(tmp_path, CASE, "a.yaml"), written(tmp_path, CASE, "b.yaml")]
    with pytest.raises(UnreadableCases, match=r"b.yaml:1: case: sample is the name of another case"):
        load(paths)


def test_every_file_of_a_folder_is_read_and_a_file_without_a_case_is_refused(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    written(tmp_path, CASE, "below/a.yaml")
    assert [case.case for case in load([tmp_path])] == ["sample"]
    written(tmp_path, "# nothing\n", "b.yaml")
    with pytest.raises(UnreadableCases, match="there is no case in it"):
        load([tmp_path])


def test_the_command_plays_nothing_while_a_file_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, CASE.replace("  money:", "  mony:"))
    assert main([str(path)]) == 2
    assert capsys.readouterr().out == f"{path}:24: expect/mony: unknown key\n"


# -------------------------------------------------------------------------------------------------- side by side


def test_cases_that_touch_each_other_are_told_apart(tmp_path: Path) -> None:
    def play(text: str) -> Play:
        return plays_of(load([written(tmp_path, text)])[0])[0]

    other = CASE.replace("province: 04", "province: 08").replace("04/2026", "08/2026").replace("    04:", "    08:")
    nation = CASE.replace("province-04/2025", "nation/2025")
    assert play(CASE).disturbs(play(CASE))
    assert play(CASE).disturbs(play(other))  # a centre of this id belongs to one province
    other = other.replace("T-1", "T-2")
    assert not play(CASE).disturbs(play(other))
    assert play(nation).disturbs(play(other))  # a file of the period whose nation is ranked
    assert play(other).disturbs(play(nation))
    assert not play(nation).disturbs(play(other.replace("{commune: 01273}", "{commune: 01273, period: 2024}")))


def test_cases_of_many_times_share_their_restarts() -> None:
    plays = [play for case in load() for play in plays_of(case, on_platform=True)]
    groups = side_by_side(plays)
    assert sorted(map(id, plays)) == sorted(id(play) for group in groups for play in group)
    assert not any(one.disturbs(other) for group in groups for one, other in combinations(group, 2))
    assert len(groups) < 12 + ORDERS
    assert len({now for play in groups[0] for now, _ in play.steps}) > 5


async def test_several_cases_on_one_world_come_out_as_alone(tmp_path: Path) -> None:
    ensure_signing_key(tmp_path)
    first, second = load([written(tmp_path, CASE)])[0], load([SHIPPED / "money.yaml"])[0]
    plays: list[Play] = [*plays_of(first), *plays_of(second)]
    await perform(await MemoryWorld(tmp_path).begin(), plays)
    assert verdict(first, plays[:1]) == verdict(second, plays[1:]) == []
