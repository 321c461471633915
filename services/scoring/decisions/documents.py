"""What scoring keeps: collections, identities of documents, and the inputs that a result was made from.

| collection | `_id` | holds |
|---|---|---|
| `results` | `<subject>/<period>` | the last result, the accepted assessment and all other inputs it was made from |
| `superseded` | `<subject>/<period>/<version>` | what a version had come to that a newer one replaced |
| `recognitions` | `<unit id>` | decisions that recognise the unit, one per period |
| `references` | `<unit id>/<period>` | what other rubrics' results say of the commune |
| `areas` | `<series>@<code>/<period>` | the accepted assessment of a district or province, which is judged over a set |
| `recomputes` | `<order id>` | who had a period judged again, why, and what came of it |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from services.scoring.domain.judging import Recognition
from services.scoring.domain.measuring import RecognisedCounts
from shared.contracts.facts import AssessmentAccepted, CentreAccepted, CommuneAccepted, Reference
from shared.messaging.decide.handling import Document, Ref
from shared.messaging.decide.register import REGISTER
from shared.registry import Registry

RESULTS = "results"
SUPERSEDED = "superseded"
RECOGNITIONS = "recognitions"
REFERENCES = "references"
AREAS = "areas"
RECOMPUTES = "recomputes"
AcceptedAssessment = CommuneAccepted | CentreAccepted | AssessmentAccepted
AREA_SERIES = ("district", "province")
"""Assessments that count what lies within an area, so that they are results over sets."""
COMMUNE_SERIES = ("universal_education", "learning_models")
"""Assessments of communes, whose results the commune's own assessment uses."""


def result_ref(subject: str, period: int) -> Ref:
    """The result of a unit or centre for one period. Unit ids begin with a code and `@`; centre ids hold no `@`."""
    return Ref(RESULTS, f"{subject}/{period}")


def assessment_ref(series: str, subject_id: str, period: int) -> Ref:
    """The result of another assessment. By the `@` it can never be that of a centre, whose id the sender chooses."""
    return Ref(RESULTS, f"{series}@{subject_id}/{period}")


def ref_of(accepted: AcceptedAssessment) -> Ref:
    """Where the result of an accepted assessment is kept."""
    match accepted:
        case CommuneAccepted():
            return result_ref(accepted.unit_id, accepted.period)
        case CentreAccepted():
            return result_ref(accepted.centre_id, accepted.period)
        case _:
            return assessment_ref(accepted.series, accepted.subject_id, accepted.period)


def recognitions_ref(unit_id: str) -> Ref:
    """All recognitions of one unit."""
    return Ref(RECOGNITIONS, unit_id)


def references_ref(unit_id: str, period: int) -> Ref:
    """What other rubrics' results say of a commune."""
    return Ref(REFERENCES, f"{unit_id}/{period}")


def area_ref(series: str, code: str, period: int) -> Ref:
    """The accepted assessment of a district or province."""
    return Ref(AREAS, f"{series}@{code}/{period}")


def area_scope(series: str, code: str) -> str:
    """Scope of the request to judge a district or province anew."""
    return f"assessment-{series}-{code}"


def recompute_ref(order: str) -> Ref:
    """One order to judge a period again."""
    return Ref(RECOMPUTES, order)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a result is made from: kept with it, so that judging it again needs nothing else."""

    accepted: AcceptedAssessment
    recognitions: tuple[Recognition, ...] = ()
    references: tuple[Reference, ...] = ()
    counts: RecognisedCounts | None = None

    @classmethod
    def of(cls, result: Document) -> Inputs:
        """The inputs of a document of `results`."""
        frozen = result["inputs"]
        return cls(
            read_accepted(result["kind"], result["accepted"]),
            recognitions_in(frozen["recognitions"]),
            references_in(frozen["references"]),
            RecognisedCounts(**frozen["counts"]) if frozen["counts"] else None,
        )

    def document(self) -> Document:
        """As it is kept in the field `inputs`, beside `accepted`."""
        return {
            "recognitions": [each.model_dump(mode="json") for each in self.recognitions],
            "references": [each.model_dump(mode="json") for each in self.references],
            "counts": asdict(self.counts) if self.counts else None,
        }


def read_accepted(kind: str, accepted: Any) -> AcceptedAssessment:
    """The accepted assessment inside a document of `results` or `areas`."""
    if kind == "commune":
        return CommuneAccepted.model_validate(accepted)
    if kind == "centre":
        return CentreAccepted.model_validate(accepted)
    return AssessmentAccepted.model_validate(accepted)


def recognitions_in(items: Iterable[Any]) -> tuple[Recognition, ...]:
    """Recognitions as they are kept."""
    return tuple(Recognition.model_validate(each) for each in items)


def references_in(items: Iterable[Any]) -> tuple[Reference, ...]:
    """References as they are kept."""
    return tuple(Reference.model_validate(each) for each in items)


def items_of(document: Document | None) -> list[Any]:
    """What a document of `recognitions` or `references` lists."""
    return document["items"] if document else []


MOST_REFERENCES = 1_000
"""Results on which one commune's assessment rests; a commune has a few centres."""


def in_order(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """References in the one order in which they are kept, whichever came first: of very many the first of them."""
    return tuple(sorted(references, key=lambda each: (each.series, each.subject))[:MOST_REFERENCES])


def commune_refs(unit_id: str, period: int, register: Registry) -> list[Ref]:
    """Everything that judging a commune again reads and writes."""
    lineage = register.lineage(unit_id)
    return [REGISTER, result_ref(unit_id, period), references_ref(unit_id, period), *map(recognitions_ref, lineage)]


def recognitions_of(lineage: Iterable[str], document: Callable[[Ref], Document | None]) -> tuple[Recognition, ...]:
    """All recognitions of the same unit, also those under its predecessor's id, in one order."""
    kept = (document(recognitions_ref(unit_id)) for unit_id in lineage)
    found = (each for one in kept for each in recognitions_in(items_of(one)))
    return tuple(sorted(found, key=lambda each: (each.period, each.decided_on, each.decision_number)))
