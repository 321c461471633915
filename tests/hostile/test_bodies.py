"""What HTTP is sent: bodies are read as strictly as records, and every text of an order has one line and is seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.contracts.catalogue import CONTRACTS, EXAMPLES
from shared.contracts.submissions import Submission
from shared.outside import OutOfBounds, read_json
from shared.refusals import catalogue
from shared.web.bodies import BoundedBodies
from tests.architecture.test_completeness import routes
from tests.hostile.inputs import Input, each, inputs, raw
from tests.unit.hostile_values import places, with_value
from tests.unit.intake_bench import Bench
from tests.unit.test_web import ROUTERS

BOUNDS = {entry.code or name for name, entry in catalogue("bounds").items()}


@pytest.fixture(scope="module")
def api() -> FastAPI:
    """Takes any body, and says what it has read."""
    app = FastAPI()

    @app.post("/{path:path}")
    async def take(path: str, body: dict[str, Any]) -> dict[str, Any]:
        return body

    app.add_middleware(BoundedBodies)
    return app


async def posted(app: Any, content: bytes, path: str = "/") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        return await client.post(path, content=content, headers={"Content-Type": "application/json"})


@each("json")
async def test_a_body_is_read_as_strictly_as_a_record(given: Input, api: FastAPI) -> None:
    """What is wrong with the form is told in its place; the rest reaches the application as it was written."""
    content = bytes.fromhex(given["hex"]) if "hex" in given else raw(given["body"])
    answer = await posted(api, content)
    comes = [] if given["comes"] == "taken" else [one for one in given["comes"] if one[0] in BOUNDS]
    if comes:
        assert answer.status_code == 422
        found = [[one["code"], one["field"]] for one in answer.json()["problems"]]
        # A file that is sent in a body has ends of lines: in which text is for its field to say.
        assert found == comes
    elif given["comes"] in ([["bad_json", ""]], [["not_utf8", ""]]):
        assert answer.status_code == 422
        if content:
            assert [one["code"] for one in answer.json()["problems"]] == ["no_json"]
    else:
        assert answer.status_code in (200, 422)
        if answer.status_code == 200:
            assert answer.json() == json.loads(content)


@each("names")
async def test_an_address_has_no_stranger(given: Input, api: FastAPI) -> None:
    text = json.loads(given["text"])
    if any("\ud800" <= one <= "\udfff" for one in text):
        return  # no address has it
    for path in (f"/x{quote(text)}x", f"/x?subject=x{quote(text)}x"):
        answer = await posted(api, b"{}", path)
        inside = given["comes"].startswith("U+") or "\n" in text or "\t" in text
        assert (answer.status_code == 422) is inside, path
        if inside:
            assert answer.json()["code"] == "address_unclean"


# ------------------------------------------------------------------------------------------------------ orders

FILES = {"Simulating.policy", "Rehearsal.rulebook", "Proposing.files", "Rehearsal.files"}
"""Whole files, held to the rules of YAML."""
READ_BY_HAND = {"correct", "take_in", "reopen", "end", "ask_for", "confirm"} | {
    *("add", "change", "add_account", "end_account"),  # and `end`, of people
    *("attempt", "sign", "take_part", "revoke"),  # of imports
    *("answer", "take_back"),  # and `ask_for`, of late requests
}
"""Endpoints that read their bodies themselves; played below."""
UNCLEAN = ("Trung tâm\x1b[2J", "Trung\ntâm", "Trung\u202etâm", "Trung\x9btâm", "Trung\u200btâm")


def endpoints() -> Iterator[APIRoute]:
    for service in ROUTERS.values():
        yield from routes(service.router)


def texts_of(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Every field of a body, and of what lies in it, that can hold a text."""
    for name, field in model.model_fields.items():
        for inner in _models(field.annotation):
            yield from texts_of(inner)
        if not list(_models(field.annotation)) and str in _leaves(field.annotation):
            yield f"{model.__name__}.{name}", Annotated[field.annotation, *(field.metadata or [None])]


def _leaves(annotation: Any) -> set[Any]:
    return {annotation} if get_origin(annotation) is None else {b for a in get_args(annotation) for b in _leaves(a)}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    yield from (one for one in _leaves(annotation) if isinstance(one, type) and issubclass(one, BaseModel))


def takes(kind: Any, text: str) -> bool:
    """Whether a field takes a text, alone or in a list, as a key or as a value."""
    for value in (text, [text], {text: "x"}, {"x": text}):
        try:
            TypeAdapter(kind).validate_python(value)
        except ValidationError:
            continue
        return True
    return False


def test_every_text_of_every_body_has_one_line() -> None:
    """Whoever adds a text to a body says so by its type: `Line`, `OneLine`, a pattern, or a file."""
    bodies = {
        body.field_info.annotation
        for endpoint in endpoints()
        for body in endpoint.dependant.body_params
        if endpoint.name not in READ_BY_HAND
    }
    texts = dict(one for body in bodies if isinstance(body, type) for one in texts_of(body))
    assert len(texts) > 8
    assert {name for name, kind in texts.items() if any(takes(kind, text) for text in UNCLEAN)} == FILES


def test_no_other_endpoint_reads_its_body_itself() -> None:
    found = {
        endpoint.name
        for endpoint in endpoints()
        for body in endpoint.dependant.body_params
        if not (isinstance(body.field_info.annotation, type) and issubclass(body.field_info.annotation, BaseModel))
    }
    assert found == READ_BY_HAND


@pytest.mark.parametrize("text", UNCLEAN)
@pytest.mark.parametrize(
    "path",
    [
        "/register/corrections",
        "/history",
        "/history/imports",
        "/history/imports/trial",
        "/history/imports/x/parts/1",
        "/history/imports/x/revocation",
        "/periods/reopenings",
        "/periods/reopenings/x/end",
        "/erasures",
        "/erasures/x/confirm",
        "/people",
        "/people/p-1/change",
        "/people/p-1/end",
        "/people/p-1/accounts",
        "/people/p-1/accounts/end",
        "/people-orders/o-1/confirm",
        "/late-requests/01/x/answer",
        "/late-requests/01",
        "/late-requests/01/x/withdraw",
    ],
)
async def test_an_order_that_is_read_by_hand_names_the_text(path: str, text: str, tmp_path: Path) -> None:
    of_a_province = path.startswith("/late-requests/01") and not path.endswith("/answer")
    who = ("province", "01") if of_a_province else ("ministry", None)
    async with Bench(tmp_path).http(*who) as http:
        answer = await http.post(path, json={"reason": text, "inner": [{"why": text}]})
    assert answer.status_code == 422
    found = {(one["code"], one["field"]) for one in answer.json()["problems"]}
    assert found == {("text_unclean", "/reason"), ("text_unclean", "/inner/0/why")}


# ------------------------------------------------------------------------------------------------- submissions


@pytest.mark.parametrize("type_", sorted(name for name, one in CONTRACTS.items() if issubclass(one.model, Submission)))
def test_every_text_of_every_submission_is_looked_at(type_: str) -> None:
    """In whatever field, one day: what is no text is refused in its place, whoever adds it."""
    data = json.loads((EXAMPLES / f"{type_}.json").read_text(encoding="utf-8"))["data"]
    texts = [place for place in places(data) if isinstance(_at(data, place), str)]
    assert texts
    refused = [one for one in inputs("names") if one["comes"] == "nothing" or one["comes"].startswith("U+")]
    for place in texts:
        for given in refused:
            with pytest.raises(OutOfBounds) as found:
                read_json(with_value(data, place, given["text"]))
            (problem,) = found.value.problems
            assert problem.field == "/" + "/".join(map(str, place))


def _at(value: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        value = value[key]
    return value
