"""Which list of area classes (xã khu vực I, II, III) holds when. The class decides the legal minimum of support.

Three notions of "difficult" must not be mixed: these regions, the specially difficult communes of Decree 20/2014, and
the "difficult area" of Circular 25/2023. Which commune stands in which class is on no public list that was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import AreaClass
from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.source import WORDING, Dated


class AreaList(Dated):
    """A list of communes by class, from one day on."""

    legal_reference: Annotated[Nfc, WORDING]
    classes: Annotated[list[AreaClass], Field(min_length=1)]
    note: Text | None = None
    """What is uncertain about its dates or its reach."""


@lru_cache
def area_lists(places: Sequence[Path]) -> Layers[AreaList]:
    """All lists in these folders. Raises `RulebookError`."""
    return load_layers(places, "area_classes.yaml", AreaList)


def area_list(on: date) -> AreaList:
    """The list that says on that day in which class a commune lies.

    Raises:
        NoRuleInForce: none was; classes of an ended list are not carried on.
        RulebookError: a file cannot be used.
    """
    return area_lists(folders()).in_force(on)
