"""Proves a whole rulebook at once, with everything that is wrong in it, and tells what ends soon.

The loaders prove what they read whenever they read it; here nothing is left unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, RootModel

from shared.contracts.base import Nfc
from shared.refusals import problem
from shared.rulebook import (
    areas,
    centre_year,
    deadlines,
    funding,
    goals,
    payments,
    periods,
    plausibility,
    policies,
    ranking,
    readings,
    sustainability,
    titles,
)
from shared.rulebook.decided import DECIDED, RELEASED, prove_decided
from shared.rulebook.errors import Findings, RulebookError
from shared.rulebook.overlays import MINISTRY, NATION, PROVINCES, Layers, Place, Placed, called, folders, with_packages
from shared.rulebook.points import PointsRubric
from shared.rulebook.rubrics import Rubric, load_rubrics
from shared.rulebook.source import read
from shared.rulebook.tables import load_tables

Reader = Callable[[Sequence[Path]], Layers[Any]]
LAYERED: dict[str, Reader] = {
    "alert_policy.yaml": policies.alert_policies,
    "appeal_policy.yaml": policies.appeal_policies,
    "funding_norms.yaml": funding.norms_layers,
    "funding_policy.yaml": funding.policy_layers,
    "idle_centres.yaml": centre_year.idle_rules,
    "path_policy.yaml": policies.path_policies,
    payments.FILE: payments.payment_policies,
    periods.FILE: periods.period_policies,
    plausibility.FILE: plausibility.plausibilities,
    "ranking_policy.yaml": ranking.ranking_policies,
    readings.FILE: readings.readings_layers,
    "release_policy.yaml": policies.release_policies,
    "request_policy.yaml": policies.request_policies,
    "sustainability_policy.yaml": sustainability.sustainability_policies,
    titles.FILE: titles.titles_policies,
}
"""Files of versions that the nation, the ministry and every province may have, with what reads them."""

AREAS = "area_classes.yaml"
_NATION_ONLY = ("rubrics/*.yaml", AREAS, goals.FILE, deadlines.FILE, RELEASED, DECIDED)
_OWN = ("point_tables/*.yaml", *LAYERED)
NATIONAL = frozenset({AREAS, goals.FILE, deadlines.FILE, *LAYERED})
"""Names by which alone a file of the nation's rules is known."""


class Book(NamedTuple):
    """All dated rules of some folders, and everything that is wrong with them."""

    rules: tuple[Placed[Any], ...]
    errors: tuple[RulebookError, ...]


def read_all(places: Sequence[Path] | None = None) -> Book:
    """Every rule of the folders (those of the setting if none are given), read as far as that is possible."""
    places = folders() if places is None else tuple(places)
    found = Findings()
    rules: list[Placed[Any]] = []
    for folder in places:
        found.errors += _misplaced(folder)
    rubrics: dict[str, Rubric] = {}
    with found.noting():
        rubrics = load_rubrics(places)
        rules += [_where(places, one) for one in rubrics.values()]
    with found.noting():
        with_points = {id: one for id, one in rubrics.items() if isinstance(one, PointsRubric)}
        # Without the rubrics nothing can be said about the tables; what is wrong with the rubrics comes first.
        tables = load_tables(places, with_points) if rubrics else {}
        rules += [each for layers in tables.values() for each in layers.all]
    readers: list[Reader] = [*LAYERED.values(), areas.area_lists]
    for load in readers:
        with found.noting():
            rules += load(places).all
    with found.noting():
        goals.load_goals(places)
    if rubrics:
        with found.noting():
            deadlines.load_deadlines(places, rubrics.values())
    if whole := not found.errors:
        with found.noting():
            plausibility.prove_figures(places, rubrics)
    for folder in places:
        with found.noting():
            prove_released(folder, rules, whole=whole)
        with found.noting():
            prove_decided(folder, called(folder, folder / DECIDED))
    return Book(tuple(rules), tuple(found.errors))


def prove() -> None:
    """Prove the rulebook that the setting names, before anything is decided by it.

    Raises:
        RulebookError: with everything that is wrong; `langhoc rulebook check` prints it all.
    """
    found = Findings()
    found.errors += read_all().errors
    found.settle()


def _where(places: Sequence[Path], rubric: Rubric) -> Placed[Any]:
    folder = next(place for place in reversed(places) if (place / f"rubrics/{rubric.id}.yaml").exists())
    return Placed(rubric, Place(folder, NATION, folder / f"rubrics/{rubric.id}.yaml"))


def _misplaced(folder: Path) -> list[RulebookError]:
    """A file that nobody reads is an error: its rule would be missing without a word."""
    if not folder.is_dir():
        return [RulebookError(str(folder), problem("rulebook.no_folder", folder=folder))]
    allowed = [*_NATION_ONLY, *LAYERED, *(f"{MINISTRY}/{own}" for own in _OWN)]
    allowed += [f"{PROVINCES}/[0-9][0-9]/{own}" for own in _OWN]
    known = {file for pattern in allowed for file in folder.glob(pattern)}
    known |= {file for each in with_packages(folder)[1:] for file in each.rglob("*")}  # a folder of its own each
    strange = [file for file in sorted(folder.rglob("*")) if file.is_file() and file not in known]
    expected = ", ".join(allowed)
    return [
        RulebookError(called(folder, file), problem("rulebook.unexpected_file", expected=expected))
        for file in strange
        if file.name != "README.md"
    ]


# ------------------------------------------------------------------------------------------- released rules


class _Released(RootModel[dict[Nfc, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]]):
    """Identity of each rule that was released, by its id. Older releases wrote the revision: that holds as well."""


def prove_released(folder: Path, rules: Iterable[Placed[Any]], *, whole: bool = True) -> None:
    """Prove that the folder's rules are those that its `released.yaml` lists; nothing where it has no such file.

    Args:
        whole: whether `rules` are all there are. If some could not be read, a listed one that is missing is no news.

    Raises:
        RulebookError: a listed rule has changed or is gone, or one of the folder's rules is not listed. With all of
            them.
    """
    file = folder / RELEASED
    if not file.exists():
        return
    name = called(folder, file)
    listed = read(file, _Released, name).root
    by_id = {placed.version.id: placed for placed in rules}
    found = Findings()
    for id, identity in listed.items():
        if id not in by_id:
            if whole:
                found.add(name, id, "rulebook.released_rule_gone", id=id)
        elif identity not in (by_id[id].version.identity, by_id[id].version.revision):
            found.add(by_id[id].place.name, "", "rulebook.changed_under_same_id", id=id)
    for id, placed in by_id.items():
        if placed.place.folder == folder and id not in listed:
            found.add(name, id, "rulebook.not_in_release", id=id, identity=placed.version.identity)
    found.settle()


def release(folder: Path, rules: Iterable[Placed[Any]]) -> list[str]:
    """Add the folder's new rules to its `released.yaml`; lines that stand in it stay as they are.

    Args:
        rules: of a rulebook in which nothing is wrong but that rules are not listed yet.

    Returns:
        Ids of the rules that were added.
    """
    file = folder / RELEASED
    listed = read(file, _Released, called(folder, file)).root if file.exists() else {}
    own = {placed.version.id: placed.version.identity for placed in rules if placed.place.folder == folder}
    new = sorted(own.keys() - listed.keys())
    if new:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(text + "".join(f"{id}: {own[id]}\n" for id in new), encoding="utf-8")
    return new


# ------------------------------------------------------------------------------------------- what ends soon


def expiring(on: date, months: int, rules: Iterable[Placed[Any]] | None = None) -> list[Placed[Any]]:
    """Rules in force on a day that end within so many months of it, the earliest first.

    A rule that ends is never extended: from its end on there is either its successor or `NoRuleInForce`. Told months
    ahead, a ministry can decide what follows.

    Args:
        rules: among which to look; those of the setting's folders if none are given.
    """
    rules = read_all().rules if rules is None else rules
    limit = months_later(on, months)
    ending = [
        (placed.version.effective_to, placed)
        for placed in rules
        if placed.version.effective_to is not None and on < placed.version.effective_to <= limit
    ]
    return [placed for _, placed in sorted(ending, key=lambda pair: (pair[0], pair[1].version.id))]


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last one of that month where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    next_month = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), next_month - timedelta(days=1))
