"""`traceparent` in both directions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace

from shared.messaging.consume.envelope import TRACEPARENT
from shared.telemetry import context_of, dropped, traceparent_of


@given(
    traceparent=st.from_regex(TRACEPARENT, fullmatch=True, alphabet="0123456789abcdef-")
    | st.sampled_from([f"00-{'0' * 32}-{'1' * 16}-00", f"00-{'1' * 32}-{'0' * 16}-00"])
)
def test_what_is_dropped_is_what_the_library_says(traceparent: str) -> None:
    remote = trace.get_current_span(context_of(traceparent)).get_span_context()
    found = dropped(traceparent)
    assert (found is None) is (remote.trace_flags.sampled or not remote.is_valid)
    if found is not None:
        here = found.get_span_context()
        assert (here.trace_id, here.span_id, here.is_remote) == (remote.trace_id, remote.span_id, True)
        flags = "02" if remote.trace_flags.random_trace_id else "00"
        assert traceparent_of(found) == f"{traceparent[:-2]}{flags}"
    elif remote.is_valid:
        assert traceparent_of(trace.NonRecordingSpan(remote)) == traceparent


def test_without_a_trace_nothing_is_handed_on() -> None:
    assert traceparent_of(trace.INVALID_SPAN) == ""
