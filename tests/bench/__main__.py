"""`make bench`: all measurements, one table and one flat JSON object, and what is wanted of the figures beside them."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.local.state import PROJECT_ROOT
from tests.bench import backlog, change, delivery, funding, latency, national, neighbours, scoring, throughput, titles
from tests.bench.ground import FULL, MILLION, QUICK, Ground, Sizes
from tests.bench.table import Figures, Measured
from tests.bench.targets import judged

MODULES: Mapping[str, Callable[[Ground], Measured]] = {
    "throughput": throughput.run,
    "national": national.run,
    "latency": latency.run,
    "change": change.run,
    "backlog": backlog.run,
    "neighbours": neighbours.run,
    "delivery": delivery.run,
    "scoring": scoring.run,
    "funding": funding.run,
    "titles": titles.run,
}
SIZES: Mapping[str, Sizes] = {"full": FULL, "quick": QUICK, "million": MILLION}
JSON = PROJECT_ROOT / "build" / "bench.json"


def main() -> None:
    """Measure and print. Each module has servers of its own, so that none works on what another has left."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("module", nargs="*", help=f"one of {', '.join(MODULES)}; all by default")
    parser.add_argument("--sizes", choices=SIZES, default="full", help="how much is measured")
    parser.add_argument("--json", type=Path, default=JSON, help="where the figures are written to")
    asked = parser.parse_args()
    if unknown := [name for name in asked.module if name not in MODULES]:
        parser.error(f"no module {', '.join(unknown)}; there are {', '.join(MODULES)}")

    console = Console()
    about, figures = machine(asked.sizes), dict[str, float]()
    table = Table("what", "figure", "against the baseline of this run", title="Langhoc, measured on this machine")
    for name in asked.module or MODULES:
        with console.status(f"Measuring {name}"), Ground(SIZES[asked.sizes]) as ground:
            measured = MODULES[name](ground)
        figures |= measured.figures
        write(asked.json, about, figures)  # also what came before a module that fails
        for row in measured.rows:
            table.add_row(*row)
        table.add_section()
    console.print(table)
    if asked.sizes != "quick":
        console.print(wanted(figures))
    console.print(f"The figures are in {asked.json}", highlight=False)


def wanted(figures: Figures) -> Table:
    """The targets, which speak of a whole nation."""
    targets = Table("target, for two quiet cores", "figure", "", title="What is wanted")
    for row in judged(figures):
        targets.add_row(*row)
    return targets


def machine(sizes: str) -> dict[str, str | int | float]:
    """What was measured, where, and what else the machine was doing before."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": len(_git("status", "--porcelain").splitlines()),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sizes": sizes,
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
    }


def write(path: Path, about: Mapping[str, str | int | float], figures: Figures) -> None:
    """One flat object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = {
        name: int(figure) if figure == int(figure) else float(f"{figure:.5g}") for name, figure in figures.items()
    }
    path.write_text(json.dumps({**about, **rounded}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
