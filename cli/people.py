"""`langhoc people`: who may act, in which role, of which province, from when to when, through which accounts.

One person orders, another one confirms; an account alone is ended by one, at once.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption, day_of
from cli.output import Column, CommandError, Format, Language, emit, moment, number, plain_errors, say
from deploy.local import Role
from shared.answers.people import Deed, HeldAccount, PersonChange, PersonName, PersonView, Proposed
from shared.contracts.base import Text
from shared.contracts.people import PERSON_ID, Assignment

DEEDS: dict[Deed, Text] = {
    "added": Text(vi="ghi vào", en="entered"),
    "changed": Text(vi="sửa", en="changed"),
    "ended": Text(vi="kết thúc", en="ended"),
    "account_added": Text(vi="thêm tài khoản", en="account added"),
    "account_ended": Text(vi="kết thúc tài khoản", en="account ended"),
    "erased": Text(vi="xóa tên", en="erased"),
}

people = typer.Typer(no_args_is_help=True, help="The directory of who may act: look, and enter it.")
account = typer.Typer(no_args_is_help=True, help="The accounts of a person at the identity provider.")

PersonId = Annotated[str, typer.Argument(metavar="PERSON", help="Id of the person, from `langhoc people list`.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason; it stays on record.")]
ByOption = Annotated[str | None, typer.Option("--by", help="On the local platform: in whose name.")]
OrderId = Annotated[str, typer.Argument(metavar="ORDER", help="Id of the order, from `langhoc people orders`.")]
IdOption = Annotated[str | None, typer.Option("--id", help="The order's own id, to give the same order again.")]
FromOption = Annotated[str | None, typer.Option("--from", metavar="DATE", help="The first day.")]
ToOption = Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day; without it no end is known.")]
IssuerOption = Annotated[str, typer.Option("--issuer", help="As it stands in the token: `iss`.")]
SubjectOption = Annotated[str, typer.Option("--subject", help="As it stands in the token: `sub`.")]
OthersOption = Annotated[
    list[str] | None,
    typer.Option("--distinct-from", metavar="PERSON", help="Looks like this one, and is somebody else."),
]


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    people.add_typer(account, name="account")
    parent.add_typer(people, name="people")


@people.command("list")
def list_people(
    province: AnyProvince = None,
    role: Annotated[Role | None, typer.Option("--role", help="Only those who have, had or will have it.")] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Everybody in the directory, with what they are, were and will be."""
    with plain_errors():
        rows: list[tuple[PersonView, Assignment | None]] = [
            (person, assignment)
            for person in Client().pages("intake", "/people", PersonView)
            for assignment in (*person.assignments, *([] if person.assignments else [None]))
            if _fits(assignment, province, role)
        ]
        vi = language is Language.VI
        columns: list[Column[tuple[PersonView, Assignment | None]]] = [
            Column("person_id", "Mã" if vi else "Person", lambda row: row[0].person_id),
            Column("name", "Tên" if vi else "Name", lambda row: row[0].name),
            *_assignment_columns(vi),
            number("accounts", "TK" if vi else "Acc.", lambda row: sum(not one.ended_at for one in row[0].accounts)),
        ]
        emit(rows, columns, format, full=[*{row[0].person_id: row[0] for row in rows}.values()])


def _fits(assignment: Assignment | None, province: str | None, role: str | None) -> bool:
    if assignment is None:
        return province is None and role is None
    return province in (None, assignment.province) and role in (None, assignment.role.value)


def _assignment_columns(vi: bool) -> list[Column[tuple[Any, Assignment | None]]]:
    return [
        Column("role", "Vai trò" if vi else "Role", lambda row: row[1] and row[1].role),
        Column("province", "Tỉnh" if vi else "Prov.", lambda row: row[1] and row[1].province),
        Column("first_day", "Từ ngày" if vi else "First day", lambda row: row[1] and row[1].first_day),
        Column("last_day", "Đến ngày" if vi else "Last day", lambda row: row[1] and row[1].last_day),
    ]


@people.command()
def show(person: PersonId, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE) -> None:
    """A person: roles and days, accounts, and who entered what, why."""
    with plain_errors():
        _show(Client().get("intake", f"/people/{person}", PersonView), language, format)


@people.command()
def add(
    name: Annotated[str, typer.Argument(help="Full name, in Latin letters.")],
    role: Annotated[Role, typer.Option("--role", help="What the person may do.")],
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day.")],
    why: WhyOption,
    province: AnyProvince = None,
    last: ToOption = None,
    issuer: Annotated[str | None, typer.Option("--issuer", help="Of the first account: `iss` of its tokens.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Of the first account: `sub` of its tokens.")] = None,
    person: Annotated[
        str | None, typer.Option("--as", metavar="PERSON", help="The person's id; by default one that tells nothing.")
    ] = None,
    others: OthersOption = None,
    id: IdOption = None,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Order that a person may act; another person confirms it. All that is done names the person by its id alone.

    Let the id tell nothing; without --as it does.

    Example: langhoc people add "Nguyễn Văn An" --role province -p 04 --from 2026-01-05 --issuer https://… --subject …
    """
    with plain_errors():
        if (issuer is None) != (subject is None):
            raise CommandError("An account has both: give --issuer and --subject, or neither.")
        body = _order(id, why) | {
            "person_id": person or f"p-{secrets.token_hex(4)}",
            "name": name,
            "assignment": _assigned(role, province, first, last),
            "account": {"issuer": issuer, "subject": subject} if issuer else None,
            "distinct_from": others or [],
        }
        _propose("/people", body, by, language, format)


@people.command()
def change(
    person: PersonId,
    why: WhyOption,
    name: Annotated[str | None, typer.Option("--name", help="Another full name.")] = None,
    role: Annotated[Role | None, typer.Option("--role", help="Another role, with its first day.")] = None,
    province: AnyProvince = None,
    first: FromOption = None,
    last: ToOption = None,
    others: OthersOption = None,
    id: IdOption = None,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Order another name, or another role or province from a day on; another person confirms it.

    What was done before stays as it was done.

    Example: langhoc people change p-7k3m9q2x --role province -p 08 --from 2026-07-01 --why "QĐ 12/QĐ-UBND"
    """
    with plain_errors():
        if (role is None) != (first is None):
            raise CommandError("Another role has a first day: give --role and --from, or neither.")
        assigned = _assigned(role, province, first, last) if role and first else None
        body = _order(id, why) | {"name": name, "assignment": assigned, "distinct_from": others or []}
        _propose(f"/people/{person}/change", body, by, language, format)


@people.command()
def end(
    person: PersonId,
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day on which the person acts.")],
    why: WhyOption,
    id: IdOption = None,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Order that a person acts no more after a day; another person confirms it."""
    with plain_errors():
        _propose(f"/people/{person}/end", _order(id, why) | {"last_day": _day(last)}, by, language, format)


@people.command()
def orders(language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE) -> None:
    """The orders that wait for another person: what they say, by whom."""
    with plain_errors():
        found = list(Client().pages("intake", "/people-orders", Proposed))
        _show_orders(found, language, format, full=found)


@people.command()
def confirm(
    order: OrderId,
    why: WhyOption,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Carry out an order that another person has given: look at it first (langhoc people orders)."""
    with plain_errors():
        path = f"/people-orders/{order}/confirm"
        _show(Client(by).post("intake", path, PersonView, {"why": why}), language, format)


@people.command()
def decline(
    order: OrderId, by: ByOption = None, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE
) -> None:
    """Let an order wait no more; what it said is dropped. Whoever gave it may take it back so, too."""
    with plain_errors():
        declined = Client(by).post("intake", f"/people-orders/{order}/decline", Proposed, {})
        _show_orders([declined], language, format, full=declined)


@account.command("add")
def add_account(
    person: PersonId,
    issuer: IssuerOption,
    subject: SubjectOption,
    why: WhyOption,
    others: OthersOption = None,
    id: IdOption = None,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Order another account of the same person; another person confirms it. It belongs to one person for ever."""
    with plain_errors():
        named = {"account": {"issuer": issuer, "subject": subject}, "distinct_from": others or []}
        _propose(f"/people/{person}/accounts", _order(id, why) | named, by, language, format)


@account.command("end")
def end_account(
    person: PersonId,
    issuer: IssuerOption,
    subject: SubjectOption,
    why: WhyOption,
    id: IdOption = None,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Let an account act no more, from now on: at once, and one person alone may."""
    with plain_errors():
        named = {"account": {"issuer": issuer, "subject": subject}}
        done = Client(by).post("intake", f"/people/{person}/accounts/end", PersonView, _order(id, why) | named)
        _show(done, language, format)


def _order(id: str | None, why: str) -> dict[str, Any]:
    return {"order_id": id or uuid.uuid4().hex, "reason": why}


def _assigned(role: str, province: str | None, first: str, last: str | None) -> dict[str, Any]:
    return {"role": role, "province": province, "first_day": _day(first), "last_day": last and _day(last)}


def _day(text: str) -> str:
    return str(day_of(text))


def _propose(path: str, body: dict[str, Any], by: str | None, language: Language, format: Format) -> None:
    waits = Client(by).post("intake", path, Proposed, body)
    _show_orders([waits], language, format, full=waits)
    if format is Format.TABLE and waits.order is not None:
        say(f"Another person confirms it: langhoc people confirm {waits.order_id}")


def _show_orders(found: Sequence[Proposed], language: Language, format: Format, full: Any) -> None:
    vi = language is Language.VI
    columns: list[Column[Proposed]] = [
        Column("order_id", "Lệnh" if vi else "Order"),
        Column("person_id", "Mã" if vi else "Person"),
        Column("deed", "Việc" if vi else "What", shown=lambda deed: language.of(DEEDS[deed])),
        Column("by", "Người ra lệnh" if vi else "By"),
        Column("at", "Lúc" if vi else "When (Viet Nam)", shown=moment),
    ]
    emit(found, columns, format, full=full)
    if format is Format.TABLE:
        for one in found:
            for name, said in _said(one.order or {}):
                say(f"{one.order_id} · {name}: {said}")


def _said(order: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Everything that an order says: whoever confirms it has to see it whole."""
    for name, value in order.items():
        if isinstance(value, Mapping):
            yield from _said(value, f"{within}{name}.")
        elif value not in (None, []) and name not in ("order_id", "person_id"):
            yield f"{within}{name}", ", ".join(value) if isinstance(value, list) else value


def _show(person: PersonView, language: Language, format: Format) -> None:
    vi = language is Language.VI
    rows: list[tuple[Any, Assignment | None]] = [(person, one) for one in person.assignments]
    emit(rows, _assignment_columns(vi), format, title=f"{person.name} ({person.person_id})", full=person)
    if format is not Format.TABLE:
        return
    accounts: list[Column[HeldAccount]] = [
        Column("subject", "Tài khoản" if vi else "Account"),
        Column("issuer", "Nơi cấp" if vi else "Issuer"),
        Column("ended_at", "Kết thúc" if vi else "Ended", shown=moment),
    ]
    changes: list[Column[PersonChange]] = [
        number("version", "Số" if vi else "No"),
        Column("at", "Lúc" if vi else "When (Viet Nam)", shown=moment),
        Column("by", "Người ra lệnh" if vi else "By", lambda one: "\n".join(filter(None, (one.by, one.confirmed_by)))),
        Column("deed", "Việc" if vi else "What", shown=lambda deed: language.of(DEEDS[deed])),
        Column("reason", "Lý do" if vi else "Why"),
    ]
    emit(person.accounts, accounts, format)
    emit(person.changes, changes, format)


# ---------------------------------------------------------------------------------------------------- names


class Names:
    """Who the persons of an answer are, as far as the asker may know it. Each is asked for once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, str] = {}

    def __call__(self, person: str) -> str:
        """Name and id; the id alone where no name may be told, or the directory cannot be asked."""
        if person not in self._known:
            self._known[person] = self._asked(person)
        return self._known[person]

    def _asked(self, person: str) -> str:
        if not re.fullmatch(PERSON_ID[1:-1], person):
            return person
        try:
            found = self._client.find("intake", f"/people/{person}", PersonName)
        except CommandError:
            return person
        return f"{found.name} ({person})" if found else person
