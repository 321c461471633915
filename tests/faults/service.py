"""The conformance suite's sample service as a process that kills itself at a step of delivery.

`python -m tests.faults.service STEP DATABASE TOPIC-IN TOPIC-OUT`, with the settings of any service in the environment.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from shared.messaging.consume.broker import KafkaPublisher, make_broker
from shared.messaging.faults import Faults, Step
from shared.messaging.settings import ServiceSettings
from shared.mongo.connect import connect
from tests.conformance.service import NAME, Process, Topics


class Killing(Faults):
    """Power is cut at this step."""

    def __init__(self, step: Step) -> None:
        self._step = step

    async def reach(self, step: Step) -> None:
        if step is self._step:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(step: str, database: str, *topics: str) -> None:
    """Run until the step is reached."""
    settings = ServiceSettings()
    mongo = connect(settings.mongo_driver, settings.mongo, database, settings.mongo_login)
    broker = make_broker(settings.kafka_access, client_id=NAME)
    process = Process(broker, KafkaPublisher(broker), mongo, settings, Topics(*topics), faults=Killing(Step(step)))
    await process.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
