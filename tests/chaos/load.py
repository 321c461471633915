"""Load without end: a demonstration's year, then corrections, repeats and bad records for as long as wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from cli.publishing import Message
from demo.synthetic import PERIOD, Demonstration
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType

ASSESSED: dict[str, str] = {EventType.COMMUNE_SUBMITTED: "unit_code", EventType.CENTRE_SUBMITTED: "centre_id"}
TAKEN = (Status.ACCEPTED, Status.ACCEPTED_LATE)


class Load:
    """Messages in sending order. The same seed makes the same messages."""

    def __init__(self, provinces: tuple[str, ...], seed: int) -> None:
        self._world = Demonstration(provinces)
        self._random = Random(f"load/{seed}")
        self._current: dict[tuple[str, str], tuple[Message, dict[str, Any], int]] = {}
        self._bad: list[Message] = []

    def setup(self) -> list[Message]:
        """What must be there before the rest means anything."""
        return list(self._world.setup())

    def endless(self) -> Iterator[Message]:
        """The year's files, then corrections of them, mixed with repeats and refusals."""
        for message in (*self._world.assessments(), *self._world.legacy()):
            self._remember(message)
            yield message
        keys = sorted(self._current)
        number = 0
        while True:
            number += 1
            kind, subject = self._random.choice(keys)
            yield self._correction(number, kind, subject)
            chance = self._random.random()
            if chance < 0.05:
                yield self._current[kind, subject][0]
            elif chance < 0.10:
                yield self._random.choice(self._bad)

    def _remember(self, message: Message) -> None:
        if message.expected is Status.REJECTED:
            self._bad.append(message)
        if message.expected in TAKEN and message.type in ASSESSED:
            body = json.loads(message.body)
            if body["period"] == PERIOD:
                version = (body.get("corrects_version") or 0) + 1
                self._current[message.type, body[ASSESSED[message.type]]] = (message, body, version)

    def _correction(self, number: int, kind: str, subject: str) -> Message:
        before, body, version = self._current[kind, subject]
        body = json.loads(json.dumps(body))
        body |= {"submission_id": f"CHAOS-{number}", "corrects_version": version}
        content = body["content"]
        if content["scoring"] == "points":
            name = self._random.choice(sorted(content["points"]))
            # Never what stands there now, else the correction would be an unchanged file.
            old = str(content["points"][name]["points"])
            halves = [each for each in (f"{n / 2:g}" for n in range(40)) if float(each) != float(old)]
            content["points"][name] = {"points": self._random.choice(halves), "evidence": [f"BB-{number}"]}
        else:
            content["targets"]["C1.1"] = {"type": "boolean", "met": bool(number % 2), "evidence": [f"BB-{number}"]}
            content["targets"]["C5.1"] = {
                "type": "share",
                "share": {"numerator": self._random.randrange(500, 1_000), "denominator": 1_000},
                "evidence": [f"BB-{number}"],
            }
        message = replace(before, body=json.dumps(body).encode(), expected=Status.ACCEPTED, note="correction")
        self._current[kind, subject] = (message, body, version + 1)
        return message
