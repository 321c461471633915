"""What funding does with each event, and how a province's proposal is made of what it then knows.

Documents, by collection and `_id`:

| collection | `_id` | document |
|---|---|---|
| `centres` | centre id | the latest `RegistrationAccepted` |
| `supports` | `<centre id>/<year>` | the latest `SupportAccepted` |
| `envelopes` | `<province>/<year>` | the latest `EnvelopeAccepted` |
| `years` | province | `years`: the budget years that have an envelope |
| `scores` | `<centre id>/<period>` | what counts of the latest `CentreScored`, with its `traceparent` |
| `pending` | `<province>/<centre id>/<period>` | a file that was rejected, held or in conflict, until a result stands |
| `allocations` | `<centre id>/<year>` | the latest `BudgetProposed` |
| `runs` | `<province>/<year>` | the latest `BudgetRunProposed` |
| `budgets` | `<province>/<year>` | `Life`: state, hands, approval, reserve, journal heads; from the first action on |
| `actions` | `<province>/<year>/<number>` | `ActionRecord`: who, when, why, before, after; refused ones too |
| `snapshots` | `<province>/<year>/1` | head of the inputs and rules that the approval froze |
| `snapshot_parts` | `<province>/<year>/1/<number>` | their JSON in parts of at most a million characters |
| `decisions` | `<centre id>/<year>/<purpose>` | what stands: the latest `BudgetApproved` or `BudgetAdjusted` |
| `releases` | `<centre id>/<year>/<purpose>/<version>` | each of them as it was published |
| `journal` | `<province>/<year>/<purpose>/<number>` | `JournalEntry`, never changed |
| `adjustments` | `<province>/<year>/<centre id or _reserve>/<number>` | `Adjusting`: a correction after the approval |

The first six are inputs: a handler keeps the newest version and asks for a recalculation. `allocations` and `runs` are
its result until people approve it; what comes after is decided by people and only proposed by the recalculation.
"""

from services.funding.decisions.inputs import ROUTES, budget_year
from services.funding.decisions.proposals import TOPIC, ProvinceInputs, propose

__all__ = ["ROUTES", "TOPIC", "ProvinceInputs", "budget_year", "propose"]
