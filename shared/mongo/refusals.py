"""How long a process's login has been refused, seen over all its connections."""

from __future__ import annotations

import time
from dataclasses import dataclass

FORGOTTEN_SECONDS = 600.0
"""A connection that was logged out stays so, but may be used seldom: as long a pause ends nothing."""


@dataclass(slots=True)
class Refusals:
    """From the first refusal to the last. That it went well in between is no end: it did so on another connection."""

    first: float = 0.0
    last: float = float("-inf")

    def note(self, now: float | None = None) -> None:
        """The login was refused just now; `now` in seconds of the monotonic clock."""
        now = time.monotonic() if now is None else now
        if now - self.last > FORGOTTEN_SECONDS:
            self.first = now
        self.last = now

    @property
    def seconds(self) -> float:
        """Between the two; 0 if it was refused once, or never."""
        return max(self.last - self.first, 0.0)
