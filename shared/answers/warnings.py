"""Answers of intake: what is accepted, and yet hardly true."""

from __future__ import annotations

from pydantic import BaseModel

from shared.contracts.base import Problem
from shared.contracts.facts import SubmissionKind


class Doubtful(BaseModel):
    """Something accepted that is hardly true, as the accepted facts stand now: whenever they came, it is the same."""

    kind: SubmissionKind
    subject: str
    """As its sender named it."""
    name: str | None
    """What its sender or the register calls it, where the accepted fact says so."""
    period: int | None
    """Period or year; `None` of a registration."""
    province: str
    version: int
    submission_id: str
    receipt_id: str
    warnings: list[Problem]
