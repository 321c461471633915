"""The services' HTTP interfaces, as the command line uses them: with a token of the local platform."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from deploy.local import LocalPlatformError, Platform, default_state, issue_token
from deploy.local.identity import Role

CLOCK_RESOLUTION = 0.5
ORDER = ("intake", "scoring", "funding", "notifications")
"""Services in the order in which events flow."""


class Client:
    """Speaks with a running platform. Raises `LocalPlatformError` in plain words when it cannot."""

    def __init__(
        self,
        platform: Platform | None = None,
        *,
        account: str | None = None,
        role: Role = "ministry",
        province: str | None = None,
    ) -> None:
        """`account`: in whose name, by default of who is at the keyboard; the role `province` needs its `province`."""
        state = default_state()
        self.platform = platform or Platform.load(state)
        token = issue_token(state, account or _account(), role, province)
        self._http = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def get(self, service: str, path: str, **query: Any) -> Any:
        """The JSON answer of a service's first instance."""
        return self._ask(service, "GET", self.platform.base_url(service), path, params=_given(query))

    def post(self, service: str, path: str, body: dict[str, Any]) -> Any:
        """The JSON answer to an order."""
        return self._ask(service, "POST", self.platform.base_url(service), path, json=body)

    def lines(self, service: str, path: str, body: dict[str, Any]) -> list[str]:
        """The lines of an answer with one JSON object on each."""
        text = self._send(service, "POST", self.platform.base_url(service), path, json=body).text
        return [line for line in text.split("\n") if line]  # `splitlines` would also split inside of strings

    def download(self, service: str, path: str, **query: Any) -> bytes:
        """A file that a service makes."""
        return self._send(service, "GET", self.platform.base_url(service), path, params=_given(query)).content

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
        """What is still on its way, per process, in the order of the flow; not settled where nobody can tell now."""
        return [self._flow(service, url) for service in ORDER for url in self.platform.services.get(service, ())]

    def _flow(self, service: str, url: str) -> dict[str, Any]:
        try:
            flow: dict[str, Any] = self._ask(service, "GET", url, "/flow")
            return flow
        except Away as away:
            return {"service": service, "settled": False, "away": str(away)}

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

    def _ask(self, service: str, method: str, base: str, path: str, **content: Any) -> Any:
        return self._send(service, method, base, path, **content).json()

    def _send(self, service: str, method: str, base: str, path: str, **content: Any) -> httpx.Response:
        try:
            response = self._http.request(method, f"{base}{path}", **content)
        except httpx.HTTPError as error:
            raise LocalPlatformError(
                f"{service} does not answer at {base} ({error}). See: langhoc status, langhoc logs {service}"
            ) from error
        if response.status_code in (200, 202):
            return response
        problem = response.json() if response.headers["content-type"] == "application/problem+json" else {}
        if "mend" not in problem:
            raise LocalPlatformError(f"{service} answered {response.status_code}: {response.text[:300]}")
        said, listed = [f"{problem['message']['en']} {problem['mend']['en']}"], problem.get("problems", [])
        if len(listed) == 1 and listed[0]["message"] == problem["message"]:
            said = [f"{problem['message']['en']} Expected: {listed[0]['expected']['en']}. {problem['mend']['en']}"]
        else:
            said += [f"  {one['field'] or '/'}: {one['message']['en']} → {one['mend']['en']}" for one in listed]
        raise {404: NotFound, 503: Away}.get(response.status_code, Refused)("\n".join(said))


def _account() -> str:
    """Who is at the keyboard, for the record of what was done."""
    try:
        return getpass.getuser()
    except KeyError:  # in a container the user may have no name
        return str(os.getuid())


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


class Refused(LocalPlatformError):
    """The service does not do it, and says why."""


class Away(Refused):
    """A server that the service needs is away now; to ask again later is all there is to do."""


class NotFound(Refused):
    """The service has no such thing."""


def describe(flows: list[dict[str, Any]]) -> str:
    """One line on what is on its way."""
    return " · ".join(
        f"{flow['service']}: {flow['away']}"
        if "away" in flow
        else f"{flow['service']} {flow['lag']} to read, {flow['requests']} to recompute, {flow['outbox']} to send"
        for flow in flows
        if not flow["settled"]
    )
