"""Two results of the same subject and period, field by field: what differs, and on which ground.

Only what was judged counts: not versions, hashes or the order of arrival, so that judging the same inputs again by the
same rules shows no difference at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.contracts.base import Contract, Step, figures

Json = Any
_NOT_JUDGED = frozenset({"version", "supersedes", "hash", "imported"})
_WORDS = frozenset({"explanation", "next_step"})
"""Lists of sentences: compared as sets, since one more sentence moves all that follow."""


class Difference(Contract):
    """One field of a result before and after, as JSON values; `None` where it did not exist."""

    field: str
    """Path of names and ids: `level`, `criteria/C5/targets/C5.1/met/L2`."""
    before: Json
    after: Json
    why: list[Step]
    """The rules that made the value after: of the criterion or target, else the new steps of the explanation."""


def judged(result: Mapping[str, Json]) -> dict[str, Json]:
    """The part of a result (as JSON) that is compared: what was judged and why."""
    kept = {name: value for name, value in result.items() if name not in _NOT_JUDGED}
    if "centre_id" in kept:
        kept.pop("unit_id", None)  # an earlier release did not tell where a centre lies
    kept["references"] = {
        f"{each['series']} {each['subject']}": {name: value for name, value in each.items() if name != "version"}
        for each in result["references"]
    }
    return kept


def same_figures(before: Mapping[str, Json], after: Mapping[str, Json]) -> bool:
    """Whether two results (as JSON) differ in words at most: sentences, names, citations and their provenance."""
    old, new = (
        figures({name: value for name, value in judged(result).items() if name not in _WORDS})
        for result in (before, after)
    )
    return bool(old == new)


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[Difference]:
    """Every field in which two results (as JSON) of the same inputs differ, in order of their paths.

    Words alone are no difference: they have revisions of their own.
    """
    if same_figures(before, after):
        return []
    old, new = judged(before), judged(after)
    steps = [Step.model_validate(step) for step in new["explanation"] if step not in old["explanation"]]
    grounds = dict(_grounds(new))
    found = []
    for name in _WORDS:
        gone = [each for each in old.pop(name) if each not in new[name]]
        came = [each for each in new.pop(name) if each not in before[name]]
        if gone or came:
            found.append(Difference(field=name, before=gone, after=came, why=steps))
    old_leaves, new_leaves = dict(_leaves("", old)), dict(_leaves("", new))
    for path in old_leaves.keys() | new_leaves.keys():
        was, becomes = old_leaves.get(path), new_leaves.get(path)
        if was != becomes:
            found.append(Difference(field=path, before=was, after=becomes, why=_why(path, grounds, steps)))
    return sorted(found, key=lambda each: each.field)


def _why(path: str, grounds: Mapping[str, Step], steps: list[Step]) -> list[Step]:
    """The nearest criterion or target around the path, else the whole result's new steps."""
    inside = [place for place in grounds if path.startswith(f"{place}/")]
    return [grounds[max(inside, key=len)]] if inside else steps


def _leaves(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    """Single values by path; a list of things with ids is read by id, any other list is one value."""
    if isinstance(value, list) and any(isinstance(each, dict) and "id" in each for each in value):
        value = {each["id"]: each for each in value}
    if isinstance(value, dict) and value and value.keys() != {"vi", "en"}:
        for name, inner in value.items():
            yield from _leaves(f"{path}/{name}" if path else str(name), inner)
    else:
        yield path, value


def _grounds(result: Mapping[str, Json]) -> Iterator[tuple[str, Step]]:
    """Per criterion and target of a result, what it says of itself and on which ground."""
    for criterion in result["criteria"]:
        place = f"criteria/{criterion['id']}"
        yield place, _step(criterion)
        for target in criterion["targets"]:
            yield f"{place}/targets/{target['id']}", _step(target)


def _step(judged: Mapping[str, Json]) -> Step:
    return Step.model_validate(
        {
            "what": judged["reason"] or judged["name"],
            "citation": judged["citation"],
            "provenance": judged["provenance"],
        }
    )
