"""`docs/security.md` promises nothing without a test that exists."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.test_guarantees import ROOT, TEST
from tests.architecture.test_rules import parsed

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PROMISES = TEXT.partition("## Promises")[2].partition("\n## ")[0]
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ") and not line.startswith("| promise")]


def test_every_promise_names_a_test() -> None:
    assert len(ROWS) > 15
    assert [row for row in ROWS if not TEST.search(row)] == []


@pytest.mark.parametrize("path", sorted({path for path, _ in TEST.findall(TEXT)}))
def test_every_test_that_is_named_exists(path: str) -> None:
    """A promise whose test was renamed or deleted is a claim again."""
    tree = parsed(ROOT / path)
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert {name for file, name in TEST.findall(TEXT) if file == path} - defined == set()


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)) | {
        f"../{path}" for path in re.findall(r"`(tests/[\w/]+\.py)`", TEXT)
    }
    assert [path for path in named if not (ROOT / "docs" / path).exists()] == []


def test_the_marks_of_the_law_are_the_three_that_are_explained() -> None:
    law = TEXT.partition("## What the law asks")[2].partition("\n## ")[0]
    marks = [row.split(" | ")[1] for row in law.splitlines() if row.startswith("| ") and not row.startswith("| asks")]
    assert marks
    assert {mark for row in marks for mark in row.split(", ")} <= {"met", "operator", "open"}
