"""What was paid of a province's budget over HTTP."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request

from services.funding import queries
from services.funding.domain import AGREED, totals
from shared.answers.payments import PaymentLine, ReconciliationView
from shared.rulebook import HANOI
from shared.rulebook.payments import payments_due
from shared.web.auth import Who
from shared.web.parameters import KnownYear, Province
from shared.web.problems import not_found

router = APIRouter(prefix="/budgets/{province}/{year}", tags=["payments"])


@router.get("/reconciliation", summary="What was paid beside what was decided, by centre; what differs comes first")
async def get_reconciliation(request: Request, who: Who, province: Province, year: KnownYear) -> ReconciliationView:
    who.require(province, "payments", f"{province}/{year}")
    lines, names = await queries.payments(request.app.state.mongo, province, year)
    if not lines:
        raise not_found("payments", f"{province}/{year}")
    due = payments_due(year, province)
    told = [
        PaymentLine(
            **{name: getattr(line, name) for name in PaymentLine.model_fields.keys() - {"name", "differs"}},
            name=names.get(line.centre_id),
            differs=line.state not in AGREED,
        )
        for line in lines
    ]
    return ReconciliationView(
        province=province,
        year=year,
        paid_by=(due.astimezone(HANOI) - timedelta(days=1)).date(),
        overdue=request.app.state.runtime.clock.now() >= due,
        purposes=totals(lines),
        lines=sorted(told, key=lambda line: not line.differs),
    )
