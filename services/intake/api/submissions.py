"""The door over HTTP: what a province hands in is written to its channel as a portal's records are (ADR 48).

One judge, one clock and one receipt for all doors: whoever asks here waits a moment for the answer to exactly its
record, and is told where the receipt will be when it takes longer.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import structlog
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from opentelemetry import trace

from services.intake import claims, decisions, queries
from services.intake.claims import Claim
from shared.answers.submissions import Filed, FiledBatch, Judged
from shared.cloudevents import BATCH, JSON, STRUCTURED, Event
from shared.contracts.base import Problem, Status
from shared.contracts.facts import Receipt
from shared.contracts.people import Role
from shared.contracts.topics import largest_record, submission_key, topic_names
from shared.messaging.consume.envelope import place_id, size_of
from shared.messaging.consume.rehearsing import rehearse
from shared.messaging.decide.asking import Consumer
from shared.messaging.messages import derived_id
from shared.messaging.operate.topics import province_codes
from shared.messaging.send.handing import Hand, Handed, KafkaHand, NotWritten, PerhapsWritten, TooLarge
from shared.mongo.port import MongoError
from shared.outside import OutOfBounds, read_json
from shared.refusals import problem
from shared.telemetry import traceparent_of
from shared.web.auth import Caller, require_role
from shared.web.cloudevents import PREFIX, read_batch, read_event
from shared.web.parameters import Flag, Province
from shared.web.problems import PROBLEM, RETRY_SECONDS, ApiProblem, refused

log = structlog.get_logger()
WAIT_SECONDS = 5.0
"""How long the receipt is waited for."""
PAUSES = (0.02, 0.04, 0.08, 0.15, 0.25)
"""Seconds between two looks for it; the last one repeats."""
PACKING_BYTES, HEADER_BYTES = 128, 12
"""What a record and each header of it take besides, on the wire."""
MARGIN = timedelta(minutes=10)
"""By which the clocks of database and broker may differ."""
UNANSWERED = "unanswered"
JUDGE = Consumer("intake", (), decisions.routes, decisions.refusals)
CODES: Mapping[Status, int] = {
    Status.ACCEPTED: 201,
    Status.ACCEPTED_LATE: 201,
    Status.DUPLICATE: 200,
    Status.UNCHANGED: 200,
    Status.HELD: 202,
    Status.REJECTED: 422,
    Status.CONFLICT: 409,
}
"""How HTTP says what a receipt says."""

Sender = Annotated[Caller, Depends(require_role(Role.PROVINCE))]
"""Somebody who acts for a province: what is handed in is handed in by it."""
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[ -~]*$",
        description="Chosen by the sender: the same request again is written once, and answered alike, for 7 days",
    ),
]


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    yield
    if isinstance(hand := getattr(app.state, "hand", None), KafkaHand):
        await hand.stop()


router = APIRouter(tags=["submissions"], lifespan=_closing)


def _body(**media: str) -> dict[str, Any]:
    content = {
        name: {"schema": {"type": kind, **({"items": {"type": "object"}} if kind == "array" else {})}}
        for name, kind in media.items()
    }
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/v1/submissions",
    summary="Hand in one submission, and have its receipt",
    status_code=201,
    response_model=Filed,
    responses={200: {"model": Filed}, 202: {"model": Filed}},
    openapi_extra=_body(**{JSON: "object", STRUCTURED: "object"}),
)
async def submit(
    request: Request, who: Sender, province: Province | None = None, dry_run: Flag = False, key: Key = None
) -> Response:
    """A CloudEvent, binary (headers `ce-*`) or structured. `province`: in whose name one means to act; another one than
    one's own is refused. 201 accepted, 200 nothing new (or a dry run), 202 held, or not judged yet: then the receipt
    will be at `Location`."""
    own, body = _own(who, province), await request.body()
    records = _records(own, [read_event(request.headers, body)])
    (filed,) = await _filed(request, who, records, body, key, dry_run=dry_run)
    return _answered(filed)


@router.post(
    "/v1/batches",
    summary="Hand in several submissions, and have the receipt of each",
    response_model=FiledBatch,
    responses={202: {"model": FiledBatch}},
    openapi_extra=_body(**{BATCH: "array"}),
)
async def submit_batch(
    request: Request, who: Sender, province: Province | None = None, dry_run: Flag = False, key: Key = None
) -> Response:
    """A batch of structured CloudEvents. Each is judged by itself. 200 when all are answered, whatever the answers say;
    202 when some are not judged yet."""
    own, body = _own(who, province), await request.body()
    records = _records(own, read_batch(request.headers, body))
    items = await _filed(request, who, records, body, key, dry_run=dry_run)
    counts = Counter(one.status.value if one.status else UNANSWERED for one in items)
    answer = FiledBatch(dry_run=dry_run, counts=dict(counts), items=items)
    late = {"Retry-After": str(RETRY_SECONDS)} if counts[UNANSWERED] else None
    return JSONResponse(answer.model_dump(mode="json"), 202 if late else 200, late)


# ----------------------------------------------------------------------------------------------- what is written


def _own(who: Caller, named: str | None) -> str:
    """The province that hands in: the caller's. Raises `ApiProblem` (403)."""
    own = who.province or ""
    if named not in (None, own):
        raise refused("http.other_province", province=named)
    if own not in province_codes():
        raise refused("intake.no_channel", province=own)
    return own


def _records(province: str, events: Sequence[Event]) -> list[Handed]:
    """The records that say the same. Raises `ApiProblem` (413)."""
    (topic,) = topic_names("submissions", [province])
    traced = traceparent_of(trace.get_current_span())
    beside = [("traceparent", traced.encode())] if traced else []
    records = [
        Handed(topic, _key(one.body, province).encode("utf-8", "replace"), one.body, [*one.headers, *beside])
        for one in events
    ]
    several = len(records) > 1
    wrong = [
        _too_large(record, f"/{number}" if several else "")
        for number, record in enumerate(records)
        if _packed(record) > largest_record(topic)
    ]
    if wrong:
        raise ApiProblem(413, wrong[0], wrong)
    return records


def _packed(record: Handed) -> int:
    """Bytes that it takes on the wire, and a few more."""
    return size_of(_Unwritten.of(record)) + PACKING_BYTES + HEADER_BYTES * len(record.headers)


def _too_large(record: Handed, place: str = "") -> Problem:
    size, said = size_of(_Unwritten.of(record)), hashlib.sha256(record.value).hexdigest()
    return problem("intake.record_too_large", place, size=size, hash=said, most=largest_record(record.topic))


def _key(body: bytes, province: str) -> str:
    """What a submission speaks of, as far as it can be read: whether it can be used is for its judge to say."""
    try:
        said = read_json(body.decode("utf-8"))
    except OutOfBounds as error:
        said = error.body
    except ValueError:
        said = None
    return submission_key(said if isinstance(said, dict) else {}, province)


@dataclass(slots=True)
class _Unwritten:
    """A record as its judge reads it, that lies nowhere."""

    topic: str
    value: bytes | None
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    offset: int
    partition: int = 0
    timestamp: int = 0

    @classmethod
    def of(cls, record: Handed, number: int = 0) -> _Unwritten:
        return cls(record.topic, record.value, record.key, record.headers, offset=-1 - number)


async def _filed(
    request: Request, who: Caller, records: Sequence[Handed], body: bytes, key: str | None, *, dry_run: bool
) -> list[Filed]:
    """What became of each. Raises `ApiProblem`."""
    mongo = request.app.state.mongo
    if dry_run:
        return await _rehearsed(request, records)
    ids: Sequence[str]
    if key is None:
        ids = await _written(_hand(request.app), records)
    else:
        told = [value.encode() for name, value in request.headers.items() if name == f"{PREFIX}type"]
        claim = await claims.claim(mongo, who, key, request.url.path.encode(), *told, body)
        ids = claim.receipts or await _written_once(request, records, claim)
    receipts = await _awaited(request, ids)
    return [_of(id, receipts.get(id)) for id in ids]


async def _written_once(request: Request, records: Sequence[Handed], claim: Claim) -> Sequence[str]:
    """Write what does not lie there yet; returns the ids of the receipts. Raises `ApiProblem`."""
    mongo, hand = request.app.state.mongo, _hand(request.app)
    marked = {f"{claim.id}/{number}": record.marked(f"{claim.id}/{number}") for number, record in enumerate(records)}
    ids: dict[str, str] = {}
    if not claim.fresh:
        since = round((claim.at - MARGIN).timestamp() * 1_000)
        try:
            found = await hand.find(records[0].topic, list(marked), since)
        except KafkaError as error:
            log.warning("submissions.not_looked_for", error=repr(error)[:300])
            await claims.let_go(mongo, claim)
            raise refused("intake.perhaps_written", seconds=RETRY_SECONDS) from error
        ids = {
            mark: derived_id(place_id(one.position, one.appended, marked[mark].value), 0) for mark, one in found.items()
        }
    missing = [mark for mark in marked if mark not in ids]
    try:
        written = await _written(hand, [marked[mark] for mark in missing])
    except ApiProblem:
        with suppress(MongoError):
            await claims.let_go(mongo, claim)
        raise
    ids |= dict(zip(missing, written, strict=True))
    told = [ids[mark] for mark in marked]
    with suppress(MongoError):  # else whoever is asked next finds them on the channel
        await claims.written(mongo, claim, told)
    return told


async def _written(hand: Hand, records: Sequence[Handed]) -> list[str]:
    """Write them; returns the ids of the receipts. Raises `ApiProblem` (413, 503), which says what is known."""
    if not records:
        return []
    try:
        written = await hand.write(records)
    except TooLarge as error:
        raise ApiProblem(413, _too_large(max(records, key=_packed))) from error
    except NotWritten as error:
        log.warning("submissions.not_written", error=str(error)[:300])
        raise refused("intake.not_written", seconds=RETRY_SECONDS) from error
    except PerhapsWritten as error:
        log.warning("submissions.perhaps_written", error=str(error)[:300])
        raise refused("intake.perhaps_written", seconds=RETRY_SECONDS) from error
    return [
        derived_id(place_id(one.position, one.appended, record.value), 0)
        for one, record in zip(written, records, strict=True)
    ]


def _hand(app: FastAPI) -> Hand:
    """The process's way in to Kafka."""
    if not hasattr(app.state, "hand"):
        settings = app.state.runtime.settings
        app.state.hand = KafkaHand(settings.kafka_access, f"langhoc-intake-door-{settings.instance}")
    hand: Hand = app.state.hand
    return hand


# ------------------------------------------------------------------------------------------------ what is answered


async def _awaited(request: Request, ids: Sequence[str]) -> Mapping[str, Receipt]:
    """The receipts that come in time. What is written stays written, though the database may be away by now."""
    found: dict[str, Receipt] = {}
    give_up = time.monotonic() + WAIT_SECONDS
    for pause in (*PAUSES, *[PAUSES[-1]] * 1_000):
        missing = [id for id in ids if id not in found]
        with suppress(MongoError):
            found |= await queries.receipts_of(request.app.state.mongo, missing)
        if len(found) == len(set(ids)) or time.monotonic() > give_up:
            break
        await asyncio.sleep(pause)
    return found


def _of(id: str, receipt: Receipt | None) -> Filed:
    return Filed(status=receipt.status if receipt else None, receipt_id=id, location=f"/receipts/{id}", receipt=receipt)


async def _rehearsed(request: Request, records: Sequence[Handed]) -> list[Filed]:
    """What would become of them. Nothing is written."""
    unwritten = [_Unwritten.of(record, number) for number, record in enumerate(records)]
    outcomes = await rehearse(request.app.state.mongo, JUDGE, unwritten, request.app.state.runtime.clock)
    judged = [outcome.events[0].data for outcome in outcomes]
    return [
        Filed(dry_run=True, status=receipt.status, verdict=Judged.of(receipt))
        for receipt in judged
        if isinstance(receipt, Receipt)
    ]


def _answered(filed: Filed) -> Response:
    where = {"Location": filed.location} if filed.location else {}
    if filed.status is None:
        return JSONResponse(filed.model_dump(mode="json"), 202, where | {"Retry-After": str(RETRY_SECONDS)})
    code = CODES[filed.status]
    if code < 400:
        return JSONResponse(filed.model_dump(mode="json"), 200 if filed.dry_run else code, where)
    if filed.status is Status.CONFLICT:
        wrong = refused("intake.submission_conflicts", filed.problems)
    else:
        wrong = refused("intake.submission_refused", filed.problems)
    told = wrong.body | {"filed": filed.model_dump(mode="json")}
    return JSONResponse(told, code, where, media_type=PROBLEM)
