"""The brake: if record after record fails by our own fault, stop instead of draining the topic into dead letters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Brake:
    """Consecutive failures of our own per topic. Faults of senders never count.

    Where records of other senders were handled, no more than half the limit counts of one: its records alone (fifty
    that are too large, say) never stop the others', they become its dead letters. A bad release fails with everybody's.
    """

    limit: int
    _failures: dict[str, Counter[str]] = field(default_factory=dict)
    _handled: dict[str, set[str]] = field(default_factory=dict)
    """Per topic the senders of whom this process has handled a record."""

    def failed(self, topic: str, sender: str) -> None:
        """One more record of `topic`, sent by `sender`, failed by our fault."""
        self._failures.setdefault(topic, Counter())[sender] += 1

    def succeeded(self, topic: str, sender: str) -> None:
        """A record of `topic` was handled: whatever was wrong, it is not wrong with everything."""
        self._failures.pop(topic, None)
        self._handled.setdefault(topic, set()).add(sender)

    def closed(self, topic: str) -> bool:
        """Whether consumption of `topic` must stop."""
        failures = self._failures.get(topic, Counter())
        return sum(min(count, self._most(topic, sender)) for sender, count in failures.items()) >= self.limit

    def _most(self, topic: str, sender: str) -> int:
        """How many failures of one sender count."""
        return (self.limit + 1) // 2 if self._handled.get(topic, set()) - {sender} else self.limit

    def trial(self) -> Brake:
        """A copy, for counting what is decided but not yet written."""
        return Brake(
            self.limit,
            {topic: Counter(failures) for topic, failures in self._failures.items()},
            {topic: set(senders) for topic, senders in self._handled.items()},
        )

    def topics(self) -> set[str]:
        """Topics that are stopped."""
        return {topic for topic in self._failures if self.closed(topic)}
