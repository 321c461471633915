"""Whatever figures a file holds: what is doubted of it points into it, and equal populations are never doubted."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.submissions import TargetsContent
from shared.rulebook import content_doubts, jumps, plausibility_on, rubric

RULE = plausibility_on(date(2025, 12, 31))
UNIVERSAL = rubric("pcgd_xmc_20_2014")
EVIDENCE = st.sampled_from([["Biên bản"], []])


@st.composite
def shares(draw: st.DrawFn, sizes: st.SearchStrategy[int]) -> dict[str, int]:
    whole = draw(sizes)
    return {"numerator": draw(st.integers(0, whole)), "denominator": whole}


def contents(sizes: st.SearchStrategy[int]) -> st.SearchStrategy[TargetsContent]:
    """Some of the shares of universal education, of populations of these sizes."""
    value = st.builds(
        lambda share, evidence: {"type": "share", "share": share, "evidence": evidence}, shares(sizes), EVIDENCE
    )
    ids = st.sampled_from([one.id for one in UNIVERSAL.targets])  # type: ignore[union-attr]
    return st.dictionaries(ids, value).map(lambda targets: TargetsContent.model_validate({"targets": targets}))


ANY = contents(st.integers(0, 400))


def at(content: TargetsContent, field: str) -> Any:
    """What a pointer into the submission means. Raises `LookupError` where there is nothing."""
    found: Any = {"content": content.model_dump(mode="json")}
    for part in field.split("/")[1:]:
        found = found[part]
    return found


@given(now=ANY, before=ANY)
def test_every_doubt_points_at_what_it_speaks_of(now: TargetsContent, before: TargetsContent) -> None:
    for one in [*content_doubts(UNIVERSAL, now, RULE), *jumps(before, now, 2024, RULE.jump)]:
        value = at(now, one.field)
        assert value == [] if one.code == "value_without_evidence" else value is not None
        assert one.message.vi != one.message.en


@given(now=contents(st.just(120)))
def test_populations_of_one_size_are_never_doubted(now: TargetsContent) -> None:
    assert {one.code for one in content_doubts(UNIVERSAL, now, RULE)} <= {"value_without_evidence"}


@given(content=ANY)
def test_a_file_like_last_years_is_no_jump(content: TargetsContent) -> None:
    assert [*jumps(content, content, 2024, RULE.jump)] == []


@given(now=ANY, before=ANY)
def test_what_jumps_from_one_to_the_other_jumps_back(now: TargetsContent, before: TargetsContent) -> None:
    there, back = (
        [(one.code, one.field) for one in jumps(*pair, 2024, RULE.jump)] for pair in ((before, now), (now, before))
    )
    assert sorted(there) == sorted(back)
