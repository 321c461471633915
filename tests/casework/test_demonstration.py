"""The demonstration in memory, twice: however its records come together, the same is proposed and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.synthetic import AFTER_DEADLINE, FILES_OVER, ON_TIME, Demonstration
from deploy.local.identity import ensure_signing_key
from tests.casework.in_memory import MemoryWorld

PROVINCE = "12"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """With a signing key."""
    ensure_signing_key(tmp_path)
    return tmp_path


async def announced(state: Path, pieces: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is proposed, and which alerts stand, with each stage published in so many pieces and a rest after each."""
    world = await MemoryWorld(state).begin()
    demonstration = Demonstration([PROVINCE])
    setup, files, late = demonstration.setup(), demonstration.assessments(), demonstration.late()
    for at, stage in ((ON_TIME, setup), (ON_TIME, files), (AFTER_DEADLINE, late), (FILES_OVER, ())):
        messages = list(stage)
        size = -(-len(messages) // pieces) or 1
        for start in range(0, max(len(messages), 1), size):
            await world.come(at, messages[start : start + size])
            await world.rest()
    runs = {row["_id"]: (row["hash"], row["reserve"]) for row in world.mongo("funding").all("runs")}
    said = world.mongo("notifications").all("alerts")
    return runs, {row["_id"]: (row["text"], row["action"]) for row in said if row["cleared_at"] is None}


async def test_two_demonstrations_propose_and_tell_the_same(state: Path) -> None:
    runs, alerts = await announced(state, 1)
    assert {id.partition("/")[0] for id in alerts} >= {
        "below_legal_minimum",
        "result_below_threshold",
        "submission_conflict",
        "submission_held",
        "submission_rejected",
        "support_proposed",
    }
    assert runs.keys() == {f"{PROVINCE}/2026"}
    assert await announced(state, 5) == (runs, alerts)
