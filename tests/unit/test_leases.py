"""A lease, as its holder sees it, never outlasts what the server says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shared.mongo.leases import Leases
from shared.mongo.port import Query
from tests.fakes.memory import MemoryMongo


class Far(MemoryMongo):
    """A database behind a slow line: every update takes three seconds, half of them before it is carried out."""

    elapsed = 0.0

    async def update(
        self,
        collection: str,
        query: Query,
        update: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        upsert: bool = False,
    ) -> int:
        matched = await super().update(collection, query, update, upsert=upsert)
        self.elapsed += 3.0
        return matched


async def test_a_lease_counts_from_the_question_and_not_from_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who counts from the answer believes to hold what the server has given to another already."""
    mongo = Far()
    monkeypatch.setattr("shared.mongo.leases.time.monotonic", lambda: mongo.elapsed)
    held = Leases(mongo, 10.0)
    await held.create(["a"])
    assert await held.acquire(["a"]) == {"a"}
    assert held.held(margin_seconds=6.9) == {"a"}
    assert held.held(margin_seconds=7.1) == set()
