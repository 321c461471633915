"""Asking for the ids of topics: of a broker that has none, it is said so, and nothing is taken for an answer."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, IncompatibleBrokerVersion, KafkaConnectionError, KafkaError

from shared.messaging.access import KafkaAccess
from shared.messaging.consume import topics_seen
from shared.messaging.consume.topics_seen import Looking, _Metadata


@pytest.mark.parametrize("versions", [{}, {3: (0, 0)}, {3: (0, 11)}, {1: (0, 17)}])
def test_a_broker_whose_topics_have_no_ids_is_told_apart(versions: dict[int, tuple[int, int]]) -> None:
    with pytest.raises(IncompatibleBrokerVersion, match=r"since Kafka 3\.0"):
        _Metadata(["scores"]).prepare(versions)


@pytest.mark.parametrize("versions", [{3: (0, 12)}, {3: (0, 13)}])
def test_any_other_is_asked(versions: dict[int, tuple[int, int]]) -> None:
    assert _Metadata(["scores"]).prepare(versions).API_VERSION == 12


# ------------------------------------------------------------------------------------------------- the connection


class Client:
    """Connections in the order in which they were opened, and what each question leads to."""

    opened: list[Client] = []
    failing: list[KafkaError] = []

    def __init__(self, **options: Any) -> None:
        self.closed = False
        Client.opened.append(self)

    async def bootstrap(self) -> None:
        """It can be reached."""

    async def coordinator_lookup(self, kind: Any, group: str) -> int:
        """The next failure, or the coordinator."""
        if Client.failing:
            raise Client.failing.pop(0)
        return 1

    async def close(self) -> None:
        """It asks no more."""
        self.closed = True


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Looking:
    monkeypatch.setattr(topics_seen, "AIOKafkaClient", Client)
    monkeypatch.setattr(Client, "opened", [])
    monkeypatch.setattr(Client, "failing", [])
    return Looking(KafkaAccess("broker:9092"))


def open_and_closed() -> list[bool]:
    """Of each connection whether it is closed."""
    return [client.closed for client in Client.opened]


async def test_one_connection_answers_again_and_again(look: Looking) -> None:
    async with look:
        assert [await look.may_join("intake") for _ in range(3)] == [True] * 3
        assert open_and_closed() == [False]
    assert open_and_closed() == [True]


async def test_a_right_that_is_taken_away_and_given_back_is_seen_on_the_same_connection(look: Looking) -> None:
    assert await look.may_join("intake")
    Client.failing = [GroupAuthorizationFailedError()]
    assert not await look.may_join("intake")
    assert await look.may_join("intake")
    assert open_and_closed() == [False]


async def test_of_an_old_connection_that_the_broker_has_cut_nobody_hears(look: Looking) -> None:
    assert await look.may_join("intake")
    Client.failing = [KafkaConnectionError()]
    assert await look.may_join("intake")
    assert open_and_closed() == [True, False]


async def test_a_broker_that_does_not_answer_is_told_and_asked_anew(look: Looking) -> None:
    Client.failing = [KafkaConnectionError(), KafkaConnectionError(), KafkaConnectionError()]
    with pytest.raises(KafkaConnectionError):
        await look.may_join("intake")
    assert len(Client.failing) == 2, "a new connection that fails is not tried twice"
    with pytest.raises(KafkaConnectionError):
        await look.may_join("intake")
    with pytest.raises(KafkaConnectionError):
        await look.may_join("intake")
    assert await look.may_join("intake")
    assert open_and_closed() == [True, True, True, False]
