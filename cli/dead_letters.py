"""`langhoc dead-letters`: records that a service could not handle, and what an operator does about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.table import Table

from cli.client import MOST, Client, NotFound, Refused
from cli.options import FormatOption, LanguageOption
from cli.output import Column, CommandError, Format, Language, console, emit, fail, moment, number, plain_errors, say
from shared.answers.dead_letters import Letter, Raw, Replayed, WholeLetter
from shared.messaging.messages import Reason
from shared.outside import read_kept
from shared.wording import EN

ServiceOption = Annotated[str | None, typer.Option("--service", help="Only this service's.")]

Shown = Literal["open", "waiting", "replayed", "discarded", "all"]
"""A state of a dead letter, or all."""

app = typer.Typer(no_args_is_help=True, help="Records that a service could not handle: look, replay, discard.")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="dead-letters")


@app.command("list")
def list_dead_letters(
    service: ServiceOption = None,
    state: Annotated[Shown, typer.Option(help="What has become of them.")] = "open",
    reason: Annotated[Reason | None, typer.Option(help="Only those with this reason.")] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Dead letters that wait for somebody, oldest first: where they lay, and why they could not be handled."""
    with plain_errors():
        letters = list(_letters(Client(), service, state=state, reason=reason))
        waiting = _waiting(Client(), service) if format is Format.TABLE and state == "open" else 0
        if waiting:
            say(f"{waiting} more wait for a release that knows their type: --state waiting")
        if not letters and format is Format.TABLE:
            say("There are no such dead letters.")
            return
        columns: list[Column[Found]] = [
            number("id", "Id", lambda one: one.letter.id),
            Column("service", "Service"),
            number("position", "Position", lambda one: one.letter.position),
            Column("state", "State", lambda one: one.letter.state)
            if state == "all"
            else Column("at", "At", lambda one: one.letter.at, moment),
            number("attempts", "Tries", lambda one: one.letter.attempts),
            Column("why", "Reason", lambda one: f"{one.letter.reason}: {language.of(one.letter.meaning)}"),
        ]
        emit(letters, columns, format, full=[one.whole for one in letters])


@app.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Id from `langhoc dead-letters list`.")],
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """One dead letter, whole: the record as it lay in Kafka, why it could not be handled, what to do, what was done."""
    with plain_errors():
        service, letter = _find(Client(), letter_id)
        if format is Format.JSON:
            emit([], [], format, full=Found(service, letter).whole)
        else:
            _render(service, letter, language)


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
            letters = [Found(*_find(client, letter_id)) for letter_id in letter_ids]
        else:
            letters = list(_letters(client, service, state="open", reason=reason))
        order = {"dry_run": dry_run, "why": why, "beyond_cap": beyond_cap}
        outcomes = [_replayed(client, letter, order) for letter in sorted(letters, key=_appended)]
        if not outcomes and format is Format.TABLE:
            say("There are no such dead letters.")
            return
        columns: list[Column[Outcome]] = [
            number("id", "Id"),
            Column("service", "Service"),
            Column("verdict", "Would be" if dry_run else "Verdict"),
            Column("state", "State", lambda one: one.done and one.done.state),
            number("attempts", "Tries", lambda one: one.done and one.done.attempts),
            Column("written", "Written", _written),
            Column("published", "Published", _published),
            Column("said", "Because", _said),
        ]
        emit(outcomes, columns, format, full=[one.whole for one in outcomes])
        if any(outcome.verdict in ("failed", "refused") for outcome in outcomes):
            raise typer.Exit(1)


@app.command()
def discard(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Id from `langhoc dead-letters list`.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why its record will never be handled.")],
) -> None:
    """Close a dead letter without handling its record. Its bytes and your reason are kept."""
    with plain_errors():
        client = Client()
        service, letter = _find(client, letter_id)
        client.post(service, f"/dead-letters/{letter_id}/discard", Letter, {"why": reason})
        say(f"Discarded {letter_id}, {letter.position} of {service}.")


@app.command()
def erase(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a letter that was replayed or discarded.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="The ground; name no person in it.")],
    by: Annotated[str | None, typer.Option("--by", help="On the local platform: in whose name.")] = None,
) -> None:
    """Replace the bytes of a closed dead letter by their hash. Another person closed it; there is no way back."""
    with plain_errors():
        client = Client(by)
        service, letter = _find(client, letter_id)
        client.post(service, f"/dead-letters/{letter_id}/erase", Letter, {"why": reason})
        say(f"Erased {letter_id}, {letter.position} of {service}.")


@dataclass(frozen=True, slots=True)
class Found:
    """A dead letter, and which service could not handle it."""

    service: str
    letter: Letter

    @property
    def whole(self) -> dict[str, Any]:
        """For programs."""
        return {"service": self.service, **self.letter.model_dump()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one that was to be replayed: what it led to, or why the service refused."""

    service: str
    id: str
    verdict: str
    detail: str = ""
    done: Replayed | None = None

    @property
    def whole(self) -> dict[str, Any]:
        """For programs."""
        if self.done:
            return {"service": self.service, **self.done.model_dump()}
        return {key: value for key, value in asdict(self).items() if key != "done"}


def _letters(client: Client, service: str | None, *, state: Shown, reason: Reason | None) -> Iterator[Found]:
    names = list(client.deployment.services)
    if service not in (None, *names):
        raise CommandError(f"There is no service {service}. There are: {', '.join(names)}.")
    for name in names:
        if service in (None, name):
            for letter in client.pages(name, "/dead-letters", Letter, state=state, reason=reason, limit=MOST):
                yield Found(name, letter)


def _waiting(client: Client, service: str | None) -> int:
    return sum(1 for _ in _letters(client, service, state="waiting", reason=None))


def _find(client: Client, letter_id: str) -> tuple[str, WholeLetter]:
    for service in client.deployment.services:
        letter = client.find(service, f"/dead-letters/{letter_id}", WholeLetter)
        if letter is not None:
            return service, letter
    raise NotFound(f"No service has a dead letter {letter_id}. See: langhoc dead-letters list --state all")


def _appended(found: Found) -> tuple[datetime, str, int]:
    """In the order in which they lay in their partition."""
    partition, _, offset = found.letter.position.rpartition("@")
    return found.letter.appended_at, partition, int(offset)


def _replayed(client: Client, found: Found, order: dict[str, Any]) -> Outcome:
    """What became of one; somebody else's action on it in between is told like any other outcome."""
    id = found.letter.id
    try:
        done = client.post(found.service, f"/dead-letters/{id}/replay", Replayed, order)
    except Refused as refused:
        return Outcome(found.service, id, "refused", str(refused))
    return Outcome(found.service, id, done.verdict, done.detail, done)


def _written(outcome: Outcome) -> str:
    return "\n".join(f"{each.collection}/{each.id}" for each in outcome.done.writes) if outcome.done else ""


def _published(outcome: Outcome) -> str:
    return "\n".join(f"{each.topic}: {each.type}" for each in outcome.done.events) if outcome.done else ""


def _said(outcome: Outcome) -> str:
    """Why nothing came of it; of a traceback, what was raised; of a rehearsal, what a real replay would meet now."""
    done = outcome.done
    if done is None:
        return outcome.detail
    if outcome.verdict == "failed":
        return f"{done.reason}: {done.detail.strip().rpartition(chr(10))[2]}"
    return f"now refused: {done.hindrance} {done.first or ''}".rstrip() if done.hindrance else ""


def _render(service: str, letter: WholeLetter, language: Language) -> None:
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for heading, value in (
        ("Service", service),
        ("Position", letter.position),
        ("Appended", moment(letter.appended_at)),
        ("Dead since", moment(letter.at)),
        ("Type", letter.type),
        ("Subject", letter.subject),
        ("Event", letter.event_id),
        ("Key", _text(letter.key)),
        *((f"Header {name}", _text(value)) for name, value in letter.headers),
        ("State", f"{letter.state}, tried {letter.attempts} time(s)"),
        ("Reason", f"{letter.reason}: {language.of(letter.meaning)}"),
        ("What to do", language.of(letter.mend)),
        ("Log", f"langhoc logs {service} -f"),
        ("Detail", letter.detail.strip()),
    ):
        facts.add_row(heading, value)
    console.print(facts, markup=False, highlight=False)
    console.print("\nThe record's value", style="bold")
    gone = letter.erased
    say(
        f"(erased on {moment(gone.at)}: {EN(gone.size)} bytes, SHA-256 {gone.sha256})" if gone else _body(letter.value),
        soft_wrap=True,
    )
    if letter.actions:
        actions = Table(title="What was done", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for heading in ("At", "Who", "Action", "Result", "Why"):
            actions.add_column(heading)
        for entry in letter.actions:
            actions.add_row(moment(entry.at), entry.who, entry.action, entry.result, entry.why)
        console.print(actions, markup=False, highlight=False)


def _text(raw: Raw | None) -> str:
    """Bytes for people: as text where they are text."""
    if raw is None:
        return ""
    return raw.text if raw.text is not None else f"no text; in Base64: {raw.base64}"


def _body(raw: Raw | None) -> str:
    if raw is None:
        return "(none)"
    try:
        return json.dumps(read_kept(raw.text or ""), ensure_ascii=False, indent=2)
    except ValueError:
        return _text(raw)
