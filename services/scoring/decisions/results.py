"""Judging an assessment, keeping and publishing its result, and judging again whatever uses that result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from services.scoring.decisions.documents import (
    COMMUNE_SERIES,
    MOST_REFERENCES,
    SUPERSEDED,
    AcceptedAssessment,
    Inputs,
    area_scope,
    commune_refs,
    in_order,
    items_of,
    recognitions_of,
    ref_of,
    references_in,
    references_ref,
    result_ref,
)
from services.scoring.decisions.rankings import rankings_of
from services.scoring.domain.differences import judged
from services.scoring.domain.results import score_assessment, score_centre, score_commune
from shared.contracts.facts import (
    AssessmentAccepted,
    AssessmentScored,
    CentreAccepted,
    CentreScored,
    CommuneAccepted,
    CommuneScored,
    Reference,
    Superseded,
)
from shared.messaging.decide.handling import Document, Entry, Outcome, Recalculation, Ref, States
from shared.messaging.decide.register import REGISTER
from shared.messaging.messages import Outgoing
from shared.registry import Registry, Unit, corrected_register
from shared.rulebook import Rubric, cut_off

SCORES_TOPIC = "scores"
Scored = CommuneScored | CentreScored | AssessmentScored
Cause = Literal["recognition", "reference", "recompute", "register"]
"""Why an assessment that is already judged is judged again; a new submission explains itself."""


def score(inputs: Inputs, version: int, rule: Rubric | None = None) -> Scored:
    """Judge inputs.

    Args:
        inputs: complete; nothing else is looked at.
        version: version of the result to be made.
        rule: judge by this rubric instead of the rulebook's own (dry runs).
    """
    accepted = inputs.accepted
    match accepted:
        case CommuneAccepted():
            return score_commune(accepted, inputs.recognitions, inputs.references, version, rule=rule)
        case CentreAccepted():
            return score_centre(accepted, version, rule=rule)
        case AssessmentAccepted():
            return score_assessment(accepted, inputs.recognitions, inputs.references, version, inputs.counts, rule=rule)


def subject_of(scored: Scored) -> str:
    """Key and subject of the event, and by what a result is asked for."""
    match scored:
        case CommuneScored():
            return scored.unit_id
        case CentreScored():
            return scored.centre_id
        case AssessmentScored():
            return f"{scored.series}/{scored.subject_id}"


def kind_of(scored: Scored) -> str:
    """`commune`, `centre` or the series."""
    match scored:
        case CommuneScored():
            return "commune"
        case CentreScored():
            return "centre"
        case AssessmentScored():
            return scored.series


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
            subject = scored.centre_id
            outcome = {"grade": scored.grade} if scored.grade is not None else {}
        case AssessmentScored():
            subject = scored.subject_id
            outcome = {name: str(level) for name, level in scored.standards.items()} | scored.shares
    if not outcome:
        return None
    return Reference(
        series=kind_of(scored),
        subject=subject,
        period=scored.period,
        version=scored.version,
        rubric=scored.rubric,
        outcome=outcome,
        hash=scored.hash,
    )


def reference_in(result: Document) -> Reference | None:
    """What a commune's assessment uses of a kept result."""
    model = CentreScored if result["kind"] == "centre" else AssessmentScored
    return reference(model.model_validate(result["result"]))


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


def refs_of(accepted: AcceptedAssessment, register: Registry) -> list[Ref]:
    """Every document that judging the assessment reads or writes, with what stands on its result."""
    unit_id = accepted.unit_id if isinstance(accepted, CommuneAccepted) else fed_unit(accepted, register)
    around = commune_refs(unit_id, accepted.period, register) if unit_id else []
    return list(dict.fromkeys([REGISTER, ref_of(accepted), *around]))


def references_scope(unit_id: str) -> str:
    """Scope of the request to collect a commune's references anew, after one of them has left it."""
    return f"references-{unit_id}"


@dataclass(frozen=True, slots=True)
class Judging:
    """One occasion on which assessments are judged. `states` must hold what `refs_of` names for each of them."""

    states: States
    outcome: Outcome
    """What is decided: documents, events, requests."""
    cause: Cause
    traceparent: str | None
    """Kept with the results, for whatever is computed from them later."""
    parent: str | None = None
    """What the events hang under, where no record is being handled."""
    recomputed_at: str | None = None

    @property
    def register(self) -> Registry:
        """The register as it is known now, with a correction that is being taken."""
        return corrected_register(self._now(REGISTER))

    def commune(self, unit_id: str, period: int) -> None:
        """Judge a commune again on what is known now, if its assessment was accepted."""
        stored = self._now(result_ref(unit_id, period))
        if stored is not None:
            accepted = CommuneAccepted.model_validate(stored["accepted"])
            self.judge(self.commune_inputs(accepted))

    def commune_inputs(self, accepted: CommuneAccepted) -> Inputs:
        """A commune's assessment with the decisions and the other results that stand beside it now."""
        references = self._now(references_ref(accepted.unit_id, accepted.period))
        lineage = self.register.lineage(accepted.unit_id)
        recognitions = recognitions_of(lineage, self._now)
        return Inputs(accepted, recognitions, references_in(items_of(references)))

    def judge(self, inputs: Inputs) -> None:
        """Judge inputs; keep and publish the result; judge again what stands on it.

        A new submission always makes a new version. For any other cause a result that stays the same is not published
        again; only its inputs are kept as they are now.
        """
        ref = ref_of(inputs.accepted)
        stored = self._now(ref)
        scored = score(inputs, stored["version"] + 1 if stored else 1)
        if stored is not None:
            correction = stored["input_version"] != scored.input_version
            if not correction and judged(scored.model_dump(mode="json")) == judged(stored["result"]):
                kept = stored | {"inputs": inputs.document(), "holder": self._holder(inputs.accepted)}
                if kept != stored:
                    self.outcome.puts[ref] = kept
                return
            before = stored["result"] | {"cause": "correction" if correction else self.cause}
            superseded = Superseded.model_validate(before)
            scored = scored.model_copy(update={"supersedes": superseded})
            self.outcome.puts |= _history(ref, stored, superseded)
        elif isinstance(inputs.accepted, CommuneAccepted):
            # Whoever adds a decision or a reference at this very moment finds no result to judge again. Writing what
            # was read makes the two collide, so that one of them decides on what the other wrote.
            for read in refs_of(inputs.accepted, self.register):
                if read not in (ref, REGISTER):
                    self.outcome.puts[read] = self._now(read) or {"items": []}
        self.outcome.puts[ref] = self._document(inputs, scored)
        subject = subject_of(scored)
        self.outcome.events.append(Outgoing(SCORES_TOPIC, subject, subject, scored, self.parent))
        self._follow(scored, fed_unit(inputs.accepted, self.register), stored)

    def _follow(self, scored: Scored, feeds: str | None, stored: Document | None) -> None:
        fed = stored["feeds"] if stored else None
        match scored:
            case CommuneScored():
                self.outcome.requests += rankings_of(scored, self._holder(scored), stored)
            case AssessmentScored(series="district"):
                self.outcome.requests.append(Recalculation(area_scope("province", scored.holder), scored.period))
        if feeds is not None:
            known = references_in(items_of(self._now(references_ref(feeds, scored.period))))
            kept = [each for each in known if not _is_of(each, scored)]
            self.refer(feeds, scored.period, [*kept, *filter(None, [reference(scored)])])
            if len(kept) < len(known) == MOST_REFERENCES:  # there may be one that had no room
                self.outcome.requests.append(Recalculation(references_scope(feeds), scored.period))
        if fed is not None and fed != feeds:
            self.outcome.requests.append(Recalculation(references_scope(fed), scored.period))

    def refer(self, unit_id: str, period: int, references: Iterable[Reference]) -> None:
        """Keep what other results say of a commune, and judge the commune again by it."""
        ref = references_ref(unit_id, period)
        items = [each.model_dump(mode="json") for each in in_order(references)]
        if items != items_of(self._now(ref)):
            self.outcome.puts[ref] = {"items": items}
            replace(self, cause="reference").commune(unit_id, period)

    def _holder(self, of: AcceptedAssessment | Scored) -> str:
        """The province in whose ranking it stands: what the register says now, whatever was known on acceptance."""
        match of:
            case CentreAccepted() | CentreScored():
                return of.province
            case CommuneAccepted() | CommuneScored():
                unit = self.register.by_id(of.unit_id)
                return unit.province_code if unit else of.holder
            case _:
                return of.holder

    def _now(self, ref: Ref) -> Document | None:
        return self.outcome.puts.get(ref) or self.states[ref]

    def _document(self, inputs: Inputs, scored: Scored) -> Document:
        document: Document = {
            "kind": kind_of(scored),
            "subject": subject_of(scored),
            "period": scored.period,
            "holder": self._holder(scored),
            "version": scored.version,
            "input_version": scored.input_version,
            "feeds": fed_unit(inputs.accepted, self.register),
            "result": scored.model_dump(mode="json"),
            "accepted": inputs.accepted.model_dump(mode="json"),
            "inputs": inputs.document(),
            "recomputed_at": self.recomputed_at,
            "traceparent": self.traceparent,
        }
        if isinstance(scored, CommuneScored):
            document |= {"unit_id": scored.unit_id, "rank_key": scored.rank_key}
        return document


def _history(result: Ref, stored: Document, superseded: Superseded) -> dict[Ref, Document]:
    """The version that is replaced, and those that an older release kept in the result itself."""
    lines = [*(stored.get("superseded") or []), superseded.model_dump(mode="json")]
    return {
        Entry(SUPERSEDED, f"{result.id}/{line['version']:07}"): {
            "of": result.id,
            "version": line["version"],
            "was": line,
        }
        for line in lines
    }


def _is_of(reference: Reference, scored: Scored) -> bool:
    subject = scored.centre_id if isinstance(scored, CentreScored) else subject_of(scored).partition("/")[2]
    return (reference.series, reference.subject) == (kind_of(scored), subject)
