"""One version of a ranking → the next: which pages a change touches, what becomes of them, and what it did to whom.

A page holds 500 rows in order, so a unit that moves shifts the rows between its old and its new place and no others.
Ranks outside that stretch stay, with one exception: equals that reach over its end share the rank of their first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.scoring.domain.ranking import Standing, in_order, numbered
from shared.contracts.base import content_hash
from shared.contracts.facts import PageEntry, PagePlace, RankChange, RankedResult, RankingRow

ROWS_PER_PAGE = 500


class Place(NamedTuple):
    """Where a row stands in the order; `key` is `None` for an unranked one."""

    key: str | None
    code: str


class Stretch(NamedTuple):
    """Consecutive pages, from 1; empty when `last` is before `first`."""

    first: int
    last: int


def stretch(manifest: Sequence[PageEntry], places: Iterable[Place], *, grows: bool) -> Stretch:
    """The pages that rows coming to or going from `places` may change; at least one place.

    Args:
        manifest: pages of the last version, in order.
        places: of every row that goes or comes.
        grows: whether more rows come than go, or fewer: then all rows behind them shift.
    """
    if not manifest:
        return Stretch(1, 0)
    touched = [_page_of(manifest, place) for place in places]
    last = len(manifest) if grows else max(touched)
    while last < len(manifest) and _share_rank(manifest[last - 1].last, manifest[last].first):
        last += 1
    return Stretch(min(touched), last)


def _page_of(manifest: Sequence[PageEntry], place: Place) -> int:
    """The first page that ends at the place or behind it; else the last page."""
    return next((entry.page for entry in manifest if not _behind(place, entry.last)), len(manifest))


def _behind(place: Place, row: PagePlace) -> bool:
    if place.key == row.rank_key:
        return place.code > row.code
    return row.rank_key is not None and (place.key is None or place.key < row.rank_key)


def _share_rank(row: PagePlace, following: PagePlace) -> bool:
    return row.rank_key is not None and row.rank_key == following.rank_key


def revised(
    manifest: Sequence[PageEntry],
    pages: Stretch,
    rows: Iterable[RankingRow],
    gone: Collection[str],
    come: Iterable[RankingRow],
) -> list[RankingRow]:
    """The rows of a stretch after a change, in order and with their ranks.

    Args:
        manifest: pages of the last version.
        pages: the stretch that `stretch` told.
        rows: its rows in the last version.
        gone: unit ids whose rows go.
        come: rows that come, without ranks. A unit whose result changed goes and comes.
    """
    before = manifest[pages.first - 2].last if pages.first > 1 else None
    kept = [row for row in rows if row.unit_id not in gone]
    return numbered(in_order([*kept, *come]), (pages.first - 1) * ROWS_PER_PAGE + 1, before)


def entries(rows: Sequence[RankingRow], first: int, version: int) -> Iterator[tuple[PageEntry, list[RankingRow]]]:
    """Rows cut into pages of at most 500, numbered from `first`, each with its entry in the manifest."""
    for number, start in enumerate(range(0, len(rows), ROWS_PER_PAGE), start=first):
        cut = list(rows[start : start + ROWS_PER_PAGE])
        hash = content_hash([row.model_dump(mode="json") for row in cut])
        yield _entry(number, version, cut, hash), cut


def _entry(page: int, version: int, rows: Sequence[RankingRow], hash: str) -> PageEntry:
    first, last = (PagePlace(rank=row.rank, rank_key=row.rank_key, code=row.code) for row in (rows[0], rows[-1]))
    return PageEntry(page=page, version=version, rows=len(rows), hash=hash, first=first, last=last)


def ranking_hash(manifest: Iterable[PageEntry]) -> str:
    """Identity of a ranking, whatever its version or time: over the hashes of all its pages."""
    return content_hash([entry.hash for entry in manifest])


class VersionChange(NamedTuple):
    """What a version changed."""

    changes: list[RankChange]
    """Units whose result changed, or that came or went, by unit id."""
    shifted: int
    """Units whose rank moved only because others changed."""


def difference(
    before: Iterable[RankingRow], after: Iterable[RankingRow], standings: Mapping[str, Standing]
) -> VersionChange:
    """Compare the rows of a stretch in two versions.

    Args:
        before: rows of the version that is superseded.
        after: rows of the new one.
        standings: results by unit id, at least those that changed, also of units that left the ranking.
    """
    old, new = ({row.unit_id: row for row in rows} for rows in (before, after))
    changes, shifted = [], 0
    for unit_id in sorted(old.keys() | new.keys()):
        was, becomes = old.get(unit_id), new.get(unit_id)
        if was is None or becomes is None or was.result_version != becomes.result_version:
            changes.append(_change(was, becomes, standings.get(unit_id)))
        elif was.rank != becomes.rank:
            shifted += 1
    return VersionChange(changes, shifted)


def _change(was: RankingRow | None, becomes: RankingRow | None, result: Standing | None) -> RankChange:
    row = becomes or was
    assert row is not None
    known = was.result_version if was else None
    if result is None or result.version == known:
        cause = "register"
    else:
        cause = result.supersedes.cause if result.supersedes else "first_result"
    return RankChange(
        unit_id=row.unit_id,
        code=row.code,
        name=row.name,
        holder=row.holder,
        before=RankedResult.model_validate(was.model_dump()) if was else None,
        after=RankedResult.model_validate(becomes.model_dump()) if becomes else None,
        cause=cause,
    )
