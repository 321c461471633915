"""Running one service process: what every `app.py` has in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter

from shared.contracts.base import Problem
from shared.messaging import seals
from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.sets import SetOf, Sets
from shared.messaging.operate.keeping import Kept
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.messaging.stage import unsafe
from shared.mongo import Mongo
from shared.mongo.connect import connect
from shared.rulebook.checking import prove
from shared.telemetry import configure_logs, setup_traces
from shared.web.app import CANNOT_START, build_app, serve, tell_refused


def run_service(
    settings: ServiceSettings,
    consumer: Consumer,
    routers: Sequence[APIRouter],
    *,
    migrate: Callable[[Mongo], Awaitable[None]],
    sets: Sequence[SetOf[Any]] = (),
    kept: Sequence[Kept[Any]] = (),
    opening: Callable[[Commands], Awaitable[None]] | None = None,
) -> None:
    """Run the service named like its consumer until SIGTERM.

    Args:
        sets: its results over sets.
        kept: its documents that the retention policy speaks of.
        opening: what it decides by itself at each start, before it hears anything.

    Raises `SystemExit` if it cannot start.
    """
    name = consumer.name
    configure_logs(name, settings.instance)
    _refuse(unsafe(settings))
    prove()  # a fault in the rules stops the process here, not a province's submission later
    provider = setup_traces(name, settings.instance)
    seals.use(seals.Ring.of(settings.seal_key.get_secret_value()))
    mongo = connect(settings.mongo_driver, settings.mongo, settings.database_prefix + name, settings.mongo_login)
    runtime = Runtime(name, settings, mongo, consumer, migrate=migrate, sets=Sets(sets), kept=kept, opening=opening)
    serve(build_app(runtime, routers, title=f"Langhoc: {name}", provider=provider), runtime)


def _refuse(found: Sequence[Problem]) -> None:
    """Say what is wrong with the settings and how to mend it, all at once, and end."""
    tell_refused(found)
    if found:
        raise SystemExit(CANNOT_START)
