"""Which driver stands behind the port: the only place that knows there are two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from shared.mongo.motor_driver import MotorMongo
from shared.mongo.port import Mongo
from shared.mongo.pymongo_driver import PyMongo

DriverName = Literal["motor", "pymongo"]


@dataclass(frozen=True, slots=True)
class Login:
    """As whom a service connects."""

    user: str
    password: str = field(repr=False)


def connect(
    driver: DriverName, uri: str, database: str, login: Login | None = None, *, timeout_ms: int = 10_000
) -> Mongo:
    """A service's database on the named driver; it connects with the first call, in that call's event loop.

    Without a login it connects as the URI says.
    """
    implementation = MotorMongo if driver == "motor" else PyMongo
    return implementation(uri, database, timeout_ms=timeout_ms, **credentials(uri, login))


def credentials(uri: str, login: Login | None) -> dict[str, Any]:
    """The driver's options for a login: apart from the URI, so that no letter of a password means anything there.

    Users are looked for in `admin`, unless the URI names another `authSource`; never in the database of its path.
    """
    if login is None:
        return {}
    elsewhere = "authsource=" in urlsplit(uri).query.lower()
    return {"username": login.user, "password": login.password} | ({} if elsewhere else {"authSource": "admin"})


def has_credentials(uri: str) -> bool:
    """Whether a URI says itself how to log in: with a user, or by a certificate or the like."""
    parts = urlsplit(uri)
    return parts.username is not None or "authmechanism=" in parts.query.lower()
