"""Titles of the learning models by single decisions: what they are counted for, and from when to when they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.contracts.submissions import TitleModel
from shared.rulebook.models import ModelsRubric
from shared.rulebook.overlays import Layers, folders, load_layers, nation_alone
from shared.rulebook.source import Dated, Grounded

FILE = "titles_policy.yaml"


class TitlesPolicy(Dated):
    """How single decisions become a numerator."""

    metrics: dict[TitleModel, Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]]
    """Which share of a commune's learning models each feeds, by the word of the goals (`learning_families`)."""
    holding: Grounded
    """From when to when a title holds."""
    one_holder: Grounded
    """That a holder has one title of a model: of several decisions the later one counts, where it was taken."""
    one_source: Grounded
    """Which source counts in a commune and year where there are two; the other is compared."""

    def titles(self, rubric: ModelsRubric) -> Mapping[str, TitleModel]:
        """Ids of the rubric's models that single decisions feed → their titles."""
        by_metric: dict[str, TitleModel] = {metric: model for model, metric in self.metrics.items()}
        return {one.id: by_metric[one.metric] for one in rubric.models if one.metric in by_metric}


@lru_cache
def titles_policies(places: Sequence[Path]) -> Layers[TitlesPolicy]:
    """All versions in these folders. Raises `RulebookError`: also where a province has its own."""
    return nation_alone(load_layers(places, FILE, TitlesPolicy))


def titles_policy(on: date) -> TitlesPolicy:
    """The policy in force on a day: the ministry's, else the working default.

    Raises `NoRuleInForce`, `RulebookError`.
    """
    return titles_policies(folders()).in_force(on)
