"""The four services with something in them, and everybody who may ask: for the matrix of who may do what over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from shared.messaging.collections import DEAD_LETTERS
from shared.messaging.decide.sets import Sets
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.rulebook.source import DATA
from shared.web import build_app
from shared.web.admission import is_open
from tests.architecture.test_completeness import routes
from tests.casework.case import USUAL, Officer, load
from tests.casework.in_memory import MemoryWorld, Service
from tests.casework.playing import perform
from tests.casework.plays import plays_of
from tests.conformance.memory_kafka import Record

OWN, OTHER = "31", "08"
"""The province that everything asked for is of, and another one."""
CASES = ("correction-after-the-approval", "a-release-is-frozen")
"""Both of the province `OWN`: a budget decided and adjusted; a ranking released."""
PRINCIPALS: dict[str, Officer | None] = {
    "nobody": None,
    "own province": Officer(name="lan", role="province", province=OWN),
    "other province": Officer(name="son", role="province", province=OTHER),
    "finance": Officer(name="hoa", role="finance"),
    "auditor": Officer(name="kim", role="auditor"),
    "ministry": Officer(name="an", role="ministry"),
}
ANOTHER = Officer(name="binh", role="ministry")
"""Who confirms what the ministry's other officer has ordered."""
DECISION = {"decision_number": "1/QĐ", "decided_on": "2026-02-20", "signed_by": "Vụ trưởng", "reason": "matrix"}
_NATIONS = (DATA / "request_policy.yaml").read_text(encoding="utf-8")
RULES = {"ministry/request_policy.yaml": _NATIONS.replace("working-default", "ministry")}
"""What is proposed: the ministry's own, which says what the nation's does."""
STALE = {"why": "x", "version": 0, "hash": ""}
"""On what nobody has seen: whoever may decide is told so, and nothing changes."""
BODIES: dict[str, Any] = {
    "/budgets/{province}/{year}/{action}": STALE,
    "/adjustments/{adjustment_id:path}/{action}": STALE,
    "/rankings/{scope}/{period}/releases": DECISION | {"id": "matrix", "version": 999, "hash": "0" * 64},
    "/rankings/{scope}/{period}/releases/{number}/withdraw": DECISION | {"id": "matrix-2", "decided_on": "2020-01-01"},
    "/dead-letters/{letter_id}/replay": {"why": "x", "dry_run": True},
    "/simulations/{province}": {"year": 2026},
}
"""Of routes that look at the body before they say no; the others say no first, and an empty one tells as much."""


@dataclass(frozen=True, eq=False)
class Act:
    """A request, and what the route is called."""

    service: str
    method: str
    route: str
    path: str
    query: dict[str, str]
    body: Any

    @property
    def name(self) -> str:
        """As the table names it."""
        return f"{self.service} | {self.method} {self.route}"


class Matrix:
    """Asks every route of every service in everybody's name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._world = MemoryWorld(folder)
        self.apps: dict[str, FastAPI] = {}
        self._values: dict[str, dict[str, str]] = {}
        self._asked = 0

    async def begin(self) -> Matrix:
        """Play the cases, and give the orders that the others ask after."""
        ensure_signing_key(self._folder)
        await self._world.begin()
        cases = {case.case: case for case in load()}
        for name in CASES:
            await perform(self._world, plays_of(cases[name])[:1])
        self._world.deliver([Record("intake.accepted", 0, 0, 0, b"k", b"{", [])])
        await self._world.rest()
        self.apps = {name: self._app(service) for name, service in self._world.services.items()}
        reopened = {
            "order_id": "o",
            "what": "commune",
            "period": 2025,
            "until": "2027-01-31T00:00:00+07:00",
            "reason": "x",
        }
        entered = {
            "order_id": "o",
            "person_id": "p-lan",
            "name": "Nguyễn Thị Lan",
            "assignment": {"role": "province", "province": OWN, "first_day": "2026-01-05"},
            "reason": "x",
        }
        done = [
            await self.ask("ministry", Act("intake", "POST", "", "/people", {}, entered)),
            await self.ask("another", Act("intake", "POST", "", "/people-orders/o/confirm", {}, {"why": "x"})),
            await self.ask("ministry", Act("intake", "POST", "", "/periods/reopenings", {}, reopened)),
            await self.ask(
                "ministry", Act("scoring", "POST", "", "/recompute", {}, {"id": "o", "period": 2025, "why": "matrix"})
            ),
        ]
        rules = {"id": "o", "files": RULES, "why": "matrix"}
        proposal = await self.ask("ministry", Act("scoring", "POST", "", "/rule-proposals", {}, rules))
        decision = {"digest": proposal.json()["digest"], "why": "matrix"}
        done += [
            proposal,
            await self.ask("another", Act("scoring", "POST", "", "/rule-proposals/o/release", {}, decision)),
        ]
        assert all(answer.is_success for answer in done), [answer.text for answer in done]
        receipts = await self.ask("ministry", Act("intake", "GET", "", "/receipts", {"province": OWN}, None))
        changed = await self.ask("ministry", Act("funding", "GET", "", "/adjustments", {"province": OWN}, None))
        rows = await self.ask("ministry", Act("scoring", "GET", "", f"/rankings/province-{OWN}/2025", {}, None))
        common = {
            "province": OWN,
            "year": "2026",
            "period": "2025",
            "area": OWN,
            "scope": f"province-{OWN}",
            "number": "1",
            "order_id": "o",
            "import_id": "none",
            "request_id": "o",
            "appeal_id": "o",
            "proposal_id": "o",
            "person_id": "p-lan",
            "subject": "HP-A",
            "code": "10507",
            "series": "commune",
            "kind": "registration",
            "centre_id": "HP-A",
            "purpose": "operating",
            "last": "2026",
            "places": "1",
            "ties": "include",
            "receipt_id": receipts.json()["items"][0]["receipt_id"],
            "adjustment_id": changed.json()["items"][0]["adjustment_id"],
            "unit_id": rows.json()["items"][0]["unit_id"],
        }
        (broken, *_) = self._world.mongo("scoring").all(DEAD_LETTERS)
        for name, service in self._world.services.items():
            letter = dict(broken)
            service.mongo.rows(DEAD_LETTERS)[letter["_id"]] = (
                letter  # what is read of senders is answered, never buried
            )
            self._values[name] = common | {"letter_id": str(letter["_id"])}
        return self

    def acts(self) -> Iterator[Act]:
        """Every route that needs a token, with each of its actions."""
        for service, app in self.apps.items():
            for route in routes(app.router):
                for method in sorted(route.methods or ()):
                    if not is_open({"method": method, "path": route.path}):
                        yield from self._acts(service, method, route)

    def _acts(self, service: str, method: str, route: APIRoute) -> Iterator[Act]:
        values = self._values[service]
        query = {
            one.name: values[one.name]
            for one in route.dependant.query_params
            if one.name in ("province", "last", "places", "ties") or one.field_info.is_required()
        }
        body = BODIES.get(route.path, {}) if method == "POST" else None
        if "{action}" not in route.path:
            path = route.path.replace(":path}", "}").format_map(values)
            yield Act(service, method, route.path.replace(":path}", "}"), path, query, body)
            return
        kind: Any = next(one.field_info.annotation for one in route.dependant.path_params if one.name == "action")
        for action in sorted(get_args(kind) or kind):
            named = route.path.replace(":path}", "}").replace("{action}", action)
            yield Act(service, method, named, named.format_map(values), query, body)

    async def ask(self, principal: str, act: Act) -> httpx.Response:
        """One request in somebody's name."""
        who = PRINCIPALS.get(principal, ANOTHER)
        headers = {"Idempotency-Key": f"{principal}-{act.path}".replace(" ", "-")}
        if who:
            headers["Authorization"] = f"Bearer {issue_token(self._folder, who.name, who.role, who.province)}"
        self._asked += 1  # each from an address of its own: refusals of one are answered ever later
        transport = httpx.ASGITransport(self.apps[act.service], client=(f"192.0.2.{self._asked % 250}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            return await client.request(act.method, act.path, params=act.query, json=act.body)

    def _app(self, service: Service) -> FastAPI:
        ahead = round((USUAL - datetime.now(UTC)).total_seconds()) + 3 * 86_400
        settings = ServiceSettings(
            kafka="127.0.0.1:1", mongo="unused", stage="local", jwks=str(jwks_path(self._folder)), clock_offset=ahead
        )
        wiring = service.wiring
        runtime = Runtime(
            service.name, settings, service.mongo, wiring.consumer, migrate=wiring.migrate, sets=Sets(wiring.sets)
        )
        return build_app(runtime, [wiring.router], title=service.name, provider=TracerProvider())
