"""The wiring of intake."""

from __future__ import annotations

from services.intake import api, handlers, store
from services.intake.settings import Settings
from shared.contracts.topics import topic_names
from shared.messaging.handling import Consumer
from shared.messaging.runtime import Runtime
from shared.messaging.topics import province_codes
from shared.mongo.motor_driver import MotorMongo
from shared.telemetry import configure_logs, setup_traces
from shared.web import build_app, serve

NAME = "intake"


def main() -> None:
    """Run the service until SIGTERM."""
    settings = Settings()
    configure_logs(NAME, settings.instance)
    provider = setup_traces(NAME, settings.instance)
    consumer = Consumer(
        NAME,
        tuple(topic_names("submissions", province_codes())),
        handlers.routes(settings.clock_offset),
        handlers.refusals(settings.clock_offset),
    )
    mongo = MotorMongo(settings.mongo, settings.database_prefix + NAME)
    runtime = Runtime(NAME, settings, mongo, consumer, migrate=store.migrate)
    serve(build_app(runtime, [api.router], title="Langhoc: intake", provider=provider), runtime)
