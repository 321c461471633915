"""The `langhoc` command."""

from __future__ import annotations

import typer

from cli import budget, data, dead_letters, demo, journal, platform, rankings, recompute, rulebook, units, views

app = typer.Typer(
    name="langhoc",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    help="""Langhoc, the platform of Viet Nam's learning communities.

    Start it with [bold]langhoc up[/bold], see a whole national year with [bold]langhoc demo[/bold],
    ask why with [bold]langhoc explain CODE[/bold].
    """,
)
platform.app_commands(app)
data.app_commands(app)
rankings.app_commands(app)
dead_letters.app_commands(app)
recompute.app_commands(app)
units.app_commands(app)
views.app_commands(app)
budget.app_commands(app)
journal.app_commands(app)
demo.app_commands(app)
rulebook.app_commands(app)

if __name__ == "__main__":
    app()
