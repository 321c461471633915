"""Who may set a rule: a province its own, else the ministry, else what Langhoc ships; each by date.

Rules lie in folders of one layout: the shipped one, then those that the setting `LANGHOC_RULEBOOK` names. In each of
them stands what the whole nation goes by; `ministry/` and `provinces/<code>/` hold what these have decided for
themselves. A later folder adds to the earlier ones. It may end a rule of theirs, but never change one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Generic, NamedTuple, TypeVar

from pydantic import Field

from shared.refusals import problem
from shared.registry import REORGANISATION, registry, same_name
from shared.rulebook.errors import Findings, RulebookError
from shared.rulebook.source import DATA, Dated, Rule, in_force, prove_succession, read

SETTING = "LANGHOC_RULEBOOK"
NATION, MINISTRY, PROVINCES = "", "ministry", "provinces"
PACKAGES = "packages"
V = TypeVar("V", bound=Dated)


_tried: ContextVar[tuple[Path, ...] | None] = ContextVar("tried rules", default=None)


def folders() -> tuple[Path, ...]:
    """The folders of the rulebook: the shipped one, then those of the setting (a list like `PATH`), in this order."""
    tried = _tried.get()
    return _named(os.environ.get(SETTING, "")) if tried is None else tried


@contextmanager
def using(places: Sequence[Path]) -> Iterator[None]:
    """Go by these folders inside the block and nowhere else: not in other tasks, nor in threads begun before.

    So a rehearsal is decided by the very code that decides in earnest. Around an `await` it holds for this task alone;
    it is not for generators, whose blocks run in the context of whoever asks them.
    """
    token = _tried.set(tuple(places))
    try:
        yield
    finally:
        _tried.reset(token)


@lru_cache
def _named(setting: str) -> tuple[Path, ...]:
    return (DATA, *(place for part in setting.split(os.pathsep) if part for place in with_packages(Path(part))))


def with_packages(folder: Path) -> tuple[Path, ...]:
    """A folder of own rules, then the packages of released ones in it (`packages/<name>/`), in order of their names."""
    return (folder, *(each for each in sorted(folder.glob(f"{PACKAGES}/*")) if each.is_dir()))


def called(folder: Path, file: Path) -> str:
    """How a file is named in messages: inside the shipped folder by its place there, elsewhere by its whole path."""
    return file.relative_to(DATA).as_posix() if folder == DATA else str(file)


class Place(NamedTuple):
    """Where a rule stands: in which of the folders, under whom (nation, ministry or a province's code), its file."""

    folder: Path
    owner: str
    file: Path

    @property
    def name(self) -> str:
        """How the file is named in messages."""
        return called(self.folder, self.file)


class Placed(NamedTuple, Generic[V]):
    """A version, and where it stands."""

    version: V
    place: Place


def owned(places: Sequence[Path], pattern: str) -> list[Place]:
    """Every file that fits the pattern, under every owner, in the order of the folders."""
    found: list[Place] = []
    for folder in places:
        own = [(code.name, code) for code in sorted(folder.glob(f"{PROVINCES}/*"))]
        for owner, room in [(NATION, folder), (MINISTRY, folder / MINISTRY), *own]:
            found += [Place(folder, owner, file) for file in sorted(room.glob(pattern))]
    return found


def nations(places: Sequence[Path], pattern: str) -> list[Place]:
    """Those of them that hold for the whole nation."""
    return [place for place in owned(places, pattern) if place.owner == NATION]


class _Versions(Rule, Generic[V]):
    versions: Annotated[list[V], Field(min_length=1)]


@dataclass(frozen=True)
class Layers(Generic[V]):
    """All versions of one rule, by who set them."""

    file: str
    by_owner: Mapping[str, tuple[Placed[V], ...]]

    def own(self, on: date, province: str | None = None) -> V | None:
        """What the province, else the ministry, has decided for that day; `None` = neither has."""
        for owner in (province or MINISTRY, MINISTRY):
            for placed in self.by_owner.get(owner, ()):
                if placed.version.in_force(on):
                    return placed.version
        return None

    def in_force(self, on: date, province: str | None = None) -> V:
        """The version in force on that day in a province; without one, for the nation.

        Raises:
            NoRuleInForce: there was none; a version that has ended is not extended.
        """
        return self.own(on, province) or in_force(self.nation, on, self.file)

    @property
    def nation(self) -> tuple[V, ...]:
        """The versions that hold where nobody has decided otherwise."""
        return tuple(placed.version for placed in self.by_owner.get(NATION, ()))

    @property
    def all(self) -> tuple[Placed[V], ...]:
        """Every version with its place."""
        return tuple(placed for versions in self.by_owner.values() for placed in versions)


def load_layers(places: Sequence[Path], name: str, model: type[V]) -> Layers[V]:
    """All versions of a rule that stands in files of one name.

    Raises:
        RulebookError: with all that is wrong: a file, the succession of one owner's versions, a province's code, a
            change under the same id; or the nation has no version at all.
    """
    files = owned(places, name)
    placed: list[Placed[V]] = []
    found = Findings()
    if all(place.owner != NATION for place in files):
        found.add(name, "", "rulebook.file_missing")
    for place in files:
        with found.noting():
            versions = read(place.file, _Versions[model], place.name).versions  # type: ignore[valid-type]
            placed += [Placed(version, place) for version in versions]
    layers = Layers[V](name, {})
    with found.noting():
        layers = layered(name, placed)
    found.settle()
    return layers


def layered(file: str, placed: Iterable[Placed[V]]) -> Layers[V]:
    """Versions by owner, proven: see `load_layers`. Raises `RulebookError`."""
    by_owner: dict[str, dict[str, Placed[V]]] = {}
    owner_of: dict[str, str] = {}
    found = Findings()
    for one in placed:
        id, owner = one.version.id, one.place.owner
        mine = by_owner.setdefault(owner, {})
        before = mine.get(id)
        if owner_of.setdefault(id, owner) != owner or (before and before.place.folder == one.place.folder):
            found.add(one.place.name, "id", "rulebook.id_used_twice", id=id)
        elif before and before.version.identity != one.version.identity:
            found.add(one.place.name, "", "rulebook.changed_under_same_id", id=id)
        mine[id] = one
    for owner, mine in by_owner.items():
        with found.noting():
            prove_succession([one.version for one in mine.values()], _names(mine))
        if owner not in (NATION, MINISTRY):
            for one in mine.values():
                with found.noting():
                    _prove_province(one)
    found.settle()
    return Layers(file, {owner: tuple(mine.values()) for owner, mine in by_owner.items()})


def _names(placed: Mapping[str, Placed[V]]) -> Callable[[Dated], str]:
    return lambda version: placed[version.id].place.name


def _prove_province(placed: Placed[V]) -> None:
    """The folder's name is a province on every day on which the version is in force, and always the same one."""
    version, code, file = placed.version, placed.place.owner, placed.place.name
    start, end = version.effective_from, version.effective_to
    last = max(start, REORGANISATION) if end is None else max(start, end - timedelta(days=1))
    first, final = registry().province(code, start), registry().province(code, last)
    for province, day in ((first, start), (final, last)):
        if province is None:
            raise RulebookError(file, problem("rulebook.unknown_province", "effective_from", code=code, on=day))
    if first and final and not same_name(first.name, final.name):
        changed = problem(
            "rulebook.province_changed",
            "effective_to",
            code=code,
            day=REORGANISATION,
            before=first.name,
            after=final.name,
        )
        raise RulebookError(file, changed)


def nation_alone(layers: Layers[V]) -> Layers[V]:
    """The layers of a rule that only the nation and the ministry set. Raises `RulebookError`: a province has one."""
    found = Findings()
    for placed in layers.all:
        if placed.place.owner not in (NATION, MINISTRY):
            found.add(placed.place.name, placed.version.id, "rulebook.not_for_provinces")
    found.settle()
    return layers


def overlapping(one: Dated, other: Dated) -> bool:
    """Whether both are in force on some day."""
    return (other.effective_to is None or one.effective_from < other.effective_to) and (
        one.effective_to is None or other.effective_from < one.effective_to
    )
