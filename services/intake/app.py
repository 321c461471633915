"""The wiring of intake."""

from __future__ import annotations

from services.intake import api, decisions, queries
from services.intake.settings import Settings
from shared.contracts.topics import topic_names
from shared.messaging.decide.handling import Consumer
from shared.messaging.operate.topics import province_codes
from shared.web.service import run_service


def main() -> None:
    """Run the service until SIGTERM."""
    settings = Settings()
    consumer = Consumer(
        "intake",
        tuple(topic_names("submissions", province_codes())),
        decisions.routes(settings.clock_offset),
        decisions.refusals(settings.clock_offset),
    )
    compute = queries.compute(settings.clock_offset)
    run_service(settings, consumer, [api.router], migrate=queries.migrate, compute=compute)
