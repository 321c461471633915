"""Rules from outside are bounded: in an own file, in a simulation, and in what they make of hundreds of centres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from services.funding.decisions import ProvinceInputs, calculated, rules_in_force
from shared.contracts.base import MAX_DIGITS
from shared.contracts.bounds import MAX_DEPTH, MAX_VALUES
from shared.rulebook import RulebookError
from shared.rulebook.funding import MOST_BANDS
from shared.rulebook.given import given_policy, read_given
from shared.rulebook.source import DATA
from shared.rulebook.text import MAX_BYTES, load
from tests.unit.hostile_values import STRUCTURES, TEXTS, places, with_value
from tests.unit.rulebook_samples import put, version
from tests.unit.test_funding_proposal import ACCEPTED, centre, score, support

DAY = date(2026, 1, 1)
POLICY = {"versions": [version("funding_policy.yaml")]}
NUMBERS = {
    "large exponent": "1.0e+999999999",
    "small exponent": "1.0e-999999999",
    "zero with a large exponent": "0.0e+999999999",
    "exponent that no decimal has": "1.0e+99999999999999999999",
    "5,000 digits": "1" * 5_000,
    "30 digits": "-" + "9" * 30,
    "5,000 decimal places": "0." + "1" * 5_000,
    "hexadecimal": "0x" + "f" * 5_000,
    "base 60": "1" + ":59" * 5_000,
    "fraction": f'"1/{"9" * 5_000}"',
}
"""As YAML writes them; some of those of JSON are texts to it."""
TRAPS = {
    "not a number": ".nan",
    "infinity": "-.inf",
    "forced infinity": "!!float Infinity",
    "forced whole number": "!!int x",
    "forced truth": "!!bool x",
    "forced time": "!!timestamp x",
    "itself": "&a [*a]",
    "nothing": "*nothing",
    "key that is a list": "{[1]: 2}",
    "key that is a mapping": "{? {a: 1} : 2}",
    "repeated key": "{a: 1, a: 2}",
    "billion laughs": "[&a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"
    + "".join(f", &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]",
}
VALUES = NUMBERS | TEXTS | STRUCTURES | TRAPS


def written(document: Any, place: tuple[str | int, ...], text: str) -> str:
    """The document as YAML with this text in that place."""
    return with_value(document, place, text, dump=lambda content: yaml.safe_dump(content, allow_unicode=True))


def refused(text: str) -> RulebookError:
    with pytest.raises(RulebookError) as error:
        given_policy(text, DAY)
    for one in error.value.all:
        problem = one.problem
        assert problem.code
        assert all(text.vi and text.en for text in (problem.message, problem.expected, problem.mend))
        assert len(problem.model_dump_json()) < 4_000
    return error.value


@pytest.mark.parametrize("name", VALUES)
def test_whatever_stands_in_a_place_of_a_policy_is_refused_in_words(name: str) -> None:
    """Except where any text may stand."""
    free = {"citation", "id", "vi", "en", "successor", "effective_to"}
    for place in places(POLICY):
        if place and place[-1] not in free and (len(place) < 4 or name not in STRUCTURES):
            refused(written(POLICY, place, VALUES[name]))


@pytest.mark.parametrize("name", [*NUMBERS, *STRUCTURES, *TRAPS])
def test_check_names_the_place_of_it_in_an_own_file(name: str, tmp_path: Path) -> None:
    place = ("versions", 0, "change", "rise")
    put(tmp_path, "provinces/04/funding_policy.yaml", written(POLICY, place, VALUES[name]))
    result = CliRunner().invoke(app, ["rulebook", "check", str(tmp_path)], env={"COLUMNS": "400"})
    assert result.exit_code == 1
    assert not isinstance(result.exception, Exception), result.exception
    assert "provinces/04/funding_policy.yaml" in result.output
    assert "Mend:" in result.output


@pytest.mark.parametrize("name", [*NUMBERS, *TRAPS])
def test_so_it_is_in_the_files_of_a_rehearsal(name: str) -> None:
    rubric = "rubrics/lc_commune_25_2023.yaml"
    document = yaml.load((DATA / rubric).read_text(encoding="utf-8"), yaml.CSafeLoader)
    with pytest.raises(RulebookError):
        read_given({rubric: written(document, ("deadline", "day"), VALUES[name])})


@pytest.mark.parametrize("path", ["rubrics/" + "x" * 300 + ".yaml", "rubrics/a.yaml/b.yaml"])
def test_a_file_that_cannot_be_laid_out_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be laid out"):
        read_given({"rubrics/a.yaml": "a: 1", path: "a: 1"})


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    text = "a: 1.0e+99\nb: {c: 1, c: 2}\nd:\n  - .nan\n  - " + "9" * 19 + "\n"
    with pytest.raises(RulebookError) as error:
        load(text.encode(), "f.yaml")
    assert [(one.path, one.problem.code) for one in error.value.all] == [
        ("line 1", "number_too_long"),
        ("line 2", "repeated_key"),
        ("line 4", "inexact_number"),
        ("line 5", "number_too_long"),
    ]


def test_the_limits_are_where_they_are_said_to_be() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    many = "[" + ", ".join(["1"] * (MAX_VALUES - 2)) + "]"
    long = "9" * MAX_DIGITS
    for within in (deep, many, long, f"0.{long}", "#" * MAX_BYTES):
        load(within.encode(), "f.yaml")
    for beyond, code in {
        f"[{deep}]": "too_deep",
        many.replace("]", ", 1]"): "too_many_values",
        f"9{long}": "number_too_long",
        f"0.9{long}": "number_too_long",
        "#" * (MAX_BYTES + 1): "file_too_large",
    }.items():
        with pytest.raises(RulebookError) as error:
            load(beyond.encode(), "f.yaml")
        assert error.value.problem.code == code


def test_an_alias_counts_as_what_it_stands_for() -> None:
    assert load(b"a: &x [1, 2]\nb: *x\n", "f.yaml") == {"a": [1, 2], "b": [1, 2]}
    with pytest.raises(RulebookError) as error:
        load(("a: &x " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 20 + "*x" + "]" * 20).encode(), "f.yaml")
    assert (error.value.problem.code, error.value.path) == ("too_deep", "line 2")


# ---------------------------------------------------------------------------------------- what factors add up to

PRIMES = [n for n in range(10_007, 12_500, 2) if all(n % divisor for divisor in range(3, 112, 2))][:MOST_BANDS]


def with_performance(**scale: Any) -> str:
    version = POLICY["versions"][0]
    grounds = {name: version["performance"][name] for name in ("citation", "provenance")}
    wide = version["change"] | {"rise": 1_000, "fall": 1}
    changed = version | {"performance": {**grounds, **scale}, "change": wide}
    return yaml.safe_dump({"versions": [changed]}, allow_unicode=True)


def line(factor: Callable[[int], str]) -> list[dict[str, Any]]:
    return [{"score": score, "factor": factor(score)} for score in range(MOST_BANDS)]


def bands(factor: Callable[[int], str]) -> list[dict[str, Any]]:
    return [{"min": score, "factor": factor(score)} for score in range(MOST_BANDS)]


def of_primes(score: int) -> str:
    return f"{PRIMES[score] * score + 1}/{PRIMES[score]}"


@pytest.mark.parametrize("scale", [{"by_score_line": line(of_primes)}, {"by_score_bands": bands(of_primes)}])
def test_factors_without_a_common_denominator_are_refused(scale: dict[str, Any]) -> None:
    """The exact amounts of some hundred centres would have more digits than anybody can write."""
    error = refused(with_performance(**scale))
    assert [one.problem.code for one in error.all] == ["factors_too_fine"]


@pytest.mark.parametrize("scale", [{"by_score_line": line(lambda score: f"{score}.{score:04}")},
                                   {"by_score_bands": bands(lambda score: f"{score}/7")}])  # fmt: skip
def test_a_scale_with_a_step_for_each_point_is_computed_exactly(scale: dict[str, Any]) -> None:
    centres = [centre(f"c-{n}", population_served=500 + n) for n in range(MOST_BANDS)]
    facts = {
        "province": "04",
        "year": 2026,
        "envelope": {**ACCEPTED, "year": 2026, "purpose": "operating", "amount": 31_000_000 * len(centres)},
        "centres": centres,
        "scores": [score(f"c-{n}", "kha", total=str(n)) for n in range(MOST_BANDS)],
        "supports": [support(f"c-{n}", 30_000_000) for n in range(MOST_BANDS)],
        "pending": [],
    }
    known = ProvinceInputs.model_validate(facts)
    rules = replace(rules_in_force(2026, "04"), policy=given_policy(with_performance(**scale), DAY))
    budget = calculated(known, rules)
    assert sum(each.amount for each in budget.lines) + budget.reserve == budget.envelope


def test_a_scale_has_no_more_steps_than_points() -> None:
    steps = [{"min": Fraction(n, 2).__str__(), "factor": 1} for n in range(MOST_BANDS + 1)]
    assert [one.problem.code for one in refused(with_performance(by_score_bands=steps)).all] == ["wrong_value"]
