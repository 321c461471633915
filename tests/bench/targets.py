"""What is wanted of the figures, and whether it is met: for two quiet cores, as issue 14 has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.backlog import FLAT_MB
from tests.bench.table import Figures, Row

Why = Callable[[Figures], str]


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on one figure."""

    what: str
    key: str
    shown: str
    """How the figure is written, as a format."""
    least: float | None = None
    most: float | None = None
    then: str = ""
    """What is wanted next."""
    why: Why = lambda figures: ""
    """What the other figures of the run say about it; asked only where the figure is known."""

    def row(self, figures: Figures) -> Row:
        """The target beside its figure: met, not met, or not measured in this run."""
        what = f"{self.what} (then {self.then})" if self.then else self.what
        if self.key not in figures:
            return Row(what, "–", "not measured")
        said = "met" if self.met(figures[self.key]) else "not met"
        why = self.why(figures)
        return Row(what, self.shown.format(figures[self.key]), f"{said}: {why}" if why else said)

    def met(self, figure: float) -> bool:
        """Whether the figure is within the bounds, which belong to it."""
        return (self.least is None or figure >= self.least) and (self.most is None or figure <= self.most)


def _of_a_bare_stage(figures: Figures) -> str:
    if "bare_one_stage_per_s" not in figures:
        return ""
    per_record = 1e6 / figures["intake_per_s"]
    bare = 1e6 / figures["bare_one_stage_per_s"]
    return f"{per_record:,.0f} µs for a record, a bare stage of this run {bare:,.0f} µs"


def _copies(figures: Figures) -> str:
    both = figures["two_stages_two_copies_over_one"]
    return f"with scoring behind it {both:.2f} ×; MongoDB and Kafka share the machine with them"


def _dearest(figures: Figures) -> str:
    """The three that cost most."""
    prefix = "national_cpu_"
    parts = {
        key.removeprefix(prefix).removesuffix("_s"): seconds
        for key, seconds in figures.items()
        if key.startswith(prefix) and key not in ("national_cpu_s", "national_cpu_zipkin_s")
    }
    dearest = sorted(parts.items(), key=lambda each: -each[1])[:3]
    return "most of it " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in dearest)


def _time(figures: Figures) -> str:
    return f"{figures['national_cpu_s'] / figures['national_settled_s']:.1f} cores busy"


def _replaced(figures: Figures) -> str:
    made, stand = figures["national_proposals"], figures["national_proposals_standing"]
    return (
        f"{made - stand:,.0f} of {made:,.0f} were replaced; each must be avoided or justified" if made > stand else ""
    )


def _latest(figures: Figures) -> str:
    return f"the longest {figures['receipt_max_s']:.2f} s, at {figures['receipt_pace_per_s']:,.0f} submissions/s"


def _of_communes(figures: Figures) -> str:
    return f"at most {figures['rank_after_change_max_s']:.2f} s, of {figures['ranked_communes']:,.0f} communes"


def _backlog(figures: Figures) -> str:
    return f"{figures['memory_peak_mb']:.0f} MB at most, under {figures['backlog_records']:,.0f} records"


TARGETS: Sequence[Target] = (
    Target("intake ≥ 0.4 × a bare stage", "intake_over_bare", "{:.2f} ×", 0.4, None, "0.7 ×", _of_a_bare_stage),
    Target("intake ≥ 3,000 records/s", "intake_per_s", "{:,.0f}/s", 3_000, why=_of_a_bare_stage),
    Target("two copies of intake ≥ one", "intake_two_copies_over_one", "{:.2f} ×", 1, why=_copies),
    Target("national year ≤ 40 s", "national_settled_s", "{:.1f} s", None, 40, "25 s", _time),
    Target("national year ≤ 70 processor seconds", "national_cpu_s", "{:.0f} s", None, 70, "45 s", _dearest),
    Target("one proposal for a centre", "national_proposals_per_centre", "{:.2f}", None, 1, why=_replaced),
    Target("99 of 100 receipts ≤ 0.5 s at 200/s", "receipt_p99_s", "{:.2f} s", None, 0.5, why=_latest),
    Target("changed commune to new ranking ≤ 1 s", "rank_after_change_s", "{:.2f} s", None, 1, why=_of_communes),
    Target(f"memory of intake grows ≤ {FLAT_MB:.0f} MB", "memory_growth_mb", "{:+.0f} MB", None, FLAT_MB, why=_backlog),
    Target("cost of a record at 100k ≤ 1.3 × at 10k", "cost_100k_over_10k", "{:.2f} ×", None, 1.3),
    Target("cost of a record at 1M ≤ 1.3 × at 10k (make bench-million)", "cost_1m_over_10k", "{:.2f} ×", None, 1.3),
)


def judged(figures: Figures) -> list[Row]:
    """Every target beside what was measured."""
    return [target.row(figures) for target in TARGETS]
