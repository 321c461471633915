"""The rules that the words for a line stand in: named by id and revision where they computed it, and found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from shared.contracts.base import RuleRef, Text
from shared.rulebook import AreaList, FundingNorms, FundingPolicy, NoRuleInForce, PointsRubric, area_list, rubrics
from shared.rulebook.areas import area_lists
from shared.rulebook.funding import norms_layers, policy_layers
from shared.rulebook.overlays import folders
from shared.rulebook.source import Dated


class UnknownRule(LookupError):
    """The rulebook has no rule of this id, or it computes otherwise than the one that is named."""

    def __init__(self, ref: RuleRef) -> None:
        super().__init__(f"{ref.id} {ref.revision[:12]}")
        self.ref = ref


@dataclass(frozen=True, slots=True)
class Grounds:
    """The rules that the words for a line are taken from."""

    norms: FundingNorms
    policy: FundingPolicy
    areas: str | None
    """The list that says in which area class a commune lies; `None`: none is known to be in force."""
    grades: Mapping[str, Text]
    """Names of grades by `<rubric>/<grade>`."""


def references(norms: FundingNorms, policy: FundingPolicy, year: int, graded: Iterable[str]) -> tuple[RuleRef, ...]:
    """The rules that a budget year is computed with, the norms first. `graded`: the rubrics of the grades that count.

    One that the rulebook does not know (a frozen budget may have it) is not named.
    """
    return tuple(_ref(rule) for rule in _used(norms, policy, year, sorted(set(graded))))


def _used(norms: FundingNorms, policy: FundingPolicy, year: int, graded: Sequence[str]) -> Iterator[Dated]:
    yield norms
    if norms.minima is not None:
        yield norms.minima
    yield policy
    with suppress(NoRuleInForce):
        yield area_list(date(year, 1, 1))
    known = _rules(folders())
    yield from (known[id] for id in graded if id in known)


def grounds_of(refs: Iterable[RuleRef]) -> Grounds:
    """The named rules, as the rulebook has them. Raises `UnknownRule`: words of another rule would be wrong ones."""
    found = [_found(ref) for ref in refs]
    norms = [rule for rule in found if isinstance(rule, FundingNorms)]
    policies = [rule for rule in found if isinstance(rule, FundingPolicy)]
    if not norms or not policies:
        raise UnknownRule(RuleRef(id="funding_norms, funding_policy", revision=""))
    own, *law = norms
    return Grounds(
        norms=own.above(law[0]) if law else own,
        policy=policies[0],
        areas=next((rule.legal_reference for rule in found if isinstance(rule, AreaList)), None),
        grades={
            f"{rule.id}/{grade.id}": grade.name
            for rule in found
            if isinstance(rule, PointsRubric)
            for grade in rule.grades
        },
    )


def _found(ref: RuleRef) -> Any:
    places = folders()
    rule = _rules(places).get(ref.id)
    if rule is None or _revision(places, ref.id) != ref.revision:
        raise UnknownRule(ref)
    return rule


def _ref(rule: Dated) -> RuleRef:
    places = folders()
    known = _rules(places).get(rule.id) is rule
    return RuleRef(id=rule.id, revision=_revision(places, rule.id) if known else rule.identity)


@lru_cache
def _rules(places: tuple[Path, ...]) -> Mapping[str, Dated]:
    """Every rule that these words may stand in, by id; of one that a later folder ends, that folder's copy."""
    layered = (norms_layers(places), policy_layers(places), area_lists(places))
    rules: list[Dated] = [placed.version for layers in layered for placed in layers.all]
    return {rule.id: rule for rule in (*rules, *rubrics())}


@lru_cache
def _revision(places: tuple[Path, ...], id: str) -> str:
    return _rules(places)[id].identity
