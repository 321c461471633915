"""Asking for the ids of topics: of a broker that has none, it is said so, and nothing is taken for an answer."""

from __future__ import annotations

import pytest
from aiokafka.errors import IncompatibleBrokerVersion

from shared.messaging.consume.topics_seen import _Metadata


@pytest.mark.parametrize("versions", [{}, {3: (0, 0)}, {3: (0, 11)}, {1: (0, 17)}])
def test_a_broker_whose_topics_have_no_ids_is_told_apart(versions: dict[int, tuple[int, int]]) -> None:
    with pytest.raises(IncompatibleBrokerVersion, match=r"since Kafka 3\.0"):
        _Metadata(["scores"]).prepare(versions)


@pytest.mark.parametrize("versions", [{3: (0, 12)}, {3: (0, 13)}])
def test_any_other_is_asked(versions: dict[int, tuple[int, int]]) -> None:
    assert _Metadata(["scores"]).prepare(versions).API_VERSION == 12
