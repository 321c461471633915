"""Two sources of one numerator: a commune's own count, and single decisions. One counts, the other is a check.

The file's count counts, unless the file says only how many there are (`by_decision`): then the decisions do. What no
decision was ever sent of is unknown, and not 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.scoring.domain.judging import step_on
from shared.contracts.base import Problem, Step
from shared.contracts.facts import TitleCounts
from shared.contracts.submissions import CountedByDecision, Share, ShareTarget, TargetsContent, TitleModel
from shared.refusals import problem
from shared.rulebook import cut_off
from shared.rulebook.models import ModelsRubric
from shared.rulebook.titles import TitlesPolicy, titles_policy
from shared.wording import EN, VI


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a commune as both sources tell it."""

    id: str
    title: TitleModel
    held: int | None
    """By single decisions; `None`: there were never any."""
    elsewhere: int
    own: int | None
    """By the commune's own count; `None`: it has none."""
    existing: int | None
    """How many there are; `None`: the file does not say."""
    by_decision: bool
    """Whether the decisions count."""

    @property
    def pointer(self) -> str:
        """Where the file speaks of it."""
        return f"/{'by_decision' if self.by_decision else 'content/targets'}/{self.id}"

    @property
    def differs(self) -> bool:
        """Whether the two sources tell different numbers."""
        return self.own is not None and self.held is not None and self.own != self.held

    @property
    def above(self) -> bool:
        """Whether more hold the title than there are."""
        return self.by_decision and self.existing is not None and self.held is not None and self.held > self.existing


@dataclass(frozen=True, slots=True)
class Counted:
    """What single decisions give to a commune's models."""

    values: Mapping[str, ShareTarget] = field(default_factory=dict)
    """By model; of what is unknown there is none."""
    steps: list[Step] = field(default_factory=list)
    policy: TitlesPolicy | None = None


def models_of(
    rubric: ModelsRubric,
    content: TargetsContent,
    by_decision: Mapping[str, CountedByDecision],
    titles: TitleCounts | None,
    period: int,
) -> list[Model]:
    """The models that single decisions feed, or of which the file says so."""
    if titles is None and not by_decision:
        return []
    found = []
    for id, title in titles_policy(cut_off(period)).titles(rubric).items():
        sent, only = content.targets.get(id), by_decision.get(id)
        own = sent.share if isinstance(sent, ShareTarget) else None
        held = titles.held.get(title) if titles else None
        if held is None and only is None:
            continue
        found.append(
            Model(
                id,
                title,
                held,
                titles.elsewhere.get(title, 0) if titles else 0,
                only.recognised if only else own.numerator if own else None,
                only.existing if only else own.denominator if own else None,
                only is not None,
            )
        )
    return found


def by_decisions(
    rubric: ModelsRubric,
    content: TargetsContent,
    by_decision: Mapping[str, CountedByDecision],
    titles: TitleCounts | None,
    period: int,
) -> Counted:
    """The values that decisions make, and all that is to be told of the two sources."""
    models = models_of(rubric, content, by_decision, titles, period)
    if not models:
        return Counted()
    policy = titles_policy(cut_off(period))
    values: dict[str, ShareTarget] = {}
    steps: list[Step] = []
    for one in models:
        steps += _told(one, policy)
        if one.by_decision and one.held is not None and one.existing is not None and not one.above:
            proofs = [
                *by_decision[one.id].evidence,
                *([f"titles/{one.title}: {one.held}"] * (one.existing > 0)),
            ]
            values[one.id] = ShareTarget(share=Share(numerator=one.held, denominator=one.existing), evidence=proofs)
    return Counted(values, steps, policy)


def _told(one: Model, policy: TitlesPolicy) -> Iterator[Step]:
    if one.by_decision and one.held is None:
        yield step_on(
            policy.one_source,
            f"{one.id}: số được công nhận tính theo từng quyết định, nhưng chưa có quyết định nào được gửi: chưa biết.",
            f"{one.id}: counted by single decisions, of which none was sent: unknown.",
        )
        return
    assert one.held is not None
    held = one.held
    if one.above:
        yield step_on(
            policy.one_source,
            f"{one.id}: {VI(held)} danh hiệu theo quyết định, nhiều hơn {VI(one.existing or 0)} hiện có: chưa biết.",
            f"{one.id}: {EN(held)} titles by decision, more than the {EN(one.existing or 0)} that exist: unknown.",
        )
    elif one.by_decision:
        yield step_on(
            policy.one_source,
            f"{one.id}: tính theo từng quyết định, {VI(held)} danh hiệu còn giá trị vào ngày chốt.",
            f"{one.id}: counted by single decisions, {EN(held)} titles in force on the cut-off date.",
            policy.holding,
        )
    if one.differs and one.own is not None:
        vi, en = ("từng quyết định", "the decisions count") if one.by_decision else ("số của xã", "the former counts")
        yield step_on(
            policy.one_source,
            f"{one.id}: xã báo {VI(one.own)}, theo từng quyết định là {VI(held)}; tính theo {vi}.",
            f"{one.id}: the commune tells {EN(one.own)}, single decisions {EN(held)}; {en}.",
        )
    if one.elsewhere:
        yield step_on(
            policy.one_holder,
            f"{one.id}: {VI(one.elsewhere)} quyết định của xã không tính ở đây: xã khác công nhận cùng mã sau đó.",
            f"{one.id}: {EN(one.elsewhere)} decisions do not count here: another commune recognised the same id later.",
        )


def title_doubts(
    rubric: ModelsRubric,
    content: TargetsContent,
    by_decision: Mapping[str, CountedByDecision],
    titles: TitleCounts | None,
    period: int,
) -> Iterator[Problem]:
    """What of it is to be looked at: both figures, where two sources differ."""
    for one in models_of(rubric, content, by_decision, titles, period):
        if one.above:
            yield problem("plausible.titles_above", one.pointer, id=one.id, titles=one.held, existing=one.existing)
        if one.differs:
            own, held = one.own, one.held
            if one.by_decision:
                yield problem("plausible.titles_count", one.pointer, id=one.id, own=own, titles=held)
            else:
                yield problem("plausible.titles_check", one.pointer, id=one.id, own=own, titles=held)
        if one.elsewhere:
            yield problem("plausible.titles_elsewhere", one.pointer, id=one.id, count=one.elsewhere)
