"""Breaks delivery on purpose, in a copy of the tree, and shows which tests notice: `python -m tests.faults.mutations`.

A test that passes with and without the mechanism that it is about shows nothing. So each mutant takes one mechanism
away, and every test that is named with it must fail; before that, all of them must pass on the tree as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__")
CONSUMING = "shared/messaging/consume/consuming.py"
PIPELINE = "shared/messaging/consume/pipeline.py"
WRITING = "shared/messaging/decide/writing.py"
DECIDE = "shared/messaging/decide"
PRODUCER = "shared/messaging/send/producer.py"
CLOCK = "shared/messaging/clock.py"
GROUP = "tests/faults/test_group.py"
FETCHING = "tests/integration/test_fetching.py"
FORGETS = (
    "tests/unit/test_fetching.py::test_whatever_the_library_forgets_when_it_raises_everything_is_handed_out_in_order"
)
ONE_STATE = "tests/property/test_one_state.py"
KILLED = f"{GROUP}::test_a_process_killed_between_two_steps_loses_and_doubles_nothing"


@dataclass(frozen=True, slots=True)
class Patch:
    """One place of the code, and what stands there instead."""

    path: str
    before: str
    after: str

    def apply(self, tree: Path) -> None:
        """Change the copy. Raises `LookupError` unless the place is there exactly once."""
        file = tree / self.path
        text = file.read_text(encoding="utf-8")
        if text.count(self.before) != 1:
            raise LookupError(f"{self.path} has {text.count(self.before)} places like this:\n{self.before}")
        file.write_text(text.replace(self.before, self.after), encoding="utf-8")

    def undo(self, tree: Path) -> None:
        """Restore the copy."""
        shutil.copy(ROOT / self.path, tree / self.path)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mechanism that is taken away, and the tests that must notice."""

    name: str
    patches: Sequence[Patch]
    tests: Sequence[str]


MUTANTS = (
    Mutant(
        "commit offset first",
        [
            Patch(
                CONSUMING,
                "        try:\n            progress = await self._pipeline.process(",
                "        await self._commit(Progress({(r.topic, r.partition): r.offset + 1 for r in records}))\n"
                "        try:\n            progress = await self._pipeline.process(",
            )
        ],
        [f"{KILLED}[committing]"],
    ),
    Mutant(
        "no inbox",
        [
            Patch(PIPELINE, "        return set(await inbox.entries(self._mongo, ids))\n", "        return set()\n"),
            Patch(WRITING, "            await self._mongo.insert(INBOX, writing.inbox, session)\n", ""),
        ],
        [
            "tests/unit/test_pipeline.py::test_a_duplicate_within_a_batch_and_across_batches_counts_once",
            "tests/unit/test_pipeline.py::test_a_crash_after_the_commit_ends_in_duplicates",
            f"{GROUP}::test_the_same_record_at_two_processes_at_the_same_instant_counts_once",
            f"{KILLED}[acknowledging]",
        ],
    ),
    Mutant(
        "no rebalance gate",
        [
            Patch(
                "shared/messaging/consume/gate.py",
                "            await asyncio.wait_for(self._idle.wait(), self._patience)\n",
                "            await asyncio.sleep(0)\n",
            )
        ],
        [
            "tests/integration/test_canaries.py::test_row_7_a_rebalance_waits_for_the_batch_in_flight_and_its_commit",
            f"{GROUP}::test_members_come_and_go_during_long_batches_and_no_record_is_delivered_twice",
        ],
    ),
    Mutant(
        "relay without lease",
        [
            Patch(
                "shared/messaging/send/outbox.py",
                "        return self._leases.held(margin_seconds=self._deadline)\n",
                "        return set(SLOTS)\n",
            )
        ],
        [
            "tests/unit/test_outbox.py::test_only_the_holder_of_the_slots_sends",
            "tests/unit/test_outbox.py::test_whoever_lost_its_leases_sends_nothing",
            "tests/unit/test_outbox.py::test_a_lease_that_ends_before_the_publish_could_is_not_used",
        ],
    ),
    Mutant(
        "a lease counted from the answer",
        [
            Patch(
                "shared/mongo/leases.py",
                "dict.fromkeys(held, asked_at + self._ttl)",
                "dict.fromkeys(held, time.monotonic() + self._ttl)",
            )
        ],
        ["tests/unit/test_leases.py::test_a_lease_counts_from_the_question_and_not_from_the_answer"],
    ),
    Mutant(
        "acks=1",
        [
            Patch(
                PRODUCER,
                '"acks": "all",\n    "enable_idempotence": True,',
                '"acks": 1,\n    "enable_idempotence": False,',
            )
        ],
        [
            "tests/unit/test_publishing.py::test_the_producer_is_durable_and_idempotent",
            "tests/integration/test_canaries.py::test_row_13_the_factory_replaces_the_defaults_that_lose_records",
            "tests/integration/test_producer.py::test_a_refused_record_spoils_a_bare_idempotent_producer_for_good",
        ],
    ),
    Mutant(
        "a broken producer goes on",
        [Patch(PRODUCER, "            self._broken = True\n", "            self._broken = False\n")],
        [
            "tests/unit/test_producer.py::test_behind_a_failure_nothing_leaves_until_the_producer_is_made_anew",
            "tests/integration/test_producer.py::test_a_lasting_producer_goes_on_behind_a_refused_record",
            "tests/integration/test_producer.py::test_a_row_that_the_broker_finds_too_large_holds_up_its_own_lane_only",
        ],
    ),
    Mutant(
        "the order of events is the clock's",
        [Patch(CLOCK, "max(self._stamp + 1, after + 1, self._now())", "max(self._stamp + 1, self._now())")],
        [
            "tests/unit/test_clock.py::test_version_2_of_a_slow_process_follows_version_1_of_a_fast_one",
            "tests/unit/test_clock.py::test_a_chain_through_many_hands_keeps_its_order",
        ],
    ),
    Mutant(
        "the host's clock decides",
        [Patch(CLOCK, "        self._ahead = _nanoseconds(server) -", "        _ = _nanoseconds(server) -")],
        [
            "tests/unit/test_clock.py::test_the_databases_clock_counts_and_not_the_hosts",
            "tests/unit/test_clock.py::test_a_burst_ends_when_it_ends_whoever_asks",
            "tests/unit/test_auth.py::test_the_age_of_a_token_is_judged_by_the_corrected_clock",
        ],
    ),
    Mutant(
        "a stale decision comes true",
        [
            Patch(
                f"{DECIDE}/engine.py",
                "    if any(ref in written for ref in run.ask.reads):",
                "    if False:",
            )
        ],
        [
            "tests/unit/test_engine.py::test_within_a_batch_each_decides_on_what_the_ones_before_it_have_put",
            "tests/unit/test_pipeline.py::test_a_duplicate_within_a_batch_and_across_batches_counts_once",
        ],
    ),
    Mutant(
        "an order holds nothing",
        [Patch(f"{DECIDE}/commands.py", "            outcome.holds |= {", "            set[Any]() | {")],
        [
            "tests/unit/test_funding_debts.py::test_two_years_decided_at_the_same_moment_pay_the_debt_once",
            "tests/unit/test_funding_debts.py::test_a_debt_is_paid_or_cancelled_at_the_same_moment_not_both",
        ],
    ),
    Mutant(
        "a put asks for no set",
        [Patch(f"{DECIDE}/sets.py", "        if before == after:", "        if True:")],
        [
            "tests/unit/test_engine.py::test_a_put_asks_for_the_sets_of_what_the_document_says_before_and_after",
            "tests/unit/test_scoring_sets.py::test_a_communes_result_asks_for_its_rankings_where_it_was_and_where_it_comes",
        ],
    ),
    Mutant(
        "support asks for the next year only",
        [
            Patch(
                "services/funding/decisions/sets.py",
                "Source(SUPPORTS, each(_every_year))",
                "Source(SUPPORTS, each(lambda state: [ProvinceYear(state.province, state.year + 1)]))",
            )
        ],
        [f"{ONE_STATE}::test_the_newest_fact_of_each_subject_may_be_the_last_to_come"],
    ),
    Mutant(
        "the refused file that arrived first instead of the first",
        [
            Patch(
                "services/funding/decisions/facts.py",
                "both = file.beside(known) if known else file",
                "both = known or file",
            )
        ],
        [f"{ONE_STATE}::test_everything_may_come_backwards_or_time_pass_before_or_after_it"],
    ),
    Mutant(
        "a withdrawal before its fact is forgotten",
        [
            Patch(
                "services/funding/decisions/facts.py",
                "            ref = _support(data.subject, year, data.purpose or OPERATING)\n"
                "            return await _of_centre(ref, data,",
                "            ref = _support(data.subject, year, data.purpose or OPERATING)\n"
                "            if await ask.one(ref) is None:\n"
                "                return Outcome(verdict=IGNORED)\n"
                "            return await _of_centre(ref, data,",
            )
        ],
        [f"{ONE_STATE}::test_everything_may_come_backwards_or_time_pass_before_or_after_it"],
    ),
    Mutant(
        "a deadline is not waited for",
        [Patch("services/funding/decisions/proposal/inputs.py", "if not ask.reached(last):", "if ask._at < last:")],
        [
            f"{ONE_STATE}::test_everything_may_come_backwards_or_time_pass_before_or_after_it",
            "tests/casework/test_cases.py::test_case[silence-that-ends]",
        ],
    ),
    Mutant(
        "a request used by another process",
        [Patch(f"{DECIDE}/recalculation.py", " != len(used):", " < 0:")],
        ["tests/unit/test_recalculation.py::test_what_another_process_has_computed_meanwhile_is_not_overwritten"],
    ),
    Mutant(
        "no version check",
        [
            Patch(
                "services/scoring/decisions/assessments.py",
                "    await ask.many([REGISTER, ref])\n    stored = await ask.one(ref)\n"
                "    if stored is not None and accepted.version <= stored.accepted.version:\n",
                "    await ask.many([REGISTER, ref])\n    stored = await ask.one(ref)\n"
                "    if stored is not None and accepted.version < 0:\n",
            ),
            Patch(
                "services/funding/decisions/facts.py",
                "if known is None or fact.version > known.version else",
                "if True else",
            ),
        ],
        [
            "tests/unit/test_scoring_handlers.py::"
            "test_a_correction_makes_the_next_version_and_an_old_one_changes_nothing",
            "tests/faults/test_services.py::"
            "test_old_versions_of_a_state_are_ignored_and_counted_and_occurrences_are_all_kept",
        ],
    ),
    Mutant(
        "no revision guard on put",
        [
            Patch(
                "shared/mongo/driver.py",
                'ReplaceOne({"_id": put.id, "_rev": put.revision}, ',
                'ReplaceOne({"_id": put.id}, ',
            )
        ],
        [
            "tests/conformance/test_mongo_port.py::test_a_put_that_finds_another_state_conflicts_and_writes_nothing",
            f"{GROUP}::test_two_processes_with_different_records_of_one_document_lose_neither",
        ],
    ),
    Mutant(
        "dead letter outside the transaction",
        [
            Patch(
                WRITING,
                "self._mongo.insert(DEAD_LETTERS, writing.dead, session)",
                "self._mongo.insert(DEAD_LETTERS, writing.dead)",
            )
        ],
        [
            "tests/conformance/test_delivery.py::test_a_failure_between_two_steps_leads_to_one_effect[memory-committing]",
            f"{KILLED}[committing]",
        ],
    ),
    Mutant(
        "the other half passes the brake",
        [
            Patch(
                PIPELINE,
                "        rest = _going_on(items[middle:], progress)\n",
                "        rest = list(items[middle:])\n",
            )
        ],
        [
            "tests/unit/test_pipeline.py::"
            "test_behind_the_brake_nothing_of_the_partition_is_handled_in_the_other_half_of_a_batch",
        ],
    ),
    Mutant(
        "read uncommitted",
        [Patch(CONSUMING, 'isolation_level="read_committed"', 'isolation_level="read_uncommitted"')],
        ["tests/integration/test_canaries.py::test_row_13_what_a_sender_took_back_is_not_read"],
    ),
    Mutant(
        "no rewind",
        [
            Patch(
                "shared/messaging/consume/fetching.py",
                "                self.seek(partition, await self.position(partition))\n",
                "                await self.position(partition)\n",
            )
        ],
        [FORGETS],
    ),
    Mutant(
        "an error drops what others had",
        [
            Patch(
                "shared/messaging/consume/fetching.py",
                "taken = await super().getmany(*readable, timeout_ms=timeout_ms, max_records=1)",
                "taken = await super().getmany(*readable, timeout_ms=timeout_ms, max_records=500)",
            )
        ],
        [FORGETS],
    ),
    Mutant(
        "no limit",
        [Patch("shared/messaging/consume/envelope.py", "    if size <= limit:\n", "    if size >= 0:\n")],
        [
            "tests/unit/test_envelope.py::test_a_record_is_measured_whole_and_the_limit_is_exact",
            "tests/integration/test_intake_delivery.py::"
            "test_what_grows_when_it_is_unpacked_is_answered_and_stops_nobody",
        ],
    ),
    Mutant(
        "no fair shares",
        [Patch("shared/messaging/consume/fetching.py", "max(batch.limit // LARGEST_SHARE, portion)", "batch.limit")],
        [f"{FETCHING}::test_nobody_waits_behind_a_neighbours_backlog"],
    ),
)


def run(tree: Path, tests: Iterable[str]) -> tuple[set[str], set[str]]:
    """Run tests in the copy; returns those that passed and those that failed, by path and name.

    An error before or after a test is no failure of it: it is in neither set.
    """
    report = tree / "report.xml"
    report.unlink(missing_ok=True)
    options = ["-q", "-p", "no:cacheprovider", "--timeout=90", f"--junitxml={report}"]  # a mutant may hang
    command = [sys.executable, "-m", "pytest", *options, *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree)}  # before the installed project
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=900)
    if not report.exists():
        raise RuntimeError(done.stdout + done.stderr)
    passed: set[str] = set()
    failed: set[str] = set()
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        if case.find("failure") is not None:
            failed.add(name)
        elif case.find("error") is None and case.find("skipped") is None:
            passed.add(name)
    return passed, failed


def noticed(test: str, failed: Iterable[str]) -> bool:
    """Whether a test failed, with one of its parameters at least."""
    return any(each == test or each.startswith(f"{test}[") for each in failed)


def main() -> int:
    """Run all; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="langhoc-mutants-") as name:
        tree = Path(name) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        tests = dict.fromkeys(test for mutant in MUTANTS for test in mutant.tests)
        passed, failed = run(tree, tests)
        silent = [test for test in tests if noticed(test, failed) or not noticed(test, passed)]
        if silent:
            print("These must pass before anything is broken:", *silent, sep="\n  ")
            return 1
        print(f"{len(passed)} tests pass on the tree as it is.\n", flush=True)

        survivors = 0
        print(f"{'mutant':<36} {'verdict':<9} {'seconds':>7}  tests that noticed, and – those that did not")
        for mutant in MUTANTS:
            started = time.monotonic()
            for patch in mutant.patches:
                patch.apply(tree)
            _, failed = run(tree, mutant.tests)
            for patch in mutant.patches:
                patch.undo(tree)
            killed = all(noticed(test, failed) for test in mutant.tests)
            survivors += not killed
            verdict, seconds = "killed" if killed else "SURVIVED", time.monotonic() - started
            for number, test in enumerate(mutant.tests):
                head = f"{mutant.name:<36} {verdict:<9} {seconds:>7.0f}" if number == 0 else " " * 54
                print(f"{head}  {'' if noticed(test, failed) else '– '}{test}", flush=True)
        print(f"\n{len(MUTANTS) - survivors} of {len(MUTANTS)} mutants killed.")
        return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
