"""`langhoc demo`: a whole national year, from the portals' submissions to rankings, budgets and alerts."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Sequence
from typing import Annotated

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.client import Client
from cli.data import proven, publish, show_budgets, wait_settled
from cli.output import CommandError, Format, Language, console, emit, headed, plain_errors, say
from cli.platform import clock_offset, create_topics, show_simulated_time
from cli.publishing import Message, Sent
from cli.rankings import ranking_rows, rows_in, scope_of
from demo.synthetic import (
    AFTER_DEADLINE,
    BELOW_FLOORS,
    BUDGET_YEAR,
    FILES_OVER,
    LEGACY_PERIOD,
    LEGACY_PROVINCE,
    ON_TIME,
    PERIOD,
    Demonstration,
    expected_tally,
)
from deploy.local import LocalPlatform, Platform, default_state
from deploy.local.state import External
from shared.answers.alerts import StandingAlert
from shared.contracts.base import Status
from shared.contracts.facts import RankingPublished, RankingRow

SHOWN_PROVINCE = "01"
MARK = "demo"
FLOW = ("langhoc-portal", "langhoc-intake", "langhoc-scoring", "langhoc-funding", "langhoc-notifications")
SETTLE_SECONDS = 600.0
TRACES_READ = 30


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(demo)


def demo(
    provinces: Annotated[str | None, typer.Option(help="Only these provinces, e.g. 01,48; all 34 by default.")] = None,
) -> None:
    """Run a whole national year on a fresh platform, show the results, and leave it running.

    Synthetic assessments of the 3,321 real communes and of one centre in each, with corrections, late, invalid and
    duplicate ones among them. What an earlier demonstration left is removed first; other data is never touched.
    """
    with plain_errors():
        chosen = provinces.split(",") if provinces else None
        start_fresh()
        started = time.monotonic()
        platform = LocalPlatform().up(_say, create_topics, clock_offset=clock_offset(ON_TIME.isoformat())).platform
        (default_state() / MARK).touch()
        console.print(f"[green]The platform is up[/green] after {time.monotonic() - started:.0f} s.")
        show_simulated_time(platform)

        world = Demonstration(chosen)
        on_time = [*world.setup(), *world.assessments(), *world.legacy()]
        late = list(world.late())
        published = _publish(on_time, "Portals publish")
        client = Client()
        wait_settled(client, SETTLE_SECONDS, "Scoring, ranking, allocating, alerting")
        _say("The deadline passes; some communes are late")
        show_simulated_time(LocalPlatform().set_clock(clock_offset(AFTER_DEADLINE.isoformat())))
        published += _publish(late, "Late portals publish")
        client = Client()
        wait_settled(client, SETTLE_SECONDS, "Scoring, ranking, allocating, alerting")

        _show_tally(client, [*on_time, *late])
        _show_rankings(client, chosen)
        _say("The time for the centres' files passes; each province is told what is proposed")
        show_simulated_time(LocalPlatform().set_clock(clock_offset(FILES_OVER.isoformat())))
        client = Client()
        wait_settled(client, SETTLE_SECONDS, "Allocating, alerting")
        _show_budgets(client)
        _show_alerts(client)
        _show_trace(client, published)
        _show_next(client, _shown(chosen), time.monotonic() - started)


def start_fresh() -> None:
    """Remove what an earlier demonstration left; refuse to touch anything else."""
    state = default_state()
    platform = LocalPlatform()
    external = External.from_environment(os.environ)
    if external.kafka or external.mongo:
        raise CommandError(
            "The demonstration starts on empty servers, so it runs on embedded ones only. "
            "Unset LANGHOC_KAFKA and LANGHOC_MONGO; to publish to servers of your own use: langhoc submit"
        )
    if (state / MARK).exists():
        _say("Removing the earlier demonstration")
        platform.down(wipe=True)
        (state / MARK).unlink(missing_ok=True)
    elif state.exists() and (state / "kafka").exists():
        raise CommandError(
            f"{state} holds a platform that is no demonstration. Keep it and choose another folder: "
            "LANGHOC_STATE=.langhoc-demo langhoc demo; or remove it: langhoc down --wipe"
        )


def _say(text: str) -> None:
    console.print(f"[dim]·[/dim] {text}", highlight=False)


def _publish(messages: Sequence[Message], doing: str) -> list[Sent]:
    deployment = Client().deployment
    columns = (SpinnerColumn(), TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(doing, total=len(messages))

        return publish(deployment, messages, lambda count: progress.update(task, completed=count), is_traced)


def is_traced(message: Message) -> bool:
    """Whether a message's trace is recorded: some two in a hundred, and centres that will cause an alert."""
    return zlib.crc32(message.body) % 50 == 0 or _alarming(message)


def _alarming(message: Message) -> bool:
    return message.note == "yeu"  # a centre of the lowest grade


def _show_tally(client: Client, messages: Sequence[Message]) -> None:
    tally = client.get("intake", "/tally", dict[str, int])
    received, expected = tally.pop("received"), expected_tally(messages)
    rows = [
        {"status": status, "count": f"{count:,}", "expected": f"{expected.get(Status(status), 0):,}"}
        for status, count in tally.items()
    ]
    parts = " + ".join(f"{count:,}" for count in tally.values())
    console.print(f"\n[bold]Received {received:,}[/bold] = {parts}", highlight=False)
    emit(rows, headed(status="Status", count="Submissions", expected="Expected"), Format.TABLE)
    wrong = {status for status, count in tally.items() if count != expected.get(Status(status), 0)}
    if wrong or received != len(messages):
        raise CommandError(f"The tally is not what the generator expects: {', '.join(sorted(wrong))}")


def _show_rankings(client: Client, provinces: Sequence[str] | None) -> None:
    rows = ranking_rows(client, PERIOD, None)
    ranked = [row for row in rows if row.rank is not None]
    _show(ranked[:5], f"Ranking {PERIOD} of {len(rows):,} communes: the top")
    _show(ranked[-5:], f"… the bottom of {len(ranked):,} ranked")
    _show(rows[-3:], f"… and some of {len(rows) - len(ranked):,} unranked")
    shown = _shown(provinces)
    _show(ranking_rows(client, PERIOD, shown)[:8], f"Ranking {PERIOD} of province {shown}")
    if (
        client.find("scoring", f"/rankings/{scope_of(LEGACY_PROVINCE)}/{LEGACY_PERIOD}/head", RankingPublished)
        is not None
    ):
        legacy = ranking_rows(client, LEGACY_PERIOD, LEGACY_PROVINCE)
        title = f"Ranking {LEGACY_PERIOD} of old province {LEGACY_PROVINCE}, by points (Circular 44/2014)"
        _show(legacy[:5], title)


def _show(rows: Sequence[RankingRow], title: str) -> None:
    emit(rows, rows_in(Language.EN), Format.TABLE, title=title)


def _shown(provinces: Sequence[str] | None) -> str:
    return SHOWN_PROVINCE if provinces is None or SHOWN_PROVINCE in provinces else provinces[0]


def _show_budgets(client: Client) -> None:
    rows = proven(client, BUDGET_YEAR)
    show_budgets(rows, Format.TABLE, f"Budgets {BUDGET_YEAR}")
    total, lines = sum(row.envelope for row in rows), sum(row.allocated for row in rows)
    reserve, besides = sum(row.reserve for row in rows), sum(row.equipment + row.carried for row in rows)
    say(
        f"Nation: Σ lines {lines:,} + reserve {reserve:,}{f' + equipment and carried {besides:,}' if besides else ''} "
        f"= {lines + reserve + besides:,} đồng; envelopes {total:,} đồng"
    )
    if not rows or not all(row.adds_up for row in rows) or lines + reserve + besides != total:
        raise CommandError("The lines do not add up to the envelopes.")


def _show_alerts(client: Client) -> None:
    counts = client.get("notifications", "/alerts/tally", dict[str, int])
    rows = [{"kind": kind, "count": f"{count:,}"} for kind, count in counts.items()]
    emit(rows, headed(kind="Alerts that stand", count="Count"), Format.TABLE)
    examples = list(client.pages("notifications", "/alerts", StandingAlert, kind="support_proposed"))
    if examples:
        # A fall is what a province must act on.
        example = min(examples, key=lambda alert: (alert.severity != "warning", alert.alert_id))
        say(f"For example, to province {example.province}:")
        for text, action in ((example.text.vi, example.action.vi), (example.text.en, example.action.en)):
            say(f"  {text} {action}", style="dim")


def _show_trace(client: Client, published: Sequence[Sent]) -> None:
    zipkin = client.deployment.zipkin
    if zipkin is None:
        return
    # Those that cause an alert go through everything.
    ordered = sorted(published, key=lambda item: not _alarming(item.message))
    traced = [item.trace_id for item in ordered if item.trace_id][:TRACES_READ]
    with console.status("Reading a trace back"):
        found = find_whole_trace(zipkin, traced)
    if found is None:
        raise CommandError(f"Zipkin holds no trace over all services among {len(traced)} that were sampled.")
    trace_id, spans = found
    console.print(
        f"\nOne submission, {spans} spans through portal, intake, scoring, funding and notifications:\n"
        f"  {zipkin}/zipkin/traces/{trace_id}",
        highlight=False,
        soft_wrap=True,
    )


def find_whole_trace(zipkin: str, trace_ids: Sequence[str], seconds: float = 30.0) -> tuple[str, int] | None:
    """The richest of these traces that has spans of the portal and of all four services, and how many spans."""
    deadline = time.monotonic() + seconds
    while True:
        whole: list[tuple[int, str]] = []
        for trace_id in trace_ids:
            response = httpx.get(f"{zipkin}/api/v2/trace/{trace_id}", timeout=10)
            spans = response.json() if response.status_code == 200 else []
            if {span["localEndpoint"]["serviceName"] for span in spans} >= set(FLOW):
                whole.append((len(spans), trace_id))
        if whole:
            count, trace_id = max(whole)
            return trace_id, count
        if time.monotonic() > deadline:
            return None
        time.sleep(1.0)


def _show_next(client: Client, province: str, seconds: float) -> None:
    first = ranking_rows(client, PERIOD, None)[0]
    apis = "\n".join(f"  {name:<14} {urls[0]}/docs" for name, urls in client.deployment.services.items())
    console.print(
        f"\n[green]Done in {seconds:.0f} s.[/green] The platform stays up. Where to go next:\n"
        f"  langhoc explain {first.code} --period {PERIOD}      why this commune stands where it stands\n"
        f"  langhoc rankings --period {PERIOD} --province {province}\n"
        f"  langhoc budgets --year {BUDGET_YEAR} --province {province}\n"
        f"  langhoc budget proof --province {province} --year {BUDGET_YEAR}      that all amounts add up\n"
        f"  langhoc simulate --province {BELOW_FLOORS} --year {BUDGET_YEAR} --envelope 800000000      what if\n"
        f"  langhoc alerts --province {province}\n"
        f"  langhoc status · langhoc logs intake -f · langhoc dead-letters list\n"
        f"  make down                                stop it\n"
        f"APIs (bearer token: langhoc token --role ministry):\n{apis}",
        highlight=False,
    )
    show_simulated_time(Platform.load())
