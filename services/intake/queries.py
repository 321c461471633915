"""Indexes of intake, and what its HTTP side reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from services.intake import claims, domain
from services.intake.decisions import (
    AGGREGATES,
    ERASURES,
    HELD,
    HISTORIES,
    IMPORTS,
    LATE_REQUESTS,
    PEOPLE_ORDERS,
    PERSONS,
    RECEIPTS,
    RELEASE,
    REOPENINGS,
    VERSIONS,
    Aggregate,
    Answer,
    Code,
    LateRequest,
    PersonOrdered,
    Standing,
    Waiting,
    earlier_refs,
)
from shared.answers.imports import HistorySigned
from shared.answers.page import Page
from shared.answers.people import PersonView, Proposed
from shared.answers.periods import HistoryImported, LateRequestView, RequestState
from shared.answers.privacy import Erasure
from shared.answers.register import AcceptedFact, AcceptedSubject
from shared.answers.warnings import Doubtful
from shared.contracts.base import Status
from shared.contracts.facts import PeriodReopened, Receipt
from shared.contracts.series import OWN_IDS
from shared.messaging import seals
from shared.messaging.collections import DEAD_LETTERS, RECALCULATIONS, SETS
from shared.messaging.decide.documents import Document, Query
from shared.messaging.decide.migrating import name_requests
from shared.messaging.decide.reader import STAMP, Reader
from shared.messaging.decide.register import REGISTER
from shared.messaging.decide.sets import key_text
from shared.messaging.decide.writing import rows_of
from shared.messaging.operate.keeping import Kept
from shared.messaging.seals import Altered
from shared.mongo import Mongo
from shared.privacy import RETENTION
from shared.registry import Registry, corrected_register, finder, folded

NEWEST = (("received_at", -1), ("_id", -1))
"""The order of lists of receipts. The id parts those of one instant, so that every receipt has a place of its own."""
_BY_PERIOD = (("province", 1), ("period", 1), ("_id", 1))
"""The order in which what is accepted is looked through: by sender, then by period; what has none comes first."""


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index("receipts", [("province", 1), *NEWEST])
    await mongo.index("receipts", [("subject", 1), ("period", 1)])
    await mongo.index("receipts", [("submission_id", 1)])
    await mongo.index("receipts", [("receipt.body_hash", 1)])
    await mongo.index("receipts", [("period", 1), ("status", 1)])
    await mongo.index("receipts", [("status", 1), *NEWEST])
    await mongo.index("receipts", [("status", 1), ("decided_at", 1)])
    await mongo.index("receipts", [("awaits", 1), ("period", 1)])
    await mongo.index(PEOPLE_ORDERS.name, [("person_id", 1)])
    await mongo.index("aggregates", [("subject", 1), ("period", 1)])
    await mongo.index("aggregates", [*_BY_PERIOD])
    await mongo.index("aggregates", [("kind", 1), ("period", 1), ("_id", 1), ("province", 1)])
    await mongo.index("aggregates", [("accepted.unit_id", 1)])
    await mongo.index("aggregates", [("period", 1), ("kind", 1), ("province", 1)])
    await mongo.index("versions", [("aggregate", 1), ("version", 1)])
    await mongo.index(REOPENINGS.name, [("period", 1), ("ordered_at", 1)])
    await mongo.index(HISTORIES.name, [("import_id", 1)])
    await mongo.index(LATE_REQUESTS.name, [("province", 1)])
    await claims.prepare(mongo)
    await name_requests(mongo, lambda scope, period: RELEASE.request(Code(scope.removeprefix("release/"), period)))
    await _make_known(mongo)


async def _make_known(mongo: Mongo) -> None:
    """A release before named sets held submissions whose sets nobody knows by now; one that is computed is known."""
    held = dict.fromkeys(Code(one.awaits, one.period or 0) for one in await waiting(mongo))
    known = {row["key"] for row in await mongo.find(SETS, {"set": RELEASE.name})}
    wanted = [RELEASE.request(code) for code in held if key_text(code) not in known]
    await mongo.insert(RECALCULATIONS, rows_of(wanted, await mongo.time()))


# ------------------------------------------------------------------------------------------------- receipts


async def receipts(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> Page[Receipt]:
    """A page of receipts, newest first. Raises `Altered` with all that do not say what was answered.

    The bytes that they answer are not read for it: where there are any, their seals cover them apart.
    """
    if not query.keys() & {"province", "status"}:  # an index has the order of each status, and none that of all
        query = {**query, "status": {"$in": [status.value for status in Status]}}
    if after:
        query = _beyond(query, after)
    rows = await mongo.find(RECEIPTS.name, query, projection={"raw": 0}, sort=NEWEST, limit=limit + 1)
    altered = list[str]()
    for row in rows:
        try:
            seals.check(RECEIPTS.name, await _as_sealed(mongo, row), without=("raw",))
        except Altered as error:
            altered += error.places
    if altered:
        raise Altered(*altered)
    items = [Receipt.model_validate(row["receipt"]) for row in rows[:limit]]
    return Page(items=items, next=_place(rows[limit - 1]) if len(rows) > limit else None)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _place(row: Document) -> str:
    """Where a receipt stands in the list: by what the database orders, which knows milliseconds."""
    return f"{(row['received_at'] - _EPOCH) // timedelta(milliseconds=1)}/{row['_id']}"


def _beyond(query: dict[str, Any], place: str) -> dict[str, Any]:
    """The same query, of what stands behind a place."""
    milliseconds, id = place.split("/", 1)
    at = _EPOCH + timedelta(milliseconds=int(milliseconds))
    arrived = {**query.get("received_at", {}), "$lte": at}
    return {**query, "received_at": arrived, "$nor": [{"received_at": at, "_id": {"$gte": id}}]}


async def meant(mongo: Mongo, asked: str, province: str | None) -> Collection[domain.Meant]:
    """Whom a search for a code or a part of a name means: by the register, and by what is accepted of centres and
    learning units, which it does not hold."""
    is_part = finder(asked)
    query = _NAMED | ({"province": province} if province else {})
    rows = await mongo.find(AGGREGATES.name, query, projection={"subject": 1, "accepted.name": 1})
    named = [row["subject"] for row in rows if is_part(folded(row["accepted"].get("name") or ""))]
    return domain.meant(await register(mongo), asked, province, named)


_NAMED: dict[str, Any] = {
    "$or": [
        {"kind": "registration"},
        *({"subject": {"$gte": f"{kind}/", "$lt": f"{kind}0"}} for kind in sorted(OWN_IDS)),
    ]
}
"""Centres, and what no register holds: whose subject begins so."""


def about(meant: Collection[domain.Meant]) -> dict[str, Any]:
    """A query for the receipts of these. One without a period may be about whoever ever had the code."""
    filed: dict[tuple[int | None, int | None], list[str]] = defaultdict(list)
    for one in sorted(meant, key=str):
        filed[one.first, one.end] += domain.filed_as(one.code)
    choices: list[Query] = []
    for (first, end), subjects in filed.items():
        bounds = {name: year for name, year in (("$gte", first), ("$lt", end)) if year is not None}
        among = {"subject": {"$in": subjects}}
        choices += [among | {"period": bounds}, among | {"period": None}] if bounds else [among]
    return {"$or": choices}


async def _as_sealed(mongo: Mongo, row: Document) -> Document:
    """What the seal of a receipt that was read without its bytes is compared with."""
    if seals.covers(row, "raw"):
        return row
    if row.get("erased") is not None:  # then there are no bytes any more
        return {**row, "raw": None}
    whole = await mongo.find(RECEIPTS.name, {"_id": row["_id"]})  # sealed by a release before, bytes and all
    return next(iter(whole), row)


async def receipt(mongo: Mongo, receipt_id: str) -> Receipt | None:
    """One receipt. Raises `Altered`."""
    return next((RECEIPTS.read(row).receipt for row in await mongo.find("receipts", {"_id": receipt_id})), None)


async def receipts_of(mongo: Mongo, ids: Sequence[str]) -> dict[str, Receipt]:
    """Those of these receipts that there are, by their ids. Raises `Altered`."""
    rows = await mongo.find(RECEIPTS.name, {"_id": {"$in": list(ids)}})
    return {row["_id"]: RECEIPTS.read(row).receipt for row in rows}


async def held(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> Page[Receipt]:
    """A page of the receipts of submissions that still wait, newest first."""
    return await receipts(mongo, query | HELD, after=after, limit=limit)


async def waiting(mongo: Mongo) -> list[Waiting]:
    """For what every held submission waits."""
    rows = await mongo.find("receipts", HELD, projection=dict.fromkeys(Waiting.model_fields, 1))
    return [Waiting.model_validate(row) for row in rows]


async def tally(mongo: Mongo, query: dict[str, Any]) -> dict[str, int]:
    """How many submissions have which status. All statuses are listed; their sum is what was received.

    A submission that was held and decided later counts once, by what became of it.
    """
    match = {"$match": query | {"released": None}}
    rows = await mongo.aggregate("receipts", [match, {"$group": {"_id": "$status", "count": {"$sum": 1}}}])
    counted = {row["_id"]: row["count"] for row in rows}
    return {status.value: counted.get(status.value, 0) for status in Status}


# ------------------------------------------------------------------------------------------------- accepted


async def history(mongo: Mongo, subject: str, period: int | None) -> list[AcceptedSubject]:
    """What is accepted of a subject, per kind and period, with its versions. Raises `Altered`."""
    query: dict[str, Any] = {"subject": {"$in": [*domain.kept_under(subject)]}}
    if period is not None:
        query["period"] = period
    rows = await mongo.find("aggregates", query, sort=[("period", 1)])
    kept = {row["_id"]: AGGREGATES.lifted(row) for row in rows}
    lines: dict[str, list[Document]] = {id: list(found.get("history") or []) for id, found in kept.items()}
    for line in await mongo.find("versions", {"aggregate": {"$in": [*lines]}}, sort=[("aggregate", 1), ("version", 1)]):
        lines[line["aggregate"]].append(VERSIONS.lifted(line))
    return [AcceptedSubject.model_validate({**found, "history": lines[id]}) for id, found in kept.items()]


async def accepted(mongo: Mongo, query: Document, *, after: str | None, limit: int) -> Page[AcceptedFact]:
    """A page of the facts that stand of a kind, ordered by their ids. Raises `Altered`."""
    query = query | {"act": {"$ne": "withdrawal"}} | ({"_id": {"$gt": after}} if after else {})
    rows = await mongo.find(AGGREGATES.name, query, sort=[("_id", 1)], limit=limit + 1)
    facts = [cast(AcceptedFact, AGGREGATES.read(row).accepted) for row in rows[:limit]]
    return Page(items=facts, next=rows[limit - 1]["_id"] if len(rows) > limit else None)


async def doubtful(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> Page[Doubtful]:
    """What is hardly true among so many accepted facts, as they stand now. Raises `Altered`.

    With each page a few facts of earlier periods are read for each of its own, in one query.
    """
    if after:
        query = {**query, **_behind(*after.split("/", 2))}
    rows = await mongo.find(AGGREGATES.name, query, sort=_BY_PERIOD, limit=limit + 1)
    found = await _doubted(mongo, [AGGREGATES.read(row) for row in rows[:limit]])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items=found, next=f"{last['province']}/{last['period'] or ''}/{last['_id']}" if last else None)


async def _doubted(mongo: Mongo, kept: Sequence[Aggregate]) -> list[Doubtful]:
    """Those of them that are hardly true, with what they are warned of."""
    known = await register(mongo)
    wanted = [[ref.id for ref in earlier_refs(one.kind, one.accepted, known)] for one in kept]
    ids = sorted({id for each in wanted for id in each})
    rows = await mongo.find(AGGREGATES.name, {"_id": {"$in": ids}}) if ids else []
    before = {row["_id"]: AGGREGATES.read(row).accepted for row in rows}
    found = (
        Doubtful(
            **{name: getattr(one, name) for name in ("kind", "subject", "period", "province", "version")},
            name=getattr(one.accepted, "name", None),
            submission_id=one.accepted.submission_id,
            receipt_id=one.accepted.receipt_id,
            warnings=domain.standing_doubts(one.accepted, [before[id] for id in each if id in before]),
        )
        for one, each in zip(kept, wanted, strict=True)
    )
    return [one for one in found if one.warnings]


async def doubts_of(mongo: Mongo, subject: str, period: int | None) -> list[Doubtful]:
    """What is hardly true of what is accepted of a subject. Raises `Altered`."""
    query: dict[str, Any] = {"subject": {"$in": [*domain.kept_under(subject)]}}
    if period is not None:
        query["period"] = period
    rows = await mongo.find(AGGREGATES.name, query, sort=[("period", 1)])
    return await _doubted(mongo, [AGGREGATES.read(row) for row in rows])


def _behind(province: str, year: str, id: str) -> dict[str, Any]:
    """What stands behind a place in that order."""
    later = {"$gt": int(year)} if year else {"$ne": None}
    here = {"province": province, "period": int(year) if year else None, "_id": {"$gt": id}}
    return {"$or": [here, {"province": province, "period": later}, {"province": {"$gt": province}}]}


async def accepted_of(mongo: Mongo, subjects: Sequence[str], units: Iterable[str]) -> list[Standing]:
    """What is accepted of these subjects or units, without contents. Raises `Altered`."""
    query = {"$or": [{"subject": {"$in": list(subjects)}}, {"accepted.unit_id": {"$in": list(units)}}]}
    order = [("subject", 1), ("period", 1)]
    rows = await mongo.find("aggregates", query, sort=order)
    return [Standing.model_validate(AGGREGATES.lifted(row)) for row in rows]


# ------------------------------------------------------------------------------------------------- register


async def corrections(mongo: Mongo) -> Document | None:
    """The document of corrections."""
    reader = Reader(mongo)
    await reader.load([REGISTER])
    return reader[REGISTER]


async def register(mongo: Mongo) -> Registry:
    """The register as intake knows it now."""
    return corrected_register(await corrections(mongo))


# -------------------------------------------------------------------------------------------------- periods


async def reopenings(mongo: Mongo, period: int | None) -> list[PeriodReopened]:
    """The orders that opened periods again, in the order in which they were given."""
    query = {} if period is None else {"period": period}
    return [REOPENINGS.read(row) for row in await mongo.find(REOPENINGS.name, query, sort=[("ordered_at", 1)])]


async def reopening(mongo: Mongo, order_id: str) -> PeriodReopened | None:
    """One of them."""
    return next((REOPENINGS.read(row) for row in await mongo.find(REOPENINGS.name, {"_id": order_id})), None)


async def late_requests(
    mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int, now: datetime
) -> Page[LateRequestView]:
    """A page of the requests for late acceptance, ordered by province and id, with where each stands now."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    rows = await mongo.find(LATE_REQUESTS.name, query, sort=[("_id", 1)], limit=limit + 1)
    found = [LATE_REQUESTS.read(row) for row in rows[:limit]]
    orders = [one.decision.order_id for one in found if one.decision and one.decision.order_id]
    opened = [REOPENINGS.read(row) for row in await mongo.find(REOPENINGS.name, {"_id": {"$in": orders}})]
    closes = {order.order_id: order.closes_at for order in opened}
    items = [LateRequestView(**dict(one), state=_state(one, closes, now)) for one in found]
    return Page(items=items, next=rows[limit - 1]["_id"] if len(rows) > limit else None)


def _state(request: LateRequest, closes: Mapping[str, datetime], now: datetime) -> RequestState:
    """`closes`: when what was granted closes again, by order; earlier than granted where it was revoked."""
    if request.withdrawn:
        return "withdrawn"
    if request.decision is None:
        return "overdue" if now >= request.decide_by else "open"
    if not request.decision.granted:
        return "refused"
    return "granted" if now < closes[str(request.decision.order_id)] else "over"


async def histories(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[HistoryImported]:
    """The orders of history, ordered by id."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    return [HISTORIES.read(row) for row in await mongo.find(HISTORIES.name, query, sort=[("_id", 1)], limit=limit)]


async def imports(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[HistorySigned]:
    """The signed imports of history, ordered by id."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    return [IMPORTS.read(row) for row in await mongo.find(IMPORTS.name, query, sort=[("_id", 1)], limit=limit)]


async def parts_taken(mongo: Mongo, import_id: str) -> list[int]:
    """Numbers of the parts of an import that were taken."""
    rows = await mongo.find(HISTORIES.name, {"import_id": import_id}, projection={"_id": 1})
    return sorted(int(str(row["_id"]).rpartition("/")[2]) for row in rows)


# --------------------------------------------------------------------------------------------------- people


async def people(mongo: Mongo, *, after: str | None, limit: int) -> list[PersonView]:
    """Everybody in the directory, ordered by id."""
    query = {"_id": {"$gt": after}} if after else {}
    return [PERSONS.read(row) for row in await mongo.find(PERSONS.name, query, sort=[("_id", 1)], limit=limit)]


async def person(mongo: Mongo, person_id: str) -> PersonView | None:
    """One of them."""
    return next((PERSONS.read(row) for row in await mongo.find(PERSONS.name, {"_id": person_id})), None)


async def ordered(mongo: Mongo, order_id: str) -> PersonOrdered | None:
    """What an order on the directory was."""
    rows = await mongo.find(PEOPLE_ORDERS.name, {"_id": order_id})
    return next((PEOPLE_ORDERS.read(row) for row in rows), None)


_WAITING = {"proposed.order": {"$ne": None}}


async def waiting_people(mongo: Mongo, *, after: str | None, limit: int) -> list[Proposed]:
    """The orders on the directory that wait for another person, ordered by id."""
    query = _WAITING | ({"_id": {"$gt": after}} if after else {})
    rows = await mongo.find(PEOPLE_ORDERS.name, query, sort=[("_id", 1)], limit=limit)
    return [one.proposed for one in map(PEOPLE_ORDERS.read, rows) if one.proposed]


# --------------------------------------------------------------------------------------------------- kept


async def erasures(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[Erasure]:
    """The orders to erase, ordered by id."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    return [ERASURES.read(row) for row in await mongo.find(ERASURES.name, query, sort=[("_id", 1)], limit=limit)]


async def letters_like(mongo: Mongo, receipts: Sequence[str]) -> list[str]:
    """Ids of dead letters with the very bytes that these receipts answer, as the record or as the data of its event."""
    alike = set[str]()
    for id in receipts:  # each by itself: of both the bytes may be many
        for row in await mongo.find(RECEIPTS.name, {"_id": id, "raw": {"$ne": None}}, projection={"raw": 1}):
            same = {"$or": [{"value": row["raw"]}, {"data": row["raw"]}], "erased": None}
            letters = await mongo.find(DEAD_LETTERS, same, projection={"_id": 1})
            alike.update(str(letter["_id"]) for letter in letters)
    return sorted(alike)


_ACCEPTED = [Status.ACCEPTED.value, Status.ACCEPTED_LATE.value]
_REFUSED = [Status.REJECTED.value, Status.CONFLICT.value]
_REPEATED = [Status.DUPLICATE.value, Status.UNCHANGED.value]


_DECIDED_LATE = {"$or": [{"released": {"$ne": None}}, {"receipt.original.status": Status.HELD.value}]}
"""What was held before it was decided, and the second answer to it."""


def _let_go(rule: str, lighter: Callable[[Answer, datetime], Answer], query: Query) -> Iterator[Kept[Answer]]:
    """Counted from the decision. A release before did not note it: then from what shows it."""

    def kept(since: str, more: Query, *, stamp: bool = False) -> Kept[Answer]:
        return Kept(rule=rule, kind=RECEIPTS, since=since, stamp=stamp, query={**query, **more}, lighter=lighter)

    yield kept("decided_at", {})
    yield kept("received_at", {"decided_at": None, "$nor": [_DECIDED_LATE]})
    yield kept(STAMP, {"decided_at": None, **_DECIDED_LATE}, stamp=True)


def _bytes(rule: str, query: Query) -> Iterator[Kept[Answer]]:
    return _let_go(rule, lambda answer, at: answer.without_bytes(at, RETENTION), {"erased": None, **query})


KEPT: tuple[Kept[Any], ...] = (
    *_bytes("accepted_bytes", {"status": {"$in": _ACCEPTED}}),
    *_bytes("refused_bytes", {"status": {"$in": _REFUSED}}),
    *_bytes("repeated_bytes", {"status": {"$in": _REPEATED}}),
    *_bytes("repeated_bytes", {"status": Status.HELD.value, "released": {"$ne": None}}),
    *_let_go(
        "refusal_words",
        lambda answer, at: answer.without_words(),
        {"status": {"$in": _REFUSED}, "wordless": {"$ne": True}},
    ),
    Kept(
        rule="waiting_people_orders",
        kind=PEOPLE_ORDERS,
        since="proposed.at",
        text=True,
        query=_WAITING,
        lighter=lambda order, at: order.without_words(),
    ),
)
"""What intake lets go of, by the policy. What is still held stays: it is decided from its bytes."""
