"""How much is tried: enough of every kind, and each of it once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.inputs import FOLDER, areas, inputs, kinds

ENOUGH, OF_A_KIND = 400, 10


def test_there_are_four_hundred_inputs() -> None:
    assert sum(len(inputs(area)) for area in areas()) >= ENOUGH


@pytest.mark.parametrize("area", areas())
def test_there_are_ten_of_every_kind_and_no_name_stands_twice(area: str) -> None:
    few = {kind: count for kind, count in kinds(area).items() if count < OF_A_KIND}
    assert few == {}
    named = [(one.get("kind"), one["name"]) for one in inputs(area)]
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("area", areas())
def test_somebody_plays_every_area(area: str) -> None:
    """Inputs that no test reads would prove nothing."""
    players = [path.read_text() for path in FOLDER.glob("*.py") if path != Path(__file__)]
    ways = (f'each("{area}")', f'inputs("{area}")', f'"{area}.yaml"')
    assert any(way in text for way in ways for text in players)
