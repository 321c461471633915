"""Results over a province: its proposal until it is approved, proposals of adjustments from then on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.funding.decisions.adjustments import follow
from services.funding.decisions.corrections import Decisions, settled_of
from services.funding.decisions.lives import decided_ref, life_of, proposed_anew
from services.funding.decisions.proposals import ProvinceInputs, debts_of, propose
from services.funding.decisions.records import SYSTEM, Command
from services.funding.decisions.snapshots import part_refs, snapshot_ref, whole
from services.funding.domain.life import DECIDED, Life
from shared.contracts.facts import BudgetRunProposed
from shared.messaging.decide.handling import Document, Outcome, Ref, content_of
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo

OPERATING = "operating"
_BECAUSE = "Số liệu đầu vào đã thay đổi: có bản đề nghị mới. / Inputs have changed: there is a new proposal."


async def compute(reader: Reader, scope: str, period: int, now: datetime) -> Outcome:
    """What follows for province `scope` and budget year `period` from what is known of them now."""
    life, run = await life_and_run(reader, scope, period)
    inputs = await inputs_of(reader, scope, period)
    if life.state in DECIDED:
        return await _followed(reader, life, inputs, now)
    outcome = propose(inputs, run, (await lines_of(reader, inputs)).values(), now)
    kept = await reader.get(Ref("budgets", life.key))
    new = outcome.puts.get(Ref("runs", life.key))
    if kept is not None and new is not None:
        proposed_anew(outcome, life, BudgetRunProposed.model_validate(new), _system("propose", "budget", _BECAUSE, now))
    return outcome


async def _followed(reader: Reader, life: Life, inputs: ProvinceInputs, now: datetime) -> Outcome:
    query = {"province": life.province, "year": life.year}
    snapshot = await snapshot_read(reader, life.province, life.year)
    if snapshot is None:
        raise LookupError(f"the snapshot of {life.key} is missing")
    decisions = await reader.find("decisions", {**query, "purpose": OPERATING})
    lines = {line["centre_id"]: line for line in decisions.values()}
    carrying = [centre_id for centre_id, line in lines.items() if line["carried_total"]]
    everything = await counted(reader, {"centre_id": {"$in": carrying}, "purpose": OPERATING})
    decided = Decisions(
        life=life,
        snapshot=snapshot,
        lines=lines,
        settled=settled_of(everything, life.year),
        adjustments=list((await reader.find("adjustments", query)).values()),
    )
    before = replace(inputs, decided=[line for line in inputs.decided if line["year"] < life.year])
    return follow(decided, before, _system("propose_adjustment", "", "", now))


async def snapshot_read(reader: Reader, province: str, year: int) -> Document | None:
    """The frozen inputs of a budget's approval, whole."""
    ref = snapshot_ref(province, year)
    head = await reader.get(ref)
    if head is None:
        return None
    refs = part_refs(ref, head.get("parts", 0))
    await reader.load(refs)
    return whole(head, _known(reader, refs))


def _system(action: str, subject: str, why: str, at: datetime) -> Command:
    return Command(None, action, subject, SYSTEM, why, None, None, at)


async def life_and_run(reader: Reader, province: str, year: int) -> tuple[Life, Document | None]:
    """Where a budget stands, and its proposal."""
    key = f"{province}/{year}"
    await reader.load([Ref("budgets", key), Ref("runs", key)])
    run = reader[Ref("runs", key)]
    return life_of(province, year, reader[Ref("budgets", key)], run), run


async def inputs_of(reader: Reader, province: str, year: int) -> ProvinceInputs:
    """What is known of a province for a budget year.

    A centre on which another province has decided for the year is left to it: it is counted once. Results and supports
    follow the centre, wherever it lay when they came.
    """
    centres = list((await reader.find("centres", {"province": province})).values())
    ids = {"$in": [centre["centre_id"] for centre in centres]}
    known = await _decided(reader, ids)
    taken = {line["centre_id"] for line in known if line["year"] == year and line["province"] != province}
    decided = [line for line in known if _concerns(line, year) and line["centre_id"] not in taken]
    return ProvinceInputs(
        province=province,
        year=year,
        envelope=await reader.get(Ref("envelopes", f"{province}/{year}")),
        centres=[centre for centre in centres if centre["centre_id"] not in taken],
        scores=list((await reader.find("scores", {"centre_id": ids, "period": {"$lt": year}})).values()),
        supports=list((await reader.find("supports", {"centre_id": ids, "year": {"$lt": year}})).values()),
        pending=list((await reader.find("pending", {"province": province, "period": year - 1})).values()),
        decided=await _with_lines(reader, decided, year),
    )


_OF_DECISIONS = ("centre_id", "year", "purpose", "province", "amount", "carried_total", "settled")


async def _decided(reader: Reader, ids: dict[str, Any]) -> list[Document]:
    """What counts of all decisions on these centres.

    Those that carry a debt are read whole, and before anything that may have paid it: an approval that pays it puts
    them again, so that two who pay it, or one who pays and one who cancels it, collide.
    """
    carrying = await reader.find("decisions", {"centre_id": ids, "purpose": OPERATING, "carried_total": {"$gt": 0}})
    owing = {(line["centre_id"], line["year"], OPERATING): line for line in carrying.values()}
    rows = [
        (row, owing.get((row["centre_id"], row["year"], row["purpose"])))
        for row in await counted(reader, {"centre_id": ids})
    ]
    return [{name: debt[name] for name in _OF_DECISIONS} if debt else {**row, "carried_total": 0} for row, debt in rows]


def _concerns(line: Document, year: int) -> bool:
    paid = line["settled"] or line["purpose"] != OPERATING
    return bool(line["year"] < year or (line["year"] > year and paid))


async def counted(reader: Reader, query: dict[str, Any]) -> list[Document]:
    """What counts of decisions."""
    rows = await reader.look("decisions", query, dict.fromkeys(_OF_DECISIONS, 1))
    return [{name: row[name] for name in _OF_DECISIONS} for row in rows]


async def _with_lines(reader: Reader, decided: Sequence[Document], year: int) -> list[Document]:
    """The decisions, the latest one on each centre with a debt together with its line."""
    latest = {
        centre_id: max(
            line["year"]
            for line in decided
            if (line["centre_id"], line["purpose"]) == (centre_id, OPERATING) and line["year"] < year
        )
        for centre_id in debts_of(decided, year)
    }
    await reader.load(decided_ref(centre_id, year) for centre_id, year in latest.items())
    return [
        {**line, "allocation": whole["allocation"]}
        if line["purpose"] == OPERATING
        and latest.get(line["centre_id"]) == line["year"]
        and (whole := reader[decided_ref(line["centre_id"], line["year"])])
        else line
        for line in decided
    ]


def _known(reader: Reader, refs: Iterable[Ref]) -> list[Document]:
    return [document for ref in refs if (document := reader[ref]) is not None]


async def lines_of(reader: Reader, inputs: ProvinceInputs) -> dict[str, Document]:
    """The lines that stand, by centre: of the province, and of its centres wherever they came from."""
    query = {"province": inputs.province, "year": inputs.year}
    lines = {line["allocation"]["centre_id"]: line for line in (await reader.find("allocations", query)).values()}
    own = [Ref("allocations", f"{centre['centre_id']}/{inputs.year}") for centre in inputs.centres]
    await reader.load(own)
    return lines | {line["allocation"]["centre_id"]: line for line in _known(reader, own)}


async def runs(mongo: Mongo, query: dict[str, Any]) -> list[Document]:
    """Latest proposal of each province and year."""
    return bare(await mongo.find("runs", query, sort=[("year", -1), ("province", 1)]))


async def allocations(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[Document]:
    """Lines of proposals, ordered by id (`<centre id>/<year>`)."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    return await mongo.find("allocations", query, sort=[("_id", 1)], limit=limit)


def bare(rows: Iterable[Document]) -> list[Document]:
    """Documents without what only the database needs."""
    return [content_of(row) for row in rows]
