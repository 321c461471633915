"""The wiring of funding."""

from __future__ import annotations

from services.funding import api, handlers, store
from services.funding.settings import Settings
from shared.contracts.topics import topic_names
from shared.messaging.handling import Consumer
from shared.messaging.topics import province_codes
from shared.web.service import run_service


def main() -> None:
    """Run the service until SIGTERM."""
    topics = ("intake.accepted", "scores", *topic_names("receipts", province_codes()))
    consumer = Consumer("funding", topics, handlers.ROUTES)
    run_service(Settings(), consumer, [api.router], migrate=store.migrate, compute=store.compute)
