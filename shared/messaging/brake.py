"""The brake: if record after record fails by our own fault, stop instead of draining the topic into dead letters."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Brake:
    """Consecutive failures of our own per topic. Faults of senders never count."""

    limit: int
    _failures: dict[str, int] = field(default_factory=dict)

    def failed(self, topic: str) -> None:
        """One more record of `topic` failed by our fault."""
        self._failures[topic] = self._failures.get(topic, 0) + 1

    def succeeded(self, topic: str) -> None:
        """A record of `topic` was handled: whatever was wrong, it is not wrong with everything."""
        self._failures.pop(topic, None)

    def closed(self, topic: str) -> bool:
        """Whether consumption of `topic` must stop."""
        return self._failures.get(topic, 0) >= self.limit

    def trial(self) -> Brake:
        """A copy, for counting what is decided but not yet written."""
        return Brake(self.limit, dict(self._failures))

    def topics(self) -> set[str]:
        """Topics that are stopped."""
        return {topic for topic in self._failures if self.closed(topic)}
