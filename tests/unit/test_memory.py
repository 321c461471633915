"""The database fake refuses what it does not understand, instead of answering something."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.memory import MemoryMongo, UnknownToTheFake


@pytest.mark.parametrize("query", [{"name": {"$regex": "x"}}, {"name": {"$exists": True}}])
async def test_an_unknown_question_is_refused(query: dict[str, Any]) -> None:
    mongo = MemoryMongo()
    await mongo.insert("rows", [{"_id": 1, "name": "x"}])
    with pytest.raises(UnknownToTheFake):
        await mongo.find("rows", query)
