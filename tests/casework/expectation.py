"""What a case may expect, as it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, field_validator, model_validator

from shared.contracts import facts
from shared.contracts.facts import AlertKind
from tests.casework.records import Code, Data, Strict

EXPLAINED = ("says", "grounds")
"""What may be expected of an explanation beside the fields: words in it, and how well steps with such words are
supported."""


def _known_to(*models: type[BaseModel], also: Iterable[str] = ()) -> AfterValidator:
    """A key that none of these has is a slip of the pen, not a difference."""
    known = {field.alias or name for model in models for name, field in model.model_fields.items()} | set(also)

    def check(value: Any) -> Any:
        if isinstance(value, dict) and (unknown := sorted(value.keys() - known)):
            raise ValueError(f"unknown key {', '.join(unknown)}; there is {', '.join(sorted(known))}")
        return value

    return AfterValidator(check)


Fact = Annotated[
    Data | None,
    _known_to(
        facts.CommuneAccepted,
        facts.CentreAccepted,
        facts.AssessmentAccepted,
        facts.RegistrationAccepted,
        facts.EnvelopeAccepted,
        facts.SupportAccepted,
        facts.PaymentAccepted,
        facts.RecognitionAccepted,
        facts.TitleAccepted,
        facts.Withdrawn,
    ),
]
Result = Annotated[
    Data | None, _known_to(facts.CommuneScored, facts.CentreScored, facts.AssessmentScored, also=EXPLAINED)
]
Money = Annotated[
    Data | int | None,
    _known_to(facts.Allocation, facts.BudgetRunProposed, also=("grant", "previous_amount", *EXPLAINED)),
]
Decision = Annotated[Data | int | None, _known_to(facts.BudgetApproved, facts.BudgetAdjusted)]
Release = Annotated[Data | None, _known_to(facts.RankingReleased, also=("ranks",))]
Goal = Annotated[Data | None, _known_to(facts.GoalAttained)]
Payments = Annotated[Data | None, _known_to(facts.PurposeReconciled, also=("short", "over"))]
Adjustment = Annotated[Data | None, _known_to(facts.AdjustmentProposed)]


class Receipt(Strict):
    """What a receipt says; what stands alone is its status."""

    status: Code | list[Code] | None = None
    """One, or one of several."""
    told: bool | None = None
    """Whether it names a problem or a warning: anything but a silent acceptance."""
    problems: list[str] | None = None
    """All of them, as `code` or `code /pointer`."""
    warnings: list[str] | None = None
    says: list[str] | str = []
    """Texts that its problems and warnings contain, in either language."""
    fields: Annotated[Data, _known_to(facts.Receipt)] = {}
    """Anything else of the receipt (`version`, `deadline`, `period`, …)."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"status": value}
        if isinstance(value, dict):
            known = cls.model_fields.keys()
            own = {name: each for name, each in value.items() if name in known}
            return {**own, "fields": {name: each for name, each in value.items() if name not in known}}
        return value


class Expectation(Strict):
    """What must have come of it."""

    receipts: dict[str, list[Receipt]] = {}
    """By a record's id; a list where it was answered several times."""
    accepted: dict[str, Fact] = {}
    """By a record's id: the fact that was made of it; `none`: it was not accepted."""
    results: dict[str, Result] = {}
    """By `<series> <subject>/<period>`; `none`: there is no result."""
    ranks: dict[str, dict[str, int | None]] = {}
    """By `<scope>/<period>`, the rank of each commune; `none`: it is not ranked."""
    money: dict[str, Money] = {}
    """By `<province>/<year>` the proposal, by `<centre>/<year>` its line."""
    decisions: dict[str, Decision] = {}
    """By `<centre>/<year>`, or with `/equipment`: what is approved."""
    adjustments: dict[str, Adjustment] = {}
    """By `<centre>/<year>`: the newest proposal to adjust it."""
    payments: dict[str, Payments] = {}
    """By `<province>/<year>`, or with `/equipment`: what was paid beside what was decided; `none`: nothing is told, or
    nothing of the purpose is left to compare. `short` and `over`: by how much, by centre."""
    releases: dict[str, Release] = {}
    """By `<scope>/<period>`: the last act that released or withdrew the ranking, with the `ranks` that it shows."""
    attainment: dict[str, dict[str, Goal] | None] = {}
    """By `<province>/<year>` and goal: how far it is reached; `none`: nothing was ever counted there."""
    alerts: dict[str, dict[AlertKind, list[Code]] | None] = {}
    """By audience and kind: the subjects of all matters that were ever told; `none`: no alert at all."""
    open_alerts: dict[str, dict[AlertKind, list[Code] | dict[Code, list[str] | str]] | None] = {}
    """By audience and kind: the subjects of those that stand, or by subject what they say; `none`: none stands."""

    @field_validator("receipts", mode="before")
    @classmethod
    def _answers(cls, value: Any) -> Any:
        return (
            {name: each if isinstance(each, list) else [each] for name, each in value.items()}
            if isinstance(value, dict)
            else value
        )

    @field_validator(
        "accepted",
        "results",
        "ranks",
        "money",
        "decisions",
        "adjustments",
        "payments",
        "releases",
        "attainment",
        "alerts",
        "open_alerts",
        mode="before",
    )
    @classmethod
    def _none(cls, value: Any) -> Any:
        return _without_none(value)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items()}
    return None if value == "none" else value
