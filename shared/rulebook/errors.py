"""What can be wrong with the rulebook, said so that the person who edits the file can mend it."""

from __future__ import annotations


class RulebookError(Exception):
    """A file of the rulebook cannot be used, or holds no rule for the question asked.

    `file` is the file's name inside the rulebook, `path` the place in it (`grades/1/min`), empty for the whole file.
    """

    def __init__(self, file: str, path: str, message: str) -> None:
        self.file = file
        self.path = path
        self.message = message
        super().__init__(f"{file}{f', at {path}' if path else ''}: {message}")


class NoRuleInForce(RulebookError):
    """No version of a rule was in force on the day asked for; nothing is extrapolated from its neighbours."""
