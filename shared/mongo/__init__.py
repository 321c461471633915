"""MongoDB behind a small port: transactions, guarded writes, leases, migrations."""

from shared.mongo.port import (
    Conflict,
    DuplicateKey,
    LoggedOut,
    Mongo,
    Permanent,
    Put,
    Session,
    Unavailable,
    answers,
)
from shared.mongo.transactions import in_transaction

__all__ = [
    "Conflict",
    "DuplicateKey",
    "LoggedOut",
    "Mongo",
    "Permanent",
    "Put",
    "Session",
    "Unavailable",
    "answers",
    "in_transaction",
]
