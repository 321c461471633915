"""Scoring over HTTP and the command that uses it: results of every series, rehearsals and orders to judge again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from opentelemetry.sdk.trace import TracerProvider

from cli import recompute
from cli.output import CommandError, Language
from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from services.scoring import api
from services.scoring.queries import migrate
from services.scoring.queries import recomputes as queries
from shared.answers.results import Order
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.registry import registry
from shared.rulebook import cut_off
from shared.web import build_app
from tests.unit.scoring_assessments import assessment, models, share
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import UNIT, centre, commune, points, targets, withdrawn
from tests.unit.test_scoring_areas import district
from tests.unit.test_scoring_recompute import stricter

ORDER = {"id": "o-1", "period": 2025, "why": "bảng điểm mới của Bộ"}


class Caller:
    """Somebody with a token."""

    def __init__(self, http: httpx.AsyncClient, folder: Path) -> None:
        self._http, self._folder = http, folder

    async def __call__(
        self, method: str, path: str, body: Any = None, role: str = "ministry", of: str | None = None, **query: Any
    ) -> httpx.Response:
        """Ask in a role."""
        token = issue_token(self._folder, "tran.thi.b", role, of)  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {token}"}
        return await self._http.request(method, path, json=body, params=query, headers=headers)


@pytest.fixture
async def bench() -> Bench:
    """A commune, a centre with a slash in its id, and a district."""
    bench = await Bench().start()
    await bench.accept(commune(targets(1)), centre(points("clc_2553_2013")), district())
    await bench.settle()
    return bench


@pytest.fixture
async def ask(bench: Bench, tmp_path: Path) -> AsyncIterator[Caller]:
    """Scoring's API over that database; broker and consumer are built but not started."""
    ensure_signing_key(tmp_path)
    settings = ServiceSettings(stage="local", kafka="127.0.0.1:1", mongo="unused", jwks=str(jwks_path(tmp_path)))
    runtime = Runtime("scoring", settings, bench.mongo, Consumer("scoring", ("intake.accepted",), {}), migrate=migrate)
    app = build_app(runtime, [api.router], title="Langhoc: scoring", provider=TracerProvider())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        yield Caller(http, tmp_path)


def lines(answer: httpx.Response) -> list[str]:
    """The lines of a rehearsal."""
    assert answer.status_code == 200, answer.text
    return [line for line in answer.text.split("\n") if line]


@pytest.mark.parametrize(
    ("subject", "name"), [("00004", "code"), (UNIT, "unit_id"), ("TT/1", "centre_id"), ("district/001", "subject_id")]
)
async def test_results_are_found_by_every_name_of_their_subject(ask: Caller, subject: str, name: str) -> None:
    (result,) = (await ask("GET", f"/results/{subject}")).json()
    assert result[name] == subject.removeprefix("district/")
    assert result["superseded"] == []


async def test_a_province_sees_no_others_results(ask: Caller) -> None:
    assert (await ask("GET", f"/results/{UNIT}", role="province", of="04")).json() == []
    assert len((await ask("GET", f"/results/{UNIT}", role="province", of="01")).json()) == 1


async def test_whoever_reads_a_result_sees_what_of_its_figures_is_hardly_true(ask: Caller, bench: Bench) -> None:
    """It changes no figure, is kept nowhere, and goes with the file."""
    (before,) = (await ask("GET", f"/results/{UNIT}")).json()
    assert before["warnings"] == []
    people = {"type": "share", "share": {"numerator": 60, "denominator": 99}}
    odd = commune(targets(1, C5_1=people, C1_1={"type": "boolean", "met": True, "evidence": []}), version=2)
    await bench.accept(odd)
    (told,) = (await ask("GET", f"/results/{UNIT}")).json()
    assert [f"{one['code']} {one['field']}" for one in told["warnings"]] == [
        "population_differs /content/targets/C5.2/trained/denominator",
        "population_differs /content/targets/C5.2/university/denominator",
        "value_without_evidence /content/targets/C1.1/evidence",
    ]
    assert "population_differs" not in str(bench.mongo.rows("results"))
    await bench.accept(withdrawn(odd))
    assert (await ask("GET", f"/results/{UNIT}")).json()[0]["warnings"] == []


async def test_only_the_ministry_has_results_judged_again(ask: Caller, bench: Bench) -> None:
    for path, body in (("/recompute", ORDER), ("/recompute/dry-run", {"period": 2025})):
        for role, of in (("province", "01"), ("auditor", None), ("finance", None)):
            assert (await ask("POST", path, body, role, of)).status_code == 403
    assert bench.documents("recomputes") == {}


async def test_an_order_is_recorded_with_who_and_why_and_can_be_followed(ask: Caller, bench: Bench) -> None:
    answer = await ask("POST", "/recompute", ORDER)
    assert (answer.status_code, answer.json()["state"], answer.json()["requested"]) == (202, "running", 2)
    assert (await ask("POST", "/recompute", ORDER)).json() == answer.json(), "the same order again is the same order"
    await bench.settle()
    (done,) = (await ask("GET", "/recompute", period=2025)).json()
    assert done == (await ask("GET", "/recompute/o-1")).json()
    assert {name: done[name] for name in ("who", "role", "why", "state", "results", "changed")} == {
        "who": "local:tran.thi.b", "role": "ministry", "why": ORDER["why"], "state": "done", "results": 2, "changed": 0,
    }  # fmt: skip
    assert (await ask("GET", "/recompute/none")).status_code == 404


def test_the_command_names_the_altered_documents_of_a_failed_order(capsys: pytest.CaptureFixture[str]) -> None:
    said: dict[str, Any] = {
        "who": "local:a",
        "role": "ministry",
        "at": "2026-03-01T02:00:00Z",
        "results": None,
        "changed": None,
    }
    said |= ORDER | {"state": "failed", "requested": 2, "violations": [], "altered": ["results/x/2025"]}
    with pytest.raises(typer.Exit):
        recompute.tell(Order.model_validate(said | {"province": None, "finished_at": said["at"]}))
    told = capsys.readouterr().err
    assert "results/x/2025" in told
    assert f"--order {ORDER['id']}" in told


@pytest.mark.parametrize("other", [{"period": 2024}, {"province": "01"}])
async def test_an_order_under_the_id_of_another_one_is_refused(
    ask: Caller, bench: Bench, other: dict[str, Any]
) -> None:
    await ask("POST", "/recompute", ORDER)
    asked = bench.requests()
    answer = await ask("POST", "/recompute", ORDER | other)
    assert (answer.status_code, answer.json()["code"]) == (409, "order_id_reused")
    assert bench.requests() == asked


async def test_an_order_without_a_reason_is_refused(ask: Caller) -> None:
    assert (await ask("POST", "/recompute", ORDER | {"why": ""})).status_code == 422
    assert (await ask("POST", "/recompute", ORDER | {"rulebook": stricter()})).status_code == 422


async def test_a_rehearsal_is_the_same_bytes_every_time(ask: Caller, bench: Bench) -> None:
    before = bench.documents("results")
    body = {"period": 2025, "rulebook": stricter()}
    first, second = [await ask("POST", "/recompute/dry-run", body) for _ in range(2)]
    assert first.content == second.content
    assert first.headers["content-type"] == "application/x-ndjson"
    *differences, last = map(json.loads, lines(first))
    assert {line["subject"] for line in differences} == {UNIT}
    assert (last["summary"]["results"], last["summary"]["changed"]) == (2, 1)
    assert bench.documents("results") == before


@pytest.mark.parametrize("at", [0, 1])
async def test_a_rehearsal_that_meets_an_altered_result_ends_in_words(
    ask: Caller, bench: Bench, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Before its first line it is refused; after it, the problem is the last line, and it has no summary."""
    monkeypatch.setattr(queries, "CHUNK", 1)
    rows = bench.mongo.rows("results")
    body = {"period": 2025, "rulebook": stricter()}
    *whole, _ = map(json.loads, lines(await ask("POST", "/recompute/dry-run", body)))
    assert {line["result"] for line in whole} == {sorted(rows)[0]}
    id = sorted(rows)[at]
    rows[id] = rows[id] | {"version": 7}
    answer = await ask("POST", "/recompute/dry-run", body)
    assert answer.status_code == (500, 200)[at]
    told = json.loads(lines(answer)[-1])["problem"] if at else answer.json()
    assert (told["code"], told["status"]) == ("document_altered", 500)
    assert f"results/{id}" in told["message"]["vi"]
    if at:
        assert [json.loads(line) for line in lines(answer)[:-1]] == whole
        with pytest.raises(CommandError, match=f"results/{id}"):
            recompute.show(lines(answer), as_json=True, language=Language.EN)


async def test_a_rulebook_that_cannot_be_used_is_refused_with_everything_that_is_wrong(ask: Caller) -> None:
    files = {"rubrics/one.yaml": "id: [", "rubrics/two.yaml": "scoring: points\nid: two"}
    answer = await ask("POST", "/recompute/dry-run", {"period": 2025, "rulebook": files})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "rulebook_unusable")
    for lang in ("vi", "en"):
        assert "rubrics/one.yaml" in problem["message"][lang]
        assert "rubrics/two.yaml" in problem["message"][lang]
    assert problem["mend"]["vi"]


async def test_attainment_names_each_goal_in_force_and_is_the_nations_or_a_provinces(ask: Caller, bench: Bench) -> None:
    unit = registry().units(cut_off(2025), "04")[0]
    content = models("learning_models_387_2022", GD1=share(700))
    await bench.accept(
        assessment("learning_models", unit.unit_id, "learning_models_387_2022", content, holder="04", province="04")
    )
    await bench.settle()
    for area, role, of in (("04", "province", "04"), ("vn", "province", "01"), ("04", "auditor", None)):
        told = (await ask("GET", f"/attainment/{area}/2025", role=role, of=of)).json()
        one = next(each for each in told["goals"] if each["metric"] == "learning_families")
        assert (one["count"]["numerator"], one["count"]["denominator"], one["standing"]) == (700, 1000, "met")
        assert one["citation"]
        assert one["name"]["vi"]
        unknown = [each for each in told["goals"] if each["standing"] == "unknown"]
        assert unknown, "what nobody reported is named, and is no 0"
        assert all(each["count"] is None for each in unknown)
    assert (await ask("GET", "/attainment/04/2025", role="province", of="01")).status_code == 403
    assert (await ask("GET", "/attainment/03/2025")).status_code == 404
    never = (await ask("GET", "/attainment/01/2024")).json()
    assert never["version"] is None
    assert {each["standing"] for each in never["goals"]} == {"unknown"}


# ------------------------------------------------------------------------------------------------ the command


async def test_a_rehearsal_is_shown_to_people_and_to_programs(ask: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(await ask("POST", "/recompute/dry-run", {"period": 2025, "rulebook": stricter()}))
    recompute.show(told, as_json=True, language=Language.EN)
    assert capsys.readouterr().out == "\n".join(told) + "\n"
    recompute.show(told, as_json=False, language=Language.EN)
    assert "2 results judged, 1 would change." in capsys.readouterr().out
    recompute.show(told, as_json=False, language=Language.VI)
    assert "Đã chấm thử 2 kết quả, 1 sẽ thay đổi." in capsys.readouterr().out


async def test_an_answer_that_broke_off_is_not_taken_for_the_whole(ask: Caller) -> None:
    told = lines(await ask("POST", "/recompute/dry-run", {"period": 2025, "rulebook": stricter()}))
    for part in ([], told[:-1]):
        with pytest.raises(CommandError, match="broke off"):
            recompute.show(part, as_json=False, language=Language.EN)


def test_a_file_is_placed_as_in_a_rulebook(tmp_path: Path) -> None:
    for place, text in stricter().items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(text)
    assert recompute.read_rules(tmp_path) == stricter()
    single = tmp_path / "rubrics" / "lc_commune_test.yaml"
    assert list(recompute.read_rules(single)) == ["rubrics/lc_commune_test.yaml"]
    own = Path("somewhere/provinces/01/point_tables/x.yaml")
    assert recompute.place_of(own) == "provinces/01/point_tables/x.yaml"
    for wrong in (tmp_path / "none.yaml", tmp_path / "rubrics" / "none.yaml"):
        with pytest.raises(CommandError):
            recompute.read_rules(wrong)
