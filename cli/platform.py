"""``langhoc up``, ``down``, ``status``, ``logs``, ``clock`` and ``token``: the platform on this machine."""

from __future__ import annotations

import asyncio
import csv
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from deploy.local import (
    LocalPlatform,
    LocalPlatformError,
    Platform,
    ProgramStatus,
    Role,
    default_state,
    issue_token,
)
from deploy.local.logs import Follower, tail

# Viet Nam has had no daylight saving time since 1975, so its zone needs no time zone database.
VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")

# A pipe has no width; 80 columns would break the tables of whoever reads a log.
console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)
errors = Console(stderr=True)


class Format(StrEnum):
    """How a command prints its result."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def app_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    for command in (up, down, status, logs, clock, token):
        app.command()(command)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say what went wrong in the error's own words, without a traceback, and exit with 1."""
    try:
        yield
    except LocalPlatformError as error:
        fail(str(error))


def fail(text: str) -> NoReturn:
    """Say it in red and exit with 1."""
    errors.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1) from None


def clock_offset(moment: str) -> int:
    """Seconds from now to a moment like ``2026-02-25T09:00``, in Viet Nam's time unless it names a zone."""
    if moment == "now":
        return 0
    try:
        wanted = datetime.fromisoformat(moment)
    except ValueError:
        raise LocalPlatformError(
            f"{moment!r} is not a date and time. Write it like 2026-02-25T09:00, or 'now' for the real time."
        ) from None
    if wanted.tzinfo is None:
        wanted = wanted.replace(tzinfo=VIETNAM)
    # Rounded up, so that 09:00 is not shown as 08:59.
    return math.ceil((wanted - datetime.now(UTC)).total_seconds())


def up(
    replicas: Annotated[int, typer.Option(min=1, envvar="LANGHOC_REPLICAS", help="Processes of each service.")] = 1,
    clock: Annotated[
        str,
        typer.Option(metavar="DATE-TIME", help="Simulate this moment, e.g. 2026-02-25T09:00 (Viet Nam's time)."),
    ] = "now",
) -> None:
    """Start the platform: Kafka, MongoDB, Zipkin and the services, and wait until all are ready.

    The servers are downloaded the first time, about 220 MB. To call it again is harmless.

    To use servers of your own, set LANGHOC_KAFKA, LANGHOC_MONGO or
    OTEL_EXPORTER_ZIPKIN_ENDPOINT first.
    """
    with plain_errors():
        offset = clock_offset(clock)
        with console.status("Starting") as spinner:

            def progress(message: str) -> None:
                spinner.update(message)
                console.print(f"[dim]·[/dim] {message}", highlight=False)

            result = LocalPlatform().up(progress, create_topics, replicas=replicas, clock_offset=offset)
        if result.was_up:
            console.print("The platform is up already. See it with: langhoc status")
        else:
            console.print("[green]The platform is up.[/green] Look at it with: langhoc status")
        show_simulated_time(result.platform)
        if result.platform.zipkin:
            console.print(f"Traces: {result.platform.zipkin}/zipkin/", highlight=False)


def create_topics(platform: Platform) -> None:
    """Make Kafka's topics as the contracts define them."""
    # Imported here, so that commands which only look do not load the messaging stack.
    from aiokafka.errors import KafkaError

    from shared.messaging.operate.topics import TopicMismatch, apply_topics

    try:
        asyncio.run(apply_topics(platform.kafka))
    except (KafkaError, TopicMismatch) as error:
        raise LocalPlatformError(f"The topics could not be created on {platform.kafka}: {error}") from error


def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Also remove all data, logs and keys of this platform.")] = False,
) -> None:
    """Stop everything that `up` started, services first; the data stays unless you say --wipe."""
    with plain_errors(), console.status("Stopping"):
        was_running = LocalPlatform().down(console.print, wipe=wipe)
    console.print("The platform is down." if was_running else "Nothing was running.")


def status(
    format: Annotated[Format, typer.Option(help="A table for people, json or csv for programs.")] = Format.TABLE,
) -> None:
    """Show each server and service: whether it is ready, for how long it has run, and its address."""
    with plain_errors():
        programs = LocalPlatform().status()
        platform = Platform.load()
    match format:
        case Format.JSON:
            print(json.dumps([_row(program) for program in programs], indent=2))
        case Format.CSV:
            rows = [_row(program) for program in programs]
            writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        case Format.TABLE:
            table = Table("Name", "Kind", "State", "Ready", "Up for", "PID", "Address")
            for program in programs:
                table.add_row(
                    program.name,
                    program.kind,
                    program.state.lower(),
                    "[green]yes[/green]" if program.ready else "[red]no[/red]",
                    str(program.uptime or ""),
                    str(program.pid or ""),
                    program.address,
                )
            console.print(table)
            show_simulated_time(platform)


def logs(
    service: Annotated[
        str, typer.Argument(help="A program from `langhoc status`, or a service for all its processes.")
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing new lines; end with Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many past lines to show.")] = 50,
) -> None:
    """Show the log of a server or a service, also after it has stopped."""
    with plain_errors():
        paths = LocalPlatform().logs(service)
    # With several processes each line says whose it is.
    prefixes = {path: f"{path.stem} | " if len(paths) > 1 else "" for path in paths}
    followers = {path: Follower(path) for path in paths} if follow else {}
    for path in paths:
        for line in tail(path, lines):
            print(prefixes[path] + line)
    try:
        while followers:
            for path, follower in followers.items():
                for line in follower.new_lines():
                    print(prefixes[path] + line, flush=True)
            time.sleep(0.3)
    except KeyboardInterrupt:
        pass  # the way to end it


def clock(
    moment: Annotated[
        str | None,
        typer.Argument(metavar="[DATE-TIME|now]", help="The moment to simulate; `now` returns to the real time."),
    ] = None,
) -> None:
    """Show or set the business clock, by which submissions are on time or late.

    Setting it restarts the services; from then on it runs at the usual speed.
    """
    with plain_errors():
        if moment is None:
            platform = Platform.load()
        else:
            offset = clock_offset(moment)
            with console.status("Setting the clock"):
                platform = LocalPlatform().set_clock(offset)
        show_time(platform)


def token(
    role: Annotated[Role, typer.Option(help="What the bearer may do.")],
    province: Annotated[
        str | None, typer.Option(help="The province's code, two digits; needed for the role province.")
    ] = None,
    subject: Annotated[str, typer.Option(help="Who the bearer is, as it will stand in the records.")] = "local-user",
    hours: Annotated[int, typer.Option(min=1, help="How long the token is valid.")] = 8,
) -> None:
    """Issue a bearer token for the services' HTTP interfaces, signed with this platform's own key.

    Example: curl -H "Authorization: Bearer $(langhoc token --role auditor)" ADDRESS
    """
    with plain_errors():
        print(issue_token(default_state(), subject, role, province, hours))


def show_simulated_time(platform: Platform) -> None:
    """Say so when the business clock is not the real one."""
    if platform.clock_offset:
        show_time(platform)


def show_time(platform: Platform) -> None:
    """Say what time the business clock shows."""
    shown = datetime.now(VIETNAM) + timedelta(seconds=platform.clock_offset)
    text = f"{shown:%Y-%m-%d %H:%M} (Asia/Ho_Chi_Minh)"
    if platform.clock_offset:
        console.print(f"[bold yellow]Simulated date: {text}[/bold yellow]", highlight=False)
    else:
        console.print(f"The real time: {text}", highlight=False)


def _row(program: ProgramStatus) -> dict[str, Any]:
    return {
        "name": program.name,
        "kind": program.kind,
        "state": program.state,
        "ready": program.ready,
        "uptime_seconds": int(program.uptime.total_seconds()) if program.uptime else None,
        "pid": program.pid,
        "address": program.address,
    }
