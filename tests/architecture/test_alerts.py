"""Prometheus's alert rules speak of metrics that exist, and tell a person what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from shared.telemetry import metrics

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
DOCUMENT: Any = yaml.safe_load(RULES.read_text(encoding="utf-8"))
ALERTS: list[dict[str, Any]] = [rule for group in DOCUMENT["groups"] for rule in group["rules"]]
METRIC = re.compile(r"\b(?:langhoc|process)_[a-z_]+")
SAMPLED = {
    f"{family.name}{suffix}"
    for family in REGISTRY.collect()
    for suffix in {"counter": ("_total",), "gauge": ("",)}.get(family.type, ())
}


def test_the_troubles_that_operators_must_hear_of_have_an_alert() -> None:
    watched = {name for alert in ALERTS for name in METRIC.findall(alert["expr"])}
    assert watched >= {
        metrics.LAG._name,
        metrics.OUTBOX_AGE._name,
        metrics.DEAD_OPEN._name,
        metrics.BRAKES._name,
        f"{metrics.RETRIES._name}_total",
        f"{metrics.RECALCULATIONS._name}_total",
        "process_start_time_seconds",
    }


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_watches_metrics_that_exist_and_says_what_to_do(alert: dict[str, Any]) -> None:
    """A metric that was renamed makes no error in Prometheus: the alert is silent for ever."""
    assert alert.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
    named = set(METRIC.findall(alert["expr"]))
    assert named
    assert named <= SAMPLED
    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert alert["annotations"].keys() == {"summary", "action", "runbook"}


def test_alerts_have_names_of_their_own() -> None:
    assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS)
