"""The arithmetic of the measurements, and how their targets are judged."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.bench.backlog import Look, cost, short
from tests.bench.processor import Meter, resident_mb, seconds_of
from tests.bench.table import quantile, ratio
from tests.bench.targets import TARGETS, judged
from tests.bench.throughput import steady

BURN = "while True: pass"


def test_a_rate_leaves_the_warm_up_out() -> None:
    """The first of ten results came long before the others, which came 100 ms apart."""
    stamps = [0, *range(5_000, 5_900, 100)]
    assert steady(10, stamps) == pytest.approx(10 * 0.8 / 0.8)
    assert steady(20, reversed(stamps)) == pytest.approx(20 * 0.8 / 0.8)


def test_a_later_stage_takes_until_its_own_last_result() -> None:
    stamps = [0, *range(5_000, 5_900, 100)]
    assert steady(10, stamps, 6_600) == pytest.approx(10 * 0.8 / 1.6)
    assert steady(10, stamps, 5_100) == steady(10, stamps), "it cannot be done before the receipts are"


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.99, 100), (1.0, 100), (0.0, 1)])
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    assert quantile(list(range(100, 0, -1)), share) == value


def test_a_ratio_is_short() -> None:
    assert [ratio(1, 4), ratio(7, 2), ratio(50, 2)] == ["0.25 ×", "3.5 ×", "25 ×"]


def test_a_cost_is_that_of_the_records_around() -> None:
    """A record costs 1 s up to the hundredth, and 3 s after it; looks come at uneven moments."""
    spent = {0: 0.0, 0.5: 0.0, 40: 40.0, 100: 100.0, 200: 400.0}
    looks = [Look(int(done), seconds, 1.0) for done, seconds in spent.items()]
    assert cost(looks, 50, 20) == pytest.approx(1)
    assert cost(looks, 150, 20) == pytest.approx(3)
    assert cost(looks, 100, 20) == pytest.approx(2)
    with pytest.raises(ValueError, match="210 records"):
        cost(looks, 200, 20)


def test_a_number_of_records_is_short_where_it_is_round() -> None:
    assert [short(each) for each in (600, 10_000, 100_000, 1_000_000)] == ["600", "10k", "100k", "1m"]


def test_what_processes_cost_is_counted_while_they_run() -> None:
    process = subprocess.Popen([sys.executable, "-c", BURN])
    meter = Meter()
    meter.start({"burning": process.pid})
    while seconds_of(process.pid) < 0.2:
        os.sched_yield()
    meter.stop("burning")
    assert 0 < meter.seconds["burning"] <= seconds_of(process.pid)
    assert resident_mb(process.pid) > 1
    meter.start({"burning": process.pid})
    before = meter.seconds["burning"]
    while seconds_of(process.pid) < 0.4:
        os.sched_yield()
    meter.stop("burning")
    assert meter.seconds["burning"] > before, "a second time is added to the first"
    process.kill()
    process.wait()


GOOD = {
    "intake_over_bare": 0.5,
    "intake_per_s": 3_100,
    "bare_one_stage_per_s": 6_200,
    "intake_two_copies_over_one": 1.1,
    "two_stages_two_copies_over_one": 1.0,
    "national_settled_s": 39.0,
    "national_cpu_s": 69.0,
    "national_cpu_scoring_s": 20.0,
    "national_cpu_kafka_s": 30.0,
    "national_cpu_zipkin_s": 90.0,
    "national_proposals": 3_300,
    "national_proposals_standing": 3_300,
    "national_proposals_per_centre": 1.0,
    "receipt_p99_s": 0.4,
    "receipt_max_s": 0.5,
    "receipt_pace_per_s": 200.0,
    "rank_after_change_s": 0.9,
    "rank_after_change_max_s": 1.1,
    "ranked_communes": 3_321,
    "memory_growth_mb": 3.0,
    "memory_peak_mb": 140.0,
    "backlog_records": 200_000,
    "cost_100k_over_10k": 1.1,
    "cost_1m_over_10k": 1.2,
}


def test_targets_are_met_at_their_bounds_and_not_beyond_them() -> None:
    assert {row.against.partition(":")[0] for row in judged(GOOD)} == {"met"}
    for target in TARGETS:
        bound = target.least if target.least is not None else target.most
        assert bound is not None
        beyond = bound * (0.99 if target.least is not None else 1.01)
        assert target.row({**GOOD, target.key: bound}).against.startswith("met")
        assert target.row({**GOOD, target.key: beyond}).against.startswith("not met")
    assert {row.against for row in judged({})} == {"not measured"}


def test_a_verdict_says_why_as_far_as_the_figures_know() -> None:
    told = {row.what: row.against for row in judged({**GOOD, "national_proposals": 4_000, "national_cpu_s": 80.0})}
    assert told["national year ≤ 70 processor seconds (then 45 s)"] == (
        "not met: most of it kafka 30 s, scoring 20 s"
    ), "Zipkin is not in the sum"
    assert "700 of 4,000 were replaced" in told["one proposal for a centre"]
    assert "a bare stage of this run 161 µs" in told["intake ≥ 3,000 records/s"]
