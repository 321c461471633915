"""A rulebook for one rehearsal: the rules in force with files added, held apart from those that the service goes by."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from shared.contracts.base import content_hash
from shared.rulebook.basis import Series
from shared.rulebook.errors import RulebookError
from shared.rulebook.funding import FundingPolicy
from shared.rulebook.overlays import folders, load_layers
from shared.rulebook.points import PointsRubric
from shared.rulebook.rubrics import Rubric, cut_off, load_rubrics
from shared.rulebook.source import in_force
from shared.rulebook.tables import Tables, load_tables, under


@dataclass(frozen=True)
class GivenRules:
    """Rubrics and own point tables of a whole rulebook."""

    rubrics: Mapping[str, Rubric]
    tables: Tables

    @property
    def identity(self) -> str:
        """SHA-256 over all of it: the same rules, the same identity."""
        tables = [placed.version.identity for layers in self.tables.values() for placed in layers.all]
        return content_hash([sorted(rubric.identity for rubric in self.rubrics.values()), sorted(tables)])

    def rubric_for(self, series: Series, period: int, province: str) -> Rubric:
        """As `shared.rulebook.rubric_for`. Raises `NoRuleInForce`."""
        day = cut_off(period)
        found = in_force([each for each in self.rubrics.values() if each.series == series], day, f"rubrics/ ({series})")
        layers = self.tables.get(found.id)
        own = layers.own(day, province) if layers else None
        return under(found, own) if own is not None and isinstance(found, PointsRubric) else found


def read_given(files: Mapping[str, str]) -> GivenRules:
    """The rules in force with these files added, as if they lay in one more folder of the rulebook.

    Args:
        files: text by path inside a rulebook's folder (`rubrics/<id>.yaml`, `provinces/01/point_tables/<id>.yaml`).

    Raises:
        RulebookError: with all that is wrong in the files, or between them and the rules in force.
        Misplaced: a path that leads out of the folder, or to no rule.
    """
    for path in files:
        if len(PurePosixPath(path).parts) < 2:
            raise Misplaced(path)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder, files)
        places = (*folders(), folder)
        try:
            rubrics = load_rubrics(places)
            tables = load_tables(places, {id: each for id, each in rubrics.items() if isinstance(each, PointsRubric)})
        except RulebookError as error:
            raise _inside(error, folder) from None
    return GivenRules(rubrics, tables)


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder, each in its place. Raises `Misplaced` of one that has none; then some are written."""
    for path, text in files.items():
        parts = PurePosixPath(path).parts
        if PurePosixPath(path).is_absolute() or ".." in parts or not path.endswith(".yaml"):
            raise Misplaced(path)
        file = folder.joinpath(*parts)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        except OSError as error:  # a name that is too long, or a file where another path has a folder
            raise Misplaced(path, f"cannot be laid out beside the others: {error.strerror}") from None


class Misplaced(ValueError):
    """A path that leads out of a rulebook's folder, or to no rule."""

    def __init__(self, place: str, why: str = "is no place of a rule; rules lie in `rubrics/` or `…/point_tables/`"):
        super().__init__(f"{place!r} {why}")
        self.place = place


def _inside(error: RulebookError, folder: Path) -> RulebookError:
    """The same error, its files named as the sender named them."""
    others = [_inside(each, folder) for each in error.others]
    return RulebookError(error.file.removeprefix(f"{folder}/"), error.problem, others)


def given_policy(text: str, on: date) -> FundingPolicy:
    """The funding policy in a file of the form of `funding_policy.yaml`, as it stands on a day; nothing else is asked.

    Raises:
        RulebookError: with what is wrong in the file.
        NoRuleInForce: it holds no version for that day.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "funding_policy.yaml").write_text(text, encoding="utf-8")
        try:
            return load_layers((folder,), "funding_policy.yaml", FundingPolicy).in_force(on)
        except RulebookError as error:
            raise _inside(error, folder) from None
