"""`langhoc privacy`: how long what is kept, what is held on somebody, what is erased, and who looked."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.padding import Padding
from rich.text import Text as Plain

from cli.client import MOST, Client
from cli.options import FormatOption, LanguageOption, day_of
from cli.output import Column, CommandError, Format, Language, console, emit, errors, moment, plain_errors, say
from shared.answers.people import PersonView
from shared.answers.privacy import Erasure, ErasureAnswer, Holding, PersonalRead
from shared.contracts.facts import Receipt
from shared.privacy import Rule, policy_on
from shared.rulebook import HANOI

WhyOption = Annotated[str, typer.Option("--why", help="The ground; it stays on record. Name no person in it.")]
ByOption = Annotated[str | None, typer.Option("--by", help="On the local platform: in whose name.")]
PersonOption = Annotated[
    str | None, typer.Option("--person", metavar="ID", help="A person of the directory, from `langhoc people list`.")
]
SHORTEST = 3
"""Characters of a text that is looked for: a shorter one is found everywhere."""
BY = {
    "platform": ("Langhoc", "Langhoc"),
    "database": ("cơ sở dữ liệu", "database"),
    "broker": ("Kafka", "Kafka"),
    "operator": ("đơn vị vận hành", "operator"),
}
THEN = {
    "hash": ("còn mã băm", "hash is left"),
    "words": ("bỏ lời", "words go"),
    "delete": ("xóa", "deleted"),
    "stays": ("giữ", "stays"),
}

app = typer.Typer(no_args_is_help=True, help="Personal data: how long they are kept, where they lie, erasing them.")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="privacy")


@app.command()
def policy(
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="On which day; today without.")] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """How long what is kept, what becomes of it then, who sees to it, and why."""
    with plain_errors():
        vi = language is Language.VI
        rules = list(policy_on(day_of(on) or datetime.now(HANOI).date()).values())
        if format is Format.TABLE:
            for one in rules:
                term = f"{one.days} {'ngày, sau đó ' if vi else 'days, then '}" if one.days else ""
                say(f"{language.of(one.what)}: {term}{THEN[one.then][not vi]} ({BY[one.by][not vi]})", style="bold")
                under = f"{language.of(one.reason)}\n{one.where} · {one.citation} [{one.provenance}]"
                console.print(Padding(Plain(under), (0, 0, 1, 2)))
            return
        columns: list[Column[Rule]] = [
            Column("rule", "Rule"),
            Column("what", "What", lambda one: language.of(one.what)),
            Column("days", "Days"),
            Column("then", "Then"),
            Column("by", "By"),
            Column("reason", "Why", lambda one: language.of(one.reason)),
        ]
        emit(rules, columns, format, full=rules)


@dataclass(frozen=True, slots=True)
class Found:
    """A document that holds the text, and whose."""

    service: str
    what: str
    """What was looked for, without repeating it."""
    holding: Holding

    @property
    def whole(self) -> dict[str, Any]:
        """For programs."""
        return {"service": self.service, "what": self.what, **self.holding.model_dump()}


@app.command()
def report(
    why: WhyOption,
    text: Annotated[
        str | None, typer.Argument(help="A name, an account, the id of a person or of a submission.")
    ] = None,
    person: PersonOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Everything in which a text occurs, in every service; of a person name, accounts and id. It is recorded.

    Kafka and logs are not searched: langhoc privacy policy says how long those are kept.

    Example: langhoc privacy report "Nguyễn Văn An" --why "Yêu cầu của đương sự 12/2026"
    """
    with plain_errors():
        if (text is None) == (person is None):
            raise CommandError("Name a text to look for, or a --person.")
        client = Client(by)
        wanted = {"text": text} if text is not None else _known_of(client, person or "")
        found = [
            one
            for service in client.deployment.services
            for what, known in wanted.items()
            for one in _holdings(client, service, what, known, why)
        ]
        if not found and format is Format.TABLE:
            say("Nothing holds it.")
            return
        columns: list[Column[Found]] = [
            Column("service", "Service"),
            Column("collection", "Collection", lambda one: one.holding.collection),
            Column("id", "Id", lambda one: one.holding.id),
            *([Column[Found]("what", "Holds")] if person else []),
            Column("places", "Where", lambda one: "\n".join(one.holding.places)),
        ]
        emit(found, columns, format, full=[one.whole for one in found])


@app.command()
def erase(
    receipts: Annotated[list[str] | None, typer.Argument(metavar="[RECEIPT]...", help="Ids of receipts.")] = None,
    why: WhyOption = "",
    submission: Annotated[str | None, typer.Option(help="All receipts of this submission id, of --province.")] = None,
    province: Annotated[str | None, typer.Option("--province", "-p", help="Province code, two digits.")] = None,
    person: PersonOption = None,
    id: Annotated[str | None, typer.Option("--id", help="The order's own id, to give the same order again.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell whether it could be done.")] = False,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask that submissions, or who somebody was, be erased; another person confirms it.

    Of the bytes their hash is left, of a refusal its codes; the decision stays. What stands is replaced or withdrawn
    first. Of a person the id is left, and what it was entitled to; the term must be over.

    Example: langhoc privacy erase --submission HN-2026-7 -p 01 --why "Gửi nhầm danh sách học viên"
    """
    with plain_errors():
        named = [bool(receipts), submission is not None, person is not None]
        if named.count(True) != 1 or (submission is None) != (province is None):
            raise CommandError("Name the ids of receipts, a --submission with its --province, or a --person.")
        client = Client(by)
        ids = receipts or []
        if submission is not None:
            asked = {"province": province, "submission_id": submission, "limit": MOST}
            ids = sorted(one.receipt_id for one in client.pages("intake", "/receipts", Receipt, **asked))
            if not ids:
                raise CommandError(f"Province {province} has no submission {submission}.")
        order = {"order_id": id or uuid.uuid4().hex, "receipts": ids, "person": person, "why": why}
        path = f"/erasures?dry_run={str(dry_run).lower()}"
        answer = client.post("intake", path, ErasureAnswer, order)
        _show([answer.order], language, format)
        if format is Format.TABLE:
            _say_what_stays(answer)
            confirm = f"langhoc privacy confirm {answer.order.order_id}"
            say("Nothing was recorded: it could be done." if dry_run else f"Another person confirms it: {confirm}")


@app.command()
def confirm(
    order_id: Annotated[str, typer.Argument(help="Id of the order, from `langhoc privacy orders`.")],
    why: WhyOption,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Carry out an order to erase that another person asked for. There is no way back."""
    with plain_errors():
        path = f"/erasures/{order_id}/confirm"
        _show([Client(by).post("intake", path, Erasure, {"why": why})], language, format)


@app.command()
def orders(language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE) -> None:
    """The orders to erase: who asked, who confirmed, why."""
    with plain_errors():
        _show(list(Client().pages("intake", "/erasures", Erasure, limit=MOST)), language, format)


@app.command()
def reads(
    about: Annotated[str | None, typer.Option(help="Only looks at this one.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Who looked at personal data, in every service, when and why."""
    with plain_errors():
        client = Client()
        found = [
            (service, one)
            for service in client.deployment.services
            for one in client.pages(service, "/privacy/reads", PersonalRead, about=about, limit=MOST)
        ]
        columns: list[Column[tuple[str, PersonalRead]]] = [
            Column("at", "At", lambda row: moment(row[1].at)),
            Column("who", "Who", lambda row: row[1].who),
            Column("service", "Service", lambda row: row[0]),
            Column("what", "What", lambda row: row[1].what),
            Column("about", "Which", lambda row: row[1].about),
            Column("why", "Why", lambda row: row[1].why),
        ]
        emit(found, columns, format, full=[{"service": service, **one.model_dump()} for service, one in found])


def _known_of(client: Client, person: str) -> dict[str, str]:
    """By what a person may be found: the id, and the name and accounts that the directory knows. Raises `NotFound`."""
    known = client.get("intake", f"/people/{person}", PersonView)
    texts = {"id": person} | ({} if known.erased_at else {"name": known.name})
    texts |= {f"account {number}": one.subject for number, one in enumerate(known.accounts, 1)}
    if short := [what for what, text in texts.items() if len(text) < SHORTEST]:
        errors.print(f"Too short to be looked for: {', '.join(short)}.")
    return {what: text for what, text in texts.items() if what not in short}


def _holdings(client: Client, service: str, what: str, text: str, why: str) -> Iterator[Found]:
    """Raises `CommandError` where the service broke off."""
    lines = client.lines(service, "/privacy/holdings", {"text": text, "why": why})
    if not lines or lines[-1] != '{"whole": true}':
        raise CommandError(f"{service} broke off: what it holds is not all told.")
    try:
        yield from (Found(service, what, TypeAdapter(Holding).validate_json(line)) for line in lines[:-1])
    except ValidationError as error:
        raise CommandError(f"{service} answers what this command cannot read: another version of Langhoc.") from error


def _say_what_stays(answer: ErasureAnswer) -> None:
    """What holds the same content and is not reached by the order, each with the way to it."""
    order = answer.order
    for id in order.standing:
        say(f"Stays, for it stands: receipt {id}. Its sender corrects or withdraws it first.")
    if order.more:
        say(
            f"There are {order.more} more of the same content: give the order again, under another id, for one of them."
        )
    for id in answer.letters:
        say(f"Stays: dead letter {id} of intake. Once it is closed, another person: langhoc dead-letters erase {id}")


def _show(found: Sequence[Erasure], language: Language, format: Format) -> None:
    vi = language is Language.VI
    columns: list[Column[Erasure]] = [
        Column("order_id", "Lệnh" if vi else "Order"),
        Column("erases", "Xóa" if vi else "Erases", lambda one: one.person or "\n".join(one.receipts)),
        Column("also", "Cùng nội dung" if vi else "Same content", lambda one: "\n".join(one.also) or "–"),
        Column("why", "Lý do" if vi else "Why"),
        Column("requested_by", "Đề nghị" if vi else "Asked by"),
        Column("requested_at", "Lúc" if vi else "At", shown=moment),
        Column("confirmed_by", "Xác nhận" if vi else "Confirmed by", lambda one: one.confirmed_by or "–"),
        Column("confirmed_at", "Lúc" if vi else "At", lambda one: one.confirmed_at and moment(one.confirmed_at)),
    ]
    emit(found, columns, format, full=list(found))
