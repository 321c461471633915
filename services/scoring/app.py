"""The wiring of scoring."""

from __future__ import annotations

from services.scoring import api, decisions, queries
from services.scoring.opening import opening
from services.scoring.settings import Settings
from shared.messaging.decide.asking import Consumer
from shared.web.service import run_service


def main() -> None:
    """Run the service until SIGTERM."""
    consumer = Consumer("scoring", ("intake.accepted", "people"), decisions.routes)
    run_service(Settings(), consumer, [api.router], migrate=queries.migrate, sets=decisions.SETS, opening=opening)
