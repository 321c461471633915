"""What can be wrong with the rulebook, said so that the person who edits the file can mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pydantic_core import ErrorDetails

from shared.contracts.base import Problem, Text
from shared.errors import LanghocError, sentence
from shared.refusals import problem
from shared.refusals.validation import expected_of


class Unfit(LanghocError, ValueError):
    """A value that does not fit. Raised where it is found, also by the validators of a model; the reader adds file and
    place."""

    def __init__(self, key: str, /, **values: object) -> None:
        super().__init__(problem(key, **values))

    def __str__(self) -> str:
        return sentence(*self.problems)


class RulebookError(LanghocError):
    """A file of the rulebook cannot be used, or holds no rule for the question asked.

    `file` is the file's name inside the rulebook, the problem's field the place in it (`grades/1/min`), empty for the
    whole file. `others` are what else was wrong at the same time: `all` begins with the error itself.
    """

    def __init__(self, file: str, problem: Problem, others: Sequence[RulebookError] = ()) -> None:
        self.file = file
        self.problem = problem
        self.others = tuple(others)
        super().__init__(*(one.problem for one in self.all))

    def __str__(self) -> str:
        place = f", at {self.path}" if self.path else ""
        more = f" (and {len(self.others)} more: `langhoc rulebook check` names them all)" if self.others else ""
        return f"{self.file}{place}: {sentence(self.problem)}{more}"

    @property
    def path(self) -> str:
        """The place in the file."""
        return self.problem.field

    @property
    def all(self) -> tuple[RulebookError, ...]:
        """Everything that was found wrong, this first."""
        return (self, *self.others)


class NoRuleInForce(RulebookError):
    """No version of a rule was in force on the day asked for; nothing is extrapolated from its neighbours."""


class Findings:
    """Collects what is wrong in many files, so that a person mends once."""

    def __init__(self) -> None:
        self.errors: list[RulebookError] = []

    def add(self, file: str, path: str, key: str, /, **values: object) -> None:
        """Note one problem of the catalogue."""
        self.errors.append(RulebookError(file, problem(key, path, **values)))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """What fails inside is noted, and the work goes on after the block."""
        try:
            yield
        except RulebookError as error:
            self.errors += error.all

    def settle(self) -> None:
        """Raise everything noted as one `RulebookError`; nothing if nothing was."""
        if self.errors:
            first, *others = self.errors
            raise type(first)(first.file, first.problem, others)


_OWN = {
    "missing": "rulebook.entry_missing",
    "extra_forbidden": "rulebook.unknown_key",
    "string_too_short": "rulebook.entry_empty",
}
"""Pydantic's kinds of error that have an entry of their own."""


def of_validation(error: ErrorDetails, path: str) -> Problem:
    """One of Pydantic's errors, in its place: what a validator of ours raised, or one of its own kinds in words."""
    kind, cause = error["type"], error.get("ctx", {}).get("error")
    if isinstance(cause, Unfit):
        return cause.problems[0].model_copy(update={"field": path})
    if kind in _OWN:
        return problem(_OWN[kind], path)
    said = expected_of(error)
    expected = Text(vi=said.vi, en=said.en.removeprefix("Input should be "))
    return problem("rulebook.wrong_value", path, expected=expected)
