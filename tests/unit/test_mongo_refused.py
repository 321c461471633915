"""Which errors of MongoDB mean that we are not logged in, and for how long that lasts."""

from __future__ import annotations

import pytest
from pymongo.errors import OperationFailure, PyMongoError

from shared.mongo.errors_of_pymongo import translate
from shared.mongo.port import LoggedOut, Unavailable
from shared.mongo.refusals import FORGOTTEN_SECONDS, Refusals


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OperationFailure("Authentication failed.", 18), LoggedOut),
        (OperationFailure("Command find requires authentication", 13), LoggedOut),
        (OperationFailure("command commitTransaction requires authentication", 13), LoggedOut),
        (OperationFailure("not authorized on langhoc_intake to execute command { find: ... }", 13), Unavailable),
        (OperationFailure("operation exceeded time limit", 50), Unavailable),
    ],
)
def test_to_be_logged_out_is_told_from_a_right_that_is_lacking(error: PyMongoError, kind: type[Exception]) -> None:
    assert type(translate(error)) is kind


def noted(*instants: float) -> float:
    refusals = Refusals()
    for instant in instants:
        refusals.note(instant)
    return refusals.seconds


def test_refusals_last_from_the_first_to_the_last_until_they_are_long_past() -> None:
    assert noted() == 0
    assert noted(1000.0) == 0
    assert noted(1000.0, 1003.0, 1020.0) == 20
    assert noted(1000.0, 1000.0 + FORGOTTEN_SECONDS) == FORGOTTEN_SECONDS
    assert noted(1000.0, 1001.0 + FORGOTTEN_SECONDS) == 0
    assert noted(1000.0, 1001.0 + FORGOTTEN_SECONDS, 1003.0 + FORGOTTEN_SECONDS) == 2
