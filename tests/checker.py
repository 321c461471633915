"""Compares everything that services keep and publish with what the oracle computed: nothing lost, doubled or wrong.

What legitimately depends on timing is left out of the comparison: versions of recomputed sets, times of computation,
traces, and alerts that are over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer

from cli.publishing import Sent
from services.scoring.decisions import RANKINGS, page_ids
from shared.contracts.topics import MINISTRY, all_topics, family_of, topic_names
from shared.messaging.access import KafkaAccess
from shared.messaging.consume import envelope
from shared.messaging.consume.batches import read_answers
from shared.messaging.decide.documents import content_of
from shared.messaging.operate.topics import province_codes
from tests.oracle import Oracle
from tests.platform import ServiceProcesses

Document = dict[str, Any]
View = Callable[[Document], Any]


@dataclass
class Findings:
    """What is not as it must be, in words."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    submitted: int = 0
    """Records on the provinces' channels."""

    @property
    def all(self) -> list[str]:
        """Everything found."""
        return [*self.lost, *self.doubled, *self.wrong]

    def same(self, what: str, found: Mapping[str, Document], expected: Mapping[str, Document], view: View) -> None:
        """Same keys, same contents as far as `view` shows them."""
        self.lost += [f"{what} {key} is missing" for key in expected.keys() - found.keys()]
        surplus = found.keys() - expected.keys()
        self.doubled += [f"{what} {key} should not exist: {view(found[key])!r:.300}" for key in surplus]
        for key in expected.keys() & found.keys():
            one, other = view(found[key]), view(expected[key])
            if one != other:
                self.wrong.append(f"{what} {key}: {_difference(one, other)}")


def _difference(found: Any, expected: Any) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        fields = [name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)]
        return ", ".join(
            f"{name} is {found.get(name)!r:.80}, not {expected.get(name)!r:.80}" for name in sorted(fields)
        )
    return f"{found!r:.200}, not {expected!r:.200}"


def stored(world: ServiceProcesses, service: str, collection: str) -> dict[str, Document]:
    """All documents of a collection by id."""
    return {str(row["_id"]): row for row in world.database(service)[collection].find()}


def without(*names: str) -> View:
    """A document without these fields."""
    return lambda document: content_of(document, *names)


def check_states(world: ServiceProcesses, oracle: Oracle, findings: Findings, provinces: Collection[str]) -> None:
    """Every document that the services keep against the oracle's."""
    findings.same("accepted", stored(world, "intake", "aggregates"), oracle.intake.documents("aggregates"), without())
    findings.same("version", stored(world, "intake", "versions"), oracle.intake.documents("versions"), without())
    findings.same(
        "receipt",
        {id: row for id, row in stored(world, "intake", "receipts").items() if row["province"] in provinces},
        oracle.intake.documents("receipts"),
        lambda document: document["receipt"],
    )
    findings.same(
        "result",
        stored(world, "scoring", "results"),
        oracle.scoring.documents("results"),
        lambda document: without("version", "supersedes")(document["result"]),
    )
    findings.same(
        "ranking",
        _rankings(stored(world, "scoring", "rankings").values(), stored(world, "scoring", "ranking_pages")),
        _rankings(oracle.scoring.documents("rankings").values(), oracle.scoring.documents("ranking_pages")),
        without(),
    )
    findings.same(
        "allocation",
        stored(world, "funding", "allocations"),
        oracle.funding.documents("allocations"),
        lambda document: without("result_version")(document["allocation"]),
    )
    findings.same(
        "budget run",
        stored(world, "funding", "runs"),
        oracle.funding.documents("runs"),
        without("version", "proposed_at"),
    )
    _check_sums(world, findings)
    findings.same(
        "alert",
        _standing(stored(world, "notifications", "alerts"), provinces),
        _standing(oracle.notifications.documents("alerts"), provinces),
        _words,
    )


def _rankings(heads: Iterable[Document], pages: Mapping[str, Document]) -> dict[str, Document]:
    """Rows of the latest version of each ranking, by scope, period and unit."""
    return {
        f"{head['scope']}/{head['period']}/{row['unit_id']}": without("result_version", "result_hash")(row)
        for head in heads
        for id in page_ids(RANKINGS.model.validate_python(content_of(head)))
        for row in pages[id]["rows"]
    }


def _check_sums(world: ServiceProcesses, findings: Findings) -> None:
    lines = stored(world, "funding", "allocations").values()
    for key, run in stored(world, "funding", "runs").items():
        amounts = [
            line["allocation"]["amount"]
            for line in lines
            if (line["province"], line["year"]) == (run["province"], run["year"])
        ]
        besides = run["carried"] + run["equipment"] + run["reserve"]
        if sum(amounts) + besides != run["envelope"]:
            findings.wrong.append(f"budget run {key}: {sum(amounts)} + {besides} is not {run['envelope']}")


def _alerts(alerts: Mapping[str, Document], provinces: Collection[str]) -> dict[str, Document]:
    """What these provinces and the ministry were told."""
    return {id: alert for id, alert in alerts.items() if alert["audience"] in (*provinces, MINISTRY)}


def _standing(alerts: Mapping[str, Document], provinces: Collection[str]) -> dict[str, Document]:
    return {id: alert for id, alert in _alerts(alerts, provinces).items() if alert["cleared_at"] is None}


def _words(alert: Document) -> Any:
    """What an alert says. Which causes a change had depends on what was judged together; the outcome does not."""
    shown = {name: alert[name] for name in ("kind", "severity", "audience", "subject", "period", "action", "centres")}
    return shown | ({} if alert["kind"] == "result_changed" else {"text": alert["text"]})


async def check_events(
    bootstrap: KafkaAccess, world: ServiceProcesses, submitted: int, findings: Findings, provinces: Iterable[str]
) -> None:
    """What lies on the topics: every fact that must be there, and one id never means two contents."""
    wanted, known = set(provinces), {topic.name for topic in all_topics(province_codes())}
    names = ["intake.accepted", "scores", "budgets"]
    names += [
        name for family in ("receipts", "alerts") for name in topic_names(family, sorted(wanted)) if name in known
    ]
    consumer = AIOKafkaConsumer(**bootstrap.options, auto_offset_reset="earliest")
    consumer.subscribe(names)
    await consumer.start()
    contents: dict[tuple[str, str], set[bytes]] = {}
    try:
        while batch := await consumer.getmany(timeout_ms=3_000):
            for records in batch.values():
                for record in records:
                    identity = dict(record.headers)["ce_id"].decode()
                    contents.setdefault((family_of(record.topic), identity), set()).add(record.value)
    finally:
        await consumer.stop()
    findings.doubled += [f"event {key} has {len(each)} contents" for key, each in contents.items() if len(each) > 1]
    counted = Counter(family for family, _ in contents)
    versions = sum(row["version"] for row in stored(world, "intake", "aggregates").values())
    must = {
        "receipts": submitted,
        "intake.accepted": versions,
        "scores": sum(row["version"] for row in stored(world, "scoring", "results").values())
        + sum(row["told"]["version"] for row in stored(world, "scoring", "attainments").values() if row.get("told")),
        "alerts": sum(row["version"] for row in _alerts(stored(world, "notifications", "alerts"), wanted).values()),
        "budgets": sum(row["version"] for row in stored(world, "funding", "allocations").values())
        + sum(row["version"] for row in stored(world, "funding", "runs").values())
        + sum(row["version"] for row in stored(world, "funding", "reconciled").values()),
    }
    for family, count in must.items():
        if counted[family] < count:
            findings.lost.append(f"{count - counted[family]} events on {family}")
        elif counted[family] > count:
            findings.doubled.append(f"{counted[family] - count} events on {family}")


async def lying(bootstrap: KafkaAccess, topics: Iterable[str]) -> list[Any]:
    """Every record of these topics as a service's consumer reads it; of a damaged batch one that stands for it."""
    read_answers()
    found: list[Any] = []
    consumer = AIOKafkaConsumer(**bootstrap.options, auto_offset_reset="earliest")
    consumer.subscribe(sorted(topics))
    await consumer.start()
    try:
        partitions = list(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                found += records
    finally:
        await consumer.stop()
    return found


async def check(
    bootstrap: KafkaAccess, world: ServiceProcesses, oracle: Oracle, sent: list[Sent], provinces: Collection[str]
) -> Findings:
    """Everything: what was confirmed lies on the channels; receipts, states, rankings, budgets, alerts, events."""
    findings = Findings()
    channels = topic_names("submissions", sorted(provinces))
    records = await lying(bootstrap, channels)
    there = {str(envelope.position_of(record)): record.value for record in records}
    findings.lost += [
        f"{item.position} was confirmed and is not there"
        for item in sent
        if item.position.offset >= 0 and there.get(str(item.position)) != item.message.body
    ]
    oracle.run(records)
    findings.submitted = len(records)
    check_states(world, oracle, findings, provinces)
    await check_events(bootstrap, world, len(records), findings, provinces)
    return findings
