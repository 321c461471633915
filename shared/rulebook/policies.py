"""Policies on alerts, requests and releases: working defaults that a ministry (of alerts and releases a province too)
replaces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Nfc
from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.rubrics import HANOI
from shared.rulebook.source import Dated, Exact, Grounded

Factor = Annotated[Exact, Field(ge=0)]


class CommuneThresholds(Grounded):
    """Results of a commune that call for an alert."""

    grades: list[Nfc]
    levels: list[int]


class CentreThresholds(Grounded):
    """Results of a centre that call for an alert."""

    grades: list[Nfc]


class SupportChange(Grounded):
    """A digest names a centre whose support differs from last year's by *more than* this share of it."""

    more_than: Factor


class AlertPolicy(Dated):
    """What a province must be told."""

    commune: CommuneThresholds
    centre: CentreThresholds
    support_change: SupportChange


class Answering(Grounded):
    """In how many days something is answered: counted from the day after it, and to the end of the last one."""

    within_days: Annotated[int, Field(ge=1, le=366)]

    def decide_by(self, requested_at: datetime) -> datetime:
        """First instant at which an answer comes too late."""
        day = requested_at.astimezone(HANOI).date() + timedelta(days=self.within_days + 1)
        return datetime(day.year, day.month, day.day, tzinfo=HANOI)


Holding = Literal["population_differs", "population_above_whole", "value_without_evidence"]
"""A warning that a result's content by itself is given. What is held against other facts (a jump from the period
before) only intake knows, and no release can be held by it."""


class Holds(Grounded):
    """Warnings of a result that hold the release of every ranking in which it stands, until somebody accepts them."""

    warnings: list[Holding]
    """Empty: none does."""


class ReleasePolicy(Dated):
    """How a ranking is released."""

    held_by: Holds


class RequestPolicy(Dated):
    """How the ministry deals with requests of provinces."""

    late: Answering
    """For late acceptance."""


class Base(Grounded):
    """From where a path begins."""

    within_years: Annotated[int, Field(ge=1, le=20)]
    """The last share known of so many years before the scheme stands for its beginning."""


class PathPolicy(Dated):
    """How much of a goal is to be reached by each year on the way to it."""

    line: Literal["straight"]
    """The same step each year, from the end of the year before the scheme to the end of the goal's year."""
    base: Base


@lru_cache
def path_policies(places: Sequence[Path]) -> Layers[PathPolicy]:
    """All versions in these folders. Raises `RulebookError`."""
    return load_layers(places, "path_policy.yaml", PathPolicy)


def path_policy(on: date, province: str | None = None) -> PathPolicy:
    """The policy in force on a period's last day: a province's own, else the ministry's, else the working default.

    Args:
        province: code on that day; `None` = the nation's.

    Raises `NoRuleInForce`, `RulebookError`.
    """
    return path_policies(folders()).in_force(on, province)


@lru_cache
def request_policies(places: Sequence[Path]) -> Layers[RequestPolicy]:
    """All versions in these folders. Raises `RulebookError`."""
    return load_layers(places, "request_policy.yaml", RequestPolicy)


def request_policy(on: date) -> RequestPolicy:
    """The policy in force on the day of a request: the ministry's, else the working default.

    Raises `NoRuleInForce`, `RulebookError`.
    """
    return request_policies(folders()).in_force(on)


class AppealPolicy(Dated):
    """How provinces and the ministry deal with appeals against results."""

    made: Answering
    """By the province, after a version of a result was published."""
    decided: Answering
    """By the ministry, after the appeal."""


@lru_cache
def appeal_policies(places: Sequence[Path]) -> Layers[AppealPolicy]:
    """All versions in these folders. Raises `RulebookError`."""
    return load_layers(places, "appeal_policy.yaml", AppealPolicy)


def appeal_policy(on: date) -> AppealPolicy:
    """The policy in force on a day: the ministry's, else the working default.

    Raises `NoRuleInForce`, `RulebookError`.
    """
    return appeal_policies(folders()).in_force(on)


@lru_cache
def release_policies(places: Sequence[Path]) -> Layers[ReleasePolicy]:
    """All versions in these folders. Raises `RulebookError`."""
    return load_layers(places, "release_policy.yaml", ReleasePolicy)


def release_policy(on: date, province: str | None = None) -> ReleasePolicy:
    """The policy in force on a period's last day: of a province's ranking its own, else the ministry's, else the
    working default.

    Args:
        province: code on that day; `None` = the nation's.

    Raises `NoRuleInForce`, `RulebookError`.
    """
    return release_policies(folders()).in_force(on, province)


@lru_cache
def alert_policies(places: Sequence[Path]) -> Layers[AlertPolicy]:
    """All alert policies of these folders. Raises `RulebookError`."""
    return load_layers(places, "alert_policy.yaml", AlertPolicy)


def alert_policy(on: date, province: str | None = None) -> AlertPolicy:
    """The alert policy in force on a day: the province's own, else the ministry's, else the working default.

    Args:
        province: code on that day; `None` = the nation's.

    Raises:
        NoRuleInForce: none was in force.
        RulebookError: a file cannot be used.
    """
    return alert_policies(folders()).in_force(on, province)
