"""What becomes of a submission: identity and version against what was accepted before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.intake.domain.findings import Findings
from shared.contracts.base import Problem, Status, Text
from shared.contracts.facts import Accepted, Act, RecognitionAccepted, TitleAccepted
from shared.refusals import problem
from shared.rulebook import HANOI


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of an earlier submission under the same id (accepted, held or unchanged; a refusal takes no id)."""

    body_hash: str


@dataclass(frozen=True, slots=True)
class Current:
    """The version that stands for the same subject and period."""

    version: int
    content_hash: str
    act: Act = "submission"
    """What made it: after a withdrawal nothing is accepted."""
    fact: Accepted | None = None
    """By whom and when; needed of what was withdrawn or revoked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a submission."""

    status: Status
    version: int | None = None
    """Version made (accepted), repeated (unchanged) or collided with (conflict)."""
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()

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
    act: Act = "submission",
    sender: str,
    submission_id: str,
    corrects_version: int | None,
    body_hash: str,
    content_hash: str,
    received_at: datetime,
    taken: Taken | None,
    current: Current | None,
    findings: Findings,
) -> Verdict:
    """One of the seven statuses. Arrival order never decides between two contents: a correction names its version.

    A withdrawal or revocation is late by no deadline: `findings` of one has none. Nor is what a signed import holds:
    when a province first had it, years ago, nobody says.
    """
    version = current.version if current else None
    if taken is not None:
        if taken.body_hash == body_hash:
            gone = act == "submission" and current is not None and current.act == "withdrawal"
            told = [_withdrawn("since_withdrawn", current)] if gone else []
            return Verdict(Status.DUPLICATE, version, warnings=told)
        naming = Text(vi=f" và corrects_version = {version}", en=f" and corrects_version = {version}")
        reused = problem(
            "intake.submission_id_reused", "/submission_id", id=submission_id, naming=naming if version else ""
        )
        return Verdict(Status.CONFLICT, version, [reused])
    same = act == "submission" and current is not None and _same(current, sender, content_hash)
    closed = [findings.closed] if findings.closed and not same else []  # what changes nothing may come at any time
    if findings.problems or closed:
        return Verdict(Status.REJECTED, None, [*findings.problems, *closed])
    if findings.held and not same:
        return Verdict(Status.HELD, None, findings.held)
    if same:
        return Verdict(Status.UNCHANGED, version)
    filed = act == "submission"
    collision = _filed(corrects_version, received_at, current) if filed else _ended(act, corrects_version, current)
    if collision is not None:
        return Verdict(Status.CONFLICT, version, [collision])
    under = findings.under
    late = findings.deadline is not None and received_at >= findings.deadline
    late = (late and not (under and under.import_id)) or (under is not None and under.kind == "reopening")
    return Verdict(Status.ACCEPTED_LATE if late else Status.ACCEPTED, (version or 0) + 1)


def _same(current: Current, sender: str, content_hash: str) -> bool:
    """Whether it says what stands already, and the same province says it: what it took over it has yet to answer for.

    What was withdrawn or revoked stands no more.
    """
    theirs = current.fact is None or current.fact.province == sender
    return current.act == "submission" and current.content_hash == content_hash and theirs


def _filed(corrects_version: int | None, received_at: datetime, current: Current | None) -> Problem | None:
    """What a submission collides with: it is the first one, or names the version that it replaces."""
    if current is None:
        if corrects_version is not None:
            return problem("intake.nothing_to_correct", "/corrects_version", named=corrects_version)
        return None
    if current.act == "withdrawal":
        # One that was held meanwhile was sent before the withdrawal: its sender took it back with the rest.
        if current.fact is not None and received_at < current.fact.received_at:
            return _withdrawn("withdrawn_meanwhile", current)
        if corrects_version is None:
            return None
    if corrects_version is None:
        return problem("intake.already_accepted", "/corrects_version", version=current.version)
    return _moved(corrects_version, current)


def _ended(act: Act, corrects_version: int | None, current: Current | None) -> Problem | None:
    """What a withdrawal or revocation collides with: it names the version that stands, and ends it once."""
    if current is None:
        verb = "withdraw" if act == "withdrawal" else "revoke"
        return problem(f"intake.nothing_to_{verb}", "/corrects_version", named=corrects_version)
    if current.act == "withdrawal":
        return _withdrawn("already_withdrawn", current)
    if act == current.act == "revocation":
        assert isinstance(current.fact, RecognitionAccepted | TitleAccepted)
        ended = current.fact.revocation
        assert ended is not None
        return problem(
            "intake.already_revoked",
            "/corrects_version",
            number=ended.decision_number,
            on=ended.decided_on,
            by=ended.decided_by,
            version=current.version,
        )
    return _moved(corrects_version, current)


def _moved(corrects_version: int | None, current: Current) -> Problem | None:
    if corrects_version == current.version:
        return None
    return problem("intake.not_current_version", "/corrects_version", named=corrects_version, version=current.version)


def _withdrawn(
    how: Literal["already_withdrawn", "since_withdrawn", "withdrawn_meanwhile"], current: Current | None
) -> Problem:
    assert current is not None
    assert current.fact is not None
    day = current.fact.received_at.astimezone(HANOI).date()
    return problem(f"intake.{how}", "/corrects_version", on=day, by=current.fact.province, version=current.version)
