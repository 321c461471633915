"""The measurements run, and every figure has its name: how large it is, is for people to judge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.harness import Servers, start_servers
from tests.bench.__main__ import MODULES, machine, write
from tests.bench.ground import Ground, Sizes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
TINY = Sizes(
    provinces=("12",),
    times=2,
    naive=40,
    batch=50,
    others=False,
    per_second=50,
    latency_seconds=1,
    changes=1,
    backlog=900,
    costs_at=(200, 600),
    flood=200,
    samples=2,
    delivery=300,
    titles=400,
    years=1,
    centres=20,
)
PROMISED: dict[str, set[str]] = {
    "throughput": {"bare_one_stage_per_s", "bare_two_stages_per_s", "naive_per_s", "intake_per_s", "two_stages_per_s"},
    "national": {
        "national_settled_s",
        "national_cpu_s",
        *(f"national_cpu_{each}_s" for each in ("intake", "scoring", "funding", "notifications", "mongod", "kafka")),
        *("national_events", "national_proposals", "national_alerts"),
    },
    "latency": {"receipt_p50_s", "receipt_p99_s"},
    "change": {"rank_after_change_s"},
    "backlog": {"memory_growth_mb", "cost_600_over_200"},
    "neighbours": {"neighbour_delay_ratio"},
    "delivery": {"pipeline_motor_per_s"},
    "scoring": {"score_commune_us"},
    "funding": {"budget_year_s"},
    "titles": {"titles_intake_per_s", "titles_scoring_per_s", "titles_rolled_up_s", "titles_memory_mb", "titles_wrong"},
}
EXPLAINED = [
    re.compile(re.sub(r"<\w+>", r"\\w+", name))
    for name in re.findall(r"`([\w<>]+)`", (Path(__file__).parents[2] / "docs/performance.md").read_text("utf-8"))
]


def is_explained(key: str) -> bool:
    """Whether the documentation says what it means."""
    return any(pattern.fullmatch(key) for pattern in EXPLAINED)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Of its own: what it floods the topics with would lie in the way of every other test."""
    with start_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.mark.parametrize("name", MODULES)
def test_a_module_measures_what_it_promises(name: str, servers: Servers, tmp_path: Path) -> None:
    with Ground(TINY, servers) as ground:
        measured = MODULES[name](ground)
    assert measured.rows
    assert PROMISED[name] <= measured.figures.keys()
    write(tmp_path / "build" / "bench.json", machine("tiny"), measured.figures)
    written = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert {*measured.figures, "commit", "cores"} <= written.keys()
    assert all(isinstance(value, str | int | float) for value in written.values()), "one flat object"
    assert [key for key in written if not is_explained(key)] == [], "keys that docs/performance.md does not explain"
    # Only growth may be negative: everything else has been measured, or is not there.
    assert [key for key, value in measured.figures.items() if value < 0 and key != "memory_growth_mb"] == []
