"""The wiring of funding."""

from __future__ import annotations

from services.funding import api, decisions, queries
from services.funding.opening import opening
from services.funding.settings import Settings
from shared.contracts.topics import topic_names
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.topics import province_codes
from shared.web.service import run_service


def main() -> None:
    """Run the service until SIGTERM."""
    topics = ("intake.accepted", "scores", "people", *topic_names("receipts", province_codes()))
    consumer = Consumer("funding", topics, decisions.routes)
    run_service(Settings(), consumer, [api.router], migrate=queries.migrate, sets=decisions.SETS, opening=opening)
