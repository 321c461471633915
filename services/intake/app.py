"""The wiring of intake."""

from __future__ import annotations

from services.intake import api, decisions, opening, queries
from services.intake.settings import Settings
from shared.contracts.topics import topic_names
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.topics import province_codes
from shared.web.service import run_service


def main() -> None:
    """Run the service until SIGTERM."""
    topics = tuple(topic_names("submissions", province_codes()))
    consumer = Consumer("intake", topics, decisions.routes, decisions.refusals)
    settings = Settings()
    run_service(
        settings,
        consumer,
        [api.router],
        migrate=queries.migrate,
        sets=decisions.SETS,
        kept=queries.KEPT,
        opening=opening.opening(settings),
    )
