"""Expected against published: every difference in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from services.funding import domain as funding
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Allocation, BudgetRunProposed
from shared.rulebook import HANOI
from tests.casework.events import Data, Published
from tests.casework.expectation import EXPLAINED, Expectation, Receipt
from tests.explaining import explained

_SCORED = {"commune": EventType.COMMUNE_SCORED, "centre": EventType.CENTRE_SCORED}
_FACTS = (
    EventType.COMMUNE_ACCEPTED,
    EventType.CENTRE_ACCEPTED,
    EventType.ASSESSMENT_ACCEPTED,
    EventType.REGISTRATION_ACCEPTED,
    EventType.ENVELOPE_ACCEPTED,
    EventType.SUPPORT_ACCEPTED,
    EventType.PAYMENT_ACCEPTED,
    EventType.RECOGNITION_ACCEPTED,
    EventType.TITLE_ACCEPTED,
    EventType.SUBMISSION_WITHDRAWN,
)
_NAMES = ("id", "centre_id", "code")
"""What tells the members of a list apart."""
WITHDRAWN = "withdrawn"
"""Flag of a line that is no longer part of the proposal."""


@dataclass(frozen=True)
class Difference:
    """Where something else came out than was expected."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, got {self.got}"


def differences(expected: Expectation, published: Published, channels: Mapping[str, str]) -> Iterator[Difference]:
    """Everything that is not as expected.

    Args:
        expected: by whoever wrote the case.
        published: what is on the topics.
        channels: where each record lies, by its label.
    """
    for label, answers in expected.receipts.items():
        channel = channels[label]
        found = published.all(EventType.RECEIPT_ISSUED, lambda data, at=channel: data["channel"] == at)  # type: ignore[misc]
        yield from _receipts(f"receipts {label}", answers, found)
    for label, wanted in expected.accepted.items():
        yield from compare(f"accepted {label}", wanted, _accepted(published, channels[label]))
    for name, wanted in expected.results.items():
        yield from _explained(f"results {name}", wanted, _with_words(published, name), "explanation", "next_step")
    for name, ranks in expected.ranks.items():
        yield from _ranks(f"ranks {name}", ranks, published, name)
    for name, wanted_money in expected.money.items():
        yield from _explained(f"money {name}", _amount(wanted_money), _money(published, name), "steps")
    for name, wanted_money in expected.decisions.items():
        yield from compare(f"decisions {name}", _amount(wanted_money), _decision(published, name))
    for name, wanted in expected.adjustments.items():
        yield from compare(f"adjustments {name}", wanted, adjustment(published, name))
    for name, wanted in expected.payments.items():
        yield from compare(f"payments {name}", wanted, _payments(published, name))
    for name, wanted in expected.releases.items():
        yield from _release(f"releases {name}", wanted, published, name)
    for name, goals in expected.attainment.items():
        yield from compare(f"attainment {name}", goals, _attainment(published, name))
    for audience, kinds in expected.alerts.items():
        yield from _alerts(f"alerts {audience}", kinds, published.alerts(audience))
    for audience, standing in expected.open_alerts.items():
        yield from _alerts(f"open_alerts {audience}", standing, published.open_alerts(audience))
    yield from _untold(published.all(EventType.ALERT_RAISED, lambda data: True))


def compare(path: str, expected: Any, got: Any) -> Iterator[Difference]:
    """Whether `got` says at least what is expected."""
    if isinstance(expected, Mapping) and expected:
        if isinstance(got, list):
            got = {next((str(each[name]) for name in _NAMES if name in each), ""): each for each in got}
        if not isinstance(got, Mapping):
            yield Difference(path, said(dict(expected)), said(got))
            return
        for name, value in expected.items():
            if name in got:
                yield from compare(f"{path} {name}", value, got[name])
            else:
                yield Difference(f"{path} {name}", said(value), "no such field")
    elif not _same(expected, got):
        yield Difference(path, said(expected), said(got))


def said(value: Any) -> str:
    """A value as it is shown."""
    if isinstance(value, str):
        return value
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def _same(expected: Any, got: Any) -> bool:
    if isinstance(expected, list) and isinstance(got, list):
        return sorted(map(said, expected)) == sorted(map(said, got))
    if expected is None:
        return got in (None, "none")
    if isinstance(expected, bool) or isinstance(got, bool) or got is None:
        return expected is got
    for read in (_number, _instant):
        first, second = read(str(expected)), read(str(got))
        if first is not None and second is not None:
            return bool(first == second)
    return bool(str(expected) == str(got))


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _instant(text: str) -> datetime | None:
    """An instant with its zone, or day and time in Hanoi."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=HANOI)


def split(name: str) -> tuple[str, int]:
    """Subject and year of `<subject>/<year>`."""
    subject, _, year = name.rpartition("/")
    return subject, int(year)


# -------------------------------------------------------------------------------------------------- receipts


def _receipts(path: str, expected: Sequence[Receipt], found: Sequence[Data]) -> Iterator[Difference]:
    if len(found) < len(expected) or (len(expected) > 1 and len(found) > len(expected)):
        yield Difference(f"{path} answers", str(len(expected)), str(len(found)))
        return
    for number, (wanted, got) in enumerate(zip(expected, found[-len(expected) :], strict=True), start=1):
        yield from _receipt(path if len(expected) == 1 else f"{path} answer {number}", wanted, got)


def _receipt(path: str, expected: Receipt, got: Data) -> Iterator[Difference]:
    if expected.status is not None:
        possible = expected.status if isinstance(expected.status, list) else [expected.status]
        if got["status"] not in possible:
            yield Difference(f"{path} status", " or ".join(possible), _with_codes(got))
    told = [*got["problems"], *got["warnings"]]
    if expected.told is not None and expected.told is not bool(told):
        yield Difference(f"{path} told", said(expected.told), _with_codes(got))
    for name in ("problems", "warnings"):
        wanted = getattr(expected, name)
        if wanted is not None and not _all_named(wanted, got[name]):
            yield Difference(f"{path} {name}", "; ".join(wanted) or "none", _codes(got[name]))
    text = json.dumps(told, ensure_ascii=False)
    for words in [expected.says] if isinstance(expected.says, str) else expected.says:
        if words not in text:
            yield Difference(f"{path} says", words, _with_codes(got))
    yield from compare(path, expected.fields, got) if expected.fields else ()


def _accepted(published: Published, channel: str) -> Data | None:
    receipts = {data["receipt_id"] for data in published.all(EventType.RECEIPT_ISSUED) if data["channel"] == channel}
    made = [data for type in _FACTS for data in published.all(type) if data["receipt_id"] in receipts]
    return made[-1] if made else None


def _codes(problems: Sequence[Data]) -> str:
    return "; ".join(f"{each['code']} {each['field']}".strip() for each in problems) or "none"


def _with_codes(receipt: Data) -> str:
    named = [*receipt["problems"], *receipt["warnings"]]
    return f"{receipt['status']} ({_codes(named)})" if named else str(receipt["status"])


def _all_named(wanted: Sequence[str], found: Sequence[Data]) -> bool:
    rest = list(found)
    for each in wanted:
        code, _, field = each.partition(" ")
        fits = [one for one in rest if one["code"] == code and field in ("", one["field"])]
        if not fits:
            return False
        rest.remove(fits[0])
    return not rest


# ---------------------------------------------------------------------------------- results, ranks, money, alerts


def _result(published: Published, name: str) -> Data | None:
    """`commune 01273/2025`: the code, or the unit's id where a code was used again."""
    series, _, rest = name.partition(" ")
    subject, period = split(rest)
    keys = {"commune": ("unit_id", "code"), "centre": ("centre_id",)}.get(series, ("subject_id",))

    def fits(data: Data) -> bool:
        named = {str(data[key]) for key in keys} | {str(data[key]).partition("@")[0] for key in keys}
        return data["period"] == period and subject in named and data.get("series", series) == series

    return published.newest(_SCORED.get(series, EventType.ASSESSMENT_SCORED), fits)


def _with_words(published: Published, name: str) -> Data | None:
    """The result with its words, as whoever holds the event and the rules comes to them."""
    event = _result(published, name)
    return explained(event).model_dump(mode="json") if event else None


def _explained(path: str, expected: Data | None, got: Data | None, *texts: str) -> Iterator[Difference]:
    """Fields; `says`: words in these texts of it; `grounds`: how well the steps with such words are supported.

    The first of `texts` holds the steps; what is not explained has none of them.
    """
    fields = expected and {name: value for name, value in expected.items() if name not in EXPLAINED}
    says = expected.get("says", []) if expected else []
    grounds: Mapping[str, str] = expected.get("grounds", {}) if expected else {}
    if fields or not (says or grounds):
        yield from compare(path, fields, got)
    text = json.dumps([got.get(name) for name in texts], ensure_ascii=False) if got else ""
    for each in [says] if isinstance(says, str) else says:
        if each not in text:
            yield Difference(f"{path} says", each, text)
    for words, provenance in grounds.items():
        steps = [step for step in got.get(texts[0], ()) if words in said(step["what"])] if got else []
        marks = {step["provenance"] for step in steps}
        if marks != {provenance}:
            yield Difference(f"{path} grounds {words}", provenance, ", ".join(sorted(marks)) or "no such step")


def _ranks(path: str, expected: Mapping[str, int | None], published: Published, name: str) -> Iterator[Difference]:
    head = published.newest(EventType.RANKING_PUBLISHED, _of(name))
    if head is None:
        yield Difference(path, "a ranking", "none")
        return
    yield from _ranks_in(path, expected, published.rows(head))


def _of(name: str) -> Callable[[Data], bool]:
    scope, period = split(name)
    return lambda data: (data["scope"], data["period"]) == (scope, period)


def _release(path: str, expected: Data | None, published: Published, name: str) -> Iterator[Difference]:
    act = published.newest(EventType.RANKING_RELEASED, _of(name))
    if expected is None or act is None:
        yield from compare(path, expected, act and f"number {act['version']}")
        return
    yield from compare(path, {key: value for key, value in expected.items() if key != "ranks"}, {"accepted": [], **act})
    if "ranks" in expected:
        yield from _ranks_in(f"{path} ranks", expected["ranks"], published.rows(act["ranking"]))


def _ranks_in(path: str, expected: Mapping[str, int | None], rows: Sequence[Data]) -> Iterator[Difference]:
    ranks = {row["code"]: row["rank"] for row in rows}
    for code, rank in expected.items():
        if code not in ranks:
            yield Difference(f"{path} {code}", said(rank), "no such row")
        else:
            yield from compare(f"{path} {code}", rank, ranks[code])


def _attainment(published: Published, name: str) -> Data | None:
    """How far each goal is reached, by its id."""
    found = published.newest(EventType.ATTAINMENT_COMPUTED, _of(name))
    return {each["goal"]: each for each in found["goals"]} if found else None


def _amount(expected: Data | int | None) -> Data | None:
    return {"amount": expected} if isinstance(expected, int) else expected


def _money(published: Published, name: str) -> Data | None:
    subject, year = split(name)
    if len(subject) == 2:
        return published.newest(
            EventType.BUDGET_RUN_PROPOSED, lambda data: (data["province"], data["year"]) == (subject, year)
        )
    line = published.newest(
        EventType.BUDGET_PROPOSED, lambda data: (data["allocation"]["centre_id"], data["year"]) == (subject, year)
    )
    if line is None or WITHDRAWN in line["allocation"]["flags"]:
        return None
    run = published.newest(
        EventType.BUDGET_RUN_PROPOSED, lambda data: (data["province"], data["year"]) == (line["province"], line["year"])
    )
    told = funding.explained(
        Allocation.model_validate(line["allocation"]), None if run is None else BudgetRunProposed.model_validate(run)
    )
    steps = [step.model_dump(mode="json") for step in told]
    return {**line["allocation"], "steps": steps, "grant": line["grant"], "previous_amount": line["previous_amount"]}


def _decision(published: Published, name: str) -> Data | None:
    name, purpose = _purpose(name)
    subject, year = split(name)

    def fits(data: Data) -> bool:
        return (data["centre_id"], data["year"], data["purpose"]) == (subject, year, purpose)

    return published.newest(EventType.BUDGET_ADJUSTED, fits) or published.newest(EventType.BUDGET_APPROVED, fits)


def _payments(published: Published, name: str) -> Data | None:
    """The sums of a purpose, and by how much which centres differ in it."""
    name, purpose = _purpose(name)
    of = split(name)
    fact = published.newest(EventType.BUDGET_RECONCILED, lambda data: (data["province"], data["year"]) == of)
    sums = next((each for each in fact["purposes"] if each["purpose"] == purpose), None) if fact else None
    if fact is None or sums is None:
        return None
    gaps = {
        way: {gap["centre_id"]: gap["amount"] for gap in fact[way] if gap["purpose"] == purpose}
        for way in ("short", "over")
    }
    return {**sums, **gaps}


def _purpose(name: str) -> tuple[str, str]:
    return name.removesuffix("/equipment"), "equipment" if name.endswith("/equipment") else "operating"


def adjustment(published: Published, name: str) -> Data | None:
    """The newest version of the newest proposal to adjust a centre's support."""
    subject, year = split(name)

    def number(data: Data) -> tuple[int, int]:
        return int(data["adjustment_id"].rpartition("/")[2]), int(data["version"])

    found = published.all(
        EventType.ADJUSTMENT_PROPOSED, lambda data: (data["centre_id"], data["year"]) == (subject, year)
    )
    return max(found, key=number, default=None)


def _untold(alerts: Iterable[Data]) -> Iterator[Difference]:
    """Whatever is told says what happened and what to do, in two languages."""
    for alert in alerts:
        for part in ("text", "action"):
            vi, en = (alert[part][language].strip() for language in ("vi", "en"))
            if not vi or not en or vi == en:
                yield Difference(f"alerts {alert['alert_id']} {part}", "words in both languages", f"{vi!r}, {en!r}")


def _alerts(
    path: str, expected: Mapping[Any, Sequence[str] | Mapping[str, Any]] | None, found: Sequence[Data]
) -> Iterator[Difference]:
    if expected is None:
        if found:
            yield Difference(path, "none", "; ".join(sorted(f"{each['kind']} {each['subject']}" for each in found)))
        return
    for kind, subjects in expected.items():
        told = {each["subject"]: each for each in found if each["kind"] == kind}
        got = sorted(each["subject"] for each in found if each["kind"] == kind)
        if sorted(subjects) != got:
            yield Difference(f"{path} {kind}", ", ".join(sorted(subjects)) or "none", ", ".join(got) or "none")
        elif isinstance(subjects, Mapping):
            for subject, words in subjects.items():
                text = json.dumps([told[subject]["text"], told[subject]["action"]], ensure_ascii=False)
                for each in [words] if isinstance(words, str) else words:
                    if each not in text:
                        yield Difference(f"{path} {kind} {subject} says", each, text)
