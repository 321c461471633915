"""What all kinds of rubric share: a judgement, its steps with their grounds, and what is said about missing values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from shared.contracts.base import Provenance, Step, Text
from shared.contracts.explained import CriterionResult
from shared.contracts.facts import MergerFinding, Reference
from shared.rulebook import EmptyCohort, Rubric, cut_off, readings_on, rubrics
from shared.rulebook.source import Grounded
from shared.wording import EN, VI

_STRENGTH = list(Provenance)
"""Strongest first."""


def weakest(provenances: Iterable[Provenance]) -> Provenance:
    """A result is supported no better than the weakest rule that made it."""
    return max(provenances, key=_STRENGTH.index)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What all kinds of rubric come to."""

    criteria: list[CriterionResult]
    missing: list[str]
    steps: list[Step]
    """The steps that made the result, after the choice of the rule; they decide its provenance."""
    notes: list[Step] = field(default_factory=list)
    """What a reader should know besides, before what is told of every result under the rule."""
    next_step: list[Text] = field(default_factory=list)
    point_table: str | None = None
    total: Decimal | None = None
    grade: str | None = None
    level: int | None = None
    rank_key: str | None = None
    standards: Mapping[str, int] = field(default_factory=dict)
    """Level reached per standard of Decree 20/2014."""
    shares: Mapping[str, str] = field(default_factory=dict)
    """Exact shares that other rubrics use, as `p/q`."""
    finding: MergerFinding | None = None
    """What the rule says of a merger."""
    references: Sequence[Reference] = ()
    """The results under other rubrics that decided something here."""


def frozen(references: Iterable[Reference], series: str, period: int) -> list[Reference]:
    """The references of one series to results of the same period, in an order that does not depend on the input's."""
    return sorted(
        (one for one in references if (one.series, one.period) == (series, period)),
        key=lambda one: (one.subject, one.version, one.rubric),
    )


def named(reference: Reference) -> str:
    """A frozen result as evidence: its rubric, subject, period and the beginning of its hash.

    Not its version: the same result under a new version is the same evidence. A decision is its own evidence.
    """
    if reference.decision_number is not None:
        return f"QĐ {reference.decision_number}"
    return f"{reference.rubric}/{reference.subject}/{reference.period}#{reference.hash[:12]}"


def step_on(ground: Grounded, vi: str, en: str, *more: Grounded) -> Step:
    """One step on one or several grounds; it is supported no better than the weakest of them."""
    grounds = (ground, *more)
    return Step(
        what=Text(vi=vi, en=en),
        citation="; ".join(dict.fromkeys(part for each in grounds for part in each.citation.split("; "))),
        provenance=weakest(each.provenance for each in grounds),
    )


def chosen(rubric: Rubric, period: int) -> list[Step]:
    """By which rule, and where several were in force within the period, by which day it was chosen."""
    step = step_on(rubric, f"Áp dụng {rubric.legal_reference}.", f"Judged by {rubric.legal_reference}.")
    first, day = date(period, 1, 1), cut_off(period)
    whole = rubric.in_force(first) and rubric.in_force(day)
    if whole or not any(one.series == rubric.series and one.in_force(first) for one in rubrics()):
        return [step]
    return [
        step,
        step_on(
            readings_on(day).cut_off,
            f"Trong kỳ có nhiều quy định; áp dụng quy định có hiệu lực vào ngày chốt {VI.day(day)}.",
            f"Several rules were in force within the period; the one of the cut-off date {EN.day(day)} counts.",
        ),
    ]


def incomplete(missing: Sequence[str], period: int) -> tuple[Step, Text]:
    """That values are missing, and how to mend it."""
    ids = ", ".join(missing)
    return (
        step_on(
            readings_on(cut_off(period)).missing,
            f"Chưa đủ dữ liệu ({ids}): thiếu không phải là 0, nên chưa xếp loại.",
            f"Incomplete ({ids}): missing is not zero, so nothing is graded yet.",
        ),
        Text(vi=f"Nộp bản bổ sung có {ids}.", en=f"Send a correction that has {ids}."),
    )


_COUNT_AS: Mapping[Literal["zero_points", "not_met", "as_reported"], Text] = {
    "zero_points": Text(vi="được 0 điểm", en="get 0 points"),
    "not_met": Text(vi="coi là không đạt", en="count as not met"),
    "as_reported": Text(vi="tính theo số báo cáo", en="count as they were reported"),
}


def without_evidence(rubric: Rubric, ids: Sequence[str]) -> Step:
    """What became of values without evidence."""
    counts = _COUNT_AS[rubric.no_evidence.counts_as]
    return step_on(
        rubric.no_evidence,
        f"Không có minh chứng, {counts.vi}: {', '.join(ids)}.",
        f"Without evidence, {counts.en}: {', '.join(ids)}.",
    )


def not_applicable(empty: EmptyCohort, asked: Sequence[Text], *nothing: Text) -> Step:
    """What became of shares of nobody. `nothing`: names of what has no other share, so that it rests on this alone."""
    met = empty.counts_as == "met"
    listed = Text(vi=", ".join(each.vi for each in asked), en=", ".join(each.en for each in asked))
    vi, en = ("coi là đạt", "counts as met") if met else ("coi là không đạt", "counts as not met")
    alone = Text(vi="", en="")
    if nothing:
        alone = Text(
            vi=f" Chỉ dựa trên điều này: {', '.join(each.vi for each in nothing)}.",
            en=f" On this alone rests: {', '.join(each.en for each in nothing)}.",
        )
    return step_on(
        empty,
        f"Không áp dụng vì không có đối tượng: {listed.vi}; {vi}, không tính vào xếp hạng.{alone.vi}",
        f"Not applicable, the cohort is empty: {listed.en}; it {en} and stays out of rankings.{alone.en}",
    )


def notes_on(rubric: Rubric, period: int) -> list[Step]:
    """What is not decided by the rules: who recognises, and the order of a ranking."""
    notes = []
    ended = rubric.decided_by[-1].until
    if ended is not None and cut_off(period) >= ended:
        gap = next(gap for gap in rubric.gaps if gap.id == f"decided_by_after_{ended:%Y_%m_%d}")
        last = rubric.decided_by[-1]
        notes.append(Step(what=gap.text, citation=last.citation, provenance=Provenance.NOT_FOUND))
    if rubric.ranking is not None:
        notes.append(step_on(rubric.ranking, rubric.ranking.rule.vi, rubric.ranking.rule.en))
    return notes
