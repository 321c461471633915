"""What funding does with each event, how a province's proposal is made, and what people decide of it.

Documents, by collection and `_id`, each declared in the room of its theme:

| room | collection | `_id` | holds |
|---|---|---|---|
| `proposal` | `centres` | centre id | the latest `RegistrationAccepted` |
| | `supports` | `<centre id>/<year>` | the latest `SupportAccepted` |
| | `equipment` | `<centre id>/<year>` | the latest `SupportAccepted` of this purpose |
| | `payments` | `<province>/<payment id>` | the latest `PaymentAccepted` |
| | `envelopes` | `<province>/<year>` | the latest `EnvelopeAccepted` |
| | `scores` | `<centre id>/<period>` | `Score`: what counts of the latest `CentreScored` |
| | `recognised` | `<centre id>/<period>` | the latest `RecognitionAccepted` on the centre's grade |
| | `files` | `<centre id>/<period>` | `Files`: when the accepted files of the period came |
| | `pending` | `<province>/<centre id>/<period>` | `Pending`: the first file of the period that was not let through |
| | `allocations` | `<centre id>/<year>` | the latest `BudgetProposed` |
| | `runs` | `<province>/<year>` | the latest `BudgetRunProposed` |
| `activity` | `activities` | `<centre id>/<period>` | `Activity`: what counts of the latest report on a centre's year |
| `life` | `budgets` | `<province>/<year>` | `Life`: where it stands; from the first action on |
| | `actions` | `<province>/<year>/<number>` | `ActionRecord`: who, when, why, before, after |
| | `refusals` | `<province>/<year>/<sender>` | `Refusals`: the sender's latest refused orders, and their number |
| | `snapshots` | `<province>/<year>/1` | head of the inputs and rules that the approval froze |
| | `snapshot_parts` | `<province>/<year>/1/<number>` | their JSON in parts of at most a million characters |
| `journal` | `decisions` | `<centre id>/<year>/<purpose>` | the latest `BudgetApproved` or `BudgetAdjusted` |
| | `granted` | `<centre id>/equipment` | `Granted`: which approvals granted the initial equipment |
| | `releases` | `<centre id>/<year>/<purpose>/<version>` | each of them as it was published |
| | `journal` | `<province>/<year>/<purpose>/<number>` | `JournalEntry`, never changed |
| `reconciling` | `reconciled` | `<province>/<year>` | the latest `BudgetReconciled` |
| `rules_used` | `rules_used` | `rules` | `RulesUsed`: the state of the rules with which the service started last |
| `adjustment` | `adjustments` | `<province>/<year>/<centre id or _reserve>/<number>` | `Adjusting` |

The first seven are facts: the newest version is kept (in the place of a withdrawn one lies its `Withdrawn`), and the
set `proposal` follows (`sets`), of payments the set `reconciliation` alone. `allocations` and `runs` are its result
until people approve it; what comes after is decided by people and only proposed by the set.
"""

from services.funding.decisions.activity import ACTIVITIES, Activity
from services.funding.decisions.adjustment.corrections import ADJUSTMENTS
from services.funding.decisions.adjustment.deciding import decide_on_adjustment
from services.funding.decisions.facts import routes
from services.funding.decisions.journal import DECISIONS, JOURNAL, OPERATING, RELEASES, Decision
from services.funding.decisions.life.acting import Absent, act, life_and_run
from services.funding.decisions.life.records import ACTIONS, DONE, LIVES, REFUSALS, SYSTEM, Command, refused
from services.funding.decisions.life.snapshots import (
    Snapshot,
    is_booked,
    is_whole,
    recomputed,
    snapshot_known,
)
from services.funding.decisions.proposal.calculating import calculated, rules_in_force
from services.funding.decisions.proposal.inputs import (
    CENTRES,
    ENVELOPES,
    EQUIPMENT,
    FILES,
    PAYMENTS,
    PENDING,
    PROPOSAL,
    RECOGNISED,
    SCORES,
    SUPPORTS,
    Pending,
    ProvinceInputs,
    ProvinceYear,
    Score,
    about,
    again,
    budget_year,
    inputs_of,
    standing,
)
from services.funding.decisions.proposal.proposing import ALLOCATIONS, RUNS, lines_of, propose
from services.funding.decisions.reconciling import RECONCILED, RECONCILIATION, compare_again, compared
from services.funding.decisions.rules_used import go_by
from services.funding.decisions.sets import PROPOSALS, SETS

__all__ = [
    "ACTIONS",
    "ACTIVITIES",
    "ADJUSTMENTS",
    "ALLOCATIONS",
    "CENTRES",
    "DECISIONS",
    "DONE",
    "ENVELOPES",
    "EQUIPMENT",
    "FILES",
    "JOURNAL",
    "LIVES",
    "OPERATING",
    "PAYMENTS",
    "PENDING",
    "PROPOSAL",
    "PROPOSALS",
    "RECOGNISED",
    "RECONCILED",
    "RECONCILIATION",
    "REFUSALS",
    "RELEASES",
    "RUNS",
    "SCORES",
    "SETS",
    "SUPPORTS",
    "SYSTEM",
    "Absent",
    "Activity",
    "Command",
    "Decision",
    "Pending",
    "ProvinceInputs",
    "ProvinceYear",
    "Score",
    "Snapshot",
    "about",
    "act",
    "again",
    "budget_year",
    "calculated",
    "compare_again",
    "compared",
    "decide_on_adjustment",
    "go_by",
    "inputs_of",
    "is_booked",
    "is_whole",
    "life_and_run",
    "lines_of",
    "propose",
    "recomputed",
    "refused",
    "routes",
    "rules_in_force",
    "snapshot_known",
    "standing",
]
