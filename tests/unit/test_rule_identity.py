"""What computes makes a rule's identity, its words only a revision (ADR 25); every field says which it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import pytest
from pydantic import BaseModel

from services.funding.domain import explained
from services.scoring.decisions.documents import RESULTS
from shared.contracts.base import Nfc, Provenance, Text
from shared.contracts.facts import BudgetProposed
from shared.rulebook import RulebookError, rubric
from shared.rulebook.checking import prove_released, read_all
from shared.rulebook.decided import Decided
from shared.rulebook.given import read_given
from shared.rulebook.source import DATA, WORDING, Grounded, Rule, is_wording
from tests.unit.rulebook_samples import put
from tests.unit.scoring_samples import commune, targets
from tests.unit.test_funding_proposal import Stored, inputs
from tests.unit.test_scoring_recompute import COMMUNE, filled, order, rehearsed

SHIPPED = [placed.version for placed in read_all((DATA,)).rules]
NUMBERS = (bool, int, Decimal, Fraction, date, type(None))


CORRECTED = "Sửa: "


def reworded(name: str) -> str:
    """A shipped file in which every citation and English text and many a provenance is another."""
    text = (DATA / name).read_text(encoding="utf-8")
    return (
        text.replace('citation: "', f'citation: "{CORRECTED}')
        .replace('en: "', 'en: "New: ')
        .replace("provenance: provisional", "provenance: partly")
    )


# ------------------------------------------------------------------------------------- every field is declared


def kinds(of: type[BaseModel] = Rule) -> Iterator[type[BaseModel]]:
    """All models of the rulebook."""
    for each in of.__subclasses__():
        if each.__module__.startswith("shared.rulebook") and each is not Decided:  # it judges nothing
            yield each
            yield from kinds(each)


def computes(annotation: Any, metadata: tuple[Any, ...] = ()) -> bool:
    """Whether all of a type is what a machine goes by: numbers, days, choices, ids, named things, other rules."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return computes(inner, (*metadata, *more))
    if isinstance(annotation, TypeVar):
        return computes(annotation.__bound__)
    if annotation is str:
        inside = [one for each in metadata for one in (each, *getattr(each, "metadata", ()))]
        return get_args(Nfc)[1] in inside or any(getattr(one, "pattern", None) for one in inside)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return issubclass(annotation, Rule)
    if get_origin(annotation) is dict:
        key, value = get_args(annotation)
        return computes(key) and (value is Text or computes(value))
    parts = get_args(annotation)
    return annotation in NUMBERS or get_origin(annotation) is Literal or (bool(parts) and all(map(computes, parts)))


def undeclared(model: type[BaseModel]) -> list[str]:
    """Fields that neither say something nor compute."""
    fields = model.model_fields.items()
    return [name for name, field in fields if not (is_wording(field) or computes(field.annotation, (*field.metadata,)))]


@pytest.mark.parametrize("model", sorted(set(kinds()), key=str), ids=lambda each: each.__name__)
def test_every_field_of_a_rule_is_wording_or_computes(model: type[BaseModel]) -> None:
    assert undeclared(model) == []


def test_a_field_that_is_neither_is_found() -> None:
    class Odd(Grounded):
        remark: str
        remarks: list[str]
        said: Annotated[str, WORDING]
        limit: Fraction | None = None
        title: Text | None = None

    assert undeclared(Odd) == ["remark", "remarks"]


# ------------------------------------------------------------------------------------------ any change at all


def changed(value: Any, wording: bool = False) -> Iterator[tuple[str, bool, Any]]:
    """A rule, or a part of it, with one value changed: where, whether that is wording, and what then stands there."""
    match value:
        case Text():
            yield "", True, Text(vi=value.vi, en=f"{value.en}!")
        case BaseModel():
            for name, field in type(value).model_fields.items():
                if not field.exclude:
                    for path, said, after in changed(getattr(value, name), wording or is_wording(field)):
                        yield f"{name}/{path}", said, value.model_copy(update={name: after})
        case dict():
            for key in value:
                yield f"{key}!", wording, {f"{name}!" if name == key else name: each for name, each in value.items()}
                for path, said, after in changed(value[key], wording):
                    yield f"{key}/{path}", said, value | {key: after}
        case list():
            for nth, each in enumerate(value):
                yield f"{nth}!", wording, value[:nth] + value[nth + 1 :]
                for path, said, after in changed(each, wording):
                    yield f"{nth}/{path}", said, [*value[:nth], after, *value[nth + 1 :]]
        case Provenance():
            yield "", True, next(each for each in Provenance if each is not value)
        case bool():
            yield "", wording, not value
        case int() | Decimal() | Fraction():
            yield "", wording, value + 1
        case date():
            yield "", wording, value + timedelta(days=1)
        case str():
            yield "", wording, f"{value}!"
        case None:
            pass


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("rule", SHIPPED, ids=lambda each: each.id)
def test_a_change_of_words_is_a_revision_and_any_other_is_another_rule(rule: Any) -> None:
    one_of_a_kind = {re.sub(r"[^/]*\d[^/]*", "#", path): (path, said, after) for path, said, after in changed(rule)}
    for end in ("effective_to/", "successor/"):
        one_of_a_kind.pop(end, None)
    for path, said, after in one_of_a_kind.values():
        assert after.revision != rule.revision, path
        assert (after.identity == rule.identity) is said, path
    assert {said for _, said, _ in one_of_a_kind.values()} == {True, False}


def test_an_end_changes_neither() -> None:
    one = rubric("lc_commune_25_2023")
    ended = one.model_copy(update={"effective_to": date(2030, 1, 1), "successor": "not_found"})
    assert (ended.identity, ended.revision) == (one.identity, one.revision)


# ------------------------------------------------------------------------------------------- what rests on a rule


async def test_a_corrected_citation_is_no_new_rule_and_rescores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await filled()
    before, published = bench.documents(RESULTS.name), bench.published()
    words = {
        f"rubrics/{id}.yaml": reworded(f"rubrics/{id}.yaml")
        for id in {row["result"]["rubric"] for row in before.values()}
    }
    assert (await rehearsed(bench, read_given(words)))[-1]["summary"]["changed"] == 0
    for name, text in words.items():
        put(tmp_path, name, text)
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(tmp_path))
    assert (await order(bench))["changed"] == 0
    assert (bench.documents(RESULTS.name), bench.published()) == (before, published)

    await bench.accept(commune(targets(1), version=2))
    after = bench.result(COMMUNE)
    assert after["explanation"][0]["citation"].startswith(CORRECTED), (
        "what is told from now on is told in the new words"
    )
    assert after["version"] > before[COMMUNE]["version"]
    assert after["hash"] == before[COMMUNE]["result"]["hash"]


def test_a_corrected_citation_proposes_nothing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored()
    stored.propose(inputs())
    for name in ("funding_norms.yaml", "funding_policy.yaml"):
        put(tmp_path, name, reworded(name))
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(tmp_path))
    assert stored.propose(inputs()).verdict == "unchanged"
    changed = stored.propose(inputs(60_000_000))
    (first, *_) = [event.data for event in changed.events if isinstance(event.data, BudgetProposed)]
    assert stored.run is not None
    told = explained(first.allocation, stored.run)
    assert any(step.citation.startswith(CORRECTED) for step in told)


def test_a_list_of_an_older_release_still_guards(tmp_path: Path) -> None:
    """It holds what is now the revision, over words too."""
    put(tmp_path, "alert_policy.yaml", (DATA / "alert_policy.yaml").read_text(encoding="utf-8"))
    (own,) = [placed for placed in read_all((DATA,)).rules if placed.version.id.startswith("alert_policy/")]
    rules = [own._replace(place=own.place._replace(folder=tmp_path))]
    for guarded in (own.version.revision, own.version.identity):
        put(tmp_path, "released.yaml", {own.version.id: guarded})
        prove_released(tmp_path, rules)
    put(tmp_path, "released.yaml", {own.version.id: "0" * 64})
    with pytest.raises(RulebookError):
        prove_released(tmp_path, rules)
