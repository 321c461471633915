"""More submissions than a year has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, count

from cli.publishing import Message
from demo.synthetic import Demonstration
from shared.contracts.catalogue import EventType

KINDS = (EventType.CENTRE_REGISTERED, EventType.SUPPORT_SUBMITTED)


def many(provinces: Sequence[str] | None) -> Iterator[Message]:
    """Centres and their support of last year, without an end: other centres from each seed, all of them accepted."""
    for seed in count(1):
        yield from (message for message in Demonstration(provinces, seed).setup() if message.type in KINDS)


def in_turn(provinces: Sequence[str]) -> Iterator[Message]:
    """The same from these provinces one after the other, each in its order."""
    return chain.from_iterable(zip(*(many((province,)) for province in provinces), strict=True))
