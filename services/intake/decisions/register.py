"""A correction of the register, as a ministry operator enters it: the fact, the new register, and what it touches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, get_args

from services.intake import domain
from services.intake.decisions.documents import Standing, Waiting
from services.intake.decisions.submissions import ACCEPTED_TOPIC
from shared.answers.register import Released, Touched
from shared.contracts.base import content_hash
from shared.contracts.register import RegisterCorrected, RegisterCorrection
from shared.contracts.series import series_of
from shared.contracts.submissions import Standard
from shared.errors import LanghocError
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.documents import Document
from shared.messaging.decide.register import REGISTER
from shared.messaging.messages import Outgoing
from shared.refusals import problem
from shared.registry import Registry, corrected_register, corrections_of, touched_units, with_correction
from shared.rulebook import cut_off

SUBJECT = "register"
MOST_BYTES = 800_000
"""Of a correction as it is told to the other services: it must fit into one record."""


class Unsound(LanghocError):
    """A correction that is not taken, with everything that is wrong with it."""


class Entered(NamedTuple):
    """A correction, and who entered it."""

    correction: RegisterCorrection
    who: str


async def correct(order: Order[Entered], ask: Ask) -> Outcome:
    """Take a correction. Raises `Unsound`."""
    correction, who = order.data
    document = await ask.one(REGISTER)
    if same_id(document, correction.correction_id) is not None:
        raise Unsound(problem("intake.correction_id_reused", "/correction_id", id=correction.correction_id))
    problems = domain.check_correction(corrected_register(document), correction)
    if problems:
        raise Unsound(*problems)
    version = len(corrections_of(document)) + 1
    fact = RegisterCorrected(version=version, correction=correction, entered_by=who, entered_at=order.at)
    size = len(fact.model_dump_json().encode())
    if size > MOST_BYTES:
        raise Unsound(problem("intake.correction_too_large", bytes=size, most=MOST_BYTES))
    after = with_correction(document, fact)
    assert after is not None
    return Outcome({REGISTER: after}, [Outgoing(ACCEPTED_TOPIC, SUBJECT, SUBJECT, fact)])


def command_id(correction: RegisterCorrection) -> str:
    """Id of the command: another content under the same id is another command, and refused by its problem."""
    return f"register/{correction.correction_id}/{content_hash(correction.model_dump(mode='json'))}"


def same_id(document: Document | None, correction_id: str) -> RegisterCorrected | None:
    """The correction that was taken under this id."""
    return next((one for one in corrections_of(document) if one.correction.correction_id == correction_id), None)


def fact_of(document: Document | None, correction: RegisterCorrection) -> RegisterCorrected:
    """The fact that a taken correction became."""
    fact = same_id(document, correction.correction_id)
    assert fact is not None
    return fact


# ------------------------------------------------------------------------------------------------- what it touches


def released(register: Registry, held: Iterable[Waiting]) -> list[Released]:
    """The held submissions that this register allows to decide, in order of code and period."""
    found = [
        Released(one.awaits, one.period, one.province, one.submission_id, one.receipt_id)
        for one in held
        if domain.resolves(register, one.awaits, one.awaits_on)
    ]
    return sorted(found, key=lambda one: (one.code, one.period or 0, one.receipt_id))


_FORMS = (
    "{}",
    *(f"{series}/{{}}" for series in series_of("commune") if series != "commune"),
    *(f"universal_education/{{}}/{one}" for one in get_args(Standard)),
)
"""How a commune's code stands in a subject."""


def named_subjects(correction: RegisterCorrection) -> list[str]:
    """Under which subjects submissions about the named units were accepted."""
    codes = sorted({unit_id.split("@", 1)[0] for unit_id in touched_units(correction)})
    return [form.format(code) for code in codes for form in _FORMS]


def touched(
    before: Registry, after: Registry, correction: RegisterCorrection, accepted: Iterable[Standing]
) -> list[Touched]:
    """Which of these accepted submissions speak of a named unit, or of a code that means another unit from now on."""
    named = touched_units(correction)
    found = []
    for one in accepted:
        if one.unit is None:
            continue
        code = one.subject.split("/")[:2][-1] if one.period else one.unit.split("@", 1)[0]
        on = cut_off(one.period) if one.period else correction.decree.effective_on
        was, now = before.unit(code, on), after.unit(code, on)
        if one.unit in named or was != now:
            found.append(Touched(**dict(one), means_now=now.unit_id if now else None))
    return found
