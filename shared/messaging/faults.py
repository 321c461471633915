"""Saboteurs: what goes wrong between machines, done on purpose, to see that nothing is lost and nothing doubled.

Off unless `LANGHOC_FAULTS` names them, each with its probability:

    duplicate=0.05,fail_before_commit=0.02,fail_after_commit=0.02,delay=0.05:200ms,drop_ack=0.05,garble=0.01,skew=600s,
    seed=7

- `duplicate`: a record is delivered a second time within its batch;
- `fail_before_commit`: a batch's transaction is written, and given up instead of committed;
- `fail_after_commit`: it is committed, and the answer is lost;
- `drop_ack`: an acknowledgement is lost: ours to the broker (the offsets of a batch stay uncommitted), or the broker's
  to us (a page of the outbox is sent again);
- `delay`: any of these steps takes so much longer;
- `garble`: a batch arrives with a wrong bit, as over a bad line; when it is asked for again, in order;
- `skew`: the host's clock is so much fast (or slow: -600s), as far as our clock reads it;
- `seed`: the same seed strikes at the same steps again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypeVar

import structlog

from shared.mongo import Unavailable

R = TypeVar("R")
log = structlog.get_logger()


class Step(StrEnum):
    """The moments between two steps of delivery at which a process may die, or an answer may be lost."""

    COMMITTING = "committing"
    """The batch's transaction is written, not committed."""
    COMMITTED = "committed"
    """Its effects are in the database; nobody was told."""
    ACKNOWLEDGING = "acknowledging"
    """The batch is finished; its offsets are not committed."""
    CONFIRMED = "confirmed"
    """The broker has a page of the outbox; its rows are not deleted."""


class Injected(Unavailable):
    """A saboteur struck. It is met like the failure that it plays."""


class Faults:
    """No faults. The pipeline, the consumer and the relay pass here on every batch."""

    def delivered(self, records: Sequence[R]) -> Sequence[R]:
        """The batch as it is to be processed."""
        return records

    async def reach(self, step: Step) -> None:
        """Delivery has come to this step; raises what goes wrong there."""

    def arrived(self, batch: bytes) -> bytes:
        """A batch of records as it comes from the broker."""
        return batch


NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Probabilities of the saboteurs. None by default."""

    duplicate: float = 0.0
    fail_before_commit: float = 0.0
    fail_after_commit: float = 0.0
    drop_ack: float = 0.0
    garble: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 0.0
    skew_seconds: float = 0.0
    seed: int = 0

    def __bool__(self) -> bool:
        return self != FaultPlan(seed=self.seed)

    @classmethod
    def parse(cls, text: str) -> FaultPlan:
        """Read the setting. Raises `ValueError` in words for whoever set it."""
        chosen: dict[str, float] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = part.partition("=")
            try:
                match name:
                    case "seed":
                        chosen["seed"] = int(value)
                    case "delay":
                        chance, _, duration = value.partition(":")
                        chosen["delay"] = _probability(chance)
                        chosen["delay_seconds"] = _seconds(duration)
                    case "skew":
                        chosen["skew_seconds"] = _skew(value)
                    case "duplicate" | "fail_before_commit" | "fail_after_commit" | "drop_ack" | "garble":
                        chosen[name] = _probability(value)
                    case _:
                        names = (field.name for field in fields(cls) if field.name != "delay_seconds")
                        known = ", ".join(name.removesuffix("_seconds") for name in names)
                        raise ValueError(f"there is no such fault; there are {known}")
            except ValueError as error:
                raise ValueError(f"{part!r}: {error}") from error
        return cls(**chosen)  # type: ignore[arg-type]  # `seed` is the one whole number


def _probability(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError("a probability lies between 0 and 1")
    return value


def _seconds(text: str) -> float:
    if not text.endswith("ms"):
        raise ValueError("a delay is written like 0.05:200ms")
    value = float(text.removesuffix("ms")) / 1000
    if not 0 <= value <= 60:
        raise ValueError("a delay lies between 0 and 60000ms")
    return value


def _skew(text: str) -> float:
    if not text.endswith("s"):
        raise ValueError("a skew is written like 600s or -600s")
    value = float(text.removesuffix("s"))
    if not -86_400 <= value <= 86_400:
        raise ValueError("a skew lies between -86400s and 86400s")
    return value


class Saboteur(Faults):
    """Strikes by a plan, at random but the same way for the same seed."""

    def __init__(self, plan: FaultPlan, *, process: str) -> None:
        self._plan = plan
        self._random = random.Random(f"{plan.seed}/{process}")  # copies of a service are struck at different steps
        self._garbled: set[bytes] = set()
        self._strikes = {
            Step.COMMITTING: plan.fail_before_commit,
            Step.COMMITTED: plan.fail_after_commit,
            Step.ACKNOWLEDGING: plan.drop_ack,
            Step.CONFIRMED: plan.drop_ack,
        }

    def delivered(self, records: Sequence[R]) -> Sequence[R]:
        """Some records twice, one behind the other: within a partition a batch never goes backwards."""
        return [copy for record in records for copy in [record] * (2 if self._chance(self._plan.duplicate) else 1)]

    def arrived(self, batch: bytes) -> bytes:
        if batch in self._garbled:
            self._garbled.discard(batch)
        elif self._chance(self._plan.garble):
            self._garbled.add(batch)
            log.warning("fault.injected", step="fetched")
            return batch[:-1] + bytes([batch[-1] ^ 1])
        return batch

    async def reach(self, step: Step) -> None:
        if self._chance(self._plan.delay):
            await asyncio.sleep(self._plan.delay_seconds)
        if self._chance(self._strikes[step]):
            log.warning("fault.injected", step=step.value)
            raise Injected(f"a saboteur struck while {step.value}")

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability


def saboteurs(plan: FaultPlan, *, process: str) -> Faults:
    """What the setting asks for; said loudly, because nobody wants this by oversight."""
    if not plan:
        return NO_FAULTS
    log.critical("faults.on", setting="LANGHOC_FAULTS", plan=str(plan))
    return Saboteur(plan, process=process)
