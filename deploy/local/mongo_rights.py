"""Who may do what in MongoDB: the administrator everything, a service what it needs, and on its own database alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local.state import SERVICES

Client = MongoClient[dict[str, Any]]

ACTIONS = ("find", "insert", "update", "remove", "createCollection", "createIndex")
"""All that the port (`shared/mongo/port.py`) does with a database. Indexes and collections are never taken away."""
USERS = "admin"
"""The database in which users and their roles are kept, as MongoDB's own tools expect them."""
_USER_EXISTS, _ROLE_EXISTS, _NO_USER, _NO_ROLE = 51003, 51002, 11, 31


def databases_of(environment: Mapping[str, str]) -> dict[str, str]:
    """The database of each service, as its settings name it."""
    prefix = environment.get("LANGHOC_DATABASE_PREFIX", "langhoc_")
    return {service: f"{prefix}{service}" for service in SERVICES}


def let_in(client: Client, user: str, password: str, roles: Sequence[str]) -> None:
    """Make the user, or give it this password and exactly these roles."""
    _make_or_change(client, "User", user, _USER_EXISTS, pwd=password, roles=list(roles), mechanisms=["SCRAM-SHA-256"])


def let_in_to(client: Client, user: str, password: str, database: str, actions: Sequence[str] = ACTIONS) -> None:
    """Make a user who may do these things on this database, and nothing else anywhere.

    The role is named like the database. On what MongoDB itself keeps there (`system.…`) it gives no right.
    """
    everything = {"resource": {"db": database, "collection": ""}, "actions": list(actions)}
    _make_or_change(client, "Role", database, _ROLE_EXISTS, privileges=[everything], roles=[])
    let_in(client, user, password, [database])


def shut_out(client: Client, user: str, database: str) -> None:
    """Remove the user and its role; whoever is connected as it can do nothing more. Harmless to repeat."""
    for command, name, absent in (("dropUser", user, _NO_USER), ("dropRole", database, _NO_ROLE)):
        try:
            client[USERS].command(command, name)
        except OperationFailure as failure:
            if failure.code != absent:
                raise


def _make_or_change(client: Client, what: str, name: str, exists: int, **fields: Any) -> None:
    try:
        client[USERS].command(f"create{what}", name, **fields)
    except OperationFailure as failure:
        if failure.code != exists:
            raise
        client[USERS].command(f"update{what}", name, **fields)
