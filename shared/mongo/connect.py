"""Which driver stands behind the port: the only place that knows there are two."""

from __future__ import annotations

from typing import Literal

from shared.mongo.motor_driver import MotorMongo
from shared.mongo.port import Mongo
from shared.mongo.pymongo_driver import PyMongo

DriverName = Literal["motor", "pymongo"]


def connect(driver: DriverName, uri: str, database: str, *, timeout_ms: int = 10_000) -> Mongo:
    """A service's database on the named driver; it connects with the first call, in that call's event loop."""
    implementation = MotorMongo if driver == "motor" else PyMongo
    return implementation(uri, database, timeout_ms=timeout_ms)
