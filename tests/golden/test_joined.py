"""From a scored event and the rules that it names, and from nothing else, everything can be told and computed again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from services.scoring.decisions import RULEBOOKS, RULES, release_rules
from services.scoring.decisions.results import published
from services.scoring.domain import without_words
from shared.contracts.explained import AnyExplained, CriterionResult, TargetResult
from shared.contracts.facts import CentreAccepted, Inputs
from shared.contracts.rules import RulebookReleased, RuleReleased
from shared.messaging.decide.asking import Outcome
from shared.messaging.send.events import body_of
from shared.rulebook.book import rulebook
from tests.explaining import explained
from tests.golden import test_other_rubrics, test_scoring
from tests.golden.joined import Audit, Joined
from tests.unit.scoring_bench import Bench

Told = tuple[Any, AnyExplained]
"""A scored event as JSON, and the result with its words as the API answers it."""
JUDGES = ("score_commune", "score_centre", "score_assessment")


@pytest.fixture(scope="module")
def told() -> list[Told]:
    """What comes of every golden case."""
    found: list[Told] = []

    def listening(judge: Callable[..., AnyExplained]) -> Callable[..., AnyExplained]:
        def judged(accepted: Any, *given: Any, **more: Any) -> AnyExplained:
            result = judge(accepted, *given, **more)
            recognitions, references, _, *counts = ((), (), *given) if isinstance(accepted, CentreAccepted) else given
            inputs = Inputs(
                recognitions=tuple(recognitions),
                references=tuple(references),
                counts=counts[0] if counts else None,
                standards=tuple(more.get("standards", ())),
            )
            event = published(without_words(result, rulebook().revision), accepted, inputs)
            found.append((json.loads(body_of(event)), result))
            return result

        return judged

    with pytest.MonkeyPatch.context() as patch:
        for module in (test_scoring, test_other_rubrics):
            for name in JUDGES:
                if hasattr(module, name):
                    patch.setattr(module, name, listening(getattr(module, name)))
        for (case,) in (param.values for param in test_scoring._cases()):
            test_scoring._score(case)
        for _ in test_other_rubrics.played():
            pass
    return found


@pytest.fixture(scope="module")
def topic() -> dict[str, Any]:
    """The topic of rules as anybody reads it: its records by key."""

    async def first_start() -> Outcome:
        outcome = await (await Bench().start()).commands.order("rules/first", rulebook(), release_rules)
        assert outcome is not None
        return outcome

    import asyncio

    outcome = asyncio.run(first_start())
    return {each.key: json.loads(body_of(each.data)) for each in outcome.events}


def rules_of(event: Any, topic: dict[str, Any]) -> dict[str, Any]:
    """The rules that an event names, by id."""
    named = topic[event["rulebook"]]["rules"]
    return {id: topic[f"{id}@{revision}"]["content"] for id, revision in named.items()}


def targets_of(result: AnyExplained) -> Iterator[tuple[CriterionResult, TargetResult]]:
    """All targets that a result explains."""
    return ((criterion, target) for criterion in result.criteria for target in criterion.targets)


def test_every_kind_of_rubric_is_among_the_cases(told: list[Told]) -> None:
    assert {event["content"]["scoring"] for event, _ in told} == {"points", "pass_fail"}
    kinds = {
        rule.content["scoring"] for rule in rulebook().documents if rule.id in {event["rubric"] for event, _ in told}
    }
    assert kinds == {"points", "pass_fail", "standard_levels", "roll_up"}


def test_an_auditor_joins_event_and_rules_and_comes_to_the_same(told: list[Told], topic: dict[str, Any]) -> None:
    for event, result in told:
        audit = Audit(event, rules_of(event, topic))
        joined = audit.targets()
        assert joined.keys() == {(criterion.id, target.id) for criterion, target in targets_of(result)}
        for criterion, target in targets_of(result):
            mine = joined[criterion.id, target.id]
            assert (mine.name, mine.met) == (target.name.model_dump(), target.met), (event["rubric"], target)
            assert set(mine.citation.split("; ")) <= set(target.citation.split("; "))
            assert thresholds(mine) == {level: number_in(text) for level, text in target.threshold.items()}
            assert event["criteria"][criterion.id]["targets"][target.id] == mine.met
        if audit.rule["scoring"] == "points":
            points = {id: None if one is None else float(one) for id, one in audit.points().items()}
            told_points = {one.id: None if one.points is None else float(one.points) for one in result.criteria}
            assert (points, audit.grade()) == (told_points, result.grade)
        if audit.rule["scoring"] == "pass_fail":
            assert audit.level() == result.level


def thresholds(joined: Joined) -> dict[str, Any]:
    """As numbers; of two shares the first one, of what is done or not done nothing."""

    def number(value: Any) -> Any:
        value = value["trained"] if isinstance(value, dict) else value
        return number_in(str(value)) if value is not None else None

    return {level: number(value) for level, value in joined.thresholds.items()}


def number_in(text: str) -> Any:
    """`≥ 60 %` → 3/5, `≥ 2` → 2, a grade as it is; nothing where no number is asked."""
    words = text.replace("≥ ", "").split()
    is_number = bool(words) and words[0].replace("/", "").replace(".", "").isdigit()
    if is_number:
        return Fraction(words[0]) / (100 if "%" in "".join(words[1:2]) else 1)
    return text if text in ("tot", "kha", "trung_binh", "yeu", "chua_dat") else None


def test_our_own_judging_tells_the_whole_explanation_of_an_event_word_for_word(told: list[Told]) -> None:
    for event, result in told:
        assert explained(event) == result


def test_the_rules_on_the_topic_are_those_that_judge(topic: dict[str, Any]) -> None:
    """Read again by its own model, each document is the rule that it was made of."""
    from shared.rulebook import readings_on, rubrics
    from shared.rulebook.readings import Readings

    for rule in rubrics():
        again = type(rule).model_validate_json(json.dumps(topic[f"{rule.id}@{rule.revision}"]["content"]), strict=False)
        assert again == rule
    readings = readings_on(rubrics()[-1].effective_from.replace(year=2025))
    kept = topic[f"{readings.id}@{readings.revision}"]["content"]
    assert Readings.model_validate_json(json.dumps(kept), strict=False) == readings


async def test_a_start_publishes_what_is_new_and_a_repeat_says_nothing() -> None:
    bench = await Bench().start()
    first = await bench.commands.order("rules/1", rulebook(), release_rules)
    again = await bench.commands.order("rules/2", rulebook(), release_rules)
    assert first is not None
    assert again is not None
    whole = [each.data for each in first.events if isinstance(each.data, RulebookReleased)]
    single = [each.data for each in first.events if isinstance(each.data, RuleReleased)]
    assert [each.rules for each in whole] == [rulebook().revisions]
    assert {each.id: each.revision for each in single} == rulebook().revisions
    assert (again.events, again.puts) == ([], {})
    assert len(bench.documents(RULES.name)) == len(single)
    assert len(bench.documents(RULEBOOKS.name)) == 1
