"""`langhoc follow` on a real broker: what lies there, what comes, whatever its bytes, with the rights of its login."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.harness import Servers
from shared.contracts.asyncapi import example_of
from shared.messaging.access import KafkaAccess

pytestmark = pytest.mark.integration
PROVINCE = "38"
TOPIC = f"receipts.{PROVINCE}"
NATIONAL = "rankings"


def command(kafka: KafkaAccess, *arguments: str, columns: int = 80) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    login = {f"LANGHOC_{name.upper()}": str(value) for name, value in kafka.settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "follow", *arguments],
        env={**os.environ, **login, "COLUMNS": str(columns)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(kafka: KafkaAccess, *arguments: str) -> tuple[int, str, str]:
    """What it ended with, and what it said."""
    process = command(kafka, *arguments)
    out, wrong = process.communicate(timeout=120)
    return process.returncode, out, wrong


@pytest.fixture
def send(producer: AIOKafkaProducer) -> Any:
    """Puts an example on a topic, or anything else as its value."""

    async def put(event_type: str, topic: str, id: str, value: bytes | None = None, **headers: bytes) -> None:
        example = example_of(event_type)
        given = {name: text.encode() for name, text in example["headers"].items()} | {"ce_id": id.encode()} | headers
        body = json.dumps(example["data"]).encode() if value is None else value
        await producer.send_and_wait(topic, body, key=example["key"].encode(), headers=list(given.items()))

    return put


async def test_what_lies_there_is_told_whole_and_ends(servers: Servers, send: Any) -> None:
    receipt = "langhoc.receipt.issued.v1"
    for number in range(3):
        await send(receipt, TOPIC, f"e-{number}")
    await send(receipt, TOPIC, "e-odd", b"\xff no \x1b[2J JSON")
    code, out, wrong = said(servers.kafka, TOPIC, "--from", "beginning", "--until-end")
    assert (code, wrong) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["headers"]["ce_id"] for line in lines[-4:]] == ["e-0", "e-1", "e-2", "e-odd"]
    assert [line["offset"] for line in lines] == list(range(len(lines)))
    example = example_of(receipt)
    for line in lines[-4:-1]:
        assert (line["topic"], line["partition"], line["key"]) == (TOPIC, 0, example["key"])
        assert line["data"] == example["data"]
    assert lines[-1]["data"].startswith("\ufffd no ")
    assert "\x1b" not in out
    assert said(servers.kafka, TOPIC, "--until-end") == (0, "", ""), "from the end there is nothing yet"


async def test_people_read_a_line_for_each_event_in_80_columns(servers: Servers, send: Any) -> None:
    whole = b'{"specversion": "1.0", "id": "of-the-event", "source": "/p", "type": "langhoc.x.v1", "data": {}}'
    kept = b"application/cloudevents+json"
    await send("langhoc.receipt.issued.v1", TOPIC, "0f4e1c9a-0000-4000-8000-000000000001")
    await send("langhoc.receipt.issued.v1", TOPIC, "not-it", whole, **{"content-type": kept})
    code, out, wrong = said(
        servers.kafka, TOPIC, "--from", "beginning", "--until-end", "--format", "table", "--lang", "en"
    )
    assert (code, wrong) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[0].split() == ["Time", "Event", "Key", "Id"]
    joined = "".join(out.split())
    assert "receipt.issued.v1" in out
    assert "0f4e1c9a-0000-4000-8000-" in joined
    assert "of-the-event" in joined


async def test_what_comes_is_told_as_it_comes_until_it_is_interrupted(servers: Servers, send: Any) -> None:
    process = command(servers.kafka, NATIONAL, "--from", "beginning")
    assert process.stdout is not None
    for number in range(2):
        await send("langhoc.ranking.released.v1", NATIONAL, f"released-{number}")
        told = ""
        while told != f"released-{number}":
            told = json.loads(process.stdout.readline())["headers"]["ce_id"]
    process.send_signal(signal.SIGINT)
    out, wrong = process.communicate(timeout=60)
    assert (process.returncode, wrong) == (0, "")
    assert {json.loads(line)["topic"] for line in out.splitlines()} <= {NATIONAL}, "whole lines, of other partitions"


async def test_a_login_reads_what_it_may_and_is_told_what_it_may_not(servers: Servers, send: Any) -> None:
    await send("langhoc.receipt.issued.v1", TOPIC, "e-0")
    assert said(servers.kafka_as("funding"), TOPIC, "--until-end")[0] == 0
    code, out, wrong = said(servers.kafka_as("scoring"), TOPIC, "--from", "beginning", "--until-end")
    assert (code, out) == (1, "")
    assert "scoring may not read" in wrong


def test_a_topic_that_there_is_not_is_named_with_those_that_there_are(servers: Servers) -> None:
    code, out, wrong = said(servers.kafka, "receipt.01", "--until-end")
    assert (code, out) == (1, "")
    assert "receipts.{province}" in wrong
