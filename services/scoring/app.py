"""The wiring of scoring."""

from __future__ import annotations

from services.scoring import api, handlers, store
from services.scoring.settings import Settings
from shared.messaging.handling import Consumer
from shared.web.service import run_service


def main() -> None:
    """Run the service until SIGTERM."""
    consumer = Consumer("scoring", ("intake.accepted",), handlers.routes)
    run_service(Settings(), consumer, [api.router], migrate=store.migrate, compute=store.compute)
