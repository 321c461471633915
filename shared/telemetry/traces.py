"""OpenTelemetry set-up, and the two directions of `traceparent`."""

from __future__ import annotations

import logging
import os
import re
import threading

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_NOT_SAMPLED = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f][02468ace])")
QUEUE_SPANS = 65_536
"""The SDK's default of 2,048 drops most spans of a burst."""


def setup_traces(service: str, instance: int = 0) -> TracerProvider:
    """The process's tracer provider.

    Spans follow their parent's decision; a record without `traceparent` starts a trace that is kept with probability
    `LANGHOC_TRACE_RATIO` (default 2 %). Spans go to `OTEL_EXPORTER_ZIPKIN_ENDPOINT`; without it they go nowhere.
    """
    ratio = float(os.environ.get("LANGHOC_TRACE_RATIO", "0.02"))
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: f"langhoc-{service}", "service.instance.id": str(instance)}),
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        shutdown_on_exit=False,  # we shut down ourselves, within the process's deadline
    )
    if os.environ.get("OTEL_EXPORTER_ZIPKIN_ENDPOINT"):
        # A collector that is down must cost nothing but its own spans: no wait, no flood of messages.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
        provider.add_span_processor(
            BatchSpanProcessor(
                ZipkinExporter(timeout=5),
                max_queue_size=QUEUE_SPANS,
                max_export_batch_size=2_048,
                schedule_delay_millis=500,
                export_timeout_millis=5_000,
            )
        )
    trace.set_tracer_provider(provider)
    return provider


def shut_down_traces(provider: TracerProvider, seconds: float) -> None:
    """Send the last spans. A collector that does not answer would hold up each batch of them: after the time, leave."""
    sending = threading.Thread(target=provider.shutdown, daemon=True)
    sending.start()
    sending.join(seconds)


def context_of(traceparent: str | None) -> Context:
    """A context whose current span is the remote one named by `traceparent` (none: a new trace starts)."""
    return _PROPAGATOR.extract({"traceparent": traceparent} if traceparent else {}, context=Context())


def dropped(traceparent: str) -> trace.Span | None:
    """The sender's span of a trace that it does not keep, `None` of one that it keeps: whoever follows does likewise,
    so what hangs under this one needs no spans of its own."""
    found = _NOT_SAMPLED.fullmatch(traceparent)
    if found is None:
        return None
    flags = trace.TraceFlags(int(found[3], 16) & trace.TraceFlags.RANDOM_TRACE_ID)
    return trace.NonRecordingSpan(trace.SpanContext(int(found[1], 16), int(found[2], 16), True, flags))


def traceparent_of(span: trace.Span | Span) -> str:
    """The `traceparent` under which whoever receives the message will hang its spans; empty without a trace."""
    here = span.get_span_context()
    return f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}" if here.is_valid else ""
