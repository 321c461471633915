"""The databases that commit 19223d0 left behind, and what its HTTP sides said of them (`fixtures/database-19223d0`)."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from bson import json_util

from shared.mongo import Mongo

FOLDER = Path(__file__).parent / "fixtures" / "database-19223d0"
SERVICES = ("intake", "scoring", "funding", "notifications")
LEFT_AT = datetime.fromisoformat("2026-03-04T12:00:00+07:00")
"""A simulated moment after the last one at which it ran."""
_AS_DRIVERS_DO = json_util.JSONOptions(tz_aware=True, document_class=dict)
Document = dict[str, Any]


def collections(service: str) -> Iterator[tuple[str, list[Document]]]:
    """Every collection of a service's database with its documents, as they lay there."""
    rows = (json_util.loads(line, json_options=_AS_DRIVERS_DO) for line in _lines(service))
    for name, group in groupby(rows, key=lambda row: row["collection"]):
        yield name, [row["document"] for row in group]


def answers(service: str) -> dict[str, Any]:
    """What a service of that commit answered to every GET, by path and query, asked by the ministry."""
    return {row["path"]: row["answer"] for row in map(json.loads, _lines(f"{service}-answers"))}


async def load(mongo: Mongo, service: str) -> None:
    """Fill an empty database with what the service had."""
    for name, documents in collections(service):
        await mongo.insert(name, documents)


def _lines(name: str) -> Iterator[str]:
    with lzma.open(FOLDER / f"{name}.jsonl.xz", "rt", encoding="utf-8") as file:
        yield from file
