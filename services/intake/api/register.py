"""The register of units: what a unit is on a day, and corrections by the ministry's operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from pydantic import ValidationError

from services.intake import queries
from services.intake.decisions import Unsound
from services.intake.decisions import register as decisions
from services.intake.domain import life_of
from services.intake.problems import of_validation
from shared.answers.register import Corrected, Relative, UnitView
from shared.contracts.base import Problem
from shared.contracts.register import RegisterCorrected, RegisterCorrection
from shared.messaging.decide.asking import Outcome
from shared.messaging.decide.register import REGISTER
from shared.outside import text_problems
from shared.registry import Registry, Succession, Unit, corrected_register, corrections_of, touched_units
from shared.rulebook import HANOI
from shared.web.auth import Operator, Who
from shared.web.parameters import Flag, Name, OnDay
from shared.web.problems import ApiProblem, not_found, refused

router = APIRouter(prefix="/register", tags=["register"])


@router.get("", summary="The corrections that the register has taken, in their order")
async def list_corrections(request: Request, who: Who) -> list[RegisterCorrected]:
    return corrections_of(await queries.corrections(request.app.state.mongo))


@router.get("/units/{code}", summary="What a code, or a unit's id, means on a day")
async def get_unit(
    request: Request, who: Who, code: Name, on: Annotated[OnDay | None, Query(description="Today by default")] = None
) -> UnitView:
    register = await queries.register(request.app.state.mongo)
    day = on or request.app.state.runtime.clock.now().astimezone(HANOI).date()
    unit = register.by_id(code) or register.unit(code, day)
    if unit is None:
        raise not_found("unit", f"{code}, {day}")
    return view_of(register, unit)


@router.post("/corrections", summary="Correct the register; taken whole, or not at all with everything that is wrong")
async def correct(
    request: Request, who: Operator, body: Annotated[dict[str, Any], Body()], dry_run: Flag = False
) -> Corrected:
    """`dry_run`: only tell what it would lead to. The same correction under the same id is taken once."""
    correction = _read(body)
    mongo, commands = request.app.state.mongo, request.app.state.runtime.commands
    before, held = await queries.corrections(mongo), await queries.waiting(mongo)
    known = decisions.same_id(before, correction.correction_id)
    if known is not None and known.correction == correction:
        return _repeated(known, dry_run)
    act = commands.rehearse if dry_run else commands.order
    try:
        entered = decisions.Entered(correction, who.person)
        outcome: Outcome | None = await act(decisions.command_id(correction), entered, decisions.correct)
    except Unsound as unsound:
        raise _refused(unsound.problems) from unsound
    if outcome is None:  # a twin of this request was faster
        return _repeated(decisions.fact_of(await queries.corrections(mongo), correction), dry_run)
    after = outcome.puts[REGISTER]
    rows = await queries.accepted_of(mongo, decisions.named_subjects(correction), touched_units(correction))
    return Corrected(
        version=decisions.fact_of(after, correction).version,
        dry_run=dry_run,
        repeated=False,
        releases=decisions.released(corrected_register(after), held),
        touched=decisions.touched(corrected_register(before), corrected_register(after), correction, rows),
    )


def _read(body: dict[str, Any]) -> RegisterCorrection:
    if wrong := text_problems(body):
        raise _refused(wrong)
    try:
        return RegisterCorrection.model_validate(body)
    except ValidationError as error:
        raise _refused([of_validation(each) for each in error.errors(include_url=False)]) from error


def _refused(problems: Sequence[Problem]) -> ApiProblem:
    return refused("intake.correction_unsound", problems, count=len(problems))


def _repeated(fact: RegisterCorrected, dry_run: bool) -> Corrected:
    return Corrected(version=fact.version, dry_run=dry_run, repeated=True, releases=[], touched=[])


def view_of(register: Registry, unit: Unit) -> UnitView:
    """A unit, and what it means for its assessments."""
    same = register.continues(unit)
    return UnitView(
        unit_id=unit.unit_id,
        code=unit.code,
        name=unit.name,
        type=unit.type,
        province=unit.province_code,
        entitled=register.speaker_of(unit),
        district_code=unit.district_code,
        district_name=unit.district_name,
        valid_from=unit.valid_from,
        valid_to=unit.valid_to,
        lineage=list(register.lineage(unit.unit_id)),
        continues=same.unit_id if same else None,
        predecessors=[_relative(register, row, row.predecessor) for row in register.predecessors(unit.unit_id)],
        successors=[_relative(register, row, row.successor) for row in register.successors(unit.unit_id)],
        life=life_of(register, unit),
    )


def _relative(register: Registry, row: Succession, unit_id: str) -> Relative:
    unit = register.by_id(unit_id)
    name = unit.name if unit else ""
    return Relative(unit_id=unit_id, name=name, share=row.share, is_default=row.is_default)
