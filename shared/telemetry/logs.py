"""Structured logs: one JSON object per line, readable by people and collectors."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any

import structlog

from shared.texts import neutral_json


def _line(entry: Any, **options: Any) -> str:
    """Vietnamese stays readable, and whoever looks at a log in a terminal sees nothing but text."""
    return neutral_json(json.dumps(entry, ensure_ascii=False, **options))


_CUT = re.compile(r"Connection at \S+ closed|^Marking the coordinator dead")


def _tells_something(record: logging.LogRecord) -> bool:
    """Kafka cuts every connection whose login is 45 s old, and the client library makes a new one: it calls that an
    error, four lines each time, ten thousand a day. A broker that is away is told in other words."""
    return not (record.name.startswith("aiokafka") and _CUT.search(record.getMessage()))


def configure_logs(service: str, instance: int = 0) -> None:
    """JSON lines on standard output, for our own and for library loggers."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_line),
            ],
        )
    )
    handler.addFilter(_tells_something)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service, instance=instance)
