"""Judging a period again: rehearsed and ordered, on the inputs kept with each result; replaced, never added."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from services.scoring.decisions import CHECK, RECOGNITIONS, RECOMPUTES, RESULTS, Recompute
from services.scoring.decisions.areas import communes_of
from services.scoring.decisions.recomputes import Audit, Audited
from services.scoring.decisions.results import score
from services.scoring.domain import without_words
from services.scoring.queries import recomputes
from services.scoring.queries.results import results
from shared.messaging.collections import RECALCULATIONS
from shared.messaging.decide.sets import key_text
from shared.messaging.seals import Altered, sealed
from shared.mongo import Unavailable
from shared.registry import Unit, registry
from shared.rulebook import RulebookError, rubric
from shared.rulebook.book import rulebook
from shared.rulebook.given import GivenRules, read_given
from shared.rulebook.source import DATA
from tests.fakes.memory import Fault
from tests.unit.scoring_assessments import (
    area_targets,
    assessment,
    learning_models,
    share,
    standards,
    universal_education,
)
from tests.unit.scoring_bench import NOW, Bench
from tests.unit.scoring_samples import UNIT, centre, commune, points, recognition, targets, withdrawn

COMMUNE = f"{UNIT}/2025"


def wanted(id: str = "o-1", province: str | None = None) -> Recompute:
    """An order for 2025."""
    return Recompute(
        id=id, period=2025, province=province, why="bảng điểm mới", who="nguyen.van.a", role="ministry", at=NOW
    )


async def filled() -> Bench:
    """A commune with everything beside it, a centre, and another commune."""
    bench = await Bench().start()
    await bench.accept(
        commune(targets(1)),
        commune(targets(C1_1=None), unit_id="00008@2025-07", code="00008", name="Phường Ngọc Hà"),
        universal_education(standards(TH1=share(970))),
        learning_models(),
        centre(points("clc_2553_2013", N4="0")),
        recognition(),
    )
    await bench.settle()
    return bench


async def order(bench: Bench, id: str = "o-1", province: str | None = None) -> Any:
    """Have 2025 judged again, and everything that follows."""
    bench.clock.moment += timedelta(minutes=1)
    await recomputes.order(bench.commands, bench.mongo, wanted(id, province))
    await bench.settle()
    return bench.documents(RECOMPUTES.name)[id]


async def rehearsed(bench: Bench, rules: GivenRules | None = None, province: str | None = None) -> list[Any]:
    """All lines of a rehearsal of 2025."""
    return [line async for line in recomputes.rehearse(bench.mongo, 2025, province, rules)]


def tampered(bench: Bench, id: str, **changed: Any) -> None:
    """Make a kept result what older rules might have made of the same inputs."""
    row = bench.mongo.rows(RESULTS.name)[id]
    bench.mongo.rows(RESULTS.name)[id] = row | {"result": row["result"] | changed}
    bench.mongo.seal()


def stricter() -> dict[str, str]:
    """A rulebook's folder in which Circular 25/2023 is followed in June 2025 by a rule that asks for 75 % in 5.1."""
    text = (DATA / "rubrics" / "lc_commune_25_2023.yaml").read_text()
    ended = text.replace("effective_to: null", "effective_to: 2025-06-01\nsuccessor: lc_commune_test", 1)
    new = text.replace("id: lc_commune_25_2023", "id: lc_commune_test", 1)
    new = new.replace("effective_from: 2024-02-12", "effective_from: 2025-06-01", 1).replace("L1: 0.60", "L1: 0.75", 1)
    assert ended != text
    assert "L1: 0.75" in new
    return {"rubrics/lc_commune_25_2023.yaml": ended, "rubrics/lc_commune_test.yaml": new}


# ------------------------------------------------------------------------------------------------ ordered


async def test_nothing_is_published_where_nothing_changes() -> None:
    """Case E8: results are replaced, never added; judged again by the same rules, none changes at all."""
    bench = await filled()
    before, published = bench.documents(RESULTS.name), bench.published()
    done = await order(bench)
    assert (done["state"], done["requested"], done["results"], done["changed"]) == ("done", 5, 5, 0)
    assert (bench.documents(RESULTS.name), bench.published()) == (before, published)
    assert (done["who"], done["why"], done["violations"]) == ("nguyen.van.a", "bảng điểm mới", [])
    assert bench.requests() == []


async def test_a_result_of_older_rules_is_replaced_once() -> None:
    bench = await filled()
    tampered(bench, COMMUNE, level=2)
    before = bench.documents(RESULTS.name)[COMMUNE]
    assert (await order(bench))["changed"] == 1
    after = bench.documents(RESULTS.name)[COMMUNE]
    assert (after["version"], after["input_version"]) == (before["version"] + 1, before["input_version"])
    assert after["result"]["level"] == 1
    assert after["result"]["supersedes"] == {
        "version": before["version"], "state": "scored", "total": None, "grade": None, "level": 2,
        "hash": before["result"]["hash"], "cause": "recompute", "reason": None,
    }  # fmt: skip
    assert (await order(bench, "o-2"))["changed"] == 0
    assert bench.documents(RESULTS.name)[COMMUNE] == after


async def test_a_result_that_judging_again_does_not_give_is_told_without_words() -> None:
    """Nobody is shown the reasons of one result beside the figures of another."""
    bench = await filled()
    (told,) = await results(bench.mongo, UNIT, 2025)
    assert (told.is_explained, told.level) == (True, 1)
    tampered(bench, COMMUNE, level=2)
    (told,) = await results(bench.mongo, UNIT, 2025)
    assert (told.is_explained, told.level) == (False, 2)
    assert [criterion.id for criterion in told.criteria] == ["C1", "C2", "C3", "C4", "C5"]
    (target,) = [one for each in told.criteria for one in each.targets if one.id == "C5.1"]
    assert (target.met["L1"], target.threshold, target.reason, target.citation) == (True, {}, None, "")
    (why,) = told.explanation
    assert why.what.en.startswith("It cannot be explained")


async def test_a_centre_judged_again_has_its_commune_judged_again() -> None:
    bench = await Bench().start()
    old = {"period": 2025, "rubric": "lc_commune_44_2014"}
    await bench.accept(centre(points("clc_2553_2013")), commune(points("lc_commune_44_2014"), unit_id=UNIT, **old))
    right = bench.result(COMMUNE)
    tampered(bench, "TT/1/2025", grade="yeu")  # what older rules may have made of the centre, and so of the commune
    row, kept = bench.mongo.rows(RESULTS.name)[COMMUNE], bench.mongo.rows("references")[COMMUNE]
    items = [each | {"outcome": {"grade": "yeu"}} for each in kept["items"]]
    bench.mongo.rows("references")[COMMUNE] = kept | {"items": items}
    bench.mongo.seal()
    row = row | {"inputs": row["inputs"] | {"references": items}}
    result = RESULTS.read(sealed(RESULTS.name, COMMUNE, row))
    explained = score(result.accepted, result.inputs, 1)
    wrong = without_words(explained, rulebook().revision).model_dump(mode="json")
    assert wrong["total"] != right["total"]
    bench.mongo.rows(RESULTS.name)[COMMUNE] = row | {"result": wrong}
    bench.mongo.seal()
    assert (await order(bench))["state"] == "done"
    result = bench.result(COMMUNE)
    assert (result["total"], result["hash"]) == (right["total"], right["hash"])
    assert (result["version"], result["supersedes"]["cause"]) == (2, "reference")
    assert result["references"][0]["version"] == bench.result("TT/1/2025")["version"] == 2


def recognised_in_2024(unit: Unit, **changed: Any) -> Any:
    """A decision on a commune that counts in 2024."""
    return recognition(unit_id=unit.unit_id, code=unit.code, decided_on=date(2024, 3, 15), **changed)


def altered(bench: Bench, collection: str, id: str) -> Callable[[], None]:
    """Alter a document without its key; returns what restores it."""
    rows = bench.mongo.rows(collection)
    true = rows[id]
    rows[id] = true | {"more": 1}
    return lambda: rows.update({id: true})


async def worked(bench: Bench) -> None:
    """As workers do: what cannot be computed rests and is tried again, everything else goes on."""
    for _ in range(3):
        for name, key in bench.requests():
            bench.clock.moment += timedelta(minutes=1)
            with contextlib.suppress(Altered):
                await bench._recalculator._recompute((name, key_text(key)))


async def order_worked(bench: Bench, id: str = "o-1") -> Any:
    """What becomes of an order while documents are altered."""
    await recomputes.order(bench.commands, bench.mongo, wanted(id))
    await worked(bench)
    return bench.documents(RECOMPUTES.name)[id]


@pytest.mark.parametrize(
    ("collection", "id", "count"),
    [(RESULTS.name, COMMUNE, 1), ("references", COMMUNE, 0), (RESULTS.name, "TT/1/2025", 1)],
)
async def test_an_order_on_altered_documents_ends_naming_them_and_is_carried_out_when_they_are_restored(
    collection: str, id: str, count: int
) -> None:
    """It is judged on inputs that lie in the same document: who altered the one may have altered the other."""
    bench = await filled()
    before = bench.documents(RESULTS.name)
    restore = altered(bench, collection, id)
    ended = await order_worked(bench)
    if count:
        assert (ended["state"], ended["altered"]) == ("failed", [f"{collection}/{id}"])
        assert ended["finished_at"]
        rest = [each for each in bench.documents(RESULTS.name) if each != id]
        assert [bench.documents(RESULTS.name)[each] for each in rest] == [before[each] for each in rest]
        assert (await order_worked(bench))["state"] == "failed", "given again too early it fails again"
    else:
        assert ended["state"] == "done", "its inputs lie beside the result"
    restore()
    done = await order_worked(bench)
    assert (done["state"], done["results"], done["changed"], done["altered"]) == ("done", 5, 0, [])
    assert (bench.documents(RESULTS.name), bench.requests()) == (before, [])


async def test_an_order_ends_too_where_an_area_of_its_period_cannot_be_judged() -> None:
    """A district is judged over its communes' decisions, of which one was altered."""
    rubric_id = "lc_district_25_2023"
    bench = await Bench().start()
    district = assessment("district", "001", rubric_id, area_targets(rubric_id), period=2024, name="Ba Đình")
    first, second = communes_of("district", "001", 2024, registry())[:2]
    await bench.accept(district, recognised_in_2024(first), recognised_in_2024(second))
    await bench.settle()
    restore = altered(bench, RECOGNITIONS.name, first.unit_id)
    await bench.accept(recognised_in_2024(second, version=2, level=2))
    order_of_2024 = wanted().model_copy(update={"period": 2024})
    await recomputes.order(bench.commands, bench.mongo, order_of_2024)
    await worked(bench)
    ended = bench.documents(RECOMPUTES.name)["o-1"]
    assert (ended["state"], ended["altered"]) == ("failed", [f"{RECOGNITIONS.name}/{first.unit_id}"])
    restore()
    await recomputes.order(bench.commands, bench.mongo, order_of_2024)
    await worked(bench)
    assert bench.documents(RECOMPUTES.name)["o-1"]["state"] == "done"


async def test_what_can_still_be_judged_is_waited_for() -> None:
    bench = await filled()
    altered(bench, RESULTS.name, COMMUNE)
    await recomputes.order(bench.commands, bench.mongo, wanted())
    (check,) = [key for name, key in bench.requests() if name == CHECK.name]
    await bench._recalculator._recompute((CHECK.name, key_text(check)))
    assert bench.documents(RECOMPUTES.name)["o-1"]["state"] == "running"
    await worked(bench)
    assert bench.documents(RECOMPUTES.name)["o-1"]["state"] == "failed"


async def test_more_altered_results_than_are_named_end_the_order_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.scoring.decisions.recomputes.SHOWN", 2)
    bench = await filled()
    restore = [altered(bench, RESULTS.name, id) for id in sorted(bench.documents(RESULTS.name))]
    ended = await order_worked(bench)
    assert (ended["state"], len(ended["altered"])) == ("failed", 2)
    for each in restore:
        each()
    assert (await order_worked(bench))["state"] == "done"


async def test_an_order_goes_through_the_results_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case H7: one request per result, asked for chunk by chunk; nothing grows with the size of the nation."""
    monkeypatch.setattr(recomputes, "CHUNK", 2)
    bench = await filled()
    largest = 0
    find = bench.mongo.find

    async def watched(collection: str, *args: Any, **more: Any) -> Any:
        nonlocal largest
        rows = await find(collection, *args, **more)
        largest = max(largest, len(rows) if collection == RESULTS.name else 0)
        return rows

    monkeypatch.setattr(bench.mongo, "find", watched)
    await recomputes.order(bench.commands, bench.mongo, wanted())
    assert sum(row["set"] == "rescored" for row in bench.mongo.all(RECALCULATIONS)) == 5
    await rehearsed(bench)
    assert largest == 2


async def test_an_order_that_broke_off_goes_on_under_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recomputes, "CHUNK", 2)
    bench = await filled()
    bench.mongo.commit_faults = {bench.mongo.commits + 3: Fault(Unavailable)}
    with pytest.raises(Unavailable):
        await recomputes.order(bench.commands, bench.mongo, wanted())
    assert bench.documents(RECOMPUTES.name)["o-1"]["state"] == "running"
    done = await order(bench)
    assert (done["state"], done["requested"]) == ("done", 5)
    assert sorted(key[0] for name, key in bench.computed if name == "rescored") == sorted(
        bench.documents(RESULTS.name)
    ), "each once"


async def test_only_one_provinces_results_are_judged_where_it_is_named() -> None:
    bench = await filled()
    await bench.accept(commune(targets(1), unit_id="01273@2025-07", code="01273", holder="04", province="04"))
    assert (await order(bench, province="04"))["requested"] == 1
    assert {line["province"] for line in await rehearsed(bench, read_given(stricter()), "04") if "field" in line} == {
        "04"
    }


@pytest.mark.parametrize(
    ("id", "changed", "said"),
    [
        ("TT/1/2025", {"result": {"total": "71"}}, "centre TT/1 has 71 points, its criteria 70"),
        (COMMUNE, {"version": 9}, f"commune {UNIT} names another version than the one that was judged"),
    ],
)
async def test_what_does_not_add_up_is_told(id: str, changed: dict[str, Any], said: str) -> None:
    """Case E8: totals are the sums of their criteria, checked after every recompute."""
    bench = await filled()
    audit = Audit(wanted())
    for row in bench.mongo.all(RESULTS.name):
        if row["_id"] == id:
            row = row | {
                name: row[name] | value if isinstance(value, Mapping) else value for name, value in changed.items()
            }
        audit.result(Audited.model_validate(row))
    audit.filed += 1
    done = next(iter(audit.outcome(NOW).puts.values()))
    assert done.state == "violated"
    assert done.violations == [said, "6 assessments were accepted, 5 results exist"]


# ------------------------------------------------------------------------------------------------ rehearsed


async def test_the_same_inputs_give_the_same_bytes_and_change_nothing() -> None:
    """Cases D9 and E4: nothing but what is kept with a result decides on it."""
    bench = await filled()
    before = {name: bench.mongo.all(name) for name in bench.mongo.collections}
    lines = [json.dumps(await rehearsed(bench, read_given(stricter())), sort_keys=True) for _ in range(2)]
    assert lines[0] == lines[1]
    assert {name: bench.mongo.all(name) for name in bench.mongo.collections} == before
    (summary,) = await rehearsed(bench)
    assert summary["summary"] | {"outcomes": None} == {
        "period": 2025, "province": None, "rulebook": None, "results": 5, "changed": 0, "differences": 0,
        "outcomes": None,
    }  # fmt: skip


async def test_inputs_are_frozen_with_the_result() -> None:
    """Case D9: what others say today is not asked; only what was known when the result was made."""
    bench = await filled()
    bench.mongo.collections["references"].clear()
    bench.mongo.collections["recognitions"].clear()
    assert (await rehearsed(bench))[-1]["summary"]["changed"] == 0
    assert (await order(bench))["changed"] == 0


async def test_a_given_rule_is_held_against_every_result_and_says_why() -> None:
    bench = await filled()
    lines = await rehearsed(bench, read_given(stricter()))
    fields = {line["field"]: line for line in lines if line.get("subject") == UNIT}
    threshold = fields["criteria/C5/targets/C5.1/threshold/L1"]
    assert (threshold["before"], threshold["after"]) == ("≥ 60 %", "≥ 75 %")
    assert "needs 75 %" in threshold["why"][0]["what"]["en"]
    assert threshold["why"][0]["citation"].startswith("Thông tư 25/2023/TT-BGDĐT")
    assert (fields["level"]["before"], fields["level"]["after"]) == (1, 0)
    assert any("Level 1 is not reached" in step["what"]["en"] for step in fields["level"]["why"])
    assert (fields["rubric"]["before"], fields["rubric"]["after"]) == ("lc_commune_25_2023", "lc_commune_test")
    summary = lines[-1]["summary"]
    assert (summary["results"], summary["changed"], summary["outcomes"]["level"]) == (5, 2, 1)
    assert summary["rulebook"]


async def test_a_given_rulebook_does_not_reach_the_running_service() -> None:
    bench = await filled()
    await rehearsed(bench, read_given(stricter()))
    with pytest.raises(KeyError):
        rubric("lc_commune_test")
    await bench.accept(commune(targets(1), unit_id="00009@2025-07", code="00009"))
    assert bench.result("00009@2025-07/2025")["rubric"] == "lc_commune_25_2023"
    assert (await rehearsed(bench))[-1]["summary"]["changed"] == 0


async def test_a_file_made_for_another_rule_is_told_not_judged() -> None:
    """A point table that gives a criterion fewer points than were awarded."""
    bench = await filled()
    table = {
        "ministry/point_tables/own.yaml": "\n".join(
            [
                "id: clc_2553_2013/own",
                "rubric: clc_2553_2013",
                'name: {vi: "Bảng điểm riêng", en: "Own table"}',
                "effective_from: 2025-01-01",
                "provenance: found",
                'citation: "Quyết định 1/QĐ"',
                "total: 100",
                "step: 0.5",
                "maxima: {N1: 10, N2: 40, N3: 20, N4: 30}",
            ]
        )
    }
    (line,) = [line for line in await rehearsed(bench, read_given(table)) if line.get("kind") == "centre"]
    assert (line["field"], line["before"], line["after"]) == ("rubric", "clc_2553_2013", None)
    assert "N1 has 20 points, more than its maximum" in line["why"][0]["what"]["en"]
    await bench.accept(withdrawn(centre(points("clc_2553_2013"))))
    assert (await rehearsed(bench, read_given(table)))[-1]["summary"]["changed"] == 0


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"rubrics/broken.yaml": "id: ["}, RulebookError),
        ({"rubrics/lc_commune_25_2023.yaml": "id: lc_commune_25_2023"}, RulebookError),
        ({"../rubrics/x.yaml": "id: x"}, ValueError),
        ({"/etc/x.yaml": "id: x"}, ValueError),
        ({"x.yaml": "id: x"}, ValueError),
    ],
)
def test_a_rulebook_that_cannot_be_used_is_refused_in_words(files: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        read_given(files)
    assert "/tmp" not in str(caught.value)


def test_a_used_rule_cannot_be_changed_even_for_a_rehearsal() -> None:
    """Case E7: a change is a new version, with the day from which it holds."""
    text = (DATA / "rubrics" / "lc_commune_25_2023.yaml").read_text().replace("L1: 0.60", "L1: 0.70", 1)
    with pytest.raises(RulebookError) as caught:
        read_given({"rubrics/lc_commune_25_2023.yaml": text})
    assert caught.value.problem.code == "changed_under_same_id"
    assert caught.value.file == "rubrics/lc_commune_25_2023.yaml"
