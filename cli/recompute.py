"""`langhoc recompute`: judge a period again, rehearsed by today's or other rules, or ordered with a reason."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from cli.client import Client
from cli.data import WAIT_SECONDS
from cli.options import AnyProvince, LanguageOption
from cli.output import Column, CommandError, Format, Language, both, console, emit, fail, plain_errors, say, say_json
from shared.answers.results import DifferenceLine, Order, ProblemLine, SummaryLine
from shared.rulebook.checking import NATIONAL
from shared.wording import EN, VI

POLL_SECONDS = 0.5
ENDS: TypeAdapter[SummaryLine | ProblemLine] = TypeAdapter(SummaryLine | ProblemLine)
"""What the last line of a rehearsal may be."""


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(recompute)


def recompute(
    period: Annotated[int, typer.Option(help="Assessment period (year).")],
    rulebook: Annotated[
        Path | None,
        typer.Option(help="With --dry-run: a rule's YAML file, or a rulebook's folder, added to the rules in force."),
    ] = None,
    province: AnyProvince = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    why: Annotated[str, typer.Option(help="The reason, for whoever reads the record. Needed without --dry-run.")] = "",
    order: Annotated[
        str | None, typer.Option(help="Id of an order that broke off or failed, to go on with it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: the same input, the same bytes.")] = (
        False
    ),
    language: LanguageOption = Language.EN,
) -> None:
    """Judge every result of a period again, on the inputs that were frozen with it.

    A result that stays the same is not published again; one that changes says what it replaces.

    Example: langhoc recompute --period 2025 --rulebook new_rules/ --dry-run
    """
    with plain_errors():
        if dry_run:
            files = read_rules(rulebook) if rulebook else {}
            body = {"period": period, "province": province, "rulebook": files}
            show(Client().lines("scoring", "/recompute/dry-run", body), as_json=as_json, language=language)
            return
        if rulebook is not None:
            fail("Other rules can only be rehearsed: add --dry-run. Rules take effect by being installed.")
        if not why:
            fail("An order to judge results again needs a reason: --why TEXT. To look first: --dry-run.")
        client = Client()
        body = {"id": order or str(uuid.uuid4()), "period": period, "province": province, "why": why}
        with console.status(f"Order {body['id']}"):
            done = wait(client, client.post("scoring", "/recompute", Order, body))
        if as_json:
            say_json(done.model_dump_json())
        else:
            tell(done)


def read_rules(path: Path) -> dict[str, str]:
    """The YAML files of a rulebook's folder, by their place in it; of a single file, its text under the place it names.

    Raises:
        CommandError: there is no such file, it is not UTF-8, or where it belongs cannot be told.
    """
    try:
        if path.is_dir():
            files = {
                file.relative_to(path).as_posix(): file.read_text("utf-8") for file in sorted(path.rglob("*.yaml"))
            }
        else:
            files = {place_of(path): path.read_text("utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    if not files:
        raise CommandError(f"{path} holds no YAML file. Rules lie in rubrics/ and in …/point_tables/.")
    return files


def place_of(file: Path) -> str:
    """Where a single file lies in a rulebook's folder: `rubrics/x.yaml`, `provinces/01/point_tables/x.yaml`, and what
    is the nation's by its name: `goals.yaml`."""
    parts = file.resolve().parts
    for start in ("provinces", "ministry", "rubrics"):
        if start in parts[-4:-1]:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(start) :])
    if file.name in NATIONAL:
        return file.name
    raise CommandError(
        f"Where {file.name} belongs cannot be told. Put it into a folder rubrics/, ministry/point_tables/ or "
        "provinces/<code>/point_tables/, as in a rulebook."
    )


def wait(client: Client, order: Order) -> Order:
    """The order after its last result was judged; raises after `WAIT_SECONDS`."""
    deadline = time.monotonic() + WAIT_SECONDS
    while order.state == "running":
        if time.monotonic() > deadline:
            raise CommandError(
                f"Order {order.id} is still being worked on: nothing is lost. See: langhoc wait, langhoc status"
            )
        time.sleep(POLL_SECONDS)
        order = client.get("scoring", f"/recompute/{order.id}", Order)
    return order


def tell(order: Order) -> None:
    """Print what came of an order; fails if it failed, or something that must always hold does not."""
    if order.state == "failed":
        fail(
            "The order ended, for stored documents were altered outside the service:\n"
            + "\n".join(f"  {each}" for each in order.altered)
            + "\nNothing that rests on them was judged; all else was. Have them restored from a backup, then give the "
            f"order again: langhoc recompute --period {order.period} --order {order.id} --why …"
        )
    say(f"Order {order.id}: {EN(order.requested)} results judged again, {EN(order.changed or 0)} changed.")
    if order.state == "violated":
        fail("What must always hold does not:\n" + "\n".join(f"  {each}" for each in order.violations))
    say(f"Checked: {EN(order.results or 0)} results, one for each assessment; all totals add up.")


def show(lines: Sequence[str], *, as_json: bool, language: Language) -> None:
    """Print a rehearsal. Raises `CommandError` if its last line is a problem, or did not arrive."""
    try:
        last = ENDS.validate_json(lines[-1] if lines else "")
    except ValidationError:
        raise CommandError("The answer broke off before its end. Try again; see also: langhoc logs scoring") from None
    if isinstance(last, ProblemLine):
        raise CommandError(f"{both(last.problem.message)}\n  → {both(last.problem.mend)}")
    summary = last.summary
    if as_json:
        say_json("\n".join(lines))
        return
    differences = [DifferenceLine.model_validate_json(line) for line in lines[:-1]]
    if differences:
        emit(differences, _columns(language), Format.TABLE)
    if language is Language.VI:
        say(f"Đã chấm thử {VI(summary.results)} kết quả, {VI(summary.changed)} sẽ thay đổi.")
    else:
        say(f"{EN(summary.results)} results judged, {EN(summary.changed)} would change.")
    for name, count in summary.outcomes.items():
        if count:
            say(f"  {name}: {EN(count)}")


def _columns(language: Language) -> list[Column[DifferenceLine]]:
    vi = language is Language.VI
    return [
        Column("subject", "Đối tượng" if vi else "Subject", lambda one: f"{one.subject} {one.name}"),
        Column("field", "Nội dung" if vi else "What"),
        Column("before", "Trước" if vi else "Before", lambda one: _shown(one.before, language)),
        Column("after", "Sau" if vi else "After", lambda one: _shown(one.after, language)),
        Column("why", "Vì sao" if vi else "Why", lambda one: _why(one, language)),
    ]


def _why(difference: DifferenceLine, language: Language) -> str:
    return "\n".join(f"{language.of(step.what)} [{step.citation}]" for step in difference.why)


def _shown(value: Any, language: Language) -> str:
    """A JSON value for people."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return {Language.EN: ("no", "yes"), Language.VI: ("không", "có")}[language][value]
    if isinstance(value, list):
        return "\n".join(_shown(each, language) for each in value) or "—"
    if isinstance(value, Mapping):
        inner = value.get("what", value)
        told = inner.get(language)
        return str(told) if told else ", ".join(f"{key} {_shown(each, language)}" for key, each in inner.items())
    return str(value)
