"""Answers of notifications: what was said, and whether it still holds."""

from __future__ import annotations

from shared.contracts.base import Instant, Text
from shared.contracts.facts import Alert


class StandingAlert(Alert):
    """An alert in the words in which it was said last; it stands as long as it is not cleared."""

    cleared_at: Instant | None = None
    why_cleared: Text | None = None
