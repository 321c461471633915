"""What was paid beside what was decided: who sees it over HTTP, how `langhoc budget reconcile` shows it, and when it is
late."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli import output
from cli.main import app as langhoc
from services.funding.domain import hash_of, reconciled, totals
from services.funding.queries import migrate
from services.notifications.domain import missing_alert, overpaid_alert
from shared.contracts.facts import BudgetReconciled, PaymentGap
from shared.messaging.collections import SETS
from shared.rulebook.payments import payments_due
from tests.property.test_payment_order import paid, taken_back
from tests.unit.funding_bench import AN, HOA, KIM, LAN, OTHER, Bench, published, support
from tests.unit.wire import answered_by

DOOR = "/budgets/04/2026/reconciliation"
END = datetime(2027, 1, 31, 17, tzinfo=UTC)
"""24:00 of 31 January in Viet Nam."""


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    """Of two centres one was paid a part; a third payment has no decision."""
    bench = await published(tmp_path)
    await bench.tell(
        paid("1", "a", 12_500_000),
        paid("2", "b", 21_000_000, paid_on="2026-02-12"),
        paid("3", "TTHTCD-04-000117", 1_000_000_000),
    )
    await bench.settle()
    return bench


async def test_every_line_says_what_was_decided_and_paid_and_what_differs_comes_first(bench: Bench) -> None:
    found = await bench.get(DOOR)
    assert [(line["centre_id"], line["state"], line["differs"]) for line in found["lines"]] == [
        ("TTHTCD-04-000117", "not_registered", True),
        ("a", "partly", True),
        ("b", "paid", False),
    ]
    unknown, partly, whole = found["lines"]
    assert (unknown["name"], unknown["decided"], unknown["difference"]) == (None, None, 1_000_000_000)
    assert (partly["decided"], partly["paid"], partly["difference"]) == (22_500_000, 12_500_000, -10_000_000)
    assert (whole["name"], whole["payments"], whole["paid_on"]) == ("TTHTCĐ b", 1, "2026-02-12")
    (sums,) = found["purposes"]
    assert sums["difference"] == sum(line["difference"] for line in found["lines"]) == 990_000_000
    assert (found["paid_by"], found["overdue"]) == ("2027-01-31", False)
    fact = bench.events(BudgetReconciled)[-1]
    assert [one.model_dump(mode="json") for one in fact.purposes] == found["purposes"], "as it was published"


async def test_the_day_is_over_when_it_is_over_in_viet_nam(bench: Bench) -> None:
    for at, overdue in ((END - timedelta(seconds=1), False), (END, True)):
        bench.clock.moment = at
        assert (await bench.get(DOOR))["overdue"] is overdue
    assert payments_due(2026, "04") == END


@pytest.mark.parametrize(("who", "status"), [(LAN, 200), (HOA, 200), (KIM, 200), (AN, 200), (OTHER, 404)])
async def test_a_province_sees_its_own(bench: Bench, who: Any, status: int) -> None:
    assert (await bench.http(who).get(DOOR)).status_code == status


async def test_where_nothing_was_decided_or_paid_there_is_nothing(bench: Bench) -> None:
    await bench.tell(support("a", 20_000_000, 2024))
    await bench.settle()
    assert (await bench.http(HOA).get("/budgets/04/2024/reconciliation")).status_code == 404


async def test_what_did_not_change_is_not_told_again(bench: Bench) -> None:
    before = len(bench.events(BudgetReconciled))
    await bench.tell(paid("1", "a", 12_500_000, version=2, decision_number="QĐ 5"))
    await bench.settle()
    assert len(bench.events(BudgetReconciled)) == before
    await bench.tell(taken_back("3", 2))
    await bench.settle()
    assert bench.events(BudgetReconciled)[-1].over == []


async def test_a_budget_of_a_release_before_is_compared_once(bench: Bench) -> None:
    for name, kept in (("reconciled", bench.mongo.rows("reconciled")), (SETS, bench.mongo.rows(SETS))):
        for id in [id for id, row in kept.items() if name == "reconciled" or row["set"] == "reconciliation"]:
            del kept[id]
    await migrate(bench.mongo)
    await bench.settle()
    assert bench.document("reconciled", "04/2026")["version"] == 1
    told = len(bench.events(BudgetReconciled))
    await migrate(bench.mongo)
    await bench.settle()
    assert len(bench.events(BudgetReconciled)) == told


async def run(*arguments: str) -> Result:
    command = ["budget", "reconcile", "--province", "04", "--year", "2026", *arguments]
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, command)


@pytest.fixture
async def wired(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.console, "_width", 80)
    answered_by(monkeypatch, funding=bench.http(HOA))


@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize(("language", "due"), [("vi", "hạn 31/01/2027"), ("en", "due 2027-01-31")])
async def test_what_differs_stands_within_eighty_columns(language: str, due: str) -> None:
    shown = (await run("--lang", language)).output
    assert max(map(len, shown.splitlines())) <= 80
    assert "+990.000.000" in shown
    assert "1.000.000.000" in shown
    assert due in shown
    assert shown.count("21.000.000") == 0, "what agrees is not listed"
    assert (await run("--all", "--lang", language)).output.count("21.000.000") == 2


@pytest.mark.usefixtures("wired")
async def test_programs_read_the_words_of_the_contract() -> None:
    rows = list(csv.DictReader(io.StringIO((await run("--all", "--format", "csv")).stdout.lstrip("\ufeff"))))
    assert [(row["centre_id"], row["state"], row["paid"]) for row in rows][2] == ("b", "paid", "21000000")
    assert len(json.loads((await run("--format", "json")).stdout)["lines"]) == 3


def test_nothing_on_record_is_not_nothing_left() -> None:
    nothing = reconciled({("a", "operating"): 5}, {}, [], {"a"})
    returned = reconciled(
        {("a", "operating"): 5}, {}, [paid("1", "a", 7), paid("2", "a", 7, direction="returned")], {"a"}
    )
    assert [(line.state, line.paid) for line in (*nothing, *returned)] == [("not_paid", None), ("not_paid", 0)]
    assert [totals(lines)[0].paid for lines in (nothing, returned)] == [None, 0]
    assert hash_of(nothing) != hash_of(returned)


def test_alerts_name_the_first_centres_and_the_whole_sum() -> None:
    gaps = [PaymentGap(centre_id=f"c-{number}", purpose="operating", amount=number) for number in range(1, 6)]
    fact = BudgetReconciled(
        province="04", year=2026, version=1, purposes=[], short=gaps, over=gaps[:1], hash="h", reconciled_at=END
    )
    missing, over = missing_alert(fact, "e", END), overpaid_alert(fact, "e", END)
    assert missing is not None
    assert over is not None
    assert "15 đồng" in missing.text.en
    assert "5 centres (c-1, c-2, c-3 and 2 more)" in missing.text.en
    assert "5 trung tâm (c-1, c-2, c-3 và 2 trung tâm khác)" in missing.text.vi
    assert "1 centre (c-1)" in over.text.en
    assert (missing.due, over.due) == (END, None)
    nobody = fact.model_copy(update={"short": [], "over": []})
    assert (missing_alert(nobody, "e", END), overpaid_alert(nobody, "e", END)) == (None, None)
