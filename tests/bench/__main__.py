"""`make bench`: all measurements, one table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from tests.bench import delivery, funding, neighbours, scoring


def main() -> None:
    """Measure and print."""
    console = Console()
    table = Table("what", "figure", "against the baseline of this run", title="Langhoc, measured on this machine")
    modules = {"delivery": delivery, "neighbours": neighbours, "scoring": scoring, "funding": funding}
    for name, module in modules.items():
        with console.status(f"Measuring {name}"):
            rows = module.run()
        for row in rows:
            table.add_row(*row)
        table.add_section()
    console.print(table)


if __name__ == "__main__":
    main()
