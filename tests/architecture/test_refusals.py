"""The catalogue of refusals fits the program: nothing is raised without its words, nothing worded that nobody raises.

An entry is named by its key, `area.name`, as a constant. Where a key is put together of a value, `MADE` says of which.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from string import Formatter

import pytest

from shared import errors
from shared.answers.dead_letters import Refusal
from shared.contracts.base import Text
from shared.errors import LanghocError
from shared.messaging.messages import Reason
from shared.refusals import areas, catalogue, problem, refusal
from shared.rulebook.errors import _OWN
from tests.architecture.test_rules import sources
from tests.architecture.test_tables import modules

KEY = re.compile(rf"({'|'.join(areas())})\.[a-z{{]")
KEYS = sorted(f"{area}.{name}" for area in areas() for name in catalogue(area))
UNREADABLE = ("bad_header", "missing_header", "unknown_type")
MADE: dict[str, Sequence[str]] = {
    "content.unknown_{what}": [f"content.unknown_{what}" for what in ("criterion", "indicator", "target")],
    "dead_letters.{Reason(row['reason'])}": [f"dead_letters.{reason}" for reason in Reason],
    "dead_letters.{refusal}": [f"dead_letters.{refused}" for refused in Refusal],
    "dead_letters.{error.refusal}": [f"dead_letters.{refused}" for refused in Refusal],
    "funding.{problem.code}": [],  # of a recorded refusal, which was worded when it was recorded
    "intake.nothing_to_{verb}": ["intake.nothing_to_withdraw", "intake.nothing_to_revoke"],
    "intake.{how}": [f"intake.{how}" for how in ("already_withdrawn", "since_withdrawn", "withdrawn_meanwhile")],
    "scoring.{first.code}": [],  # of a refused release, worded where it was decided
    "intake.{reason}": [f"intake.{reason}" for reason in UNREADABLE],
}
"""Keys that a value is part of, and all that they can be."""


MAKERS = {"problem", "refused", "refusal", "Unfit", "add", "wrong", "note"}
"""Functions and methods that take a key and make something of its entry."""


def made() -> Iterator[tuple[ast.Call, str, str]]:
    """Every call that names an entry, with its key (in braces what is put in) and its place."""
    for path, tree in sources("services/**/*.py", "shared/**/*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in MAKERS:
                for given in node.args:
                    key = ast.unparse(given).removeprefix("f")[1:-1]
                    if isinstance(given, ast.Constant | ast.JoinedStr) and KEY.match(key):
                        yield node, key, f"{path}:{node.lineno}"


def keys(key: str) -> Sequence[str]:
    """What a key can be."""
    return MADE[key] if "{" in key else [key]


SAMPLES: dict[str, object] = {"n": 1_250_000, "d": date(2026, 1, 31), "": Text(vi="trị", en="value")}


def placeholders(text: str) -> set[tuple[str, str]]:
    """The values that a text asks for, with the way in which it shows each."""
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name}


def asked(key: str) -> dict[str, str]:
    """The values that an entry asks for, in either language."""
    return {
        name: spec for text in refusal(key).texts for half in (text.vi, text.en) for name, spec in placeholders(half)
    }


def test_every_key_in_the_program_has_an_entry_and_every_entry_is_raised() -> None:
    assert {one for _, key, _ in made() for one in keys(key)} | set(_OWN.values()) == set(KEYS)


def test_every_call_gives_the_values_that_its_entry_asks_for_and_no_other() -> None:
    wrong = [
        f"{place}: {key}"
        for node, key, place in made()
        if ast.unparse(node.func) != "refusal" and "{refusal}" not in key  # of a letter, only some texts name another
        for one in keys(key)
        if {word.arg for word in node.keywords} != asked(one).keys()
    ]
    assert wrong == []


def test_no_text_repeats_what_a_library_raised() -> None:
    """It speaks English, in the middle of a Vietnamese sentence: a value is ours, in both languages."""
    raw = [
        f"{path}:{node.lineno}"
        for path, tree in sources("services/**/*.py", "shared/**/*.py")
        for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler) and handler.name
        for node in ast.walk(handler)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in MAKERS
        for word in node.keywords
        if re.fullmatch(rf"(str\()?{handler.name}(\))?(\[.*\]|\.detail|\.msg)?", ast.unparse(word.value))
    ]
    assert raw == []


@pytest.mark.parametrize("key", KEYS)
def test_an_entry_says_the_same_in_both_languages(key: str) -> None:
    for text in refusal(key).texts:
        assert text.vi.strip()
        assert text.en.strip()
        assert placeholders(text.vi) == placeholders(text.en)
    shown = problem(key, "/x", **{name: SAMPLES[spec] for name, spec in asked(key).items()})
    for text in (shown.message, shown.expected, shown.mend):
        assert not set("{}") & set(text.vi + text.en)
    assert (shown.code, shown.field) == (refusal(key).code or key.partition(".")[2], "/x")


def test_numbers_and_days_of_a_text_are_written_as_its_language_does() -> None:
    said = problem("funding.reserve_too_small", reserve=1_250_000, needed=2_000_000)
    assert (said.expected.vi, said.expected.en) == (
        "dự phòng ít nhất 2.000.000 đồng",
        "a reserve of at least 2,000,000 đồng",
    )


def test_an_entry_that_is_not_there_is_no_refusal() -> None:
    with pytest.raises(KeyError):
        problem("intake.never_heard_of")
    with pytest.raises(KeyError):
        problem("intake.unit_unknown")


# ------------------------------------------------------------------------------------------------ the tree of errors


def drawn() -> list[tuple[str, str | None]]:
    """The classes of the picture in `shared.errors`, each with the one above it."""
    assert errors.__doc__ is not None
    above: list[str] = []
    found: list[tuple[str, str | None]] = []
    for line in errors.__doc__.split("```")[1].strip().splitlines():
        lead, name = re.match(r"([│├└─ ]*)(\w+)", line).groups()  # type: ignore[union-attr]
        depth = len(lead) // 4
        above = [*above[:depth], name]
        found.append((name, above[depth - 1] if depth else None))
    return found


def tree(kind: type[LanghocError], above: str | None = None) -> Iterator[tuple[str, str | None]]:
    """The classes as they are."""
    yield kind.__name__, above
    for below in kind.__subclasses__():
        yield from tree(below, kind.__name__)


def test_the_tree_of_errors_is_as_drawn() -> None:
    assert list(modules())  # all of them are loaded
    assert Counter(drawn()) == Counter(tree(LanghocError))


def test_every_error_that_carries_problems_is_of_the_tree() -> None:
    strangers = {
        f"{path}: {node.name}"
        for path, source in sources("services/**/*.py", "shared/**/*.py")
        for node in ast.walk(source)
        if isinstance(node, ast.ClassDef) and any("self.problem" in ast.unparse(part) for part in node.body)
        if any("Error" in ast.unparse(base) or "Exception" in ast.unparse(base) for base in node.bases)
        if node.name not in {name for name, _ in drawn()}
    }
    assert strangers == set()
