"""`python -m services.funding.recompute SNAPSHOT.json`: compute an approved budget again from its snapshot alone.

The file is the answer of `GET /budgets/{province}/{year}/snapshot`. No server, no register and no rulebook is asked.
Ends with 0 where every figure is what was approved, to the last fraction, else with 1.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from services.funding.decisions import is_whole, recomputed
from shared.outside import read_kept


def main(arguments: Sequence[str]) -> int:
    """Print every line, the reserve and both hashes."""
    (file,) = arguments
    snapshot = read_kept(Path(file).read_text(encoding="utf-8-sig"))
    budget, result = recomputed(snapshot)
    same = is_whole(snapshot)
    grants = budget.equipment.lines if budget.equipment else ()
    told = [
        *(f"{line.centre_id}\t{line.amount}\toperating" for line in budget.lines),
        *(f"{line.centre_id}\t{line.amount}\tequipment" for line in grants),
        f"reserve\t{budget.reserve}",
        f"approved {snapshot['result']}",
        f"computed {result}",
        "the same" if same else "NOT the same",
    ]
    sys.stdout.write("\n".join(told) + "\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
