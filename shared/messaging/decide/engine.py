"""Drives decisions: loads what those of a whole batch ask for, one query per collection and round, and lets them go on.

All decisions of a batch advance together, over what the database holds. They come true one after the other: one that
read what an earlier one of the batch has put is decided again, and only that one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from shared.messaging.decide.asking import Ask, Decide, Declared, Known, Outcome, Want
from shared.messaging.decide.documents import Ref
from shared.messaging.seals import Altered

C = TypeVar("C")
P = TypeVar("P")


class Foreign(TypeError):
    """A decision awaited something else than its `Ask`: it would be decided by what no one can repeat."""


class Run(Generic[C]):
    """One decision under way."""

    def __init__(
        self,
        decide: Decide[C],
        cause: C,
        known: Known,
        at: datetime,
        *,
        declared: Declared = None,
        ranges: bool = True,
    ) -> None:
        self._begin: Callable[[], tuple[Decide[C], C, Ask]] = lambda: (
            decide,
            cause,
            Ask(known, at, declared=declared, ranges=ranges),
        )
        self.again()

    def again(self) -> None:
        """Begin anew, over what is known now."""
        decide, cause, self.ask = self._begin()
        self.outcome: Outcome | None = None
        self.failure: Exception | None = None
        self.want: Want[Any] | None = None
        try:
            self._coroutine = decide(cause, self.ask)
        except Exception as error:
            self.failure = error
        else:
            self.advance()

    def advance(self, error: Altered | None = None) -> None:
        """Go on to what it asks for next, or to its end; with what is wrong with what it asked for."""
        self.want = None
        try:
            want = self._coroutine.throw(error) if error else self._coroutine.send(None)
            if not isinstance(want, Want):
                self._coroutine.close()
                raise Foreign(f"{want!r} was awaited; a decision awaits only what it asks for")
            self.want = want
        except StopIteration as end:
            self.outcome = end.value
        except Exception as error:
            self.failure = error

    def result(self) -> Outcome:
        """The outcome; raises what the decision raised.

        A document that was not read must not be put: whoever writes it without looking undoes what others wrote.
        """
        if self.failure is not None:
            raise self.failure
        assert self.outcome is not None
        for ref in (*self.outcome.puts, *self.outcome.holds):
            if not ref.kind.entries and ref not in self.ask.reads:
                raise KeyError(f"{ref} was put or held without having been read")
        return self.outcome


async def bring(runs: Iterable[Run[Any]], known: Known) -> None:
    """Drive decisions to their ends, whether outcome or failure. Raises what the database raises."""
    waiting = [(run, run.want) for run in runs if run.want]
    while waiting:
        await known.load(ref for _, want in waiting for ref in want.refs)
        for run, want in waiting:
            altered = None
            if want.bring:
                try:
                    want.answer = await want.bring(known)
                except Altered as error:  # the decision's own matter, as where it asks by identity
                    altered = error
            run.advance(altered)
        waiting = [(run, run.want) for run, _ in waiting if run.want]


async def in_turn(run: Run[Any], known: Known, written: Collection[Ref[Any]]) -> None:
    """Bring a decision of a batch up to what is known when its turn comes.

    Args:
        written: what the earlier ones of the batch have put. A decision that read any of it is decided again.
    """
    if any(ref in written for ref in run.ask.reads):  # few are read, a whole batch may be written
        run.again()
    await bring([run], known)


async def decided(run: Run[Any], known: Known) -> Outcome:
    """The outcome of one decision; raises what it raised."""
    await bring([run], known)
    return run.result()


END = datetime.max.replace(tzinfo=UTC)


async def answer(question: Callable[[Ask], Coroutine[Want[Any], Any, P]], known: Known, at: datetime = END) -> P:
    """What decisions would be told, for a view that decides nothing; left out `at`, every instant has come for it."""
    asking = question(Ask(known, at))
    while True:
        try:
            want = asking.send(None)
        except StopIteration as end:
            found: P = end.value
            return found
        await known.load(want.refs)
        if want.bring:
            want.answer = await want.bring(known)
