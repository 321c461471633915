"""Every case of `tests/cases`, on the four services in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.identity import ensure_signing_key
from shared.registry import registry
from tests.casework.case import Case, load
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import ORDERS, plays_of, verdict
from tests.fakes.small_country import country_of

CASES = load()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose key signs the officers' tokens."""
    folder = tmp_path_factory.mktemp("keys")
    ensure_signing_key(folder)
    return folder


@pytest.mark.parametrize("case", CASES, ids=[case.case for case in CASES])
async def test_case(case: Case, keys: Path) -> None:
    first, *others = plays = plays_of(case)
    await perform(await MemoryWorld(keys).begin(), [first])
    senders = {case.sender(step, record) for step in case.given for record in step.send}
    with country_of(lambda unit: registry().speaker_of(unit) in senders):  # what all its ways say of it is not so large
        for play in others:
            await perform(await MemoryWorld(keys).begin(), [play])
    assert verdict(case, plays) == []


@pytest.fixture(params=["America/New_York", "UTC", "Pacific/Kiritimati"])
def host_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A host that lives by another time: a day behind Hanoi, in the middle, and a day ahead."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


LAST_DAYS = ["commune-file-on-its-last-day", "centre-file-on-its-last-day", "last-day-of-a-period"]


@pytest.mark.parametrize("name", LAST_DAYS)
async def test_c3_the_zone_of_the_host_moves_no_deadline(name: str, host_zone: str, keys: Path) -> None:
    (case,) = (case for case in CASES if case.case == name)
    plays = plays_of(case)[:1]
    await perform(await MemoryWorld(keys).begin(), plays)
    assert verdict(case, plays) == []


def test_there_are_cases_of_every_kind() -> None:
    """All seven statuses, every kind of expectation, and cases whose records come in any order."""
    statuses = {
        status
        for case in CASES
        for expected in case.expectations
        for answers in expected.receipts.values()
        for answer in answers
        for status in (answer.status if isinstance(answer.status, list) else [answer.status])
    }
    assert {"accepted", "accepted_late", "held", "rejected", "conflict", "duplicate", "unchanged"} <= statuses
    for kind in (
        "receipts",
        "accepted",
        "results",
        "ranks",
        "money",
        "decisions",
        "adjustments",
        "alerts",
        "open_alerts",
    ):
        assert any(getattr(expected, kind) for case in CASES for expected in case.expectations), kind
    assert len([case for case in CASES if len(plays_of(case)) == ORDERS]) >= 20
    assert any(step.correct for case in CASES for step in case.given)
    assert len(CASES) >= 40
