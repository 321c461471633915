"""The one broker factory. Nobody builds a broker by hand: the library's defaults lose and duplicate records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.publisher.producer import AioKafkaFastProducerImpl
from faststream.security import BaseSecurity, SASLScram512

from shared.messaging.access import KafkaAccess
from shared.messaging.consume.batches import read_answers
from shared.messaging.consume.fetching import FairConsumer
from shared.messaging.faults import NO_FAULTS, Faults
from shared.messaging.send.producer import OPTIONS, LastingProducer, build_producer


class Broker(KafkaBroker):
    """FastStream's broker, whose subscribers' loops ask consumers of ours."""

    async def start(self) -> None:
        """Connect, and start all subscribers."""
        await self.connect()
        config = self.config.broker_config
        assert isinstance(config.builder, partial), "the framework makes its consumers another way"
        config.builder = partial(FairConsumer, **config.builder.keywords)
        await super().start()


def make_broker(kafka: KafkaAccess, *, client_id: str, faults: Faults = NO_FAULTS) -> KafkaBroker:
    """A broker with durable, idempotent, bounded, lasting publishing and manual acknowledgement."""
    read_answers(faults.arrived)
    broker = Broker(
        kafka.options["bootstrap_servers"],
        security=_security(kafka),
        client_id=client_id,
        allow_auto_create_topics=False,  # else a consumer creates missing topics with one partition
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=15.0,
        apply_types=False,  # the pipeline parses; the framework hands over raw records
        logger=logging.getLogger("faststream.langhoc"),
        **OPTIONS,
    )
    broker.config.broker_config.producer = FastProducer(kafka, client_id)
    return broker


def _security(kafka: KafkaAccess) -> BaseSecurity:
    """The same access in the framework's words."""
    context = kafka.options.get("ssl_context")
    if kafka.user is None or kafka.password is None:
        return BaseSecurity(use_ssl=False)
    return SASLScram512(kafka.user, kafka.password, ssl_context=context, use_ssl=context is not None)


class FastProducer(AioKafkaFastProducerImpl):
    """FastStream's producer, around one that can be made anew."""

    def __init__(self, kafka: KafkaAccess, client_id: str) -> None:
        super().__init__(parser=None, decoder=None)
        self._build = partial(build_producer, kafka, client_id)
        self._lasting: LastingProducer | None = None

    async def connect(self, producer: AIOKafkaProducer, serializer: Any, codec: Any = None) -> None:
        """Begin with the producer that the broker has built."""
        lasting = LastingProducer(self._build, first=producer)
        try:
            await super().connect(lasting, serializer, codec)
        except BaseException:
            await lasting.stop()
            raise
        self._lasting = lasting

    async def renew(self) -> None:
        """Make the producer anew if a send failed. Raises `KafkaError` or `TimeoutError` while no broker answers."""
        if self._lasting:
            await self._lasting.renew()


class KafkaPublisher:
    """`Publisher` over the broker. Only the relay may use it."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker
        producer = broker.config.broker_config.producer
        assert isinstance(producer, FastProducer), "a broker comes from make_broker"
        self._producer = producer

    async def send(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str]) -> asyncio.Future[Any]:
        return await self._broker.publish(
            value, topic, key=key, headers=dict(headers), no_confirm=True, correlation_id=headers.get("ce_id")
        )

    async def renew(self) -> None:
        await self._producer.renew()
