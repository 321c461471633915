"""What is ours never stands under the name of a law: every rule's mark says the truth about its citation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from services.scoring.domain.judging import chosen, incomplete, notes_on
from shared.contracts.base import Provenance
from shared.rulebook import rubric, rubric_for
from shared.rulebook.checking import read_all
from shared.rulebook.source import Grounded

OURS = {Provenance.READING, Provenance.PROVISIONAL}


def grounds(value: Any) -> Iterator[Grounded]:
    """Everything in a rule that has a citation of its own."""
    if isinstance(value, Grounded):
        yield value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from grounds(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from grounds(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from grounds(each)


def test_a_citation_that_names_us_is_marked_as_ours() -> None:
    every = [ground for placed in read_all().rules for ground in grounds(placed.version)]
    wrong = {one.citation for one in every if "Langhoc" in one.citation and one.provenance not in OURS}
    assert wrong == set()
    assert len(every) > 300


def test_that_nobody_was_found_who_decides_is_no_text_of_the_law() -> None:
    (note, *_) = notes_on(rubric("lc_commune_25_2023"), 2025)
    assert note.provenance is Provenance.NOT_FOUND


def test_missing_is_not_zero_by_a_reading_of_ours() -> None:
    step, _ = incomplete(["C5.1"], 2025)
    assert step.provenance is Provenance.READING


def test_the_cut_off_day_is_named_only_where_it_decides() -> None:
    (alone,) = chosen(rubric_for("commune", 2025), 2025)
    assert alone.provenance is Provenance.FOUND
    law, day = chosen(rubric_for("commune", 2024), 2024)
    assert (law.provenance, day.provenance) == (Provenance.FOUND, Provenance.READING)
