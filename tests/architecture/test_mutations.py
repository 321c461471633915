"""The mutants of `make mutants` still fit the code, and the tests that must kill them exist."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.test_rules import parsed
from tests.faults.mutations import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_exactly_one_place_each_and_names_tests_that_exist(mutant: Mutant) -> None:
    for patch in mutant.patches:
        assert (ROOT / patch.path).read_text(encoding="utf-8").count(patch.before) == 1, patch.path
    for test in mutant.tests:
        path, _, name = test.partition("::")
        tree = parsed(ROOT / path)
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name.partition("[")[0] in defined, test
