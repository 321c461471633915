"""Traces, metrics and logs of every service."""

from shared.telemetry.logs import configure_logs
from shared.telemetry.traces import context_of, dropped, setup_traces, shut_down_traces, traceparent_of

__all__ = ["configure_logs", "context_of", "dropped", "setup_traces", "shut_down_traces", "traceparent_of"]
