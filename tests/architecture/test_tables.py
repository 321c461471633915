"""A table that is asked with a key out of data has a row for every key that there can be.

Where one is missing, the first record with that key raises `KeyError` in a handler; fifty of them stop the topic for
the whole nation. The keys are taken from the types that the contracts state, so a new kind, status or cause without
its row fails here.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from enum import Enum, StrEnum
from types import ModuleType, NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

import cli
import services
import shared
from cli.explaining import _WORDS as STORY_WORDS
from cli.output import Language
from cli.result_tree import _W as TREE_WORDS
from cli.result_tree import word
from cli.views import FINDINGS
from services.intake.problems import of_unreadable
from shared.answers.budgets import Finding
from shared.contracts.base import Provenance
from shared.contracts.facts import Cause
from shared.messaging.messages import Cut, Reason, Unreadable
from shared.registry import Succession
from tests.architecture.test_rules import sources


def modules() -> Iterator[ModuleType]:
    for package in (services, shared, cli):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def members(key: Any) -> set[Any] | None:
    """Every key of a type that has finitely many; `None` for any other type."""
    if key is NoneType:
        return {None}
    if key is bool:
        return {True, False}
    if get_origin(key) is Literal:
        return set(get_args(key))
    if isinstance(key, type) and issubclass(key, Enum):
        return set(key)
    parts = [members(part) for part in get_args(key)] if get_origin(key) is not tuple else []
    return set().union(*parts) if parts and None not in parts else None  # type: ignore[arg-type]


def tables() -> dict[str, tuple[set[Any], Mapping[Any, Any]]]:
    """Module-level mappings by `module.NAME` whose key type has finitely many members."""
    found = {}
    for module in modules():
        for name, hint in get_type_hints(module).items():
            if isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping):
                keys = members(get_args(hint)[0])
                if keys is not None:
                    found[f"{module.__name__}.{name}"] = (keys, getattr(module, name))
    return found


TABLES = tables()


class Colour(StrEnum):
    RED = "red"


def test_the_keys_of_a_type_are_found() -> None:
    assert members(Colour) == {Colour.RED}
    assert members(Literal["a", "b"]) == {"a", "b"}
    assert members(Literal["a"] | None) == {"a", None}
    assert members(str) is None
    assert members(str | None) is None
    assert members(tuple[Colour, Colour]) is None


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_has_a_row_for_every_key_of_its_type(name: str) -> None:
    keys, table = TABLES[name]
    assert set(table) == keys


GUARDED = {
    ("services/funding/domain/life.py", "TRANSITIONS"): "only after `refusals` found the pair in it",
    ("shared/refusals/validation.py", "_EXPECTED"): "only with a key that is in it",
    ("shared/rulebook/errors.py", "_OWN"): "only with a key that is in it",
    ("shared/sheets/values.py", "_DIGITS"): "only with a key that is in it",
    ("tests/fakes/memory.py", "_COMPARISONS"): "only with a key that is in it",
}
OF_THE_PROGRAM = {
    ("services/funding/decisions/adjustment/deciding.py", "_ADJUSTING"),
    ("services/intake/decisions/release.py", "CONTRACTS"),
    ("shared/registry/loading.py", "_CODES"),
    ("shared/sheets/columns.py", "FIELDS"),
    ("shared/sheets/columns.py", "_PLAIN"),
}
"""Tables whose keys stand in the program, not in data; the tests below and those of each table walk them."""


def asked() -> Iterator[tuple[str, str, int]]:
    """Where the services ask a table with a key that is no constant: file, name (`{…}`: in an expression), line."""
    for path, tree in sources("services/**/*.py", "shared/**/*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant | ast.Slice):
                if isinstance(node.value, ast.Dict):
                    yield path, "{…}", node.lineno
                elif isinstance(node.value, ast.Name) and _is_table(path, node.value.id):
                    yield path, node.value.id, node.lineno


def _is_table(path: str, name: str) -> bool:
    """Tables have names in capitals; what is filled while the program runs has none."""
    return name.isupper() and isinstance(getattr(_module(path), name, None), Mapping)


def _module(path: str) -> ModuleType:
    return importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def test_no_table_is_asked_whose_rows_nobody_has_counted() -> None:
    """A table in the middle of an expression, or one with keys of type `str`, is not seen by the test above."""
    counted = [table for _, table in TABLES.values()]
    unproven = [
        f"{path}:{line}: {name}"
        for path, name, line in asked()
        if (path, name) not in GUARDED.keys() | OF_THE_PROGRAM
        and not any(getattr(_module(path), name, None) is table for table in counted)
    ]
    assert unproven == []


def test_every_reason_why_a_record_cannot_be_read_has_its_words() -> None:
    of_our_own = {Reason.HANDLER_FAILED, Reason.UNWRITABLE}
    for reason in set(Reason) - of_our_own - {Reason.INVALID_BODY}:  # an invalid body is told field by field
        (problem,) = of_unreadable(Unreadable(reason, "detail", None, None, cut=Cut(1, "0" * 64, 0)))
        assert problem.message.vi != problem.message.en


def test_what_the_command_shows_of_data_has_words_for_all_of_it() -> None:
    """What only a newer service knows, the command shows as it is."""
    told = {*Provenance, *get_args(Cause)} - {"recognition"} | {"cause_recognition"}
    assert told <= TREE_WORDS.keys()
    assert set(get_args(get_type_hints(Succession)["share"])) <= STORY_WORDS.keys()
    assert set(get_args(Finding)) == FINDINGS.keys()
    assert word("of_next_year", Language.VI) == "of_next_year"
