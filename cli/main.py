"""The `langhoc` command."""

from __future__ import annotations

from importlib import import_module

import typer

from cli import budget, data, dead_letters, journal, platform, rankings, recompute, rulebook, units, views
from deploy.local.state import PROJECT_ROOT

app = typer.Typer(
    name="langhoc",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    help="""Langhoc, the platform of Viet Nam's learning communities.

    Start it with [bold]langhoc up[/bold], ask why with [bold]langhoc explain CODE[/bold].
    """,
)
for module in (platform, data, rankings, dead_letters, recompute, units, views, budget, journal, rulebook):
    module.app_commands(app)
if (PROJECT_ROOT / "demo" / "command.py").is_file():  # a checkout; what is installed has no demonstration
    import_module("demo.command").app_commands(app)

if __name__ == "__main__":
    app()
