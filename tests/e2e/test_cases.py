"""`make cases C=path` on a file from outside the repository: what it says, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
CASES = """\
case: right
title: Support after its proposal, and an officer's order
why: a test of the runner
province: 04
given:
  - send: [{registration: T-1, commune_code: "01273", area_class: other}]
  - send: [{envelope: 2026, amount: 20000000}, {support: T-1, id: S1}]
  - {budget: 04/2026, step: submit, by: "lan, province 04", refused: [not_accepted, wrong_state]}
  - {budget: 04/2026, step: simulate, by: "lan, province 04"}
  - at: 2026-03-01 00:30
    send: [{commune: 01273, id: late}]
expect:
  receipts: {S1: accepted, late: accepted_late}
  results: {commune 01273/2025: {level: 1}}
  ranks: {province-04/2025: {01273: 1}}
  money: {04/2026: {envelope: 20000000}}
---
case: wrong
title: Not what comes of it
why: a test of the runner
province: 08
given:
  - send: [{envelope: 2026, id: E1}]
expect:
  receipts: {E1: rejected}
---
case: mended
title: Said to fail, and does not
why: a test of the runner
province: 11
given:
  - send: [{envelope: 2026, id: E1}]
expect:
  receipts: {E1: accepted}
known:
  issue: Doors
  seen: {receipts E1 status: rejected}
"""


def test_cases_from_outside_are_played_and_every_difference_is_told(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(CASES, encoding="utf-8")
    played = subprocess.run(
        [sys.executable, "-m", "tests.casework", str(file)], capture_output=True, text=True, timeout=380
    )
    *_, wrong, mended, last = played.stdout.splitlines()
    assert wrong == f"✗ wrong ({file}): receipts E1 status: expected rejected, got accepted"
    assert mended == f"✗ mended ({file}): passes, but is known to fail until «Doors»: take `known` away"
    assert last == "1 passed, 2 failed"
    assert played.returncode == 1
