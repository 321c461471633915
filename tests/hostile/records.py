"""The inputs of `json.yaml`, `kafka.yaml` and `names.yaml` as records on a province's channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt
from tests.hostile.inputs import Input, inputs, raw

PROVINCE = "04"
CHANNEL = f"submissions.{PROVINCE}"
CENTRE = {
    "submission_id": "H-1",
    "centre_id": "TTHTCD-H-1",
    "name": "Trung tâm học tập cộng đồng",
    "commune_code": "01273",
    "area_class": "region_2",
    "population_served": 21840,
    "opened_on": "2011-09-05",
}
"""A good registration."""
Headers = list[tuple[str, bytes]]


class Sent(NamedTuple):
    """One hostile record, and what must come of it."""

    area: str
    name: str
    headers: Headers
    key: bytes | None
    value: bytes | None
    comes: Any
    """Codes and places of the receipt's problems, or `taken`."""

    def faults(self, receipt: Receipt) -> str:
        """In which way the receipt is not what must come of it; empty where it is."""
        if self.comes == "taken":
            return "" if receipt.status is not Status.REJECTED else f"rejected: {receipt.problems}"
        found = [[one.code, one.field] for one in receipt.problems]
        return "" if receipt.status is Status.REJECTED and found == self.comes else f"{receipt.status}: {found}"


def head(type_: str) -> Headers:
    """The headers of a submission."""
    named = {"ce_specversion": "1.0", "ce_id": "H-1", "ce_source": f"/portal/{PROVINCE}", "ce_type": type_}
    return [(name, value.encode()) for name, value in named.items()]


def of_json(given: Input) -> Sent:
    """An input of `json.yaml`."""
    value = bytes.fromhex(given["hex"]) if "hex" in given else raw(given["body"])
    return Sent("json", given["name"], head(given["type"]), b"k", value, given["comes"])


def of_kafka(given: Input) -> Sent:
    """An input of `kafka.yaml`."""
    headers: Headers = []
    for name, value in given["headers"]:
        many = value["times"][1] if name == "times" else 1
        headers += [("x", b"1")] * many if name == "times" else [(name, raw(value))]
    value, key = given.get("value", json.dumps(CENTRE)), given.get("key", "k")
    found = [None if one is None else raw(one) for one in (value, key)]
    return Sent("kafka", given["name"], headers, found[1], found[0], given["comes"])


def of_name(given: Input) -> Sent:
    """An input of `names.yaml`, as the name of a centre."""
    marked = json.dumps({**CENTRE, "name": "@"}).replace('"@"', given["text"])
    comes = given["comes"]
    codes = {"taken": "taken", "nothing": [["text_not_visible", "/name"]], "short": [["out_of_range", "/name"]]}
    return Sent(
        "names",
        given["name"],
        head(EventType.CENTRE_REGISTERED),
        b"k",
        marked.encode(),
        codes.get(comes, [["text_unclean", "/name"]]),
    )


def records() -> Iterator[Sent]:
    """All of them."""
    yield from map(of_json, inputs("json"))
    yield from map(of_kafka, inputs("kafka"))
    yield from map(of_name, inputs("names"))
