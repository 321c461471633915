"""The ranking policy: in which order results stand, and where a prize or money ends. No law says either."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.base import Nfc, Text
from shared.rulebook.basis import unique
from shared.rulebook.errors import Findings, Unfit
from shared.rulebook.overlays import MINISTRY, NATION, Layers, folders, load_layers
from shared.rulebook.source import Dated, Grounded

FILE = "ranking_policy.yaml"
PassFailMeasure = Literal["level", "met_level_1", "met_level_2", "mean_over_own_threshold"]
TieRule = Literal["include", "exclude"]
"""What becomes of equals when the last place falls among them: all of them are inside, or none."""
Scope = Annotated[str, StringConstraints(pattern=r"^(nation|province-[0-9]{2}|area-(region_[123]|other))$")]


class Order(Grounded):
    """What is compared, the weightiest first."""

    pass_fail: Annotated[list[PassFailMeasure], Field(min_length=1)]
    """Level; targets met at level 1; at level 2; mean of value ÷ own area's level-1 threshold − 1 over 5.1 and 5.2."""
    points: list[Literal["total"]]
    ties: Literal["share_rank"]

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        if len(set(self.pass_fail)) != len(self.pass_fail) or len(self.points) != 1:
            raise Unfit("rulebook.measure_unclear")
        return self


class CutOff(Grounded):
    """How many first places of a ranking receive something."""

    id: Nfc
    scope: Scope
    purpose: Text
    places: Annotated[int, Field(ge=1)]
    ties: TieRule


class RankingPolicy(Dated):
    """One version: the order (the nation's and the ministry's alone) and cut-offs."""

    order: Order | None = None
    """`None` in a province's version: all rankings of the nation are made by one order."""
    cut_offs: list[CutOff] = []

    @model_validator(mode="after")
    def _unique(self) -> Self:
        unique("cut-off", [one.id for one in self.cut_offs])
        return self


@lru_cache
def ranking_policies(places: Sequence[Path]) -> Layers[RankingPolicy]:
    """All ranking policies of these folders.

    Raises:
        RulebookError: a file cannot be used; the nation or the ministry sets no order; a province sets an order, or a
            cut-off for a ranking that is not its own.
    """
    layers = load_layers(places, FILE, RankingPolicy)
    found = Findings()
    for placed in layers.all:
        version = placed.version
        if placed.place.owner in (NATION, MINISTRY):
            if version.order is None:
                found.add(placed.place.name, f"{version.id}/order", "rulebook.entry_missing")
            continue
        if version.order is not None:
            found.add(placed.place.name, f"{version.id}/order", "rulebook.order_of_province")
        for one in version.cut_offs:
            if one.scope != f"province-{placed.place.owner}":
                path, own = f"{version.id}/cut_offs/{one.id}/scope", f"province-{placed.place.owner}"
                found.add(placed.place.name, path, "rulebook.scope_of_other", scope=one.scope, own=own)
    found.settle()
    return layers


def ranking_policy(on: date) -> RankingPolicy:
    """The policy in force on a day: the ministry's, else the working default.

    Raises:
        NoRuleInForce: none was in force.
        RulebookError: a file cannot be used.
    """
    return ranking_policies(folders()).in_force(on)


def ranking_order(on: date) -> Order:
    """The order in which results stand on a day. Raises as `ranking_policy`."""
    order = ranking_policy(on).order
    assert order is not None  # proven at load
    return order


def cut_offs(scope: str, on: date) -> list[CutOff]:
    """The cut-offs that somebody has set for a ranking, the province's own first. Raises as `ranking_policy`."""
    layers = ranking_policies(folders())
    policies = [layers.in_force(on)]
    if scope.startswith("province-") and (own := layers.own(on, scope.removeprefix("province-"))) is not None:
        policies.insert(0, own)
    found = {one.id: one for policy in reversed(policies) for one in policy.cut_offs if one.scope == scope}
    return list(found.values())
