"""Reading a service's metrics as Prometheus does."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.platform import ServiceProcesses


def scrape(processes: ServiceProcesses, service: str = "intake", instance: int = 0) -> str:
    """The text of `/metrics`."""
    return httpx.get(f"{processes.url(service, instance)}/metrics", timeout=20).raise_for_status().text


def metric(
    processes: ServiceProcesses, name: str, *, service: str = "intake", instance: int = 0, **labels: str
) -> float:
    """The sum of a metric's samples with these labels."""
    families = text_string_to_metric_families(scrape(processes, service, instance))
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
