"""`langhoc follow`: what lies on a topic and what comes, as lines of a table for people, of JSON for programs."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.deployments import kafka_to_administer
from cli.options import LanguageOption
from cli.output import CommandError, Language, console, moment, plain_errors, say, say_json
from shared.cloudevents import CONTENT_TYPE, STRUCTURED, media_of, read_event
from shared.contracts.topics import families, topic_names
from shared.messaging.access import KafkaAccess

QUIET_MS = 500
TIME_COLUMNS = 19
"""Of a terminal, for a time to the second."""


class Begin(StrEnum):
    """Where a topic is followed from."""

    BEGINNING = "beginning"
    END = "end"


class Lines(StrEnum):
    """How each event is printed."""

    TABLE = "table"
    JSON = "json"


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(follow)


def follow(
    topic: Annotated[str, typer.Argument(help="A topic: rankings, receipts.01, … (docs/contracts.md lists them)")],
    begin: Annotated[Begin, typer.Option("--from", help="With what lies there, or with what comes next.")] = Begin.END,
    until_end: Annotated[bool, typer.Option("--until-end", help="Only what lies there now; then end.")] = False,
    format: Annotated[
        Lines | None, typer.Option("--format", help="By default a table in a terminal, json in a pipe.")
    ] = None,
    language: LanguageOption = Language.VI,
) -> None:
    """Print the events of a topic as they come, until Ctrl-C; those of one key in their order.

    With the Kafka login of the profile, and what that may read. Nothing is acknowledged: to look harms nobody.

    Example: langhoc follow receipts.01 --from beginning --until-end | jq .data.status
    """
    # Imported here, so that other commands do not load the messaging stack.
    from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

    with plain_errors():
        _known(topic)
        kafka = kafka_to_administer()
        as_table = sys.stdout.isatty() if format is None else format is Lines.TABLE
        if as_table and not until_end:
            say("Ctrl-C: dừng." if language is Language.VI else "Ctrl-C ends it.")
        try:
            asyncio.run(_show(kafka, topic, begin, _table(language) if as_table else _json, until_end=until_end))
        except (KeyboardInterrupt, asyncio.CancelledError):
            pass  # so it is ended
        except TopicAuthorizationFailedError as error:
            raise CommandError(
                f"{kafka.user or 'Nobody'} may not read {topic}: its topic file names who may."
            ) from error
        except KafkaError as error:
            raise CommandError(f"{topic} cannot be read on {kafka.bootstrap}: {error}") from error


def _known(topic: str) -> None:
    """Raises `CommandError` for a topic that the contracts do not have."""
    from shared.messaging.operate.topics import province_codes

    provinces = province_codes()
    if not any(topic in topic_names(stem, provinces) for stem in families()):
        names = ", ".join(family.name for family in families().values())
        raise CommandError(f"There is no topic {topic!r}. There are: {names}.")


Shown = Callable[[Any], None]


async def _show(kafka: KafkaAccess, topic: str, begin: Begin, show: Shown, *, until_end: bool) -> None:
    interrupted, task = asyncio.Event(), asyncio.current_task()
    assert task is not None

    def interrupt() -> None:
        """A cancellation alone can be lost: `asyncio.wait_for` passes it over where its future is done just then."""
        interrupted.set()
        task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
    async with aclosing(_records(kafka, topic, begin, interrupted, until_end=until_end)) as records:
        async for record in records:
            show(record)


async def _records(
    kafka: KafkaAccess, topic: str, begin: Begin, interrupted: asyncio.Event, *, until_end: bool
) -> AsyncGenerator[Any, None]:
    """The records of a topic, each partition's in order, until `interrupted`. Raises `KafkaError`, `CommandError`."""
    from aiokafka import AIOKafkaConsumer

    from shared.messaging.consume.batches import read_answers

    read_answers()  # whatever a sender's bytes are
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what is wrong is said below, once
    consumer = AIOKafkaConsumer(topic, **kafka.options, group_id=None, enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = consumer.assignment()
        if not partitions:
            raise CommandError(f"{topic} is not there yet on {kafka.bootstrap}: `langhoc topics apply` makes it.")
        ends = await consumer.end_offsets(partitions)
        for each, offset in (
            ends.items() if begin is Begin.END else (await consumer.beginning_offsets(partitions)).items()
        ):
            consumer.seek(each, offset)
        left = set(partitions)
        while left and not interrupted.is_set():
            if until_end:
                left = {each for each in left if await consumer.position(each) < ends[each]}
            for each, records in (await consumer.getmany(timeout_ms=QUIET_MS)).items() if left else ():
                for record in records:
                    if not until_end or record.offset < ends[each]:
                        yield record
    finally:
        await consumer.stop()


def _json(record: Any) -> None:
    """One line for each record, in the form of the contracts' examples and with its place."""
    line = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "key": _text(record.key),
        "headers": _headers(record.headers),
        "data": _text(record.value),
    }
    with suppress(ValueError, RecursionError):
        line["data"] = json.loads(record.value or b"")
    if damage := _damage(record):
        line["unreadable"] = damage
    say_json(json.dumps(line, ensure_ascii=False))


def _table(language: Language) -> Shown:
    """Prints a line for each record, below headings; nothing is cut off."""
    vi = language is Language.VI

    def row(*cells: str) -> None:
        room = console.width - TIME_COLUMNS - 3
        table = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
        for width in (TIME_COLUMNS, room * 9 // 24, room * 6 // 24, room - room * 9 // 24 - room * 6 // 24):
            table.add_column(width=width, overflow="fold")
        table.add_row(*cells)
        console.print(table, markup=False)

    def show(record: Any) -> None:
        said = _attributes(record)
        event = _damage(record) or said.get("ce_type", "").removeprefix("langhoc.")
        row(moment(_time(record)), event, _text(record.key) or "", said.get("ce_id", ""))

    row(*(("Lúc", "Sự kiện", "Khóa", "Mã") if vi else ("Time", "Event", "Key", "Id")))
    return show


def _attributes(record: Any) -> Mapping[str, str]:
    """Its attributes, in whichever mode they are carried."""
    headers = _headers(record.headers)
    if media_of(headers.get(CONTENT_TYPE, "")) == STRUCTURED:
        with suppress(ValueError):
            event, _ = read_event((record.value or b"").decode())
            return headers | (_headers(event.headers) if event else {})
    return headers


def _headers(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    return {name: _text(value) or "" for name, value in headers}


def _damage(record: Any) -> str | None:
    from shared.messaging.consume.batches import damage_of

    damage = damage_of(record)
    return None if damage is None else damage.detail


def _time(record: Any) -> datetime:
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")
