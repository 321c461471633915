"""`langhoc recompute`: judge a period again, rehearsed by today's or other rules, or ordered with a reason."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.data import WAIT_SECONDS, Province
from cli.explaining import Language
from cli.output import emit
from cli.platform import Format, console, fail, plain_errors
from deploy.local import LocalPlatformError

POLL_SECONDS = 0.5


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(recompute)


def recompute(
    period: Annotated[int, typer.Option(help="Assessment period (year).")],
    rulebook: Annotated[
        Path | None,
        typer.Option(help="With --dry-run: a rule's YAML file, or a rulebook's folder, added to the rules in force."),
    ] = None,
    province: Province = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    why: Annotated[str, typer.Option(help="The reason, for whoever reads the record. Needed without --dry-run.")] = "",
    order: Annotated[str | None, typer.Option(help="Id of an order that broke off, to go on with it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: the same input, the same bytes.")] = (
        False
    ),
    language: Annotated[Language, typer.Option("--lang", help="Language of what is said.")] = Language.EN,
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
            done = wait(client, client.post("scoring", "/recompute", body))
        if as_json:
            print(json.dumps(done, ensure_ascii=False, sort_keys=True))
        else:
            tell(done)


def read_rules(path: Path) -> dict[str, str]:
    """The YAML files of a rulebook's folder, by their place in it; of a single file, its text under the place it names.

    Raises:
        LocalPlatformError: there is no such file, it is not UTF-8, or where it belongs cannot be told.
    """
    try:
        if path.is_dir():
            files = {
                file.relative_to(path).as_posix(): file.read_text("utf-8") for file in sorted(path.rglob("*.yaml"))
            }
        else:
            files = {place_of(path): path.read_text("utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        raise LocalPlatformError(f"{path} cannot be read: {error}") from error
    if not files:
        raise LocalPlatformError(f"{path} holds no YAML file. Rules lie in rubrics/ and in …/point_tables/.")
    return files


def place_of(file: Path) -> str:
    """Where a single file lies in a rulebook's folder: `rubrics/x.yaml`, `provinces/01/point_tables/x.yaml`."""
    parts = file.resolve().parts
    for start in ("provinces", "ministry", "rubrics"):
        if start in parts[-4:-1]:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(start) :])
    raise LocalPlatformError(
        f"Where {file.name} belongs cannot be told. Put it into a folder rubrics/, ministry/point_tables/ or "
        "provinces/<code>/point_tables/, as in a rulebook."
    )


def wait(client: Client, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """The order after its last result was judged; raises after `WAIT_SECONDS`."""
    deadline = time.monotonic() + WAIT_SECONDS
    while order["state"] == "running":
        if time.monotonic() > deadline:
            raise LocalPlatformError(
                f"Order {order['id']} is still being worked on: nothing is lost. See: langhoc wait, langhoc status"
            )
        time.sleep(POLL_SECONDS)
        order = client.get("scoring", f"/recompute/{order['id']}")
    return order


def tell(order: Mapping[str, Any]) -> None:
    """Print what came of an order; fails if something that must always hold does not."""
    _say(f"Order {order['id']}: {order['requested']:,} results judged again, {order['changed']:,} changed.")
    if order["state"] == "violated":
        fail("What must always hold does not:\n" + "\n".join(f"  {each}" for each in order["violations"]))
    _say(f"Checked: {order['results']:,} results, one for each assessment; all totals add up.")


def show(lines: Sequence[str], *, as_json: bool, language: Language) -> None:
    """Print a rehearsal. Raises `LocalPlatformError` if its last line, the summary, did not arrive."""
    rows = [json.loads(line) for line in lines]
    if not rows or "summary" not in rows[-1]:
        raise LocalPlatformError("The answer broke off before its end. Try again; see also: langhoc logs scoring")
    if as_json:
        print("\n".join(lines))
        return
    *differences, last = rows
    lang = language.value
    summary = last["summary"]
    if differences:
        emit([_row(each, lang) for each in differences], _COLUMNS[lang], Format.TABLE)
    said = {
        "en": f"{summary['results']:,} results judged, {summary['changed']:,} would change.",
        "vi": f"Đã chấm thử {summary['results']:,} kết quả, {summary['changed']:,} sẽ thay đổi.",
    }
    _say(said[lang])
    for name, count in summary["outcomes"].items():
        if count:
            _say(f"  {name}: {count:,}")


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False)


_COLUMNS = {
    "en": {"subject": "Subject", "field": "What", "before": "Before", "after": "After", "why": "Why"},
    "vi": {"subject": "Đối tượng", "field": "Nội dung", "before": "Trước", "after": "Sau", "why": "Vì sao"},
}


def _row(difference: Mapping[str, Any], lang: str) -> dict[str, str]:
    why = [f"{step['what'][lang]} [{step['citation']}]" for step in difference["why"]]
    return {
        "subject": f"{difference['subject']} {difference['name']}",
        "field": difference["field"],
        "before": _shown(difference["before"], lang),
        "after": _shown(difference["after"], lang),
        "why": "\n".join(why),
    }


def _shown(value: Any, lang: str) -> str:
    """A JSON value for people."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return {"en": ("no", "yes"), "vi": ("không", "có")}[lang][value]
    if isinstance(value, list):
        return "\n".join(_shown(each, lang) for each in value) or "—"
    if isinstance(value, dict):
        inner = value.get("what", value)
        return str(inner[lang]) if lang in inner else ", ".join(f"{k} {_shown(v, lang)}" for k, v in inner.items())
    return str(value)
