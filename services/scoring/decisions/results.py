"""Judging an assessment, keeping and publishing its result, and judging again whatever uses that result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.scoring.decisions.documents import (
    RECOGNITIONS,
    REFERENCES,
    RESULTS,
    SUPERSEDED,
    TITLE_COUNTS,
    AcceptedAssessment,
    Before,
    Recognitions,
    References,
    Result,
    Scored,
    areas_around,
    assessment_ref,
    commune_refs,
    decisions_of,
    formed_from,
    former,
    in_order,
    recognitions_ref,
    ref_of,
    withdrawal_ref,
)
from services.scoring.domain import (
    judged,
    same_figures,
    same_verdicts,
    score_assessment,
    score_centre,
    score_commune,
    unexplained,
    with_words,
    without_words,
)
from shared.contracts.explained import AnyExplained
from shared.contracts.facts import (
    AssessmentAccepted,
    AssessmentScored,
    Cause,
    CentreAccepted,
    CentreScored,
    CommuneAccepted,
    CommuneScored,
    Inputs,
    NotCarried,
    Recognition,
    Reference,
    Superseded,
)
from shared.contracts.submissions import RecognisedSeries
from shared.messaging.decide.asking import Ask, Outcome
from shared.messaging.decide.register import register_now
from shared.messaging.messages import Outgoing
from shared.registry import Registry, Unit
from shared.rulebook import NoRuleInForce, Rubric, Series, cut_off, rubric, rubrics
from shared.rulebook.book import rulebook
from shared.rulebook.reports import ReportRubric

SCORES_TOPIC = "scores"
UNCHANGED = "unchanged"
COMMUNE_SERIES = ("universal_education", "learning_models")
"""Assessments of communes, whose results the commune's own assessment uses."""


def score(accepted: AcceptedAssessment, inputs: Inputs, version: int, rule: Rubric | None = None) -> AnyExplained:
    """Judge an assessment.

    Args:
        inputs: all else that decides; nothing besides is looked at.
        version: version of the result to be made.
        rule: judge by this rubric instead of the rulebook's own (dry runs).
    """
    match accepted:
        case CommuneAccepted():
            return score_commune(
                accepted,
                inputs.recognitions,
                inputs.references,
                version,
                standards=inputs.standards,
                not_carried=inputs.not_carried,
                withdrawn=inputs.withdrawn,
                rule=rule,
            )
        case CentreAccepted():
            return score_centre(accepted, version, inputs.recognitions, withdrawn=inputs.withdrawn, rule=rule)
        case AssessmentAccepted():
            return score_assessment(
                accepted,
                inputs.recognitions,
                inputs.references,
                version,
                inputs.counts,
                not_carried=inputs.not_carried,
                withdrawn=inputs.withdrawn,
                titles=inputs.titles,
                rule=rule,
            )


def explain(kept: Result) -> tuple[AnyExplained, bool]:
    """A kept result with its words, and whether they could be given.

    They are not kept: judging the same inputs again gives them, in the words of the rules in use. Where that gives
    other figures (a rule is gone or computes otherwise, the document is not what was judged), it is told as it was
    published, without words. What an earlier release told stays as it was told.
    """
    then = as_told(kept)
    try:
        again = score(kept.accepted, kept.inputs, kept.version)
    except (NoRuleInForce, LookupError, ValueError):
        return then or unexplained(kept.result, None, kept.inputs.references), False
    if then is not None:
        return then, same_figures(then.model_dump(mode="json"), again.model_dump(mode="json"))
    if again.hash != kept.result.hash or not same_verdicts(kept.result, without_words(again, "")):
        return unexplained(kept.result, again, kept.inputs.references), False
    return again.model_copy(update={"hash": kept.result.hash, "supersedes": kept.result.supersedes}), True


def as_told(kept: Result) -> AnyExplained | None:
    """A result in the words of an earlier release, where those are kept."""
    return None if kept.told is None else with_words(kept.result, dict(kept.told))


def published(scored: Scored, accepted: AcceptedAssessment, inputs: Inputs) -> Scored:
    """A result as it is published: with all that it was judged on beside the rules."""
    content = None if inputs.withdrawn else accepted.content
    said: dict[str, object] = {"content": content, "inputs": inputs}
    if isinstance(accepted, AssessmentAccepted) and content is not None:
        said["by_decision"] = accepted.by_decision
    return scored.model_copy(update=said)


def about(scored: Scored) -> tuple[Series, str, str]:
    """Kind of a result (`commune`, `centre` or the series), its own id, and by what it is asked for: the subject."""
    match scored:
        case CommuneScored():
            return "commune", scored.unit_id, scored.unit_id
        case CentreScored():
            return "centre", scored.centre_id, scored.centre_id
        case AssessmentScored():
            return scored.series, scored.subject_id, f"{scored.series}/{scored.subject_id}"


def commune_of(centre: CentreAccepted, register: Registry) -> Unit | None:
    """The commune in which a centre lay on the cut-off date; `None` where the register does not tell."""
    day = cut_off(centre.period)
    if centre.unit_id is None:
        return register.unit(centre.commune_code, day)
    return register.counterpart(centre.unit_id, day)


def reference(scored: Scored) -> Reference | None:
    """What a commune's assessment uses of a result; `None` while it says nothing."""
    outcome: dict[str, str] = {}
    match scored:
        case CentreScored():
            outcome = {"grade": scored.grade} if scored.grade is not None else {}
        case AssessmentScored():
            outcome = {name: str(level) for name, level in scored.standards.items()} | scored.shares
    if not outcome:
        return None
    series, subject, _ = about(scored)
    return Reference(
        series=series,
        subject=subject,
        period=scored.period,
        version=scored.version,
        rubric=scored.rubric,
        outcome=outcome,
        hash=scored.hash,
    )


def fed_unit(accepted: AcceptedAssessment, register: Registry) -> str | None:
    """The commune whose own assessment uses the result: where a centre lay on the cut-off date, or whose it is."""
    match accepted:
        case CentreAccepted():
            unit = commune_of(accepted, register)
            return unit.unit_id if unit else None
        case AssessmentAccepted() if accepted.series in COMMUNE_SERIES:
            return accepted.subject_id
        case _:
            return None


def holder_of(accepted: AcceptedAssessment, register: Registry) -> str:
    """The province in whose ranking it stands: what the register says now, whatever was known on acceptance."""
    match accepted:
        case CentreAccepted():
            return accepted.province
        case CommuneAccepted():
            unit = register.by_id(accepted.unit_id)
            return unit.province_code if unit else accepted.holder
        case _:
            return accepted.holder


@dataclass(frozen=True, slots=True)
class Judging:
    """One occasion on which assessments are judged."""

    ask: Ask
    outcome: Outcome
    """What is decided; it is seen by whatever is judged next."""
    cause: Cause
    """Why an assessment that is already judged is judged again; a new submission or withdrawal explains itself."""
    traceparent: str | None
    """Kept with the results, for whatever is computed from them later."""
    at: datetime
    """When it is: that of the record or of the request."""
    parent: str | None = None
    """What the events hang under, where no record is being handled."""
    recomputed_at: datetime | None = None

    def __post_init__(self) -> None:
        self.ask.over(self.outcome)

    async def again(self, series: RecognisedSeries, subjects: Iterable[str]) -> None:
        """Judge again, on what is known now, whatever was judged of these subjects.

        Whoever judges one of them for the first time at this very moment goes by what was known before: it puts the
        same document that is held here, so that one of the two decides on what the other wrote.
        """
        register, ids = await register_now(self.ask), list(subjects)
        refs = [recognitions_ref(series, each) for each in ids]
        kept = await self.ask.many(refs)
        self.outcome.holds.update(refs)
        wanted = [(subject, period) for subject, one in zip(ids, kept, strict=True) if one for period in one.periods]
        if series != "commune":
            for stored in await self.ask.many(assessment_ref(series, *each) for each in wanted):
                if stored is not None:
                    await self.judge(stored.accepted)
            return
        await self.ask.many(ref for each in wanted for ref in commune_refs(*each, register))
        for each in wanted:
            await self.commune(*each)

    async def centre(self, centre_id: str, period: int) -> None:
        """Judge a centre's file again beside the decision on its grade of the same period, if it was accepted.

        Who judges its first file at this very moment puts the same document that holds the decision.
        """
        ref = RESULTS.ref(centre_id, period)
        if (stored := await self.ask.one(ref)) is not None:
            self.outcome.holds.add(ref)
            await self.judge(stored.accepted)

    async def commune(self, unit_id: str, period: int) -> None:
        """Judge a commune again on what is known now, if its assessment was accepted."""
        await self._look_around(unit_id, period)
        ref = RESULTS.ref(unit_id, period)
        stored = await self.ask.one(ref)
        if stored is not None:
            self.outcome.holds.add(ref)
            await self.judge(stored.accepted)

    async def judge(self, accepted: AcceptedAssessment, inputs: Inputs | None = None) -> None:
        """Judge an assessment; keep and publish the result; judge again what stands on it.

        A new submission always makes a new version. For any other cause a result that stays the same is not published
        again; only its inputs are kept as they are now. Nor is one that other words would be found for (ADR 25).

        Args:
            inputs: `None`: the decisions, other results and withdrawal that stand beside it now.
        """
        ref = ref_of(accepted)
        stored = await self.ask.one(ref)
        register = await register_now(self.ask)
        if inputs is None:
            inputs = await self.beside(accepted)
        explained = score(accepted, inputs, stored.version + 1 if stored else 1)
        scored = without_words(explained, rulebook().revision)
        holder = holder_of(accepted, register)
        areas = areas_around(accepted.unit_id, register) if isinstance(accepted, CommuneAccepted) else ()
        if stored is not None:
            sent = stored.input_version != explained.input_version
            if not sent and _stays(stored, inputs, explained, scored):
                now = {"accepted": accepted, "inputs": inputs, "holder": holder, "areas": areas}
                kept = stored.model_copy(update=now)
                if kept != stored:
                    self.outcome.put(ref, kept)
                return
            cause = self.cause if not sent else "withdrawal" if inputs.withdrawn else "correction"
            reason = (inputs.withdrawn or accepted).reason if sent else None
            was = {**dict(stored.result), "cause": cause, "reason": reason}
            scored = scored.model_copy(update={"supersedes": Superseded.model_validate(was)})
            self._keep_history(stored, scored)
        else:
            await self._first(accepted)
        kind, _, subject = about(scored)
        feeds = fed_unit(accepted, register)
        result = Result(
            kind=kind,
            subject=subject,
            period=scored.period,
            holder=holder,
            version=scored.version,
            input_version=scored.input_version,
            feeds=feeds,
            result=scored,
            accepted=accepted,
            inputs=inputs,
            recomputed_at=self.recomputed_at,
            published_at=self.at,
            traceparent=self.traceparent,
            areas=areas,
        )
        self.outcome.put(ref, result)
        told = published(scored, accepted, inputs)
        self.outcome.events.append(Outgoing(SCORES_TOPIC, subject, subject, told, self.parent))
        if feeds is not None:
            await self._tell(feeds, scored)
        if isinstance(scored, AssessmentScored):
            await self._measure(scored)

    async def _measure(self, plan: AssessmentScored) -> None:
        """Judge again the reports beside which a plan stands."""
        following = {one.series for one in rubrics() if _plan_of(one) == plan.series}
        for series in sorted(following):
            stored = await self.ask.one(assessment_ref(series, plan.subject_id, plan.period))
            if stored is not None:
                await replace(self, cause="reference").judge(stored.accepted)

    async def refer(self, unit_id: str, period: int, references: Iterable[Reference]) -> None:
        """Keep what other results say of a commune, and judge the commune again by it."""
        ref = REFERENCES.ref(unit_id, period)
        known, items = await self.ask.one(ref), in_order(references)
        if items != (known.items if known else ()):
            self.outcome.put(ref, References(items=items))
            await replace(self, cause="reference").commune(unit_id, period)

    async def _tell(self, unit_id: str, scored: Scored) -> None:
        """Put the place of this result among what others say of the commune."""
        await self._look_around(unit_id, scored.period)
        known = await self.ask.one(REFERENCES.ref(unit_id, scored.period))
        series, subject, _ = about(scored)
        others = [each for each in known.items if (each.series, each.subject) != (series, subject)] if known else []
        await self.refer(unit_id, scored.period, [*others, *filter(None, [reference(scored)])])

    async def _look_around(self, unit_id: str, period: int) -> None:
        """Ask at once for all that judging the commune will ask for."""
        await self.ask.many(commune_refs(unit_id, period, await register_now(self.ask)))

    async def beside(self, accepted: AcceptedAssessment) -> Inputs:
        """The decisions, other results and withdrawal that stand beside an assessment; what an area counts apart."""
        taken_back = await self.ask.one(withdrawal_ref(accepted))
        withdrawn = taken_back if taken_back and taken_back.version > accepted.version else None
        match accepted:
            case CommuneAccepted():
                await self._look_around(accepted.unit_id, accepted.period)
                references = await self.ask.one(REFERENCES.ref(accepted.unit_id, accepted.period))
                return Inputs(
                    recognitions=await self.decisions("commune", accepted.unit_id),
                    references=references.items if references else (),
                    standards=await self.decisions("universal_education", accepted.unit_id),
                    not_carried=await self._not_carried(accepted.unit_id, accepted.period),
                    withdrawn=withdrawn,
                )
            case CentreAccepted():
                graded = await self.decisions("centre", accepted.centre_id)
                own = tuple(each for each in graded if each.period == accepted.period)
                return Inputs(recognitions=own, withdrawn=withdrawn)
            case AssessmentAccepted(series="learning_unit" | "universal_education" as series):
                return Inputs(recognitions=await self.decisions(series, accepted.subject_id), withdrawn=withdrawn)
            case AssessmentAccepted(series="learning_models"):
                kept = await self.ask.one(TITLE_COUNTS.ref(accepted.subject_id, accepted.period))
                return Inputs(withdrawn=withdrawn, titles=kept.counts if kept else None)
            case AssessmentAccepted() if (plan := _plan_of(rubric(accepted.rubric))) is not None:
                ref = assessment_ref(plan, accepted.subject_id, accepted.period)
                stands = await self.ask.one(ref)
                self.outcome.holds.add(ref)  # a plan that comes at this very moment finds no report to judge again
                told = reference(stands.result) if stands else None
                return Inputs(references=(told,) if told else (), withdrawn=withdrawn)
            case _:
                return Inputs(withdrawn=withdrawn)

    async def decisions(self, series: RecognisedSeries, subject_id: str) -> tuple[Recognition, ...]:
        """All decisions on a subject; on a commune also under the other ids of the same unit."""
        of_communes = series in ("commune", "universal_education")
        ids = (await register_now(self.ask)).lineage(subject_id) if of_communes else (subject_id,)
        return decisions_of(zip(ids, await self.ask.many(recognitions_ref(series, id) for id in ids), strict=True))

    async def _not_carried(self, unit_id: str, period: int) -> tuple[NotCarried, ...]:
        """The former units that went into a commune which is none of them, in its first period; decisions on them."""
        register = await register_now(self.ask)
        ids = former(unit_id, register)
        kept = zip(ids, await self.ask.many(map(RECOGNITIONS.ref, ids)), strict=True)
        first = register.by_id(register.lineage(unit_id)[0])
        is_new = first is not None and first.valid_from is not None and first.valid_from.year == period
        found = [(id, None) for id in formed_from(unit_id, register) if is_new]
        return tuple(
            NotCarried(unit_id=id, code=unit.code, name=unit.name, decision=decision)
            for id, decision in (*found, *((each.unit_id, each) for each in decisions_of(kept)))
            if (unit := register.by_id(id)) is not None
        )

    async def _first(self, accepted: AcceptedAssessment) -> None:
        """Tell those who bring a decision of which periods there are results.

        Whoever adds a decision or a reference at this very moment finds no result to judge again. Holding what was
        read, and putting what they hold, makes the two collide: one of them decides on what the other wrote.
        """
        match accepted:
            case CommuneAccepted():
                own = RECOGNITIONS.ref(accepted.unit_id)
                self.outcome.holds.add(REFERENCES.ref(accepted.unit_id, accepted.period))
            case CentreAccepted():
                own = recognitions_ref("centre", accepted.centre_id)
            case AssessmentAccepted(series="learning_unit" | "universal_education" as series):
                own = recognitions_ref(series, accepted.subject_id)
            case _:
                return
        kept = await self.ask.one(own) or Recognitions()
        periods = tuple(sorted({*kept.periods, accepted.period}))
        self.outcome.put(own, kept.model_copy(update={"periods": periods}))

    def _keep_history(self, stored: Result, scored: Scored) -> None:
        """The version that is replaced, and those that an older release kept in the result itself."""
        of = ref_of(stored.accepted).id
        for line in (*stored.superseded, scored.supersedes):
            assert line is not None
            self.outcome.put(SUPERSEDED.ref(of, f"{line.version:07}"), Before(of=of, version=line.version, was=line))


def _plan_of(rule: Rubric) -> Series | None:
    """The series whose planned shares stand beside those of a report."""
    return rule.plan.series if isinstance(rule, ReportRubric) and rule.plan else None


def _stays(stored: Result, inputs: Inputs, now: AnyExplained, scored: Scored) -> bool:
    """Whether a result stays what it was. Of the same inputs only figures count: the words are the rule's, or ours.
    Of other ones a sentence counts too, since it may say what no figure does."""
    then = as_told(stored)
    if then is None and (now.hash != stored.result.hash or not same_verdicts(stored.result, scored)):
        return False
    if stored.inputs == inputs:
        return then is None or same_figures(then.model_dump(mode="json"), now.model_dump(mode="json"))
    before = then or score(stored.accepted, stored.inputs, stored.version)
    return judged(before.model_dump(mode="json")) == judged(now.model_dump(mode="json"))
