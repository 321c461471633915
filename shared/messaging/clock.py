"""Business time is one port. Processing time never decides anything, so our backlog makes no province late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """Instants shifted by `offset_seconds` (not 0 only in demonstrations and simulations, and shown wherever set)."""

    offset_seconds: int = 0

    def appended(self, timestamp_ms: int) -> datetime:
        """When the broker appended a record, in business time."""
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC) + timedelta(seconds=self.offset_seconds)

    def now(self) -> datetime:
        """Arrival over HTTP, or the moment a result over a set is made."""
        return datetime.now(UTC) + timedelta(seconds=self.offset_seconds)
