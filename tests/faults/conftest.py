"""Fixtures of the fault tests that leave the shared servers unharmed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.local.harness import Servers
from shared.messaging.access import KafkaAccess
from tests.faults.group import Group


@pytest.fixture
async def group(servers: Servers, topics: KafkaAccess) -> AsyncIterator[Group]:
    """A consumer group with topics and a database of its own."""
    found = Group(servers, "motor")
    await found.begin()
    yield found
    await found.end()
