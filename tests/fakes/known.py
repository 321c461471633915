"""What decisions know, as a dictionary: drives one decision without a database."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from shared.messaging.decide.asking import Decide, Declared, Look, Outcome
from shared.messaging.decide.documents import Collection, Query, Ref
from shared.messaging.decide.engine import Run, decided
from shared.messaging.messages import Received

C = TypeVar("C")
M = TypeVar("M")
P = TypeVar("P")


class Documents(dict[Ref[Any], Any]):
    """The documents of one service. What is not in it does not exist."""

    def __contains__(self, ref: object) -> bool:
        return True

    def __getitem__(self, ref: Ref[M]) -> M | None:
        return self.get(ref)

    def decide(self, decide: Decide[C], cause: C, at: datetime | None = None, declared: Declared = None) -> Outcome:
        """The outcome; nothing is kept of it. `at` tells what is reached; for a record, when it was received."""
        when: datetime = at or cause.received_at  # type: ignore[attr-defined]
        return _now(
            decided(Run(decide, cause, self, when, declared=declared, ranges=not isinstance(cause, Received)), self)
        )

    def run(self, decide: Decide[C], cause: C, at: datetime | None = None) -> Outcome:
        """The outcome, with its documents kept."""
        return self.apply(self.decide(decide, cause, at))

    def apply(self, outcome: Outcome) -> Outcome:
        """Keep an outcome's documents, as it would be written."""
        self.update(outcome.puts)
        return outcome

    async def load(self, refs: Iterable[Ref[Any]]) -> None:
        """Everything is there."""

    async def every(self, kind: Collection[M], query: Query) -> list[M]:
        """Those whose stored content is what is asked for."""
        found = self._stored(kind)
        refs = [kind.ref(id) for id in sorted(found) if matches(found[id], query)]
        return [state for ref in refs if (state := self[ref]) is not None]

    async def look(self, look: Look[P]) -> list[P]:
        """The same, read as what is looked for."""
        assert not look.pipeline, "a dictionary computes nothing"
        rows = [row for _, row in sorted(self._stored(look.kind).items()) if matches(row, look.query)]
        fields = {"_id", *(path.partition(".")[0] for path in look.fields)}
        seen = [{name: row[name] for name in row.keys() & fields} if look.fields else row for row in rows]
        return [look.model.validate_python(row) for row in seen]

    def _stored(self, kind: Collection[Any]) -> dict[str, dict[str, Any]]:
        return {
            ref.id: {"_id": ref.id, **kind.written(state)}
            for ref, state in self.items()
            if ref.collection == kind.name and state is not None
        }


def matches(document: Mapping[str, Any], query: Query) -> bool:
    """Whether a document has these values. Equality, `$in`, `$lt` and `$gt` are known here."""
    for path, wanted in query.items():
        value: Any = document
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        operators = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
        for operator, operand in operators.items():
            match operator:
                case "$eq":
                    fits = value == operand
                case "$in":
                    fits = any(each in operand for each in value) if isinstance(value, list) else value in operand
                case "$lt":
                    fits = value is not None and value < operand
                case "$gt":
                    fits = value is not None and value > operand
                case _:
                    raise AssertionError(f"{operator} is not known to this fake")
            if not fits:
                return False
    return True


def _now(decision: Coroutine[Any, Any, Outcome]) -> Outcome:
    """What needs no waiting is there at once."""
    try:
        decision.send(None)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    raise AssertionError("the decision waits for something that a dictionary has at once")
