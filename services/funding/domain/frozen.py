"""What an approval freezes of a run, so that later corrections are computed as the run was, to the last fraction.

How to use it: on approval `freeze(budget, …)` and store `frozen.to_json()` (strings, whole numbers and lists: safe in
JSON and in the database). For a correction read it back with `Frozen.from_json(stored)`, allocate with the corrected
inputs and the run's own rules, and give the centre's stake of `Budget.stakes_when` to `adjustment.adjust`. Equal runs
have equal JSON, and reading back gives an equal object.

A `Frozen` is arithmetic only. Who approved it, when, and which versions of the inputs stood behind it belong to the
approval that keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, cast

from services.funding.domain.budget import Budget
from services.funding.domain.sharing import Stake
from shared.contracts.facts import AllocationCase


@dataclass(frozen=True, slots=True)
class FrozenLine:
    """One centre in an approved run: its stake, its exact share, and the amount approved (đồng)."""

    stake: Stake
    exact: Fraction
    amount: int


@dataclass(frozen=True)
class Frozen:
    """The operating support that was approved for one province and year. Money in đồng.

    `operating` is what was shared among the centres: the envelope without carried deltas and equipment grants. Always
    Σ amounts + `reserve` = `operating`.
    """

    province: str
    year: int
    run_version: int
    norms: str
    """Id of the norms that the run was computed with."""
    policy: str
    """Id of the policy, likewise."""
    operating: int
    step: int
    case: AllocationCase
    lambda_: Fraction | None
    theta: Fraction | None
    caps_relaxed: bool
    norms_relaxed: bool
    reserve: int
    lines: tuple[FrozenLine, ...]
    """In order of centre id."""
    cap: int | None = None
    """What bounds centres without a base (đồng); `None`: nothing."""

    def __post_init__(self) -> None:
        keys = [line.stake.key for line in self.lines]
        if keys != sorted(set(keys)):
            raise ValueError("the lines of a frozen run must be in order of centre id, each centre once")
        total = sum(line.amount for line in self.lines)
        if total + self.reserve != self.operating or self.reserve < 0:
            raise ValueError(f"amounts {total} and reserve {self.reserve} are not the {self.operating} đồng approved")

    @cached_property
    def by_centre(self) -> Mapping[str, FrozenLine]:
        """The lines by centre id."""
        return {line.stake.key: line for line in self.lines}

    def to_json(self) -> dict[str, Any]:
        """The run as JSON, exactly: money as whole numbers, fractions as `p/q` (or `p`)."""
        return {
            "province": self.province,
            "year": self.year,
            "run_version": self.run_version,
            "norms": self.norms,
            "policy": self.policy,
            "operating": self.operating,
            "step": self.step,
            "case": self.case,
            "lambda": _text(self.lambda_),
            "theta": _text(self.theta),
            "caps_relaxed": self.caps_relaxed,
            "norms_relaxed": self.norms_relaxed,
            "reserve": self.reserve,
            "cap": self.cap,
            "lines": [
                {
                    "centre_id": line.stake.key,
                    "floor": line.stake.floor,
                    "lower": line.stake.lower,
                    "upper": line.stake.upper,
                    "weight": str(line.stake.weight),
                    "exact": str(line.exact),
                    "amount": line.amount,
                }
                for line in self.lines
            ],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Frozen:
        """Read back what `to_json` wrote. Raises `KeyError` or `ValueError` where it is not such a run."""
        return cls(
            province=stored["province"],
            year=stored["year"],
            run_version=stored["run_version"],
            norms=stored["norms"],
            policy=stored["policy"],
            operating=stored["operating"],
            step=stored["step"],
            case=cast("AllocationCase", stored["case"]),
            lambda_=None if stored["lambda"] is None else _fraction(stored["lambda"]),
            theta=None if stored["theta"] is None else _fraction(stored["theta"]),
            caps_relaxed=stored["caps_relaxed"],
            norms_relaxed=stored["norms_relaxed"],
            reserve=stored["reserve"],
            lines=tuple(
                FrozenLine(
                    Stake(line["centre_id"], line["floor"], line["lower"], line["upper"], _fraction(line["weight"])),
                    _fraction(line["exact"]),
                    line["amount"],
                )
                for line in stored["lines"]
            ),
            cap=stored.get("cap"),
        )


def freeze(budget: Budget, *, province: str, year: int, run_version: int) -> Frozen:
    """What an approval of `budget`, published as version `run_version`, keeps of it."""
    return Frozen(
        province=province,
        year=year,
        run_version=run_version,
        norms=budget.norms,
        policy=budget.policy,
        operating=budget.operating,
        step=budget.step,
        case=budget.case,
        lambda_=budget.lambda_,
        theta=budget.theta,
        caps_relaxed=budget.solution.caps_relaxed,
        norms_relaxed=budget.norms_relaxed,
        reserve=budget.reserve,
        lines=tuple(
            FrozenLine(stake, share.exact, share.amount)
            for stake, share in zip(budget.stakes, budget.solution.shares, strict=True)
        ),
        cap=budget.cap,
    )


_WRITTEN = re.compile(r"-?[0-9]{1,4000}(/[1-9][0-9]{0,3999})?")


def _text(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _fraction(written: str) -> Fraction:
    """`p/q` or `p`, as `str` writes it. A snapshot may come from anywhere; `Fraction` would take `1e999999999` too."""
    if not _WRITTEN.fullmatch(written):
        raise ValueError(f"{written[:40]!r} is no fraction p/q")
    return Fraction(written)
