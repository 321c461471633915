"""`langhoc dead-letters`: records that a service could not handle, and what an operator does about them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from cli.client import Client, NotFound, Refused
from cli.explaining import Language
from cli.output import emit
from cli.platform import VIETNAM, Format, console, fail, plain_errors
from deploy.local import LocalPlatformError
from shared.messaging.messages import Reason

Letter = dict[str, Any]
FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, json or csv for programs.")]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of what is said.")]
ServiceOption = Annotated[str | None, typer.Option("--service", help="Only this service's.")]

app = typer.Typer(no_args_is_help=True, help="Records that a service could not handle: look, replay, discard.")


class Shown(StrEnum):
    """Which dead letters to list."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    ALL = "all"


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="dead-letters")


@app.command("list")
def list_dead_letters(
    service: ServiceOption = None,
    state: Annotated[Shown, typer.Option(help="What has become of them.")] = Shown.OPEN,
    reason: Annotated[Reason | None, typer.Option(help="Only those with this reason.")] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Dead letters that wait for somebody, oldest first: where they lay, and why they could not be handled."""
    with plain_errors():
        letters = list(_letters(Client(), service, state=state, reason=reason))
        if not letters and format is Format.TABLE:
            console.print("There are no such dead letters.")
            return
        rows = [
            {**letter, "at": _moment(letter["at"]), "why": f"{letter['reason']}: {letter['meaning'][language]}"}
            for letter in letters
        ]
        columns = {
            "id": "Id",
            "service": "Service",
            "position": "Position",
            **({"state": "State"} if state is Shown.ALL else {"at": "At"}),
            "attempts": "Tries",
            "why": "Reason",
        }
        emit(rows, columns, format, numbers=["id", "position", "attempts"], full=letters)


@app.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Id from `langhoc dead-letters list`.")],
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """One dead letter, whole: the record as it lay in Kafka, why it could not be handled, what to do, what was done."""
    with plain_errors():
        letter = _find(Client(), letter_id)
        if format is Format.JSON:
            emit([], {}, format, full=letter)
        else:
            _render(letter, language)


@app.command()
def replay(
    letter_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids from the list.")] = None,
    all_open: Annotated[bool, typer.Option("--all", help="All open ones, oldest first.")] = False,
    reason: Annotated[Reason | None, typer.Option(help="All open ones with this reason.")] = None,
    service: ServiceOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would lead to.")] = False,
    why: Annotated[str, typer.Option(help="A note for the record, e.g. which fix was rolled out.")] = "",
    beyond_cap: Annotated[
        bool, typer.Option("--beyond-cap", help="Also those tried as often as is allowed; needs --why.")
    ] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Handle records again after their cause was mended.

    A record older than what was handled since changes nothing (verdict: stale). One that fails again stays open, and
    later ones of its key wait for it. Several are replayed in the order in which they were appended.

    Example: langhoc dead-letters replay --reason handler_failed --dry-run
    """
    with plain_errors():
        if bool(letter_ids) == (all_open or reason is not None):
            fail("Name the dead letters to replay: either their ids, or --all, or --reason REASON.")
        client = Client()
        if letter_ids:
            letters = [_find(client, letter_id) for letter_id in letter_ids]
        else:
            letters = list(_letters(client, service, state=Shown.OPEN, reason=reason))
        order = {"dry_run": dry_run, "why": why, "beyond_cap": beyond_cap}
        outcomes = [_replayed(client, letter, order) for letter in sorted(letters, key=_appended)]
        if not outcomes and format is Format.TABLE:
            console.print("There are no such dead letters.")
            return
        columns = {
            "id": "Id",
            "service": "Service",
            "verdict": "Would be" if dry_run else "Verdict",
            "state": "State",
            "attempts": "Tries",
            "written": "Written",
            "published": "Published",
            "said": "Because",
        }
        emit(_flat(outcomes), columns, format, numbers=["id", "attempts"], full=outcomes)
        if any(outcome["verdict"] in ("failed", "refused") for outcome in outcomes):
            raise typer.Exit(1)


@app.command()
def discard(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Id from `langhoc dead-letters list`.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why its record will never be handled.")],
) -> None:
    """Close a dead letter without handling its record. Its bytes and your reason are kept."""
    with plain_errors():
        client = Client()
        letter = _find(client, letter_id)
        client.post(letter["service"], f"/dead-letters/{letter_id}/discard", {"why": reason})
        console.print(f"Discarded {letter_id}, {letter['position']} of {letter['service']}.", highlight=False)


def _letters(client: Client, service: str | None, *, state: Shown, reason: Reason | None) -> Iterator[Letter]:
    if service not in (None, *client.platform.services):
        raise LocalPlatformError(f"There is no service {service}. There are: {', '.join(client.platform.services)}.")
    for name in client.platform.services:
        if service in (None, name):
            for letter in client.pages(name, "/dead-letters", state=state, reason=reason, limit=1_000):
                yield {"service": name, **letter}


def _find(client: Client, letter_id: str) -> Letter:
    for service in client.platform.services:
        letter = client.find(service, f"/dead-letters/{letter_id}")
        if letter is not None:
            return {"service": service, **letter}
    raise NotFound(f"No service has a dead letter {letter_id}. See: langhoc dead-letters list --state all")


def _appended(letter: Letter) -> tuple[datetime, str, int]:
    """In the order in which they lay in their partition."""
    partition, _, offset = letter["position"].rpartition("@")
    return datetime.fromisoformat(letter["appended_at"]), partition, int(offset)


def _replayed(client: Client, letter: Letter, order: dict[str, Any]) -> Letter:
    """What became of one; somebody else's action on it in between is told like any other outcome."""
    path = f"/dead-letters/{letter['id']}/replay"
    try:
        outcome = client.post(letter["service"], path, order)
    except Refused as refused:
        outcome = {"id": letter["id"], "verdict": "refused", "detail": str(refused)}
    return {"service": letter["service"], **outcome}


def _flat(outcomes: Sequence[Letter]) -> list[Letter]:
    return [
        {
            **outcome,
            "written": "\n".join(f"{each['collection']}/{each['id']}" for each in outcome.get("writes", ())),
            "published": "\n".join(f"{each['topic']}: {each['type']}" for each in outcome.get("events", ())),
            "said": _said(outcome),
        }
        for outcome in outcomes
    ]


def _moment(instant: str) -> str:
    """A time for people: Viet Nam's, to the second."""
    return f"{datetime.fromisoformat(instant).astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}"


def _said(outcome: Letter) -> str:
    """Why nothing came of it; of a traceback, what was raised."""
    match outcome["verdict"]:
        case "failed":
            _, _, raised = outcome["detail"].strip().rpartition("\n")
            return f"{outcome['reason']}: {raised}"
        case "refused":
            return str(outcome["detail"])
        case _:
            return _waits_for(outcome)


def _waits_for(outcome: Letter) -> str:
    """Of a rehearsal: what stands in the way of a real replay just now."""
    if outcome["hindrance"] is None:
        return ""
    return f"now refused: {outcome['hindrance']} {outcome['first'] or ''}".rstrip()


def _render(letter: Letter, language: Language) -> None:
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for heading, value in (
        ("Service", letter["service"]),
        ("Position", letter["position"]),
        ("Appended", _moment(letter["appended_at"])),
        ("Dead since", _moment(letter["at"])),
        ("Type", letter["type"]),
        ("Subject", letter["subject"]),
        ("Event", letter["event_id"]),
        ("Key", _text(letter["key"])),
        *((f"Header {name}", _text(value)) for name, value in letter["headers"]),
        ("State", f"{letter['state']}, tried {letter['attempts']} time(s)"),
        ("Reason", f"{letter['reason']}: {letter['meaning'][language]}"),
        ("What to do", letter["mend"][language]),
        ("Log", f"langhoc logs {letter['service']} -f"),
        ("Detail", letter["detail"].strip()),
    ):
        facts.add_row(heading, value)
    console.print(facts, markup=False, highlight=False)
    console.print("\nThe record's value", style="bold")
    console.print(_body(letter["value"]), markup=False, highlight=False, soft_wrap=True)
    if letter["actions"]:
        actions = Table(title="What was done", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for heading in ("At", "Who", "Action", "Result", "Why"):
            actions.add_column(heading)
        for entry in letter["actions"]:
            actions.add_row(_moment(entry["at"]), entry["who"], entry["action"], entry["result"], entry["why"])
        console.print(actions, markup=False, highlight=False)


def _text(raw: Letter | None) -> str:
    """Bytes for people: as text where they are text."""
    if raw is None:
        return ""
    return str(raw["text"]) if raw["text"] is not None else f"no text; in Base64: {raw['base64']}"


def _body(raw: Letter | None) -> str:
    if raw is None:
        return "(none)"
    try:
        return json.dumps(json.loads(raw["text"]), ensure_ascii=False, indent=2)
    except (TypeError, ValueError):
        return _text(raw)
