"""Reading cases. What a file says wrongly is told with file, line and place, all of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, model_validator

from shared.contracts.facts import Closable
from shared.rulebook import HANOI
from tests.casework.expectation import Expectation
from tests.casework.plain_yaml import Document, Place, documents
from tests.casework.records import Code, Data, Province, Record, Strict

SHIPPED = Path(__file__).parents[1] / "cases"
ISSUES = Literal[
    "Nothing lost, nothing stalled",
    "Right in every order of life",
    "Safe by default",
    "Doors",
    "All five tasks of the directive",
]
"""Work that is named ahead: a case may be known to fail until it is done."""


def _time(value: object) -> object:
    if isinstance(value, str) and len(value) == len("2026-02-20"):
        value += " 00:00"
    return datetime.strptime(value, "%Y-%m-%d %H:%M").replace(tzinfo=HANOI) if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(_time)]
"""A day, or day and time, in Hanoi."""
USUAL = datetime(2026, 2, 20, 10, tzinfo=HANOI)
"""When a case begins if it says nothing: in time for everything that is owed for 2025."""


class Officer(Strict):
    """`lan, province 04`, `hoa, finance`, `an, ministry`: who gives an order."""

    name: str
    role: Literal["province", "finance", "ministry", "auditor"]
    province: Province | None = None

    @model_validator(mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        name, _, rest = value.partition(",")
        role, _, province = rest.strip().partition(" ")
        return {"name": name.strip(), "role": role, "province": province or None}


MINISTRY = Officer(name="an", role="ministry")
ORDERED = (
    *(
        "correct",
        "reopen",
        "end",
        "request",
        "answer",
        "take_back",
        "appeal",
        "decide",
        "give_up",
        "history",
        "imported",
    ),
    *("budget", "adjustment", "release"),
)
"""Kinds of steps that a person orders."""


class Reopening(Strict):
    """That a closed period is open for a while: the fields of `PeriodReopening`, its reason apart."""

    id: Code = ""
    """Of the order; left out, one of its own."""
    what: Closable
    period: int
    province: Province | None = None
    subject: Code | None = None
    until: Moment
    decision_number: str | None = None

    def body(self, order_id: str, why: str) -> Data:
        """As it is ordered."""
        given = {"order_id": self.id or order_id, "reason": why, **self.model_dump(exclude={"id", "until"})}
        return {**given, "until": self.until.isoformat()}


class Step(Strict):
    """One thing that happens; everything that follows from it has come to rest before the next."""

    at: Moment | None = None
    """When; left out: as the step before. A step that holds only this lets time pass."""
    province: Province | None = None
    send: list[Record] = []
    order: Literal["listed", "any"] = "listed"
    """`any`: whatever the order of these records, the end is the same."""
    correct: Data | None = None
    """A correction of the register."""
    reopen: Reopening | None = None
    """The ministry opens a closed period again."""
    end: Code | None = None
    """The ministry ends the reopening of this id."""
    request: Code | None = None
    """An officer of a province asks for late acceptance of this record, by its name; `key` is the request's id."""
    answer: Code | None = None
    """`<province>/<request id>`, which the ministry grants (`until`) or refuses."""
    take_back: Code | None = None
    """`<province>/<request id>`, for which its province asks no more."""
    until: Moment | None = None
    """Of an `answer`: it is granted until before this."""
    appeal: Code | None = None
    """`commune 00691/2025`: an officer appeals against the version of that result that stands; `key` is its id."""
    version: int | None = None
    """Of an `appeal`: against this version, whichever stands."""
    decide: Code | None = None
    """`<province>/<appeal id>`, which the ministry upholds (`follows`) or dismisses."""
    follows: Literal["correct", "reopen", "recompute"] | None = None
    """Of a `decide`: it is upheld, and what changes the figures."""
    give_up: Code | None = None
    """`<province>/<appeal id>`, for which its province asks no more."""
    history: list[Record] = []
    """The ministry takes these in under its own name."""
    imported: list[Record] = Field([], alias="import")
    """The ministry signs an import of these, and hands in its parts."""
    budget: str | None = None
    """`<province>/<year>`, of which the officer asks for a `step`."""
    adjustment: str | None = None
    """`<centre>/<year>`, of whose newest adjustment the officer asks for a `step`."""
    release: str | None = None
    """`<scope>/<period>`: the officer releases the ranking that stands now, or withdraws what is released (`step`)."""
    decided_on: str | None = None
    """Day of that decision; left out, the day of the step."""
    step: str | None = None
    by: Officer | None = None
    why: str = "đã kiểm tra"
    key: str | None = None
    """The order's own id, to give the same order again."""
    accepts: list[Code] = []
    """Of a budget's `submit`: the centres that it accepts by name; of a `release`: `<commune code>/<warning>`."""
    refused: list[str] | None = None
    """Codes with which the correction or order is refused; left out, it must be carried out."""
    expect: Expectation | None = None
    """What must hold then already."""

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        things = [name for name in ("send", *ORDERED) if getattr(self, name)]
        if len(things) > 1:
            raise ValueError(f"a step is one thing, not {' and '.join(things)}")
        if (self.budget or self.adjustment) and not (self.step and self.by):
            raise ValueError("an order needs `step` and `by`")
        if self.release and self.step not in (None, "withdraw"):
            raise ValueError("a ranking is released, or its release is taken back with `step: withdraw`")
        if self.accepts and (not (self.budget or self.release) or self.step == "withdraw"):
            raise ValueError("`accepts` speaks of a budget, or of a ranking that is released")
        if (self.request or self.take_back or self.appeal or self.give_up) and not self.by:
            raise ValueError("an officer of the province asks: `by`")
        if self.until and not self.answer:
            raise ValueError("`until` speaks of an `answer`")
        if (self.follows and not self.decide) or (self.version and not self.appeal):
            raise ValueError("`follows` speaks of a `decide`, `version` of an `appeal`")
        if self.refused is not None and things in ([], ["send"]):
            raise ValueError("`refused` speaks of a correction or an order")
        return self

    @property
    def records(self) -> list[Record]:
        """What is sent, or taken in as history."""
        return [*self.send, *self.history, *self.imported]

    @property
    def tells_all(self) -> bool:
        """Whether every province is told of it."""
        reopens_all = self.reopen is not None and self.reopen.province is None
        releases_all = self.release is not None and not self.release.startswith("province-")
        return (reopens_all or releases_all) and not self.refused

    @property
    def is_ordered(self) -> bool:
        """Whether a person orders it over HTTP."""
        return any(getattr(self, name) for name in ORDERED)


class Known(Strict):
    """That a case is known to fail, and how."""

    issue: ISSUES
    seen: dict[str, Code | list[Code] | None]
    """What is there instead, by the path of the difference; a list of alternatives where it depends on the order."""

    def accounts_for(self, path: str, got: str) -> bool:
        """Whether this difference is the one that is known."""
        if path not in self.seen:
            return False
        seen = self.seen[path]
        return got in ([str(each) for each in seen] if isinstance(seen, list) else [str(seen)])


class Case(Strict):
    """One case."""

    case: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    """Its name, once in all files."""
    title: str
    why: str
    """The law, or the report, that says what must come of it."""
    province: Province | None = None
    """Who sends, where a step or record does not say."""
    given: Annotated[list[Step], Field(min_length=1)]
    expect: Expectation = Expectation()
    known: Known | None = None
    _path: Path | None = PrivateAttr(None)

    @property
    def file(self) -> str:
        """Where it was read from."""
        path = (self._path or Path()).resolve()
        return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)

    @model_validator(mode="after")
    def _sound(self) -> Case:
        labels = [record.label for step in self.given for record in step.records]
        if twice := sorted({each for each in labels if labels.count(each) > 1}):
            raise ValueError(f"several records are named {', '.join(twice)}; give each an `id`")
        if lost := sorted({name for one in self.expectations for name in (*one.receipts, *one.accepted)} - set(labels)):
            raise ValueError(f"no record is named {', '.join(lost)}; there is {', '.join(labels)}")
        times = [step.at for step in self.given[1:] if step.at]
        times.insert(0, self.given[0].at or USUAL)
        if times != sorted(times):
            raise ValueError("time does not run backwards: the `at` of a step lies before that of the step above")
        if not all(self.sender(step, record) for step in self.given for record in step.records):
            raise ValueError("no `province` says who sends a record")
        if not any(self.expectations) and not any(step.refused for step in self.given):
            raise ValueError("nothing is expected")
        return self

    @property
    def expectations(self) -> list[Expectation]:
        """All of them, the last one last."""
        return [*(step.expect for step in self.given if step.expect), self.expect]

    def sender(self, step: Step, record: Record) -> str | None:
        """The province that sends a record."""
        return record.province or step.province or self.province


@dataclass(frozen=True)
class Fault:
    """What is wrong in a file, and where."""

    path: Path
    line: int
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.place + ': ' if self.place else ''}{self.what}"


@dataclass
class UnreadableCases(Exception):
    """Nothing is played while a file is wrong."""

    faults: list[Fault] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


def load(paths: Iterable[Path] = (SHIPPED,)) -> list[Case]:
    """The cases of files and of folders with all below them, in order. Raises `UnreadableCases`."""
    faults: list[Fault] = []
    cases: dict[str, Case] = {}
    for path in _files(paths):
        try:
            found = list(documents(path))
        except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            faults.append(Fault(path, mark.line + 1 if mark else 1, "", getattr(error, "problem", None) or str(error)))
            continue
        if not found:
            faults.append(Fault(path, 1, "", "there is no case in it"))
        for document in found:
            one = _case(document)
            if isinstance(one, list):
                faults += one
            elif one.case in cases:
                faults.append(Fault(path, document.line(["case"]), "case", f"{one.case} is the name of another case"))
            else:
                cases[one.case] = one
    if faults:
        raise UnreadableCases(faults)
    return list(cases.values())


def _files(paths: Iterable[Path]) -> list[Path]:
    return [
        file for path in paths for file in (sorted(path.rglob("*.yaml")) if path.is_dir() else [path])
    ]  # fmt: skip


def _case(document: Document) -> Case | list[Fault]:
    try:
        case = Case.model_validate(document.content)
    except ValidationError as error:
        return [_fault(document, each["loc"], each["type"], each["msg"]) for each in error.errors()]
    case._path = document.path
    return case


def _fault(document: Document, place: Place, type: str, message: str) -> Fault:
    what = "unknown key" if type == "extra_forbidden" else message.removeprefix("Value error, ")
    return Fault(document.path, document.line(place), "/".join(map(str, place)), what)
