"""The services' HTTP interfaces as the command uses them: of any deployment, with typed answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from cli.deployments import LOCAL, chosen
from cli.output import CommandError, both
from deploy.local import Role
from shared.answers.operations import Flow, Refusal
from shared.answers.page import Page
from shared.answers.submissions import FiledBatch
from shared.contracts.base import Problem, Text

T = TypeVar("T")
POLL_SECONDS = 0.5
EVENTS = "application/cloudevents-batch+json"
MOST = 1_000
"""Rows that are asked for at once."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A process that cannot tell now what is on its way: that is not settled."""

    service: str
    why: str
    settled: bool = False


Flows = Sequence[Flow | Unknown]


class Client:
    """Speaks with a deployment in somebody's name. Raises `CommandError` in plain words when it cannot."""

    def __init__(
        self,
        account: str | None = None,
        role: Role | None = None,
        *,
        usual: Role = "ministry",
        province: str | None = None,
    ) -> None:
        """`account`, `role`: on the local platform, in whose name; by default of who is at the keyboard, as `usual`."""
        self.deployment = chosen()
        self._http = self.deployment.connect(account, role, usual, province)

    def get(self, service: str, path: str, kind: type[T], /, **query: Any) -> T:
        """The answer of a service's first instance."""
        return self._read(service, kind, self._first(service, "GET", path, params=_given(query)))

    def find(self, service: str, path: str, kind: type[T], /, **query: Any) -> T | None:
        """Like `get`, but `None` when there is no such thing (404)."""
        try:
            return self.get(service, path, kind, **query)
        except NotFound:
            return None

    def post(self, service: str, path: str, kind: type[T], body: Mapping[str, Any]) -> T:
        """The answer to an order."""
        return self._read(service, kind, self._first(service, "POST", path, json=body))

    def hand_in(self, events: Sequence[bytes], province: str, *, dry_run: bool) -> FiledBatch:
        """What became of structured CloudEvents, or would become of them."""
        content = {"content": b"[" + b",".join(events) + b"]", "headers": {"Content-Type": EVENTS}}
        query = {"province": province, "dry_run": str(dry_run).lower()}
        return self._read("intake", FiledBatch, self._first("intake", "POST", "/v1/batches", params=query, **content))

    def pages(self, service: str, path: str, kind: type[T], /, **query: Any) -> Iterator[T]:
        """All items of a paged answer."""
        after: str | None = None
        while True:
            page = self.get(service, path, Page[kind], **query, after=after)  # type: ignore[valid-type]
            yield from page.items
            after = page.next
            if after is None:
                return

    def lines(self, service: str, path: str, body: Mapping[str, Any]) -> list[str]:
        """The lines of an answer with one JSON object on each."""
        text = self._first(service, "POST", path, json=body).text
        return [line for line in text.split("\n") if line]  # `splitlines` would also split inside of strings

    def download(self, service: str, path: str, **query: Any) -> bytes:
        """A file that a service makes."""
        return self._first(service, "GET", path, params=_given(query)).content

    def flows(self, of: Collection[str] | None = None) -> Flows:
        """What is still on its way, per process, in the order of the flow; not settled where nobody can tell now.

        Args:
            of: only these services.
        """
        services = self.deployment.services.items()
        return [self._flow(name, url) for name, urls in services if of is None or name in of for url in urls]

    def _flow(self, service: str, url: str) -> Flow | Unknown:
        try:
            return self._read(service, Flow, self._send(service, "GET", url, "/flow"))
        except Away as away:
            return Unknown(service, " ".join(str(away).split()))  # one line

    def wait(
        self, seconds: float, progress: Callable[[Flows], None] = lambda flows: None, of: Collection[str] | None = None
    ) -> None:
        """Return when nothing is on its way (in the services `of`), twice one second apart; raise after `seconds`."""
        deadline = time.monotonic() + seconds
        quiet_since: float | None = None
        while True:
            flows = self.flows(of)
            progress(flows)
            now = time.monotonic()
            if not all(flow.settled for flow in flows):
                quiet_since = None
            elif quiet_since is None:
                quiet_since = now
            elif now - quiet_since >= 1.0:
                return
            if now > deadline:
                raise CommandError(f"The flow has not settled in {seconds:.0f} s: {describe(flows)}")
            time.sleep(POLL_SECONDS)

    def _first(self, service: str, method: str, path: str, **content: Any) -> httpx.Response:
        return self._send(service, method, self.deployment.urls(service)[0], path, **content)

    def _send(self, service: str, method: str, base: str, path: str, **content: Any) -> httpx.Response:
        try:
            response = self._http.request(method, f"{base}{path}", **content)
        except httpx.HTTPError as error:
            see = f" See: langhoc status, langhoc logs {service}" if self.deployment.name == LOCAL else ""
            raise NoAnswer(f"{service} does not answer at {base} ({error}).{see}") from error
        if response.status_code not in (200, 202):
            raise _refusal(service, response)
        return response

    def _read(self, service: str, kind: type[T], response: httpx.Response) -> T:
        try:
            return TypeAdapter(kind).validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = "/".join(map(str, first["loc"]))
            raise CommandError(
                f"{service} answers what this command cannot read ({place}: {first['msg']}): another version of "
                "Langhoc, or no Langhoc at all."
            ) from error


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


class NoAnswer(CommandError):
    """Nobody answers at the service's address."""


class Refused(CommandError):
    """The service does not do it, and says why."""


class Away(Refused):
    """A server that the service needs is away now; to ask again later is all there is to do."""


class NotFound(Refused):
    """The service has no such thing."""


def _refusal(service: str, response: httpx.Response) -> CommandError:
    """What the service says of itself, in both languages."""
    try:
        told = Refusal.model_validate_json(response.content)
    except ValidationError:
        return CommandError(f"{service} answered {response.status_code}: {response.text[:300]}")
    listed = told.problems
    if len(listed) == 1 and listed[0].message == told.message:
        said = _in_words(listed[0])
    else:
        said = "\n".join([both(told.message), _arrow(told.mend), *(_in_words(one) for one in listed)])
    return {404: NotFound, 503: Away}.get(response.status_code, Refused)(said)


def _in_words(one: Problem) -> str:
    """A problem at its place, what was expected there, and how to mend it."""
    place = f"{one.field}: " if one.field else ""
    return f"{place}{both(one.said)}\n{_arrow(one.mend)}"


def _arrow(mend: Text) -> str:
    return f"  → {both(mend)}"


def describe(flows: Flows) -> str:
    """One line on what is on its way."""
    return " · ".join(
        f"{flow.service} {flow.lag} to read, {flow.requests} to recompute, {flow.outbox} to send"
        if isinstance(flow, Flow)
        else f"{flow.service}: {flow.why}"
        for flow in flows
        if not flow.settled
    )
