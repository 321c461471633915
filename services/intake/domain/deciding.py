"""What becomes of a submission: identity and version against what was accepted before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.findings import Findings
from shared.contracts.base import Problem, Status, Text
from shared.refusals import problem


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of an earlier submission under the same id (accepted, held or unchanged; a refusal takes no id)."""

    body_hash: str


@dataclass(frozen=True, slots=True)
class Current:
    """The version that is accepted for the same subject and period."""

    version: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a submission."""

    status: Status
    version: int | None = None
    """Version made (accepted), repeated (unchanged) or collided with (conflict)."""
    problems: Sequence[Problem] = ()

    @property
    def accepted(self) -> bool:
        """Whether a new version came into being."""
        return self.status in (Status.ACCEPTED, Status.ACCEPTED_LATE)

    @property
    def takes_id(self) -> bool:
        """Whether the submission id is used up. A refused one may be mended and sent again under its id."""
        return self.accepted or self.status in (Status.HELD, Status.UNCHANGED)


def decide(
    *,
    submission_id: str,
    corrects_version: int | None,
    body_hash: str,
    content_hash: str,
    received_at: datetime,
    taken: Taken | None,
    current: Current | None,
    findings: Findings,
) -> Verdict:
    """One of the seven statuses. Arrival order never decides between two contents: a correction names its version."""
    version = current.version if current else None
    if taken is not None:
        if taken.body_hash == body_hash:
            return Verdict(Status.DUPLICATE, version)
        naming = Text(vi=f" và corrects_version = {version}", en=f" and corrects_version = {version}")
        reused = problem(
            "intake.submission_id_reused", "/submission_id", id=submission_id, naming=naming if version else ""
        )
        return Verdict(Status.CONFLICT, version, [reused])
    if findings.problems:
        return Verdict(Status.REJECTED, None, findings.problems)
    if findings.held:
        return Verdict(Status.HELD, None, findings.held)
    if current is None:
        if corrects_version is not None:
            nothing = problem("intake.nothing_to_correct", "/corrects_version", named=corrects_version)
            return Verdict(Status.CONFLICT, None, [nothing])
    elif current.content_hash == content_hash:
        return Verdict(Status.UNCHANGED, version)
    elif corrects_version is None:
        return Verdict(
            Status.CONFLICT, version, [problem("intake.already_accepted", "/corrects_version", version=version)]
        )
    elif corrects_version != version:
        moved = problem("intake.not_current_version", "/corrects_version", named=corrects_version, version=version)
        return Verdict(Status.CONFLICT, version, [moved])
    late = findings.deadline is not None and received_at >= findings.deadline
    return Verdict(Status.ACCEPTED_LATE if late else Status.ACCEPTED, (version or 0) + 1)
