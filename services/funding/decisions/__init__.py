"""What funding does with each event, how a province's proposal is made, and what people decide of it.

Documents, by collection and `_id`, each declared in the room of its theme:

| room | collection | `_id` | holds |
|---|---|---|---|
| `proposal` | `centres` | centre id | the latest `RegistrationAccepted` |
| | `supports` | `<centre id>/<year>` | the latest `SupportAccepted` |
| | `envelopes` | `<province>/<year>` | the latest `EnvelopeAccepted` |
| | `scores` | `<centre id>/<period>` | `Score`: what counts of the latest `CentreScored` |
| | `pending` | `<province>/<centre id>/<period>` | `Pending`: a file that was not let through |
| | `allocations` | `<centre id>/<year>` | the latest `BudgetProposed` |
| | `runs` | `<province>/<year>` | the latest `BudgetRunProposed` |
| `life` | `budgets` | `<province>/<year>` | `Life`: where it stands; from the first action on |
| | `actions` | `<province>/<year>/<number>` | `ActionRecord`: who, when, why, before, after; refused ones too |
| | `snapshots` | `<province>/<year>/1` | head of the inputs and rules that the approval froze |
| | `snapshot_parts` | `<province>/<year>/1/<number>` | their JSON in parts of at most a million characters |
| `journal` | `decisions` | `<centre id>/<year>/<purpose>` | the latest `BudgetApproved` or `BudgetAdjusted` |
| | `releases` | `<centre id>/<year>/<purpose>/<version>` | each of them as it was published |
| | `journal` | `<province>/<year>/<purpose>/<number>` | `JournalEntry`, never changed |
| `adjustment` | `adjustments` | `<province>/<year>/<centre id or _reserve>/<number>` | `Adjusting` |

The first five are facts: the newest version is kept, and the set `proposal` follows (`sets`). `allocations` and `runs`
are its result until people approve it; what comes after is decided by people and only proposed by the set.
"""

from services.funding.decisions.adjustment import ADJUSTMENTS, Adjusting, decide_on_adjustment
from services.funding.decisions.facts import routes
from services.funding.decisions.journal import DECISIONS, JOURNAL, OPERATING, RELEASES, TOPIC, Decision
from services.funding.decisions.life import (
    ACTIONS,
    DONE,
    LIVES,
    PARTS,
    SNAPSHOTS,
    SYSTEM,
    Absent,
    Command,
    Snapshot,
    act,
    is_whole,
    life_of,
    part_refs,
    recomputed,
    refused,
    snapshot_ref,
    whole,
)
from services.funding.decisions.proposal import (
    ALLOCATIONS,
    CENTRES,
    ENVELOPES,
    PENDING,
    PROPOSAL,
    RUNS,
    SCORES,
    SUPPORTS,
    Pending,
    ProvinceInputs,
    ProvinceYear,
    Score,
    again,
    budget_year,
    calculated,
    inputs_of,
    propose,
    rules_in_force,
)
from services.funding.decisions.sets import PROPOSALS, SETS

__all__ = [
    "ACTIONS",
    "ADJUSTMENTS",
    "ALLOCATIONS",
    "CENTRES",
    "DECISIONS",
    "DONE",
    "ENVELOPES",
    "JOURNAL",
    "LIVES",
    "OPERATING",
    "PARTS",
    "PENDING",
    "PROPOSAL",
    "PROPOSALS",
    "RELEASES",
    "RUNS",
    "SCORES",
    "SETS",
    "SNAPSHOTS",
    "SUPPORTS",
    "SYSTEM",
    "TOPIC",
    "Absent",
    "Adjusting",
    "Command",
    "Decision",
    "Pending",
    "ProvinceInputs",
    "ProvinceYear",
    "Score",
    "Snapshot",
    "act",
    "again",
    "budget_year",
    "calculated",
    "decide_on_adjustment",
    "inputs_of",
    "is_whole",
    "life_of",
    "part_refs",
    "propose",
    "recomputed",
    "refused",
    "routes",
    "rules_in_force",
    "snapshot_ref",
    "whole",
]
