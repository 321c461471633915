"""Rules that somebody proposes: laid out as one more folder behind those in use, and proven together with them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from shared.contracts.base import content_hash
from shared.rulebook.checking import read_all
from shared.rulebook.decided import DECIDED, RELEASED, digest_of, state_of, sums_of
from shared.rulebook.errors import RulebookError
from shared.rulebook.given import Misplaced, lay_out
from shared.rulebook.overlays import folders
from shared.rulebook.source import Dated


@dataclass(frozen=True)
class Tried:
    """The rules in use with proposed ones behind them."""

    places: tuple[Path, ...]
    """What `overlays.using` takes."""
    base: str
    """State of the rules in use."""
    digest: str
    """Of the proposed ones beside those."""
    faults: tuple[RulebookError, ...]
    """All that is wrong with them, by the names that the sender gave the files."""
    new: tuple[str, ...]
    """Ids of rules that the rules in use do not have."""
    ended: tuple[str, ...]
    """Ids of rules in use that end on another day than before."""
    reworded: tuple[str, ...]
    """Ids of rules in use whose words differ and nothing else."""


def tried(files: Mapping[str, str]) -> Tried:
    """What these files would make of the rules in use: proven whole, as `langhoc rulebook check` does. Changes nothing.

    Args:
        files: text by place in a rulebook's folder (`goals.yaml`, `rubrics/<id>.yaml`, `ministry/periods.yaml`).

    Raises:
        Misplaced: a file that has no place there.
    """
    if own := sorted(files.keys() & {DECIDED, RELEASED}):
        raise Misplaced(own[0], "is written when it is released")
    return _tried(folders(), laid_out(files))


@lru_cache(maxsize=8)  # one proposal is asked about again and again: of each province's amounts, for instance
def _tried(base: tuple[Path, ...], folder: Path) -> Tried:
    book = read_all((*base, folder))
    before: dict[str, Dated] = {placed.version.id: placed.version for placed in read_all(base).rules}
    mine: dict[str, Dated] = {each.version.id: each.version for each in book.rules if each.place.folder == folder}
    again = {id: rule for id, rule in mine.items() if id in before}
    state, files = state_of(base), {file.relative_to(folder).as_posix(): file for file in folder.rglob("*.yaml")}
    return Tried(
        places=(*base, folder),
        base=state,
        digest=digest_of(state, sums_of({place: file.read_bytes().decode() for place, file in files.items()})),
        faults=tuple(
            RulebookError(each.file.removeprefix(f"{folder}/").removeprefix(str(folder)), each.problem)
            for each in book.errors
        ),
        new=tuple(sorted(mine.keys() - before.keys())),
        ended=tuple(sorted(id for id, rule in again.items() if rule.effective_to != before[id].effective_to)),
        reworded=tuple(sorted(id for id, rule in again.items() if rule.revision != before[id].revision)),
    )


def laid_out(files: Mapping[str, str]) -> Path:
    """A folder that holds these files as long as the process lives; the same files, the same folder.

    Rules are cached by the folders that they were read from: so a rehearsal that is repeated reads nothing again.
    Raises `Misplaced`.
    """
    room = Path(_kept().name)
    folder = room / content_hash(dict(files))
    if not folder.exists():
        aside = Path(tempfile.mkdtemp(dir=room))
        lay_out(aside, files)
        try:
            aside.rename(folder)
        except OSError:  # another thread was faster, with the same
            if not folder.exists():
                raise
    return folder


@cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    """Gone with the process."""
    return tempfile.TemporaryDirectory(prefix="langhoc-rules-")
