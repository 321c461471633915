"""Logs as a service writes them, in the process of a test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shared.telemetry import configure_logs


@contextmanager
def service_logs() -> Iterator[None]:
    """Until the end of the block; then those of the run again, for whatever test comes next in this process."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    configure_logs("test")
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
