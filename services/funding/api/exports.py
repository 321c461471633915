"""Decisions on support as files: CSV for systems, XLSX for people, open-contracting releases for the public."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from services.funding import queries
from services.funding.domain import csv_of, package_of, xlsx_of
from shared.contracts.facts import Decided
from shared.web.auth import Who
from shared.web.parameters import KnownYear, Province
from shared.web.problems import not_found

router = APIRouter(tags=["exports"])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Form(StrEnum):
    """Form of an export."""

    CSV = "csv"
    XLSX = "xlsx"
    OCDS = "ocds"


@router.get(
    "/exports/{province}/{year}",
    summary="Published decisions of a province and budget year: what stands, or every version as OCDS releases",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}, XLSX: {}, "application/json": {}}}},
)
async def export(
    request: Request,
    who: Who,
    province: Province,
    year: KnownYear,
    form: Annotated[Form, Query(alias="format")] = Form.CSV,
) -> Response:
    who.require(province, "budget", f"{province}/{year}")
    if await queries.budget(request.app.state.mongo, province, year) is None:
        raise not_found("budget", f"{province}/{year}")
    versions = (await queries.books(request.app.state.mongo, province, year)).whole.releases
    if form is Form.OCDS:
        package = package_of(versions, uri=_address(request), published_at=request.app.state.runtime.clock.now())
        return JSONResponse(package)
    standing = latest(versions)
    content, media_type = (csv_of(standing), "text/csv") if form is Form.CSV else (xlsx_of(standing), XLSX)
    name = f"langhoc-{province}-{year}.{form}"
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _address(request: Request) -> str:
    """Where this package is: by our settings, never by the host that the caller names."""
    return f"{request.app.state.runtime.settings.address}{request.url.path}?format={Form.OCDS}"


def latest(versions: Iterable[Decided]) -> list[Decided]:
    """The newest version of each decision, in order of centre and purpose."""
    newest: dict[tuple[str, str], Decided] = {}
    for one in versions:
        key = (one.centre_id, one.purpose)
        if key not in newest or newest[key].version < one.version:
            newest[key] = one
    return [newest[key] for key in sorted(newest)]
