"""How long a portal waits for its receipt while all provinces together send at a steady pace."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import islice

from aiokafka import AIOKafkaConsumer

from cli.publishing import Message, headers_of, topic_of
from demo.synthetic import ON_TIME
from shared.contracts.topics import topic_names
from shared.messaging.messages import Position
from shared.messaging.operate.topics import province_codes
from shared.messaging.send.producer import build_producer
from tests.bench.ground import Ground
from tests.bench.messages import in_turn
from tests.bench.table import Measured, Row, quantile
from tests.topics import partitions_of

WARM_UP_SECONDS = 2
"""What is sent in the beginning is not counted: it meets a service that has done nothing yet."""
LAST_SECONDS = 120.0
"""How long the last receipts are waited for."""


async def _measure(ground: Ground) -> Measured:
    sizes, kafka = ground.sizes, ground.servers.kafka
    provinces = sizes.provinces or tuple(province_codes())
    messages = islice(in_turn(provinces), sizes.per_second * (sizes.latency_seconds + WARM_UP_SECONDS))
    sent: dict[str, float] = {}
    answered: dict[str, float] = {}
    async with (
        ground.world() as processes,
        AIOKafkaConsumer(**kafka.options, fetch_max_wait_ms=100) as receipts,
        build_producer(kafka, "langhoc-bench") as producer,
    ):
        await asyncio.to_thread(processes.start, "intake")
        receipts.assign(partitions_of(topic_names("receipts", province_codes())))
        await receipts.seek_to_end()

        async def send(message: Message) -> None:
            """Publish one, and remember when it was handed over under the name of its place."""
            at = time.perf_counter()
            headers = headers_of(message, ON_TIME, "")
            place = await (await producer.send(topic_of(message), message.body, message.key.encode(), headers=headers))
            sent[str(Position(place.topic, place.partition, place.offset))] = at

        async def read(count: int) -> None:
            while len(answered) < count:
                for records in (await receipts.getmany(timeout_ms=100)).values():
                    now = time.perf_counter()
                    answered.update((json.loads(record.value)["channel"], now) for record in records)

        planned = list(messages)
        reading = asyncio.create_task(read(len(planned)))
        began = time.perf_counter()
        sending = []
        for number, message in enumerate(planned):
            await asyncio.sleep(max(began + number / sizes.per_second - time.perf_counter(), 0))
            sending.append(asyncio.create_task(send(message)))
        pace = len(planned) / (time.perf_counter() - began)
        await asyncio.gather(*sending)
        await asyncio.wait_for(reading, LAST_SECONDS)
    waited = [answered[place] - at for place, at in sent.items() if at > began + WARM_UP_SECONDS]
    half, most = quantile(waited, 0.50), quantile(waited, 0.99)
    return Measured(
        [
            Row(f"a receipt, at {pace:,.0f} submissions/s: half of them", f"{half:.3f} s", f"{len(waited):,} measured"),
            Row("… 99 of 100", f"{most:.3f} s", f"the longest {max(waited):.3f} s"),
        ],
        {"receipt_p50_s": half, "receipt_p99_s": most, "receipt_max_s": max(waited), "receipt_pace_per_s": pace},
    )


def run(ground: Ground) -> Measured:
    """Measure on the ground's servers."""
    ground.servers  # noqa: B018 - they are started outside of the event loop
    return asyncio.run(_measure(ground))
