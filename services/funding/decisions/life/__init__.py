"""The life of a province's budget: who acts on it, what an approval freezes and books, what is published."""

from services.funding.decisions.life.acting import Absent, act, life_and_run, life_of, proposed_anew
from services.funding.decisions.life.records import (
    ACTIONS,
    DONE,
    LIVES,
    SYSTEM,
    Command,
    recorded,
    refused,
)
from services.funding.decisions.life.snapshots import (
    PARTS,
    SNAPSHOTS,
    Approved,
    Snapshot,
    is_whole,
    part_refs,
    recomputed,
    snapshot_known,
    snapshot_ref,
    whole,
)

__all__ = [
    "ACTIONS",
    "DONE",
    "LIVES",
    "PARTS",
    "SNAPSHOTS",
    "SYSTEM",
    "Absent",
    "Approved",
    "Command",
    "Snapshot",
    "act",
    "is_whole",
    "life_and_run",
    "life_of",
    "part_refs",
    "proposed_anew",
    "recomputed",
    "recorded",
    "refused",
    "snapshot_known",
    "snapshot_ref",
    "whole",
]
