"""The one broker factory. Nobody builds a broker by hand: the library's defaults lose and duplicate records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.messaging.batches import read_answers
from shared.messaging.fetching import FairConsumer


class Broker(KafkaBroker):
    """FastStream's broker, whose subscribers' loops ask consumers of ours."""

    async def start(self) -> None:
        """Connect, and start all subscribers."""
        await self.connect()
        config = self.config.broker_config
        assert isinstance(config.builder, partial), "the framework makes its consumers another way"
        config.builder = partial(FairConsumer, **config.builder.keywords)
        await super().start()


def make_broker(bootstrap: str, *, client_id: str) -> KafkaBroker:
    """A broker with durable, idempotent, bounded publishing and manual acknowledgement."""
    read_answers()
    return Broker(
        bootstrap.split(","),
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,  # else a consumer creates missing topics with one partition
        ack_policy=AckPolicy.MANUAL,
        linger_ms=5,
        max_batch_size=256 * 1024,
        request_timeout_ms=10_000,
        retry_backoff_ms=100,
        metadata_max_age_ms=30_000,
        graceful_timeout=15.0,
        apply_types=False,  # the pipeline parses; the framework hands over raw records
        logger=logging.getLogger("faststream.langhoc"),
    )


class KafkaPublisher:
    """`Publisher` over the broker. Only the relay may use it."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker

    async def send(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str]) -> asyncio.Future[Any]:
        return await self._broker.publish(
            value, topic, key=key, headers=dict(headers), no_confirm=True, correlation_id=headers.get("ce_id")
        )
