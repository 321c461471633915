"""Whether another province has something is not to be found out: what is there is answered like what is not."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from deploy.local.identity import ensure_signing_key, issue_token
from shared.registry import registry
from tests.casework.case import load
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import plays_of
from tests.fakes.apps import SERVICES, app_of
from tests.fakes.small_country import country_of

OWN, OTHER = "31", "66"
ORDER = {"why": "thử xem sao", "version": 1, "hash": "guessed"}
ELSEWHERE = {
    "/dead-letters/{letter_id}": "the ministry's",
    "/dead-letters/{letter_id}/replay": "the ministry's",
    "/dead-letters/{letter_id}/discard": "the ministry's",
    "/dead-letters/{letter_id}/erase": "the ministry's",
    "/erasures/{order_id}/confirm": "the ministry's",
    "/periods/reopenings/{order_id}/end": "the ministry's",
    "/late-requests/{province}/{request_id}/answer": "the ministry's",
    "/rule-rehearsals/{province}": "the ministry's",
    **dict.fromkeys(
        (f"/history/imports/{{import_id}}/{act}" for act in ("parts/{number}", "revocation")), "the ministry's"
    ),
    **dict.fromkeys(("/late-requests/{province}", "/late-requests/{province}/{request_id}/withdraw"), "its province's"),
    "/completeness/{series}/{period}/{province}": "its province's",
    "/budgets/{province}/{year}/reconciliation": "tests/unit/test_payments.py",
    "/register/units/{code}": "everybody's",
    "/people/{person_id}": "tests/unit/test_people.py",
    **{f"/people-orders/{{order_id}}/{act}": "the ministry's" for act in ("confirm", "decline")},
    **{f"/people/{{person_id}}/{act}": "the ministry's" for act in ("change", "end", "accounts", "accounts/end")},
}
"""Routes that hold nothing of one province, or are shut to all others whatever is there (docs/matrix-http.md)."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    ensure_signing_key(folder)
    return folder


@pytest.fixture(scope="module")
async def world(state: Path) -> MemoryWorld:
    """Hải Phòng has a budget, decided and published, with a journal, receipts, results and a ranking."""
    world = await MemoryWorld(state).begin()
    (case,) = [case for case in load() if case.case == "correction-after-the-approval"]
    with country_of(lambda unit: registry().speaker_of(unit) == case.province):
        await perform(world, plays_of(case)[:1])
    return world


def clients(world: MemoryWorld, state: Path, province: str) -> dict[str, httpx.AsyncClient]:
    bearer = {"Authorization": f"Bearer {issue_token(state, 'son', 'province', province)}"}
    return {
        name: httpx.AsyncClient(
            transport=httpx.ASGITransport(app_of(name, world.mongo(name), state)),
            base_url=f"http://{name}",
            headers=bearer,
        )
        for name in SERVICES
    }


THERE_AND_ABSENT = [
    *(
        ("funding", "get", f"/budgets/{{province}}/{{year}}{part}", f"/budgets/31/{{}}{part}", ("2026", "2031"))
        for part in ("", "/proof", "/decisions", "/snapshot", "/snapshot/verify", "/refusals")
    ),
    ("funding", "post", "/budgets/{province}/{year}/{action}", "/budgets/31/{}/submit", ("2026", "2031")),
    ("funding", "get", "/journal/{province}/{year}", "/journal/31/{}", ("2026", "2031")),
    ("funding", "get", "/journal/{province}/{year}/verify", "/journal/31/{}/verify", ("2026", "2031")),
    ("funding", "get", "/exports/{province}/{year}", "/exports/31/{}", ("2026", "2031")),
    ("funding", "post", "/simulations/{province}", "/simulations/31", ("2026", "2031")),
    ("funding", "get", "/sustainability/{province}", "/sustainability/31?last={}", ("2026", "2031")),
    ("funding", "get", "/adjustments/{adjustment_id}", "/adjustments/{}", ("31/2026/HP-A/1", "31/2031/HP-A/1")),
    (
        "funding",
        "post",
        "/adjustments/{adjustment_id}/{action}",
        "/adjustments/{}/approve",
        ("31/2026/HP-A/1", "31/2031/HP-A/1"),
    ),
    ("funding", "get", "/explanations/{subject}", "/explanations/{}", ("HP-A", "HP-Z")),
    ("intake", "get", "/receipts/{receipt_id}", "/receipts/{}", ("{receipt}", "submissions.31-0-999")),
    ("intake", "get", "/subjects/{subject}", "/subjects/{}", ("HP-A", "HP-Z")),
    ("intake", "get", "/explanations/{subject}", "/explanations/{}", ("HP-A", "HP-Z")),
    ("scoring", "get", "/results/{subject}", "/results/{}", ("HP-A", "HP-Z")),
]


@pytest.mark.parametrize(("service", "method", "route", "path", "names"), THERE_AND_ABSENT)
async def test_what_is_there_is_answered_like_what_is_not(
    world: MemoryWorld, state: Path, service: str, method: str, route: str, path: str, names: tuple[str, str]
) -> None:
    receipt = next(iter(world.mongo("intake").rows("receipts")))
    there, absent = (name.replace("{receipt}", str(receipt)) for name in names)
    told = {}
    for province in (OWN, OTHER):
        client = clients(world, state, province)[service]
        for name in (there, absent):
            body = {"year": int(name)} if "simulations" in path else ORDER | {"id": f"{route.split('/')[1]}-{name}"}
            url = path.format(name)
            answer = await (client.get(url) if method == "get" else client.post(url, json=body))
            told[province, name] = answer.status_code, answer.text.replace(name, "…")
    assert told[OTHER, there] == told[OTHER, absent]
    assert told[OTHER, there][0] in (200, 404)
    assert told[OWN, there] != told[OWN, absent], "it is there"


def test_every_route_that_names_something_of_a_province_is_tried(world: MemoryWorld, state: Path) -> None:
    """Rankings, which are released to all: tests/unit/test_ranking_http.py."""
    named = {
        path
        for service in ("intake", "funding", "notifications")
        for path in app_of(service, world.mongo(service), state).openapi()["paths"]
        if "{" in path
    }
    assert named == {route for _, _, route, _, _ in THERE_AND_ABSENT if route in named} | ELSEWHERE.keys()
