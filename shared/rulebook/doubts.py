"""What in the content of an assessment is formally right but hardly true. Pure; it refuses nothing.

Fields are JSON pointers into the submission, and into the fact that was accepted of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal

from shared.contracts.base import Problem, Text
from shared.contracts.submissions import (
    AwardedPoints,
    ChangeTarget,
    Content,
    CountTarget,
    DayTarget,
    LevelTarget,
    MetTarget,
    MoneyTarget,
    PartsTarget,
    PointsContent,
    Share,
    SharePairTarget,
    ShareTarget,
    TargetValue,
    TextTarget,
)
from shared.refusals import problem
from shared.rulebook.plausibility import Jump, Plausibility
from shared.rulebook.rubrics import PassFailRubric, Rubric
from shared.rulebook.targets import LEVELS
from shared.wording import EN, VI


def content_doubts(rubric: Rubric, content: Content, rule: Plausibility) -> Iterator[Problem]:
    """What is hardly true of the content by itself: `population_differs`, `population_above_whole`,
    `value_without_evidence`."""
    shares, room = shares_of(content), _room(content)
    for group in rule.same_people.get(rubric.id, ()):
        given = [(named, shares[named].denominator) for named in group.figures if named in shares]
        for named, size in given[1:]:
            first, expected = given[0]
            if size != expected:
                yield problem(
                    "plausible.population_differs",
                    f"{room}/{named}/denominator",
                    figure=_in_words(named),
                    size=size,
                    other=_in_words(first),
                    expected=expected,
                    who=group.who,
                    citation=group.citation,
                )
    for pair in rule.among_others.get(rubric.id, ()):
        part, whole = shares.get(pair.part), shares.get(pair.whole)
        if part and whole and part.denominator > whole.denominator:
            yield problem(
                "plausible.population_above_whole",
                f"{room}/{pair.part}/denominator",
                figure=_in_words(pair.part),
                size=part.denominator,
                other=_in_words(pair.whole),
                most=whole.denominator,
                who=pair.who,
                citation=pair.citation,
            )
    yield from _unproven(rubric, content)


def jumps(before: Content, now: Content, period: int, rule: Jump) -> Iterator[Problem]:
    """What moved further than figures of one subject under one rule do: `population_jump`, `share_jump`.

    Args:
        period: of the content before.
    """
    shares, then, room = shares_of(now), shares_of(before), _room(now)
    for named, share in shares.items():
        if (was := then.get(named)) is None or was == share:
            continue
        less, more = sorted((share.denominator, was.denominator))
        if more < rule.least:
            continue
        if more > less * rule.times:
            yield problem(
                "plausible.population_jump",
                f"{room}/{named}/denominator",
                figure=_in_words(named),
                size=share.denominator,
                before=was.denominator,
                period=period,
                times=rule.times,
                citation=rule.citation,
            )
        elif less and _apart(share, was) > rule.share:
            yield problem(
                "plausible.share_jump",
                f"{room}/{named}",
                figure=_in_words(named),
                share=_percent(share),
                before=_percent(was),
                period=period,
                points=rule.share * 100,
                citation=rule.citation,
            )


def shares_of(content: Content) -> Mapping[str, Share]:
    """All shares in a content, as rules name them: `C5.2/university`."""
    values = content.indicators if isinstance(content, PointsContent) else content.targets
    found: dict[str, Share] = {}
    for id, value in values.items():
        match value:
            case ShareTarget(share=share):
                found[f"{id}/share"] = share
            case SharePairTarget(trained=trained, university=university):
                found |= {f"{id}/trained": trained, f"{id}/university": university}
    return found


def _in_words(named: str) -> Text:
    """A figure for people: `C5.1`, `C5.2 (university)`."""
    id, _, part = named.partition("/")
    match part:
        case "trained":
            return Text(vi=f"{id} (được đào tạo)", en=f"{id} (trained)")
        case "university":
            return Text(vi=f"{id} (đại học trở lên)", en=f"{id} (university)")
        case _:
            return Text(vi=id, en=id)


def _apart(one: Share, other: Share) -> Fraction:
    """By how much two shares differ."""
    difference = one.numerator * other.denominator - other.numerator * one.denominator
    return Fraction(abs(difference), one.denominator * other.denominator)


def _value(share: Share) -> Fraction:
    return Fraction(share.numerator, share.denominator)


def _percent(share: Share) -> Text:
    return Text(vi=VI.percent(_value(share)), en=EN.percent(_value(share)))


def _room(content: Content) -> str:
    return f"/content/{'indicators' if isinstance(content, PointsContent) else 'targets'}"


def _unproven(rubric: Rubric, content: Content) -> Iterator[Problem]:
    """Values that would count for something, had they evidence."""
    rule = rubric.no_evidence
    if rule.counts_as == "as_reported":
        return
    values: Mapping[str, AwardedPoints | TargetValue]
    room, values = ("points", content.points) if isinstance(content, PointsContent) else ("targets", content.targets)
    for id, value in values.items():
        if not value.evidence and _counts(value) and not _is_unused(id, rubric, content):
            field, counts = f"/content/{room}/{id}/evidence", _COUNT_AS[rule.counts_as]
            yield problem("plausible.value_without_evidence", field, id=id, counts=counts, citation=rule.citation)


def _is_unused(id: str, rubric: Rubric, content: Content) -> bool:
    """Whether a target holds for no subject of this kind, at any level."""
    if not isinstance(rubric, PassFailRubric) or isinstance(content, PointsContent):
        return False
    return not any(one.id == id and one.holds(level, content.traits) for one in rubric.targets for level in LEVELS)


_COUNT_AS: Mapping[Literal["zero_points", "not_met"], Text] = {
    "zero_points": Text(vi="tính 0 điểm", en="counts 0 points"),
    "not_met": Text(vi="coi là không đạt", en="counts as not met"),
}


def _counts(value: AwardedPoints | TargetValue) -> bool:
    """Whether something is claimed. That there is nobody to count is claimed too."""
    match value:
        case AwardedPoints(points=points):
            return bool(points)
        case MetTarget(met=met):
            return met
        case PartsTarget(parts=parts):
            return any(parts.values())
        case LevelTarget(level=level):
            return bool(level)
        case ShareTarget(share=share):
            return _claims(share)
        case SharePairTarget(trained=trained, university=university):
            return _claims(trained) or _claims(university)
        case CountTarget(count=count):
            return bool(count)
        case ChangeTarget(previous=previous, current=current):
            return previous != current
        case MoneyTarget() | DayTarget() | TextTarget():
            return True


def _claims(share: Share) -> bool:
    return bool(share.numerator) or not share.denominator
