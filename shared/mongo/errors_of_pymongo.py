"""PyMongo's errors as the port's. Motor raises the same classes, so this is the only place that knows them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)

from shared.mongo.port import CommitUnknown, DuplicateKey, LoggedOut, MongoError, Permanent, Transient, Unavailable
from shared.mongo.refusals import Refusals

WRITE_CONFLICT, MULTIPLE_ERRORS, NO_SUCH_TRANSACTION, DUPLICATE = 112, 65, 251, 11000
TRANSIENT_CODES = {WRITE_CONFLICT, MULTIPLE_ERRORS, NO_SUCH_TRANSACTION}
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
TOO_LARGE_CODES = {10334, 17280, 17419, 17420}
LACKING = "not authorized on"
"""What the server says of a right; otherwise the same code means that the connection is not logged in."""
_NAMESPACE = re.compile(r"collection: \S+?\.(\S+) index: (\S+)")


@contextmanager
def mapped(refusals: Refusals) -> Iterator[None]:
    """Turn the driver's errors into the port's, and a cancellation that the driver lost into a cancellation.

    PyMongo sends through `asyncio.wait_for`, which before Python 3.12 swallows a cancellation that comes at the same
    moment as the result: a task that is to stop would go on, and a time-out would not end anything.
    """
    task = asyncio.current_task()
    requests = task.cancelling() if task else 0
    try:
        yield
    except PyMongoError as error:
        found = translate(error)
        if isinstance(found, LoggedOut):
            refusals.note()
        raise found from error
    except (BSONError, OverflowError, UnicodeEncodeError) as error:  # not even encodable
        raise Permanent(str(error)) from error
    if task and task.cancelling() > requests:
        raise asyncio.CancelledError


def translate(error: PyMongoError) -> MongoError:
    """The port's error for a PyMongo error. Labels come first: the server knows best what may be repeated."""
    if error.has_error_label("UnknownTransactionCommitResult"):
        return CommitUnknown(str(error))
    if error.has_error_label("TransientTransactionError"):
        return Transient(str(error))
    if isinstance(error, BulkWriteError):
        details = error.details
        failures = details.get("writeErrors") or [{}]
        first = failures[0]
        if first.get("code") == DUPLICATE:
            return _duplicate(str(first.get("errmsg", "")))
        if first.get("code") in TRANSIENT_CODES:
            return Transient(str(error))
        if details.get("writeConcernErrors"):
            return Transient(str(error))
        return Permanent(str(first.get("errmsg", error)))
    if isinstance(error, DuplicateKeyError):
        return _duplicate(str(error))
    if isinstance(error, DocumentTooLarge):
        return Permanent(str(error))
    if isinstance(error, OperationFailure):
        if error.code in TRANSIENT_CODES:
            return Transient(str(error))
        if error.code in TOO_LARGE_CODES:
            return Permanent(str(error))
        if error.code == AUTHENTICATION_FAILED or (error.code == UNAUTHORIZED and LACKING not in str(error)):
            return LoggedOut(str(error))
    if isinstance(error, ConnectionFailure):
        return Transient(str(error))
    return Unavailable(str(error))


def _duplicate(message: str) -> DuplicateKey:
    match = _NAMESPACE.search(message)
    return DuplicateKey(match.group(1), match.group(2)) if match else DuplicateKey("?", "?")
