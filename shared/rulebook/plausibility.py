"""What is formally right but hardly true: which figures speak of the same people, how far a figure moves in a year,
which amounts look like thousands or millions. Who is counted says the law; how much is too much says none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.contracts.base import Nfc, Text
from shared.rulebook.errors import Findings
from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.points import PointsRubric
from shared.rulebook.rubrics import Rubric
from shared.rulebook.source import Dated, Exact, Grounded

FILE = "plausibility.yaml"
Named = Annotated[str, Field(pattern=r"^[^/]+/(share|trained|university)$")]
"""A share that a rule asks for: `C5.2/university` is the target, and which share in it."""


class SamePeople(Grounded):
    """Figures whose denominators count the same people."""

    who: Text
    """In words, within a sentence."""
    figures: Annotated[list[Named], Field(min_length=2)]


class AmongOthers(Grounded):
    """Figures of which one counts a part of those whom the other counts."""

    who: Text
    """In words, within a sentence: the part, and among whom it is."""
    part: Named
    whole: Named


class LeastMoney(Grounded):
    """Amounts below these, in đồng, look like thousands or millions. Nothing (0) is no such amount."""

    support: Annotated[int, Field(ge=1)]
    """A centre's, in a year."""
    envelope: Annotated[int, Field(ge=1)]
    """A province's, in a year."""


class Jump(Grounded):
    """How far a figure of one subject moves from one period to the next."""

    times: Annotated[Exact, Field(gt=1)]
    """People counted: more than so many times as many, or so many times fewer."""
    share: Annotated[Exact, Field(gt=0, le=1)]
    """A share: by more than this."""
    least: Annotated[int, Field(ge=1)]
    """Fewer people than this, in both periods, are not compared: a village's children of one age double easily."""


class Served(Grounded):
    """People whom a centre serves, in its commune."""

    most: Annotated[int, Field(ge=1)]


class Plausibility(Dated):
    """What is hardly true of the periods (budget years) whose last day lies in this version's time."""

    same_people: dict[Nfc, list[SamePeople]]
    """By rubric."""
    among_others: dict[Nfc, list[AmongOthers]]
    """By rubric."""
    least_money: LeastMoney
    jump: Jump
    served: Served


@lru_cache
def plausibilities(places: Sequence[Path]) -> Layers[Plausibility]:
    """All of these folders. Raises `RulebookError`."""
    return load_layers(places, FILE, Plausibility)


def plausibility_on(on: date, province: str | None = None) -> Plausibility:
    """What is hardly true on a day: by the province, else the ministry, else the working default.

    Args:
        province: code on that day; `None` = the nation's.

    Raises:
        NoRuleInForce: none was in force.
        RulebookError: a file cannot be used.
    """
    return plausibilities(folders()).in_force(on, province)


def prove_figures(places: Sequence[Path], rubrics: Mapping[str, Rubric]) -> None:
    """Prove that every figure that is named is one that its rubric asks for.

    Raises:
        RulebookError: with all that are not.
    """
    found = Findings()
    for placed in plausibilities(places).all:
        for path, rubric, named in _named(placed.version):
            known = figures_of(rubrics[rubric]) if rubric in rubrics else set(rubrics)
            if named not in known:
                file, where, listed = placed.place.name, f"{placed.version.id}/{path}", ", ".join(sorted(known))
                found.add(file, where, "rulebook.unknown_reference", id=rubric, reference=named, known=listed)
    found.settle()


def _named(version: Plausibility) -> Iterator[tuple[str, str, str]]:
    for rubric, groups in version.same_people.items():
        for group in groups:
            yield from ((f"same_people/{rubric}", rubric, named) for named in group.figures)
    for rubric, pairs in version.among_others.items():
        for pair in pairs:
            yield from ((f"among_others/{rubric}", rubric, named) for named in (pair.part, pair.whole))


def figures_of(rubric: Rubric) -> set[str]:
    """All shares that a rubric asks for, as rules name them."""
    asked: list[tuple[str, str]]
    if isinstance(rubric, PointsRubric):
        indicators = [one for criterion in rubric.criteria for one in criterion.indicators]
        asked = [(one.id, one.rule.type) for one in indicators if one.rule is not None]
    else:
        asked = [(one.id, one.type) for one in rubric.targets]
    parts = {"share": ("share",), "share_pair": ("trained", "university")}
    return {f"{id}/{part}" for id, type_ in asked for part in parts.get(type_, ())}
