"""A correction of the register, as a ministry operator enters it: the fact, the new register, and whom it releases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.intake import domain
from services.intake.decisions.release import awaited
from services.intake.decisions.submissions import ACCEPTED_TOPIC, release_scope
from shared.answers.register import Released, Touched
from shared.contracts.base import content_hash
from shared.contracts.register import RegisterCorrected, RegisterCorrection
from shared.errors import LanghocError
from shared.messaging.decide.handling import Document, Outcome, Recalculation
from shared.messaging.decide.register import REGISTER
from shared.messaging.messages import Outgoing
from shared.refusals import problem
from shared.registry import Registry, corrected_register, touched_units, with_correction
from shared.rulebook import cut_off

SUBJECT = "register"
MOST_BYTES = 800_000
"""Of a correction as it is told to the other services: it must fit into one record."""


class Unsound(LanghocError):
    """A correction that is not taken, with everything that is wrong with it."""


def correct(
    correction: RegisterCorrection,
    who: str,
    document: Document | None,
    held: Iterable[Document],
    at: datetime,
) -> Outcome:
    """Take a correction. `held`: the receipts of all submissions that wait. Raises `Unsound`."""
    if same_id(document, correction.correction_id) is not None:
        raise Unsound(problem("intake.correction_id_reused", "/correction_id", id=correction.correction_id))
    problems = domain.check_correction(corrected_register(document), correction)
    if problems:
        raise Unsound(*problems)
    version = len(document["corrections"]) + 1 if document else 1
    fact = RegisterCorrected(version=version, correction=correction, entered_by=who, entered_at=at)
    size = len(fact.model_dump_json().encode())
    if size > MOST_BYTES:
        raise Unsound(problem("intake.correction_too_large", bytes=size, most=MOST_BYTES))
    after = with_correction(document, fact)
    assert after is not None
    return Outcome(
        puts={REGISTER: after},
        events=[Outgoing(ACCEPTED_TOPIC, SUBJECT, SUBJECT, fact)],
        requests=releases(corrected_register(after), held),
    )


def command_id(correction: RegisterCorrection) -> str:
    """Id of the command: another content under the same id is another command, and refused by its problem."""
    return f"register/{correction.correction_id}/{content_hash(correction.model_dump(mode='json'))}"


def same_id(document: Document | None, correction_id: str) -> RegisterCorrected | None:
    """The correction that was taken under this id."""
    for row in document["corrections"] if document else ():
        if row["correction"]["correction_id"] == correction_id:
            return RegisterCorrected.model_validate(row)
    return None


def fact_of(document: Document | None, correction: RegisterCorrection) -> RegisterCorrected:
    """The fact that a taken correction became."""
    fact = same_id(document, correction.correction_id)
    assert fact is not None
    return fact


def releases(register: Registry, held: Iterable[Document]) -> list[Recalculation]:
    """Requests to decide again what this register resolves; each code and period once."""
    found = {
        (awaited(document).code, document["period"] or 0)
        for document in held
        if domain.resolves(register, *awaited(document))
    }
    return [Recalculation(release_scope(code), period) for code, period in sorted(found)]


# ------------------------------------------------------------------------------------------------- what it touches


def released(register: Registry, held: Iterable[Document]) -> list[Released]:
    """The held submissions that this register allows to decide, in order of code and period."""
    found = [
        Released(awaited(one).code, one["period"], one["province"], one["submission_id"], one["_id"])
        for one in held
        if domain.resolves(register, *awaited(one))
    ]
    return sorted(found, key=lambda one: (one.code, one.period or 0, one.receipt_id))


def named_subjects(correction: RegisterCorrection) -> list[str]:
    """Under which subjects submissions about the named units were accepted."""
    codes = sorted({unit_id.split("@", 1)[0] for unit_id in touched_units(correction)})
    return [form + code for code in codes for form in ("", "universal_education/", "learning_models/")]


def touched(
    before: Registry, after: Registry, correction: RegisterCorrection, accepted: Iterable[Document]
) -> list[Touched]:
    """Which of these accepted submissions speak of a named unit, or of a code that means another unit from now on."""
    named = touched_units(correction)
    found = []
    for row in accepted:
        unit = row["accepted"].get("unit_id") or row["accepted"].get("subject_id")
        code = row["subject"].rsplit("/", 1)[-1] if row["period"] else unit.split("@", 1)[0]
        on = cut_off(row["period"]) if row["period"] else correction.decree.effective_on
        was, now = before.unit(code, on), after.unit(code, on)
        if unit in named or was != now:
            names = ("kind", "subject", "period", "province", "version")
            means = now.unit_id if now else None
            found.append(Touched(**{name: row[name] for name in names}, unit=unit, means_now=means))
    return found
