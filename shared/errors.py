"""The tree of what the product raises when it refuses something. Each carries its problems as data for the answer.

```
LanghocError                  what is wrong, everything at once
├── Unfit                     a value of a rule that does not fit (a `ValueError`: validators of models raise it)
├── RulebookError             a file of the rulebook that cannot be used
│   └── NoRuleInForce         no version of a rule on the day asked for
├── OutOfBounds               JSON from outside beyond the limits (a `ValueError`)
├── Unsound                   a correction of the register that is not taken
├── Unsupported               a server whose version a production deployment does not work with
├── Unappealable              an appeal, its withdrawal or its decision that is refused
├── Undecidable               a proposal of rules, its release or withdrawal that is refused
├── Unreleasable              a ranking that is not released, or not taken back
├── OtherOrder                an order under an id that another one has
├── SheetRefused              a sheet that is not read, or a template that cannot be made
├── Refused                   an action on a dead letter that is not carried out
└── ApiProblem                an answer of HTTP
```

Errors without problems (a server that is away, a mistake of ours) stand outside: nobody who sent something mends them.
"""

from __future__ import annotations

from shared.contracts.base import Problem


class LanghocError(Exception):
    """Something is refused; `problems` says why, in both languages, and how to mend it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(dict.fromkeys(one.code for one in problems)))
        self.problems = problems


def sentence(problem: Problem) -> str:
    """A problem for a log or a programmer, in English."""
    return f"{problem.message.en}; expected {problem.expected.en}; {problem.mend.en}"
