"""What rubrics take from one another: it must exist, and no rubric may wait for itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter

from shared.refusals import problem
from shared.rulebook.basis import RubricBase, Use
from shared.rulebook.errors import Findings, RulebookError
from shared.rulebook.overlays import overlapping


def prove_references(rubrics: Collection[RubricBase]) -> None:
    """Prove what rubrics take from one another.

    A series that has no rubric in the same days gives no result, which is an open value and no fault of the file.

    Raises:
        RulebookError: a target or indicator names a grade, standard, level or share that the other rubric does not
            have, or rubrics take from one another in a circle. With all of them.
    """
    found = Findings()
    for rubric in rubrics:
        for use in rubric.uses:
            with found.noting():
                _prove_known(
                    rubric, use, [one for one in rubrics if one.series == use.series and overlapping(one, rubric)]
                )
    with found.noting():
        _prove_acyclic(rubrics)
    found.settle()


def _prove_known(rubric: RubricBase, use: Use, others: Collection[RubricBase]) -> None:
    if use.outcome is None or not others:
        return
    if any(use.outcome in one.outcomes and use.level <= one.outcomes[use.outcome] for one in others):
        return
    wanted = f"{use.outcome} {use.level}" if use.level else use.outcome
    known = ", ".join(dict.fromkeys(name for one in others for name in _named(one)))
    raise RulebookError(
        f"rubrics/{rubric.id}.yaml",
        problem("rulebook.unknown_reference", id=use.by, reference=wanted, known=known or "–"),
    )


def _named(rubric: RubricBase) -> Iterator[str]:
    for outcome, levels in rubric.outcomes.items():
        yield f"{outcome} 1-{levels}" if levels else outcome


def _prove_acyclic(rubrics: Collection[RubricBase]) -> None:
    """Results are made in an order in which every rubric finds the results that it uses."""
    uses = {
        one.id: [other.id for other in rubrics if other.series in one.refers_to and overlapping(one, other)]
        for one in rubrics
    }
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        circle = error.args[1]
        circular = problem("rulebook.circular_reference", circle=" → ".join(reversed(circle)))
        raise RulebookError(f"rubrics/{circle[0]}.yaml", circular) from None
