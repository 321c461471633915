"""The wiring of intake."""

from __future__ import annotations

from services.intake import api, handlers, store
from services.intake.settings import Settings
from shared.contracts.topics import topic_names
from shared.messaging.handling import Consumer
from shared.messaging.topics import province_codes
from shared.web.service import run_service


def main() -> None:
    """Run the service until SIGTERM."""
    settings = Settings()
    consumer = Consumer(
        "intake",
        tuple(topic_names("submissions", province_codes())),
        handlers.routes(settings.clock_offset),
        handlers.refusals(settings.clock_offset),
    )
    compute = store.compute(settings.clock_offset)
    run_service(settings, consumer, [api.router], migrate=store.migrate, compute=compute)
