"""A national year of made-up files for the real communes, with all that goes wrong between portals and a ministry.

Nothing here is a fact about a commune but its code, name and province: all values are drawn, by a seed, and say
"dữ liệu tổng hợp" wherever there is room for it. The same seed gives the same bytes. Every message carries what must
become of it, so that intake's tally can be held against `expected_tally`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from itertools import count, cycle
from math import ceil
from random import Random
from typing import Any, Literal, TypeVar

from cli.publishing import Message
from demo.synthetic_series import of_commune, of_province, status_at
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType, contract_of
from shared.contracts.submissions import (
    AreaClass,
    AwardedPoints,
    CentreRegistered,
    CentreSubmitted,
    CommuneSubmitted,
    EnvelopeSubmitted,
    LevelTarget,
    MetTarget,
    PartsTarget,
    PointsContent,
    RecognitionSubmitted,
    Share,
    SharePairTarget,
    ShareTarget,
    Submission,
    SupportSubmitted,
    TargetsContent,
    TargetValue,
)
from shared.contracts.topics import submission_key
from shared.registry import RegisterGap, Unit, registry
from shared.rulebook import HANOI, PassFailRubric, PointsRubric, Series, cut_off, funding_norms, rubric_for
from shared.rulebook.points import Grade
from shared.rulebook.targets import BooleanRule, LevelRule, PartsRule, SharePairRule, ShareRule, Target

__all__ = [
    "ABOVE_CAPS",
    "AFTER_DEADLINE",
    "BELOW_FLOORS",
    "BUDGET_YEAR",
    "FILES_OVER",
    "LEGACY_PERIOD",
    "LEGACY_PROVINCE",
    "ON_TIME",
    "PERIOD",
    "RELAXED",
    "Demonstration",
    "Message",
    "expected_tally",
]

PERIOD = 2025
BUDGET_YEAR = PERIOD + 1
ON_TIME = datetime(2026, 2, 25, 9, tzinfo=HANOI)
"""The simulated moment of all stages but `late`."""
AFTER_DEADLINE = datetime(2026, 3, 4, 9, tzinfo=HANOI)
"""The simulated moment of the stage `late`: the communes' last day was 28 February."""
FILES_OVER = datetime(2026, 4, 11, 9, tzinfo=HANOI)
"""After the last day for the centres' files: what is proposed now is told."""
LEGACY_PERIOD = 2022
LEGACY_PROVINCE = "45"
"""Quảng Trị before July 2025; its files are now with the province of the same name, code 44."""
BELOW_FLOORS, RELAXED, ABOVE_CAPS = "12", "96", "79"
"""Provinces whose envelope is out of the ordinary: below the legal minima (Lai Châu), too small to protect last year's
support (Cà Mau), more than the caps let through (Hồ Chí Minh)."""

MARK = "dữ liệu tổng hợp"
AREA_CLASSES: tuple[AreaClass, ...] = ("region_1", "region_2", "region_3", "other")
HIGHLAND = frozenset({"04", "08", "11", "12", "14", "15", "20"})
UPLAND = frozenset({"19", "22", "25", "38", "40", "44", "48", "51", "52", "56", "66", "68", "75"})
POPULATION = {"Phường": (12_000, 60_000), "Xã": (4_000, 26_000), "Đặc khu": (800, 20_000)}
GRADES = {"tot": 33, "kha": 45, "trung_binh": 18, "yeu": 4, "chua_dat": 8}
"""How often a grade is drawn, of those that the rubric has."""

Quality = Literal["strong", "good", "tied", "short", "incomplete", "without_evidence", "never"]
QUALITIES: Mapping[Quality, int] = {
    "strong": 7,  # meets everything at level 2
    "good": 40,  # meets everything at level 1
    "tied": 2,  # the same, and shares exactly equal to the others of its kind
    "short": 46,  # fails one to three targets
    "incomplete": 2,
    "without_evidence": 2,
    "never": 1,
}
"""How often a commune's file is of which quality."""
Standing = Literal[0, 1, 2]
"""The level whose threshold a target reaches."""
CITIZENS = "C5.1"
DRAFT_CITIZENS = 25_000
"""The target "share of citizens with the title Learning Citizen": at least 60 % for level 1."""
LEGACY_SPECIMENS = (("90", "TC11", "zero_criterion"), ("84.5", None, "kha"), ("69.5", None, "trung_binh"))
"""Borderline totals under Circular 44/2014, a criterion with 0 points, and what is to be shown."""

ABSENT = object()
COMMUNE_MISTAKES: tuple[tuple[str, str, object], ...] = (
    ("pattern", "/unit_code", "4"),
    ("unit_unknown", "/unit_code", "99999"),
    ("field_missing", "/period", ABSENT),
    ("field_unknown", "/super_admin", 1),
    ("wrong_type", "/period", "2025"),
    ("period_not_open", "/period", 2026),
    ("wrong_rubric", "/rubric", "lc_commune_44_2014"),
    ("unknown_target", "/content/targets/C9.9", {"type": "boolean", "met": True}),
    ("wrong_target_type", "/content/targets/C1.1", {"type": "level", "level": 1}),
    ("unknown_part", "/content/targets/C3.1/parts/garden", True),
    ("numerator_of_nobody", "/content/targets/C5.1/share/denominator", 0),
    ("numerator_above_denominator", "/content/targets/C5.1/share/numerator", 1_000_000),
)
"""Code of the problem, place in the body, and what stands there instead."""
CENTRE_MISTAKES: tuple[tuple[str, str, object], ...] = (
    ("points_not_half", "/content/points/N1/points", 7.25),
    ("unknown_criterion", "/content/points/N9", {"points": 5}),
    ("centre_unknown", "/centre_id", "TT-0"),
)
S = TypeVar("S", bound=Submission)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A commune in force, and the one centre that it has here."""

    unit: Unit
    centre_id: str
    area_class: AreaClass
    population: int
    opened_on: date
    last_year: int | None
    """Support approved for the period's own year in đồng; `None` for a new centre."""

    @property
    def floor(self) -> int:
        """The centre's legal minimum in đồng."""
        return _floor(self.area_class)


def expected_tally(messages: Iterable[Message], *, again: bool = False) -> dict[Status, int]:
    """What must become of the messages; all statuses are listed, their sum is what was sent.

    `again`: of the same messages after everything was sent once before. What took its id is then a duplicate; refusals
    and conflicts are what they were.
    """
    tally = dict.fromkeys(Status, 0)
    for message in messages:
        if message.expected is None:
            raise ValueError(f"nothing is known beforehand about the message of {message.key}")
        refused = message.expected in (Status.REJECTED, Status.CONFLICT)
        tally[Status.DUPLICATE if again and not refused else message.expected] += 1
    return tally


class Demonstration:
    """The messages of a demonstration, stage by stage, each in the order in which it is to be sent.

    `setup`, `assessments` and `legacy` belong to the simulated moment `ON_TIME`; `late` to `AFTER_DEADLINE`, when the
    others have settled. `Message.note` tells what a message shows: the quality or grade that was drawn, or, where it is
    refused, the code of the problem.
    """

    def __init__(self, provinces: Collection[str] | None = None, seed: int = 1) -> None:
        """`provinces`: codes in force since July 2025; all by default. Raises `ValueError` for any other code."""
        known = [province.code for province in registry().provinces(ON_TIME.date())]
        if unknown := set(provinces or ()) - set(known):
            raise ValueError(f"no province in force has the code {', '.join(sorted(unknown))}")
        self.provinces = tuple(code for code in known if provinces is None or code in provinces)
        self._seed = seed

    # ------------------------------------------------------------------------------------------------ stages

    def setup(self) -> Iterator[Message]:
        """Centres, their support of last year, the year's envelopes, and past recognitions."""
        for province in self.provinces:
            places = self._places(province)
            for place in places:
                yield _message(province, _registration(place))
            for place in places:
                if place.last_year is not None:
                    yield _message(province, _support(place, place.last_year))
            yield from self._envelopes(province, places)
            yield from self._recognitions(province, places)

    def assessments(self) -> Iterator[Message]:
        """The period's files of communes and centres, and everything that goes wrong with them."""
        for province in self.provinces:
            places = self._shuffled(province)
            yield from self._commune_files(province, iter(places[:-1]))  # the last one is late
            yield from self._centre_files(province, reversed(places))
            yield from self._mistakes(province, places)
            yield self._unregistered(province, places[0])
            yield from self._other_series(province, places[-4:-1])

    def legacy(self) -> Iterator[Message]:
        """All communes of one province that is no more, by the points of Circular 44/2014; by now every one is late."""
        day = cut_off(LEGACY_PERIOD)
        for number, unit in enumerate(registry().units(day, LEGACY_PROVINCE)):
            sender = registry().entitled_sender(unit.code, day)
            if sender in self.provinces:
                content, note = self._legacy_points(number, unit)
                yield _message(sender, _commune(unit, LEGACY_PERIOD, content), Status.ACCEPTED_LATE, note)

    def late(self) -> Iterator[Message]:
        """One commune of each province, which sends its first file after the deadline."""
        for province in self.provinces:
            place = self._shuffled(province)[-1]
            yield _message(province, self._good_commune(place), Status.ACCEPTED_LATE, "late")

    # ------------------------------------------------------------------------------------------------ places

    def _random(self, *what: object) -> Random:
        """A source of chance of its own for everything, so that nothing depends on what was drawn before."""
        return Random("/".join(map(str, (self._seed, *what))))

    def _places(self, province: str) -> list[Place]:
        units = registry().units(ON_TIME.date(), province)
        return [self._place(number, unit) for number, unit in enumerate(units)]

    def _shuffled(self, province: str) -> list[Place]:
        places = self._places(province)
        self._random("order", province).shuffle(places)
        return places

    def _place(self, number: int, unit: Unit) -> Place:
        random = self._random("place", unit.code)
        area_class = _area_class(unit, random)
        is_new = unit.province_code != ABOVE_CAPS and random.random() < 0.04  # there every line stands on a cap
        founded = date(2025, 7, 1) if is_new else date(2004, 1, 1)
        support = (_floor(area_class) or 12_000_000) + random.randrange(4_000_000, 22_000_000, 100_000)
        return Place(
            unit=unit,
            centre_id=self._centre_id(unit.province_code, number),
            area_class=area_class,
            population=random.randint(*(POPULATION[unit.type] if area_class == "other" else (2_500, 12_000))),
            opened_on=founded + timedelta(days=random.randrange(150 if is_new else 5_000)),
            last_year=None if is_new else support,
        )

    def _centre_id(self, province: str, number: int) -> str:
        """Opaque: nothing can be read from it."""
        return "TT-" + hashlib.sha256(f"{self._seed}/centre/{province}/{number}".encode()).hexdigest()[:10]

    # ------------------------------------------------------------------------------------------------- setup

    def _envelopes(self, province: str, places: Sequence[Place]) -> Iterator[Message]:
        """The money, made so that the province falls into its case of sharing."""
        floors = sum(place.floor for place in places)
        before = sum(max(place.last_year or 12_000_000, place.floor) for place in places)
        protected = sum(max((place.last_year or 0) * 85 // 100, place.floor) for place in places)
        amount = {
            BELOW_FLOORS: floors * 9 // 10,
            RELAXED: floors + (protected - floors) * 2 // 5,
            ABOVE_CAPS: before * 13 // 10,
        }.get(province, before * self._random("envelope", province).randint(103, 108) // 100)
        amount = amount // 1_000_000 * 1_000_000
        if province == self.provinces[0]:  # which had lost a digit
            yield _message(province, _envelope("1", amount // 10))
            yield _message(province, _correcting(_envelope("2", amount), 1), note="correction")
        else:
            yield _message(province, _envelope("1", amount))

    def _recognitions(self, province: str, places: Sequence[Place]) -> Iterator[Message]:
        """Level 1 for the communes that are the same unit since before the reform: for 2023, a third of them for 2024.

        Both periods name the units of the old register; today's province speaks for them.
        """
        for number, place in enumerate(places):
            before = registry().continues(place.unit)
            if before is None or registry().entitled_sender(before.code, cut_off(2024)) != province:
                continue
            period = 2024 if number % 3 == 0 else 2023
            random = self._random("recognition", before.code)
            decision = RecognitionSubmitted(
                submission_id=f"SYN-CN-{period}-{before.code}",
                unit_code=before.code,
                period=period,
                level=1,
                decision_number=f"{random.randint(10, 900)}/QĐ-SYN ({MARK})",
                decided_on=date(period + 1, 2, 28) + timedelta(days=random.randrange(120)),
                decided_by=f"Phòng Giáo dục và Đào tạo {before.district_name} ({MARK})",
            )
            yield _message(province, decision, note=f"recognised_{period}")

    # ------------------------------------------------------------------------------------------- assessments

    def _commune_files(self, province: str, places: Iterator[Place]) -> Iterator[Message]:
        yield from _histories(province, places, self._commune_draft)
        for numerator, note in ((15_000, "60_percent"), (14_999, "59.996_percent")):
            place = next(places)
            content = _with_citizens(self._targets(place, "good", DRAFT_CITIZENS), numerator)
            yield _message(province, _commune_of(place, content), note=note)

        right = _message(province, self._good_commune(next(places)), note="mended")
        code = int(json.loads(right.body)["unit_code"])  # what a spreadsheet makes of it
        yield _edited(right, "wrong_type", "/unit_code", code, keep_id=True)
        yield right
        never_mended = _message(province, self._good_commune(next(places)))
        yield _edited(never_mended, "wrong_rubric", "/rubric", "lc_commune_44_2014")

        for place in places:
            quality = self._quality(place)
            if quality != "never":
                yield _message(province, _commune_of(place, self._targets(place, quality)), note=quality)

    def _centre_files(self, province: str, places: Iterator[Place]) -> Iterator[Message]:
        yield from _histories(province, places, self._centre_draft)
        never_mended = _message(province, self._centre_draft(next(places), 1))
        yield _edited(never_mended, "points_above_maximum", "/content/points/N1/points", 20.5)

        rubric = _points_rubric("centre", PERIOD)
        for place in places:
            random = self._random("centre", place.centre_id)
            fate, grade = random.random(), _drawn_grade(rubric, random)
            content, note = _points(rubric, _drawn_total(rubric, grade, random), random), grade.id
            if fate < 0.015:  # never submitted
                continue
            if fate < 0.030:
                content, note = _without(content, "N3"), "incomplete"
            elif fate < 0.045:
                content, note = _unproven(content, "N2"), "without_evidence"
            yield _message(province, _centre(place, content), note=note)

    def _other_series(self, province: str, places: Sequence[Place]) -> Iterator[Message]:
        """Universal education and learning models of some communes, a learning unit, and the province itself."""
        random = self._random("series", province)
        name = next(one.name for one in registry().provinces(ON_TIME.date()) if one.code == province)
        files = of_province(province, name, PERIOD, random, MARK)
        for place in places:
            claimed = self._targets(place, "good").targets[CITIZENS]
            assert isinstance(claimed, ShareTarget)
            files += of_commune(place.unit, PERIOD, claimed.share, random, MARK)
        for file in files:
            yield _message(province, file, status_at(file, ON_TIME), file.series)

    def _mistakes(self, province: str, places: Sequence[Place]) -> Iterator[Message]:
        """Every mistake once, each about another place; what that place sends properly stays untouched."""
        stranger = next(unit for unit in registry().units(ON_TIME.date()) if unit.province_code != province)
        turn = cycle(places)
        for note, pointer, value in (*COMMUNE_MISTAKES, ("not_entitled", "/unit_code", stranger.code)):
            yield _edited(_message(province, self._good_commune(next(turn))), note, pointer, value)
        for note, pointer, value in CENTRE_MISTAKES:
            yield _edited(_message(province, self._centre_draft(next(turn), 1)), note, pointer, value)
        if others := [code for code in self.provinces if code != province]:
            file = _message(province, self._centre_draft(next(turn), 1))
            yield _edited(file, "centre_of_other_province", "/centre_id", self._centre_id(others[0], 0))
        yield _edited(_message(province, _envelope("3", 0)), "year_out_of_range", "/year", 2030)

        whole = _message(province, _registration(next(turn)))
        yield _edited(whole, "date_in_future", "/opened_on", "2026-12-01")
        text = whole.body.decode()
        spoilt: list[tuple[str, dict[str, Any]]] = [
            ("bad_json", {"body": whole.body[:-20]}),
            ("bad_json", {"body": b""}),
            ("not_utf8", {"body": text.encode("utf-16")}),
            ("not_utf8", {"body": text.encode("latin-1", "replace")}),
            ("bad_header", {"headers": {"x-signature": b"\xff\xfe\x00"}}),
            ("missing_header", {"headers": {"ce_id": None}}),
            ("unknown_type", {"type": "langhoc.family.submitted.v1"}),
            ("unknown_type", {"type": EventType.CENTRE_SCORED.value}),  # only Langhoc itself may say this
        ]
        for note, changes in spoilt:
            yield replace(whole, expected=Status.REJECTED, note=note, **changes)

    def _unregistered(self, province: str, place: Place) -> Message:
        """A file about a unit that was abolished before the old register was taken."""
        day = cut_off(LEGACY_PERIOD)
        codes = (f"{number:05d}" for number in count(int(place.unit.code)))
        code = next(code for code in codes if isinstance(registry().lookup(code, day), RegisterGap))
        content, _ = self._legacy_points(len(LEGACY_SPECIMENS), place.unit)
        file = _commune(replace(place.unit, code=code), LEGACY_PERIOD, content)
        return _message(province, file, Status.HELD, "register_gap")

    # ----------------------------------------------------------------------------------------------- content

    def _quality(self, place: Place) -> Quality:
        random = self._random("quality", place.unit.code)
        if registry().continues(place.unit) and random.random() < 0.5:  # only these can be at level 2
            return "strong"
        return _drawn(QUALITIES, random)

    def _targets(self, place: Place, quality: Quality, counted: int | None = None) -> TargetsContent:
        """`counted`: the citizens of the commune, where they are no draw."""
        random = self._random("targets", place.unit.code)
        rubric = rubric_for("commune", PERIOD)
        assert isinstance(rubric, PassFailRubric)
        basis = f"Quyết định {random.randint(10, 900)}/QĐ-SYN ({MARK})" if random.random() < 0.95 else None
        difficult = place.area_class == "region_3"
        drawn = place.population * random.randint(60, 72) // 100
        citizens = counted or drawn
        draw = _middle if quality == "tied" else _between
        standings = _standings(quality, [target.id for target in rubric.targets], random)
        content = TargetsContent(
            targets={
                target.id: _value(
                    target,
                    standings[target.id],
                    difficult and basis is not None,
                    lambda low, high: draw(low, high, citizens, random),
                    random,
                )
                for target in rubric.targets
            },
            difficult_area=difficult,
            difficult_area_basis=basis if difficult else None,
        )
        chosen = random.choice(list(standings))
        match quality:
            case "incomplete":
                targets = {id: value for id, value in content.targets.items() if id != chosen}
                return content.model_copy(update={"targets": targets})
            case "without_evidence":
                bare = content.targets[chosen].model_copy(update={"evidence": []})
                return content.model_copy(update={"targets": {**content.targets, chosen: bare}})
            case _:
                return content

    def _good_commune(self, place: Place) -> CommuneSubmitted:
        return _commune_of(place, self._targets(place, "good"))

    def _commune_draft(self, place: Place, number: int) -> CommuneSubmitted:
        """The `number`-th thing that a commune says about the period, each different."""
        content = _with_citizens(self._targets(place, "good", DRAFT_CITIZENS), 15_000 + 1_000 * number)
        return _renamed(_commune_of(place, content), f"-{number}")

    def _centre_draft(self, place: Place, number: int) -> CentreSubmitted:
        """The `number`-th thing that a centre says about the period, each different."""
        rubric, random = _points_rubric("centre", PERIOD), self._random("draft", place.centre_id)
        content = _points(rubric, Decimal(50 + 10 * number), random)
        return _renamed(_centre(place, content), f"-{number}")

    def _legacy_points(self, number: int, unit: Unit) -> tuple[PointsContent, str]:
        """Points under Circular 44/2014, and the grade that they were drawn for; the first few are borderline cases."""
        rubric, random = _points_rubric("commune", LEGACY_PERIOD), self._random("legacy", unit.code)
        if number < len(LEGACY_SPECIMENS):
            total, zero, note = LEGACY_SPECIMENS[number]
            return _points(rubric, Decimal(total), random, zero), note
        grade = _drawn_grade(rubric, random)
        return _points(rubric, _drawn_total(rubric, grade, random), random), grade.id


# ------------------------------------------------------------------------------------------------- submissions


def _commune(unit: Unit, period: int, content: TargetsContent | PointsContent) -> CommuneSubmitted:
    return CommuneSubmitted(
        submission_id=f"SYN-XA-{period}-{unit.code}",
        unit_code=unit.code,
        unit_name=unit.name,
        period=period,
        rubric=rubric_for("commune", period).id,
        content=content,
    )


def _commune_of(place: Place, content: TargetsContent) -> CommuneSubmitted:
    """The period's file of a commune, which tells the area class that was drawn for it."""
    told = {"area_class": place.area_class, "area_class_basis": f"Danh sách khu vực ({MARK})"}
    return _commune(place.unit, PERIOD, content).model_copy(update=told)


def _centre(place: Place, content: PointsContent) -> CentreSubmitted:
    return CentreSubmitted(
        submission_id=f"SYN-TT-{PERIOD}-{place.centre_id}",
        centre_id=place.centre_id,
        period=PERIOD,
        rubric=rubric_for("centre", PERIOD).id,
        content=content,
    )


def _registration(place: Place) -> CentreRegistered:
    return CentreRegistered(
        submission_id=f"SYN-DK-{place.centre_id}",
        centre_id=place.centre_id,
        name=f"Trung tâm học tập cộng đồng {place.unit.name} ({MARK})",
        commune_code=place.unit.code,
        area_class=place.area_class,
        population_served=place.population,
        opened_on=place.opened_on,
    )


def _support(place: Place, amount: int) -> SupportSubmitted:
    return SupportSubmitted(
        submission_id=f"SYN-HT-{PERIOD}-{place.centre_id}", centre_id=place.centre_id, year=PERIOD, amount=amount
    )


def _envelope(suffix: str, amount: int) -> EnvelopeSubmitted:
    return EnvelopeSubmitted(submission_id=f"SYN-NS-{BUDGET_YEAR}-{suffix}", year=BUDGET_YEAR, amount=amount)


def _renamed(submission: S, suffix: str) -> S:
    return submission.model_copy(update={"submission_id": submission.submission_id + suffix})


def _under_id_of(other: Submission, submission: S) -> S:
    return submission.model_copy(update={"submission_id": other.submission_id})


def _correcting(submission: S, version: int) -> S:
    return submission.model_copy(update={"corrects_version": version})


def _message(province: str, submission: Submission, expected: Status = Status.ACCEPTED, note: str = "") -> Message:
    return Message(
        province=province,
        key=submission_key(dict(submission), province),
        type=contract_of(type(submission)).value,
        body=submission.model_dump_json(exclude_none=True).encode(),
        expected=expected,
        note=note,
    )


def _edited(message: Message, note: str, pointer: str, value: object, *, keep_id: bool = False) -> Message:
    """The message with one place of its body spoilt, so that it must be refused with the code `note`."""
    data = json.loads(message.body)
    if not keep_id:
        data["submission_id"] += "-LOI"
    *parents, last = pointer.split("/")[1:]
    place = data
    for name in parents:
        place = place[name]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    body = json.dumps(data, ensure_ascii=False).encode()
    key = submission_key(data, message.province)
    return replace(message, key=key, body=body, expected=Status.REJECTED, note=note)


def _histories(province: str, places: Iterator[Place], draft: Callable[[Place, int], Submission]) -> Iterator[Message]:
    """Files that come more than once, in each of the ways that intake must tell apart; one place for each."""

    def drafts() -> list[Submission]:
        place = next(places)
        return [draft(place, number) for number in (1, 2, 3)]

    arrives = partial(_message, province)

    first, second, third = drafts()
    yield arrives(first)
    yield arrives(first, Status.DUPLICATE, "same_bytes")

    first, second, third = drafts()
    yield arrives(first)
    yield arrives(_correcting(second, 1), note="correction")

    first, second, third = drafts()
    yield arrives(first)
    yield arrives(_correcting(second, 1), note="correction")
    yield arrives(_correcting(third, 1), Status.CONFLICT, "not_current_version")

    first, second, third = drafts()
    yield arrives(first)
    yield arrives(_under_id_of(first, second), Status.CONFLICT, "submission_id_reused")

    first, second, third = drafts()
    yield arrives(first)
    yield arrives(_under_id_of(second, first), Status.UNCHANGED, "unchanged")

    first, second, third = drafts()
    yield arrives(first)
    yield arrives(second, Status.CONFLICT, "already_accepted")

    first, second, third = drafts()
    yield arrives(_correcting(second, 7), Status.CONFLICT, "nothing_to_correct")
    yield arrives(first)


# --------------------------------------------------------------------------------------------------- pass/fail


def _standings(quality: Quality, targets: Sequence[str], random: Random) -> dict[str, Standing]:
    """Which level each target reaches, so that the whole file is of that quality."""
    if quality == "strong":
        return dict.fromkeys(targets, 2)
    if quality == "tied":
        return dict.fromkeys(targets, 1)
    standings: dict[str, Standing] = {target: 2 if random.random() < 0.6 else 1 for target in targets}
    standings[CITIZENS] = 1  # else it might be strong by accident
    if quality == "short":
        standings |= dict.fromkeys(random.sample(list(targets), random.randint(1, 3)), 0)
    return standings


def _value(
    rule: Target, standing: Standing, difficult: bool, draw: Callable[[Fraction, Fraction], Share], random: Random
) -> TargetValue:
    """A value that reaches exactly this level."""
    evidence = _evidence(rule.id)
    match rule:
        case BooleanRule():
            return MetTarget(met=standing > 0, evidence=evidence)
        case PartsRule():
            lacking = random.choice(list(rule.parts)) if standing == 0 else None
            return PartsTarget(parts={part: part != lacking for part in rule.parts}, evidence=evidence)
        case LevelRule():
            needed = rule.min_level["L2" if standing == 2 else "L1"]
            return LevelTarget(level=needed if standing else needed - 1, evidence=evidence)
        case ShareRule():
            low, high = rule.thresholds["L1"], rule.thresholds["L2"]
            return ShareTarget(share=draw(*_band(standing, low, high)), evidence=evidence)
        case SharePairRule():
            one, two = rule.required("L1", difficult), rule.required("L2", difficult)
            return SharePairTarget(
                trained=draw(*_band(standing, one.trained, two.trained)),
                university=draw(*_band(standing, one.university, two.university)),
                evidence=evidence,
            )
        case _:
            raise ValueError(f"no commune is asked for {rule.id} ({rule.type})")


def _band(standing: Standing, first: Fraction, second: Fraction) -> tuple[Fraction, Fraction]:
    """From where to where (excluded) a share reaches exactly this level."""
    if standing == 0:
        return first * Fraction(3, 4), first
    return (first, second) if standing == 1 else (second, min(second * Fraction(5, 4), Fraction(1)))


def _between(low: Fraction, high: Fraction, citizens: int, random: Random) -> Share:
    return Share(numerator=random.randint(ceil(low * citizens), ceil(high * citizens) - 1), denominator=citizens)


def _middle(low: Fraction, high: Fraction, citizens: int, random: Random) -> Share:
    """The same share for everybody, of as many citizens as come near; the whole is one for all shares of a commune."""
    whole = (citizens // 1_000 + 1) * 1_000
    counted = (low + high) / 2 * whole
    assert counted.denominator == 1, "the middle of two shares of the law has at most three digits"
    return Share(numerator=counted.numerator, denominator=whole)


def _with_citizens(content: TargetsContent, numerator: int) -> TargetsContent:
    """The content with `numerator` of 25,000 citizens as Learning Citizens; 15,000 are the 60 % that level 1 needs."""
    share = ShareTarget(share=Share(numerator=numerator, denominator=DRAFT_CITIZENS), evidence=_evidence(CITIZENS))
    return content.model_copy(update={"targets": {**content.targets, CITIZENS: share}})


# ------------------------------------------------------------------------------------------------------ points


def _points_rubric(series: Series, period: int) -> PointsRubric:
    rubric = rubric_for(series, period)
    assert isinstance(rubric, PointsRubric)
    return rubric


def _drawn_grade(rubric: PointsRubric, random: Random) -> Grade:
    ids = {grade.id: grade for grade in rubric.grades}
    return ids[_drawn({id: GRADES[id] for id in ids}, random)]


def _drawn_total(rubric: PointsRubric, grade: Grade, random: Random) -> Decimal:
    """Any total of the grade; of the lowest one, not the lower part, which nobody sends."""
    step = rubric.point_table.step
    low = grade.min or grade.max * 7 / 10
    high = grade.max if grade.max_inclusive else grade.max - step
    return random.randint(ceil(low / step), int(high / step)) * step


def _points(rubric: PointsRubric, total: Decimal, random: Random, zero: str | None = None) -> PointsContent:
    """Points that sum to `total`, none of them 0 but those of the criterion `zero`."""
    step = rubric.point_table.step
    steps = {one.id: int(rubric.maximum(one.id) / step) for one in rubric.criteria if one.id != zero}
    ids = list(steps)
    excess = sum(steps.values()) - int(total / step)
    while excess > 0:
        id = random.choice(ids)
        if steps[id] > 1:
            steps[id] -= 1
            excess -= 1
    if zero:
        steps[zero] = 0
    return PointsContent(
        points={id: AwardedPoints(points=number * step, evidence=_evidence(id)) for id, number in steps.items()}
    )


def _without(content: PointsContent, criterion: str) -> PointsContent:
    return PointsContent(points={id: one for id, one in content.points.items() if id != criterion})


def _unproven(content: PointsContent, criterion: str) -> PointsContent:
    bare = AwardedPoints(points=content.points[criterion].points)
    return PointsContent(points={**content.points, criterion: bare})


# ------------------------------------------------------------------------------------------------------ common


def _drawn(weights: Mapping[T, int], random: Random) -> T:
    return random.choices(list(weights), list(weights.values()))[0]


def _evidence(id: str) -> list[str]:
    return [f"Hồ sơ {id} ({MARK})"]


def _area_class(unit: Unit, random: Random) -> AreaClass:
    """Drawn, with more of the difficult classes where there are mountains: no list per commune was found."""
    if unit.type == "Phường":
        return "other"
    weights = (20, 20, 45, 15) if unit.province_code in HIGHLAND else (20, 12, 18, 50)
    if unit.province_code not in HIGHLAND | UPLAND:
        weights = (5, 1, 1, 93)
    return _drawn(dict(zip(AREA_CLASSES, weights, strict=True)), random)


@cache
def _floor(area_class: AreaClass) -> int:
    return funding_norms(date(BUDGET_YEAR, 1, 1)).floor(area_class).amount
