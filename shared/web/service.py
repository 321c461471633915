"""Running one service process: what every `app.py` has in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter

from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.sets import SetOf, Sets
from shared.messaging.operate.keeping import Kept
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.mongo.connect import connect
from shared.rulebook.checking import prove
from shared.telemetry import configure_logs, setup_traces
from shared.web.app import build_app, serve


def run_service(
    settings: ServiceSettings,
    consumer: Consumer,
    routers: Sequence[APIRouter],
    *,
    migrate: Callable[[Mongo], Awaitable[None]],
    sets: Sequence[SetOf[Any]] = (),
    kept: Sequence[Kept[Any]] = (),
) -> None:
    """Run the service named like its consumer until SIGTERM.

    Args:
        sets: its results over sets.
        kept: its documents that the retention policy speaks of.
    """
    name = consumer.name
    configure_logs(name, settings.instance)
    prove()  # a fault in the rules stops the process here, not a province's submission later
    provider = setup_traces(name, settings.instance)
    mongo = connect(settings.mongo_driver, settings.mongo, settings.database_prefix + name, settings.mongo_login)
    runtime = Runtime(name, settings, mongo, consumer, migrate=migrate, sets=Sets(sets), kept=kept)
    serve(build_app(runtime, routers, title=f"Langhoc: {name}", provider=provider), runtime)
