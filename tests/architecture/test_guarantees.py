"""The tables of guarantees and of cases name tests and cases that exist, for everything that is to be shown."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from tests.architecture.test_rules import parsed
from tests.casework.case import load

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
ROWS = {int(number): row for number, row in re.findall(r"^\| (\d+) \|(.*)\|$", TEXT, re.MULTILINE)}
FAILURES = [*range(1, 15), *range(16, 21), *range(22, 29), 30]
"""As they were numbered when they were collected; there is no 15, 21 and 29."""
CASES_TEXT = (ROOT / "docs" / "cases.md").read_text(encoding="utf-8")
CASES = dict(re.findall(r"^\| ([A-Z]\d+) \|(.*)\|$", CASES_TEXT, re.MULTILINE))
SHOWN = {
    *(f"A{number}" for number in range(1, 13)),
    *(f"B{number}" for number in (1, 2, 3, 4, 5, 7, 10)),
    *(f"C{number}" for number in (1, 2, 3, 4, 5)),
    *(f"D{number}" for number in (1, 2, 3, 4, 5, 7, 8, 9, 10, 11)),
    *(f"E{number}" for number in (1, 2, 4, 5, 6, 7, 8, 9, 10)),
    *(f"F{number}" for number in (1, 2, 3, 4, 5, 7, 8, 9)),
}
"""Cases that must have a row; others may."""
CASE = re.compile(r"case `([a-z0-9-]+)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_failure_has_a_row_and_every_row_a_test() -> None:
    assert list(ROWS) == FAILURES
    assert [number for number, row in ROWS.items() if not TEST.search(row)] == []


def test_every_case_has_a_row_and_every_row_a_test() -> None:
    assert sorted(SHOWN - CASES.keys()) == []
    assert [case for case, row in CASES.items() if not TEST.search(row) and not CASE.search(row)] == []


def test_every_case_that_is_named_is_played_and_holds() -> None:
    known_to_fail = {case.case: case.known is not None for case in load()}
    named = CASE.findall(CASES_TEXT)
    assert named
    assert [name for name in named if known_to_fail.get(name, True)] == []


@pytest.mark.parametrize("path", sorted({path for path, _ in TEST.findall(TEXT + CASES_TEXT)}))
def test_every_test_that_is_named_exists(path: str) -> None:
    """A guarantee whose test was renamed or deleted is a claim again."""
    tree = parsed(ROOT / path)
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert {name for file, name in TEST.findall(TEXT + CASES_TEXT) if file == path} - defined == set()


def test_every_alert_that_is_named_exists() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
    known = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    named = set(re.findall(r"alert `(\w+)`", TEXT))
    assert named
    assert named <= known
