"""The next version of a ranking: made anew, or the last one revised where results changed.

Both ways end in the same pages, whichever changes came in whichever order (tests/property/test_ranking_properties.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from services.scoring.decisions.documents import (
    RANKING_CHANGES,
    RANKING_MEMBERS,
    RANKING_PAGES,
    RANKING_VERSIONS,
    RANKINGS,
    Head,
    Member,
    Members,
)
from services.scoring.decisions.rankings import Rows, Seen, Terms, movements
from services.scoring.decisions.results import UNCHANGED
from services.scoring.domain import (
    Place,
    Standing,
    Stretch,
    VersionChange,
    difference,
    entries,
    rank,
    ranking_hash,
    revised,
    row_of,
    stretch,
)
from shared.contracts.base import content_hash
from shared.contracts.facts import PageEntry, RankingChanges, RankingPage, RankingPublished, RankingRow
from shared.messaging.decide.asking import Outcome
from shared.messaging.messages import Outgoing

RANKINGS_TOPIC = "rankings"
CHANGES_PER_PAGE = 500


def ranking(
    terms: Terms,
    results: Mapping[str, Sequence[Standing]],
    published_at: datetime,
    *,
    seen: Seen,
    earlier: Rows,
    head: Head | None = None,
    rows: Sequence[RankingRow] = (),
) -> Outcome:
    """Rank a scope anew; a new version only if any row differs from the last published one.

    Args:
        terms: by what.
        results: all results of the scope by province; those of units outside it are ignored.
        published_at: business time.
        seen: what was counted before the results were read.
        earlier: rows of the ranking of the period before, by unit id.
        head: of the last version, if there is one.
        rows: all rows of that version.
    """
    known = {holder: terms.members(found) for holder, found in results.items()}
    standings = {unit_id: each for members in known.values() for unit_id, each in members.items()}
    units = [unit for unit_id, unit in terms.units.items() if terms.everybody or unit_id in standings]
    ranked = rank(units, standings, terms.rubric, movements(terms, [unit.unit_id for unit in units], earlier))
    members = {holder: {id: terms.member(each) for id, each in found.items()} for holder, found in known.items()}
    everything = {each.unit_id: each for found in results.values() for each in found}
    pages = Stretch(1, len(head.manifest) if head else 0)
    return _Next(terms, head, seen, _hashes(members), members).outcome(pages, rows, ranked, everything, published_at)


@dataclass(frozen=True)
class Revision:
    """Some results changed and the terms did not: what must be read to make the next version, and that version."""

    terms: Terms
    head: Head
    seen: Seen
    """What was counted before anything else was read."""
    before: Mapping[str, Mapping[str, Member]]
    """Per province in which something changed, what the last version was made from."""
    changed: Mapping[str, Mapping[str, Standing]]
    """Per such province, the results that differ from it, also of units that left an area class."""

    @cached_property
    def members(self) -> dict[str, dict[str, Member]]:
        """Per province in which something changed, what the next version is made from."""
        found = {}
        for holder, changed in self.changed.items():
            kept = {unit_id: one for unit_id, one in self.before[holder].items() if unit_id not in changed}
            come = {unit_id: self.terms.member(one) for unit_id, one in self.terms.members(changed.values()).items()}
            found[holder] = kept | come
        return found

    @cached_property
    def gone(self) -> dict[str, Place]:
        """Rows of the last version that go, by unit id. A unit whose result changed goes and comes."""
        return self._places(self.before)

    @cached_property
    def come(self) -> dict[str, Place]:
        """Rows that come, by unit id."""
        return self._places(self.members)

    def _places(self, members: Mapping[str, Mapping[str, Member]]) -> dict[str, Place]:
        found = {}
        for holder, changed in self.changed.items():
            for unit_id in changed.keys() & self.terms.units.keys():
                if unit_id in members[holder]:
                    found[unit_id] = members[holder][unit_id].place
                elif self.terms.everybody:  # a unit without a result has a row too
                    found[unit_id] = Place(None, self.terms.units[unit_id].code)
        return found

    @cached_property
    def pages(self) -> Stretch:
        """The pages to read: the only ones that may change."""
        places = [*self.gone.values(), *self.come.values()]
        if not places:
            return Stretch(1, 0)
        return stretch(self.head.manifest, places, grows=len(self.gone) != len(self.come))

    @property
    def newcomers(self) -> Set[str]:
        """Units without a row in the last version, of whose earlier place nothing is known yet."""
        return self.come.keys() - self.gone.keys()

    def outcome(self, rows: Sequence[RankingRow], earlier: Rows, published_at: datetime) -> Outcome:
        """The next version.

        Args:
            rows: the rows of `pages`.
            earlier: rows of the ranking of the period before, of `newcomers` at least.
            published_at: business time.
        """
        known = {row.unit_id: row for row in rows}
        moved = movements(self.terms, self.newcomers, earlier)
        results = {unit_id: each for changed in self.changed.values() for unit_id, each in changed.items()}
        come = []
        for unit_id in self.come:
            row = row_of(self.terms.units[unit_id], results[unit_id], self.terms.rubric, moved.get(unit_id))
            if unit_id in known:
                kept = {name: getattr(known[unit_id], name) for name in ("previous_rank", "previous", "no_movement")}
                row = row.model_copy(update=kept)
            come.append(row)
        ranked = revised(self.head.manifest, self.pages, rows, self.gone.keys(), come)
        same = {holder: each for holder, each in self.head.inputs.items() if holder not in self.members}
        inputs = same | _hashes(self.members)
        following = _Next(self.terms, self.head, self.seen, inputs, self.members)
        return following.outcome(self.pages, rows, ranked, results, published_at)


@dataclass(frozen=True)
class _Next:
    """The version that follows `head`, if anything became different."""

    terms: Terms
    head: Head | None
    seen: Seen
    inputs: Mapping[str, str]
    """Hash over the results of every province that has any."""
    members: Mapping[str, Mapping[str, Member]]
    """Of the provinces that were read."""

    @property
    def _version(self) -> int:
        return self.head.version + 1 if self.head else 1

    def outcome(
        self,
        pages: Stretch,
        before: Sequence[RankingRow],
        after: Sequence[RankingRow],
        results: Mapping[str, Standing],
        published_at: datetime,
    ) -> Outcome:
        """Put `after` in the place of the pages that held `before`, and publish what became different."""
        old = self.head.manifest if self.head else []
        manifest, cut = old[: pages.first - 1], []
        for entry, rows in entries(after, pages.first, self._version):
            same = next((one for one in old[entry.page - 1 : entry.page] if one.hash == entry.hash), None)
            manifest.append(same or entry)
            if same is None:
                cut.append(self._page(entry, rows))
        manifest += old[pages.last :]
        if manifest == old:
            return self._unchanged()
        change = difference(before, after, results) if self.head else VersionChange([], 0)
        ranked = sum(row.rank is not None for row in after) - sum(row.rank is not None for row in before)
        published = self._head(manifest, ranked, change, published_at)
        return self._published(published, cut, _changes(published, change))

    def _page(self, entry: PageEntry, rows: list[RankingRow]) -> RankingPage:
        return RankingPage(
            scope=self.terms.scope,
            period=self.terms.period,
            version=entry.version,
            page=entry.page,
            rows=rows,
            hash=entry.hash,
        )

    def _head(
        self, manifest: list[PageEntry], more_ranked: int, change: VersionChange, published_at: datetime
    ) -> RankingPublished:
        terms = self.terms
        ranked = (self.head.ranked if self.head else 0) + more_ranked
        return RankingPublished(
            scope=terms.scope,
            period=terms.period,
            version=self._version,
            rubric=terms.rubric.id,
            ranked=ranked,
            unranked=sum(entry.rows for entry in manifest) - ranked,
            pages=len(manifest),
            hash=ranking_hash(manifest),
            published_at=published_at,
            supersedes=self.head.version if self.head else None,
            manifest=manifest,
            point_table=terms.rule[1],
            policy=terms.policy.id,
            provenance=terms.policy.provenance,
            inputs_hash=content_hash(sorted(self.inputs.items())),
            changes=len(change.changes),
            shifted=change.shifted,
            previous=terms.previous,
        )

    @property
    def _computed(self) -> dict[str, Any]:
        """What is kept beside the published head: from what it was computed."""
        return {"basis": self.terms.basis, "seen": dict(self.seen), "inputs": dict(self.inputs)}

    def _put(self, head: Head, outcome: Outcome) -> Outcome:
        outcome.put(RANKINGS.ref(head.scope, head.period), head)
        for holder, found in self.members.items():
            outcome.put(RANKING_MEMBERS.ref(head.scope, head.period, holder), Members(units=found))
        return outcome

    def _unchanged(self) -> Outcome:
        """Nothing to publish: results of other area classes, or terms that led to the same rows."""
        outcome = Outcome(verdict=UNCHANGED)
        kept = self.head.model_copy(update=self._computed) if self.head else None
        return outcome if kept is None or kept == self.head else self._put(kept, outcome)

    def _published(self, head: RankingPublished, pages: list[RankingPage], changes: list[RankingChanges]) -> Outcome:
        outcome = self._put(Head(**dict(head), **self._computed), Outcome())
        outcome.put(RANKING_VERSIONS.ref(head.scope, head.period, head.version), head)
        for page in pages:
            outcome.put(RANKING_PAGES.ref(head.scope, head.period, head.version, page.page), page)
        for piece in changes:
            outcome.put(RANKING_CHANGES.ref(head.scope, head.period, head.version, piece.page), piece)
        outcome.events += [Outgoing(RANKINGS_TOPIC, head.scope, head.scope, data) for data in (head, *pages, *changes)]
        return outcome


def _changes(head: RankingPublished, change: VersionChange) -> list[RankingChanges]:
    if head.supersedes is None:
        return []
    cuts = [change.changes[start : start + CHANGES_PER_PAGE] for start in range(0, head.changes, CHANGES_PER_PAGE)]
    return [
        RankingChanges(
            scope=head.scope,
            period=head.period,
            version=head.version,
            supersedes=head.supersedes,
            page=number,
            pages=len(cuts),
            changes=cut,
            shifted=head.shifted,
        )
        for number, cut in enumerate(cuts, start=1)
    ]


def _hashes(members: Mapping[str, Mapping[str, Member]]) -> dict[str, str]:
    return {
        holder: content_hash([[unit_id, one.version, one.hash] for unit_id, one in sorted(found.items())])
        for holder, found in members.items()
        if found
    }
