"""What the log is spared: a connection that is cut because its login is old is no fault, and comes every 45 seconds."""

from __future__ import annotations

import json
import logging

import pytest

from tests.logs import service_logs


@pytest.mark.parametrize(
    ("logger", "message", "told"),
    [
        (
            "aiokafka.consumer.fetcher",
            "Failed fetch messages from 1: KafkaConnectionError: Connection at k:1 closed",
            0,
        ),
        ("aiokafka.consumer.group_coordinator", "Marking the coordinator dead (node 1)for group langhoc-intake.", 0),
        ("aiokafka", "Unable connect to node with id 1: [Errno 111] Connect call failed ('127.0.0.1', 1)", 1),
        ("aiokafka.consumer.group_coordinator", "Group Coordinator Request failed: [Error 30] not authorized", 1),
        ("pymongo", "Connection at k:1 closed", 1),
    ],
)
def test_a_cut_that_is_meant_is_no_line(
    logger: str, message: str, told: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with service_logs():
        logging.getLogger(logger).error("%s", message)
        lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["event"] for line in lines] == [message] * told
