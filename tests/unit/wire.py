"""A command at the terminal, answered by services in the test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from deploy.local import Platform


class Wire:
    """Where the command's requests go: to services in the test's own loop, by host name."""

    def __init__(self, services: dict[str, httpx.AsyncClient]) -> None:
        self._services = services
        self._loop = asyncio.get_running_loop()

    def request(self, method: str, url: str, **content: Any) -> httpx.Response:
        service = self._services[httpx.URL(url).host]
        return asyncio.run_coroutine_threadsafe(service.request(method, url, **content), self._loop).result(10)


def platform_of(services: Iterable[str], folder: Path) -> Platform:
    """A platform that has nothing but these services, each at the host of its name."""
    return Platform(
        kafka="",
        mongo="",
        zipkin=None,
        embedded=(),
        services={name: (f"http://{name}",) for name in services},
        supervisor_socket=folder / "socket",
        started_at=datetime.now(UTC),
    )
