"""The `langhoc` command."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from cli import (
    appeals,
    attainment,
    budget,
    centres,
    clients,
    completeness,
    data,
    dead_letters,
    doubts,
    explaining,
    following,
    imports,
    journal,
    late,
    people,
    periods,
    platform,
    privacy,
    rankings,
    receipts,
    recompute,
    rulebook,
    rules_desk,
    templates,
    topics,
    units,
    views,
)
from cli.deployments import LOCAL, PROFILE
from cli.output import fail
from deploy.local.state import PROJECT_ROOT

app = typer.Typer(
    name="langhoc",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
ON_THIS_MACHINE = {"up", "down", "status", "logs", "clock", "token", "demo"}
"""Commands about the platform itself, not about what a deployment holds."""


@app.callback()
def langhoc(
    context: typer.Context,
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="LANGHOC_PROFILE",
            help=f"Which deployment: a table of profiles.toml, or {LOCAL} (the default), the platform on this machine.",
        ),
    ] = None,
) -> None:
    """Langhoc, the platform of Viet Nam's learning communities.

    Start it with [bold]langhoc up[/bold], ask why with [bold]langhoc explain CODE[/bold].
    """
    PROFILE.set(profile)
    if profile not in (None, LOCAL) and context.invoked_subcommand in ON_THIS_MACHINE:
        fail(f"{context.invoked_subcommand} is about the platform on this machine: leave out --profile.")


modules = (
    platform,
    data,
    templates,
    receipts,
    doubts,
    completeness,
    centres,
    explaining,
    rankings,
    dead_letters,
    recompute,
    units,
    periods,
    imports,
    late,
    appeals,
    attainment,
    privacy,
    people,
    views,
    budget,
    journal,
    rulebook,
    rules_desk,
    clients,
    topics,
    following,
)
for module in modules:
    module.app_commands(app)
if (PROJECT_ROOT / "demo" / "command.py").is_file():  # a checkout; what is installed has no demonstration
    import_module("demo.command").app_commands(app)

if __name__ == "__main__":
    app()
