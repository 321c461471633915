"""What can be wrong with the rulebook, said so that the person who edits the file can mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from shared.contracts.base import Problem
from shared.rulebook.faults import Fault


class RulebookError(Exception):
    """A file of the rulebook cannot be used, or holds no rule for the question asked.

    `file` is the file's name inside the rulebook, `path` the place in it (`grades/1/min`), empty for the whole file.
    `others` are what else was wrong at the same time: `all` begins with the error itself.
    """

    def __init__(self, file: str, path: str, fault: Fault, others: Sequence[RulebookError] = ()) -> None:
        self.file = file
        self.path = path
        self.fault = fault
        self.others = tuple(others)
        more = f" (and {len(self.others)} more: `langhoc rulebook check` names them all)" if self.others else ""
        super().__init__(f"{file}{f', at {path}' if path else ''}: {self.fault}{more}")

    @property
    def all(self) -> tuple[RulebookError, ...]:
        """Everything that was found wrong, this first."""
        return (self, *self.others)

    @property
    def problem(self) -> Problem:
        """The same as data, in both languages: what is wrong, what was expected, how to mend it."""
        fault = self.fault
        return Problem(
            code=fault.code, field=self.path, message=fault.message, expected=fault.expected, mend=fault.mend
        )


class NoRuleInForce(RulebookError):
    """No version of a rule was in force on the day asked for; nothing is extrapolated from its neighbours."""


class Findings:
    """Collects what is wrong in many files, so that a person mends once."""

    def __init__(self) -> None:
        self.errors: list[RulebookError] = []

    def add(self, file: str, path: str, code: str, /, **values: object) -> None:
        """Note one fault of the catalogue."""
        self.errors.append(RulebookError(file, path, Fault(code, **values)))

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
            raise type(first)(first.file, first.path, first.fault, others)
