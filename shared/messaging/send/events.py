"""Events on their way out: CloudEvents 1.0 in Kafka's binary mode, under a publish span where their trace is kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from pydantic import BaseModel

from shared.contracts.catalogue import contract_of
from shared.messaging.clock import BusinessClock
from shared.messaging.messages import Outgoing, derived_id
from shared.messaging.send.outbox import row
from shared.mongo.port import Document
from shared.telemetry import context_of, dropped, traceparent_of


def headers_for(
    *, event_id: str, source: str, subject: str, data: BaseModel, time: datetime, traceparent: str | None
) -> dict[str, str]:
    """Headers of an event. Kafka header values are bytes; every one of ours is text without surprises."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": source,
        "ce_type": contract_of(type(data)).value,
        "ce_subject": subject,
        "ce_time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
    }
    version = getattr(data, "version", None)
    if version is not None:
        headers["ce_version"] = str(version)
    if traceparent:
        headers["traceparent"] = traceparent
    return headers


def body_of(data: BaseModel) -> bytes:
    """The event's JSON body."""
    return data.model_dump_json().encode()


def emit(
    service: str,
    cause: str,
    events: Iterable[Outgoing],
    time: datetime,
    span: trace.Span,
    tracer: trace.Tracer,
    spans: list[trace.Span],
    *,
    clock: BusinessClock,
    after: int,
) -> list[Document]:
    """Outbox rows of events, each under a publish span where its trace is kept.

    `after`: the highest stamp of what the outcome was decided on; the events come behind it.
    """
    return [
        _emit_one(service, derived_id(cause, index), event, time, span, tracer, spans, clock, after)
        for index, event in enumerate(events)
    ]


def _traceparent(
    event_id: str, event: Outgoing, span: trace.Span, tracer: trace.Tracer, spans: list[trace.Span]
) -> str:
    """Of a publish span, added to `spans`; of a trace that nobody keeps, of what such a span would hang under."""
    above = dropped(event.parent) if event.parent else span
    if above is not None and not above.is_recording():
        return traceparent_of(above)
    publish = tracer.start_span(
        f"publish {event.topic}",
        context_of(event.parent) if event.parent else trace.set_span_in_context(span),
        SpanKind.PRODUCER,
        links=[trace.Link(span.get_span_context())] if event.parent else [],
    )
    if publish.is_recording():
        publish.set_attributes(
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "publish",
                "messaging.destination.name": event.topic,
                "messaging.message.id": event_id,
                "langhoc.subject": event.subject,
            }
        )
    spans.append(publish)
    return traceparent_of(publish)


def _emit_one(
    service: str,
    event_id: str,
    event: Outgoing,
    time: datetime,
    span: trace.Span,
    tracer: trace.Tracer,
    spans: list[trace.Span],
    clock: BusinessClock,
    after: int,
) -> Document:
    return row(
        event_id=event_id,
        topic=event.topic,
        key=event.key,
        value=body_of(event.data),
        headers=headers_for(
            event_id=event_id,
            source=f"/langhoc/{service}",
            subject=event.subject,
            data=event.data,
            time=time,
            traceparent=_traceparent(event_id, event, span, tracer, spans),
        ),
        order=clock.stamp(after),
        at=clock.real(),
    )
