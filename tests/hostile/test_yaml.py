"""The YAML of rules and of corrections says what is written, or is refused with its line."""

from __future__ import annotations

from typing import Any

import pytest

from shared.refusals import refusal
from shared.rulebook import RulebookError
from shared.rulebook.text import load
from tests.hostile.inputs import Input, each, written


def refused(raw: bytes, **how: bool) -> list[tuple[str, str]]:
    """Codes and places of what is wrong with a file."""
    try:
        load(raw, "hostile.yaml", **how)
    except RulebookError as error:
        return [(one.problem.code, one.path) for one in error.all]
    return []


@each("yaml")
def test_yaml(given: Input) -> None:
    raw = bytes.fromhex(given["hex"]) if "hex" in given else written(given["text"]).encode()
    found = refused(raw)
    comes: Any = given["comes"]
    if comes == "taken":
        assert found == []
        return
    code, line = (comes, None) if isinstance(comes, str) else comes
    wanted = refusal(f"rulebook.{code}").code or code
    assert found, "it was taken"
    assert found[0][0] == wanted
    assert line is None or found[0][1] == f"line {line}"


@pytest.mark.parametrize("text", ["a: 00004\na: 00005\n", 'why: "x\\e[2J"\n', "a: !!python/name:os.system\n"])
def test_a_correction_of_the_register_is_read_as_strictly(text: str) -> None:
    assert refused(text.encode(), texts=True)


def test_in_a_correction_codes_and_days_are_texts() -> None:
    assert load(b"{code: 00004, day: 2026-05-01, ends: null, whole: true}", "x.yaml", texts=True) == {
        "code": "00004",
        "day": "2026-05-01",
        "ends": None,
        "whole": True,
    }
