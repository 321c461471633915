"""What other rules would move: results as the same decision judges them again, and the ranks that follow. Pure.

Whoever rehearses goes by the other rules around it (`shared.rulebook.overlays.using`), and writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.scoring.decisions.documents import RANKING_PAGES, Result
from services.scoring.decisions.ranking_versions import ranking
from services.scoring.decisions.rankings import RankingYear, Terms
from services.scoring.domain import Standing
from shared.answers.rules import MovedRank, MovedResult, Rehearsing, ScoringRehearsal, SupposedScore
from shared.contracts.base import Text, content_hash
from shared.contracts.facts import CentreScored, CommuneScored, RankingPage, RankingRow

BEGINNING = datetime(2013, 1, 1, tzinfo=UTC)
"""What a ranking that nobody publishes is dated with."""


@dataclass
class Moves:
    """All that moves, counted on while results and rankings are gone through in their order."""

    digest: str
    period: int
    shown: int
    """How many of each are told one by one."""
    judged: int = 0
    otherwise: int = 0
    results: list[MovedResult] = field(default_factory=list)
    ranks: list[MovedRank] = field(default_factory=list)
    unranked: dict[str, Text] = field(default_factory=dict)
    scores: list[SupposedScore] = field(default_factory=list)
    standings: dict[str, Standing] = field(default_factory=dict)
    """By unit id: communes' results as they would be, where a new version would be made."""

    def judged_again(self, before: Result, after: Result | None, why: Text | None = None) -> None:
        """A kept result, and the one that would stand in its place; `None`: it cannot be judged, for that reason."""
        self.judged += 1
        if after is not None and after.version == before.version:
            return
        was, becomes = _figures(before), _figures(after) if after is not None else None
        if after is not None:
            self._standing(after)
        if was == becomes:
            self.otherwise += 1
            return
        self.results.append(
            MovedResult(
                kind=before.kind,
                subject=before.subject,
                name=before.result.name,
                province=before.accepted.province,
                period=before.period,
                before=was,
                after=becomes,
                why=why,
            )
        )

    def _standing(self, after: Result) -> None:
        match after.result:
            case CommuneScored():
                if after.standing is not None:
                    self.standings[after.result.unit_id] = after.standing
            case CentreScored():
                kept = SupposedScore.model_fields.keys() & CentreScored.model_fields.keys()
                self.scores.append(SupposedScore(**{name: getattr(after.result, name) for name in kept}))

    def ranked_again(self, year: RankingYear, before: Sequence[RankingRow], after: Sequence[RankingRow]) -> None:
        """The rows of a ranking, and those that would stand in their place, each in order."""
        was = {row.unit_id: row.rank for row in before}
        for row in sorted(after, key=lambda row: (row.rank is None, row.rank, row.code)):
            if row.unit_id in was and was[row.unit_id] != row.rank:
                self.ranks.append(
                    MovedRank(
                        scope=year.scope,
                        period=year.period,
                        unit_id=row.unit_id,
                        code=row.code,
                        name=row.name,
                        before=was[row.unit_id],
                        after=row.rank,
                    )
                )

    def told(self) -> ScoringRehearsal:
        """All of it, as it is answered."""
        everything = [each.model_dump(mode="json") for each in (*self.results, *self.ranks, *self.scores)]
        return ScoringRehearsal(
            digest=self.digest,
            period=self.period,
            judged=self.judged,
            moved=len(self.results),
            otherwise=self.otherwise,
            unjudged=sum(each.after is None for each in self.results),
            by_kind=Counter(each.kind for each in self.results),
            results=self.results[: self.shown],
            ranks_moved=len(self.ranks),
            by_scope=Counter(each.scope for each in self.ranks),
            ranks=self.ranks[: self.shown],
            unranked=self.unranked,
            scores=self.scores,
            seen=content_hash(
                [self.digest, self.period, self.judged, self.otherwise, sorted(self.unranked), everything]
            ),
        )


def _figures(result: Result) -> Rehearsing:
    """What of a result is asked for first: of each kind those that it has."""
    told = {name: getattr(result.result, name, None) for name in ("state", "total", "grade", "level")}
    return Rehearsing(**told)


def rows_again(terms: Terms, standings: Mapping[str, Iterable[Standing]]) -> list[RankingRow]:
    """A ranking made anew of these results, by province."""
    known = {holder: [*found] for holder, found in standings.items()}
    outcome = ranking(terms, known, BEGINNING, seen={}, earlier={})
    pages = [page for ref, page in outcome.puts.items() if ref.collection == RANKING_PAGES.name]
    pages.sort(key=lambda page: page.page)
    assert all(isinstance(page, RankingPage) for page in pages)
    return [row for page in pages for row in page.rows]
