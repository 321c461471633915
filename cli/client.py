"""The services' HTTP interfaces, as the command line uses them: with a token of the local platform."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from deploy.local import LocalPlatformError, Platform, default_state, issue_token

CLOCK_RESOLUTION = 0.5
ORDER = ("intake", "scoring", "funding", "notifications")
"""Services in the order in which events flow."""


class Client:
    """Reads from a running platform. Raises `LocalPlatformError` in plain words when it cannot."""

    def __init__(self, platform: Platform | None = None) -> None:
        state = default_state()
        self.platform = platform or Platform.load(state)
        token = issue_token(state, "langhoc-cli", "ministry")
        self._http = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def get(self, service: str, path: str, **query: Any) -> Any:
        """The JSON answer of a service's first instance."""
        return self._get(service, self.platform.base_url(service), path, query)

    def find(self, service: str, path: str, **query: Any) -> Any | None:
        """Like `get`, but `None` when there is no such thing (404)."""
        try:
            return self.get(service, path, **query)
        except NotFound:
            return None

    def pages(self, service: str, path: str, **query: Any) -> Iterator[Any]:
        """All items of a paged answer."""
        after: str | None = None
        while True:
            page = self.get(service, path, **query, **({"after": after} if after else {}))
            yield from page["items"]
            after = page["next"]
            if after is None:
                return

    def flows(self) -> list[dict[str, Any]]:
        """What is still on its way, per process, in the order of the flow."""
        return [
            self._get(service, url, "/flow", {}) for service in ORDER for url in self.platform.services.get(service, ())
        ]

    def wait(self, seconds: float, progress: Callable[[list[dict[str, Any]]], None] = lambda flows: None) -> None:
        """Return when nothing is on its way, seen twice one second apart; raise after `seconds`."""
        deadline = time.monotonic() + seconds
        quiet_since: float | None = None
        while True:
            flows = self.flows()
            progress(flows)
            now = time.monotonic()
            if not all(flow["settled"] for flow in flows):
                quiet_since = None
            elif quiet_since is None:
                quiet_since = now
            elif now - quiet_since >= 1.0:
                return
            if now > deadline:
                raise LocalPlatformError(f"The flow has not settled in {seconds:.0f} s: {describe(flows)}")
            time.sleep(CLOCK_RESOLUTION)

    def _get(self, service: str, base: str, path: str, query: dict[str, Any]) -> Any:
        wanted = {name: value for name, value in query.items() if value is not None}
        try:
            response = self._http.get(f"{base}{path}", params=wanted)
        except httpx.HTTPError as error:
            raise LocalPlatformError(
                f"{service} does not answer at {base} ({error}). See: langhoc status, langhoc logs {service}"
            ) from error
        if response.status_code == 404:
            raise NotFound(response.json()["message"]["en"])
        if response.status_code != 200:
            raise LocalPlatformError(f"{service} answered {response.status_code}: {response.text[:300]}")
        return response.json()


class NotFound(LocalPlatformError):
    """The service has no such thing."""


def describe(flows: list[dict[str, Any]]) -> str:
    """One line on what is on its way."""
    return " · ".join(
        f"{flow['service']} {flow['lag']} to read, {flow['requests']} to recompute, {flow['outbox']} to send"
        for flow in flows
        if not flow["settled"]
    )
