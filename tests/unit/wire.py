"""A command at the terminal, answered by services in the test's own process."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from cli import client
from cli.output import CommandError
from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.web import build_app

Connect = Callable[[str | None, str, str | None], httpx.AsyncClient]
"""Reaches a service in the name of this account, role and province."""


class Wire:
    """Where the command's requests go: to services in the test's own loop, by host name."""

    def __init__(self, services: dict[str, httpx.AsyncClient], loop: asyncio.AbstractEventLoop) -> None:
        self._services = services
        self._loop = loop

    def request(self, method: str, url: str, **content: Any) -> httpx.Response:
        service = self._services[httpx.URL(url).host]
        return asyncio.run_coroutine_threadsafe(service.request(method, url, **content), self._loop).result(20)


class Here:
    """A deployment of nothing but these services, each at the host of its name."""

    name = "here"
    kafka = None
    clock_offset = 0

    def __init__(self, services: dict[str, httpx.AsyncClient | Connect]) -> None:
        self.services = {name: (f"http://{name}",) for name in services}
        self._given = services
        self._loop = asyncio.get_running_loop()

    def urls(self, service: str) -> tuple[str, ...]:
        if service not in self.services:
            raise CommandError(f"Where {service} is, is not known.")
        return self.services[service]

    def connect(self, account: str | None, role: str | None, usual: str, province: str | None) -> Wire:
        reached = {
            name: given if isinstance(given, httpx.AsyncClient) else given(account, role or usual, province)
            for name, given in self._given.items()
        }
        return Wire(reached, self._loop)


def answered_by(monkeypatch: pytest.MonkeyPatch, **services: httpx.AsyncClient | Connect) -> None:
    """From now on the command is answered by these services."""
    here = Here(services)
    monkeypatch.setattr(client, "chosen", lambda: here)


async def _no_migrations(mongo: Mongo) -> None:
    """Nothing."""


def http_of(
    service: str, mongo: Mongo, folder: Path, role: Any = "ministry", of: str | None = None
) -> httpx.AsyncClient:
    """A service's whole HTTP side over a database, as a caller of this role reaches it; its broker is never started."""
    ensure_signing_key(folder)
    settings = ServiceSettings(stage="local", kafka="127.0.0.1:1", mongo="unused", jwks=str(jwks_path(folder)))
    runtime = Runtime(service, settings, mongo, Consumer(service, ("submissions.01",), {}), migrate=_no_migrations)
    router = importlib.import_module(f"services.{service}.api").router
    app = build_app(runtime, [router], title=service, provider=TracerProvider())
    headers = {"Authorization": f"Bearer {issue_token(folder, 'an', role, of)}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{service}", headers=headers)
