"""``langhoc up``, ``down``, ``status``, ``logs``, ``clock`` and ``token``: the platform on this machine."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli.options import FormatOption
from cli.output import Column, CommandError, Format, console, emit, number, plain_errors, say_line
from deploy.local import LocalPlatform, Platform, ProgramStatus, Role, default_state, issue_token
from deploy.local.fetch import MONGOD_VERSION
from deploy.local.logs import Follower, tail
from shared.local_accounts import MOST_HOURS
from shared.mongo.support import is_supported, support_ends
from shared.rulebook import HANOI


def app_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    for command in (up, down, status, logs, clock, token):
        app.command()(command)


def clock_offset(moment: str) -> int:
    """Seconds from now to a moment like ``2026-02-25T09:00``, in Viet Nam's time unless it names a zone."""
    if moment == "now":
        return 0
    try:
        wanted = datetime.fromisoformat(moment)
    except ValueError:
        raise CommandError(
            f"{moment!r} is not a date and time. Write it like 2026-02-25T09:00, or 'now' for the real time."
        ) from None
    if wanted.tzinfo is None:
        wanted = wanted.replace(tzinfo=HANOI)
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
        show_support(result.platform)
        if result.platform.zipkin:
            console.print(f"Traces: {result.platform.zipkin}/zipkin/", highlight=False)


def create_topics(platform: Platform) -> None:
    """Make Kafka's topics as the contracts define them."""
    # Imported here, so that commands which only look do not load the messaging stack.
    from aiokafka.errors import KafkaError

    from shared.messaging.operate.topics import TopicMismatch, apply_topics

    try:
        asyncio.run(apply_topics(LocalPlatform().kafka(platform)))
    except (KafkaError, TopicMismatch) as error:
        raise CommandError(f"The topics could not be created on {platform.kafka}: {error}") from error


def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Also remove all data, logs and keys of this platform.")] = False,
) -> None:
    """Stop everything that `up` started, services first; the data stays unless you say --wipe."""
    with plain_errors(), console.status("Stopping"):
        was_running = LocalPlatform().down(console.print, wipe=wipe)
    console.print("The platform is down." if was_running else "Nothing was running.")


def status(
    format: FormatOption = Format.TABLE,
) -> None:
    """Show each server and service: whether it is ready, for how long it has run, and its address."""
    with plain_errors():
        programs = LocalPlatform().status()
        platform = Platform.load()
        full = [{column.name: column.of(program) for column in PROGRAMS} for program in programs]
        emit(programs, PROGRAMS, format, full=full)
        if format is Format.TABLE:
            show_simulated_time(platform)
            show_support(platform)


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
            say_line(prefixes[path] + line)
    try:
        while followers:
            for path, follower in followers.items():
                for line in follower.new_lines():
                    say_line(prefixes[path] + line)
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

    It moves under the running services, and from then on runs at the usual speed.
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
    hours: Annotated[int, typer.Option(min=1, max=MOST_HOURS, help="How long the token is valid.")] = 8,
) -> None:
    """Issue a bearer token for the services' HTTP interfaces, signed with this platform's own key.

    Only a platform on one machine takes it; any other has an issuer of its own.

    Example: curl -H "Authorization: Bearer $(langhoc token --role auditor)" ADDRESS
    """
    with plain_errors():
        print(issue_token(default_state(), subject, role, province, hours))


def show_simulated_time(platform: Platform) -> None:
    """Say so when the business clock is not the real one."""
    if platform.clock_offset:
        show_time(platform)


def show_support(platform: Platform) -> None:
    """Say so when the MongoDB that comes with the platform is past its support."""
    if "mongod" in platform.embedded and not is_supported(MONGOD_VERSION, datetime.now(HANOI).date()):
        text = f"MongoDB {MONGOD_VERSION} is past its support ({support_ends(MONGOD_VERSION)})"
        console.print(f"[yellow]{text}: for development only.[/yellow]", highlight=False)


def show_time(platform: Platform) -> None:
    """Say what time the business clock shows."""
    shown = datetime.now(HANOI) + timedelta(seconds=platform.clock_offset)
    text = f"{shown:%Y-%m-%d %H:%M} (Asia/Ho_Chi_Minh)"
    if platform.clock_offset:
        console.print(f"[bold yellow]Simulated date: {text}[/bold yellow]", highlight=False)
    else:
        console.print(f"The real time: {text}", highlight=False)


PROGRAMS: list[Column[ProgramStatus]] = [
    Column("name", "Name"),
    Column("kind", "Kind"),
    Column("state", "State", shown=str.lower),
    Column("ready", "Ready"),
    Column(
        "uptime_seconds",
        "Up for",
        lambda one: int(one.uptime.total_seconds()) if one.uptime else None,
        lambda seconds: str(timedelta(seconds=seconds)),
    ),
    number("pid", "PID"),
    Column("address", "Address"),
]
