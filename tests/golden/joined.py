"""A scored event and the rules that it names, joined by hand: no word of our own code, only the two JSON texts.

Written as an auditor would, or a reader in another language: it knows the contracts' descriptions and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

Json = Any


class Joined(NamedTuple):
    """What the rules say of one target, and whether its value meets each level, computed anew."""

    name: Json
    citation: str
    thresholds: Mapping[str, Json]
    met: Mapping[str, bool | None]


class Audit:
    """One event against its rules."""

    def __init__(self, event: Json, rules: Mapping[str, Json]) -> None:
        self.event, self.rules, self.rule = event, rules, rules[event["rubric"]]
        self.sent = event["content"].get("targets") or event["content"].get("indicators") or {}
        (readings,) = [one for id, one in rules.items() if id.startswith("readings/")]
        self.empty_counts: bool = readings["empty_cohort"]["counts_as"] == "met"
        self.day = f"{event['period']}-12-31"
        claims = event["content"]
        self.difficult = claims.get("difficult_area") and claims.get("difficult_area_basis") is not None
        self.special = claims.get("specially_difficult") and claims.get("specially_difficult_basis") is not None

    def targets(self) -> dict[tuple[str, str], Joined]:
        """By criterion and target."""
        kinds = {
            "points": self._indicators,
            "pass_fail": self._pass_fail,
            "standard_levels": self._standards,
            "roll_up": self._models,
        }
        return dict(kinds[self.rule["scoring"]]())

    # ------------------------------------------------------------------------------------------------- pass/fail

    def _pass_fail(self) -> Iterator[tuple[tuple[str, str], Joined]]:
        for criterion in self.rule["criteria"]:
            for target in criterion["targets"]:
                asked = self.event["criteria"][criterion["id"]]["targets"][target["id"]]  # not all ask it of everybody
                needed = {level: self._threshold(target, level) for level in asked}
                met = {level: self._meets(target, needed[level], level) for level in asked}
                yield (criterion["id"], target["id"]), Joined(target["name"], target["citation"], needed, met)

    def _threshold(self, target: Json, level: str) -> Json:
        tables = {"level": "min_level", "count": "minimum", "share": "thresholds", "share_of_recognised": "thresholds"}
        if target["type"] == "share_pair":
            return target["thresholds_difficult_area" if self.difficult else "thresholds"][level]
        return target[tables[target["type"]]][level] if target["type"] in tables else None

    def _meets(self, target: Json, needed: Json, level: str) -> bool | None:
        if target["type"] == "share_of_recognised":
            return self._recognised_within(target, needed, level)
        source = target.get("reference") or {}
        decided = self._elsewhere(source["series"], source.get("standard", source.get("share"))) if source else None
        if decided is not None:
            return int(decided) >= needed if target["type"] == "level" else self._reaches(_parts(decided), needed)
        value = self.sent.get(target["id"])
        if value is None or (target["type"] == "parts" and target["parts"].keys() - value["parts"].keys()):
            return None
        return bool(value["evidence"]) and self._value_meets(target, value, needed)

    def _value_meets(self, target: Json, value: Json, needed: Json) -> bool:
        match target["type"]:
            case "boolean":
                return bool(value["met"])
            case "parts":
                return all(value["parts"].get(part, False) for part in target["parts"])
            case "level":
                return bool(value["level"] >= needed)
            case "count":
                return bool(value["count"] >= needed)
            case "change":
                grown = Fraction(value["current"]) - Fraction(value["previous"])
                return grown > 0 if target["direction"] == "increase" else grown < 0
            case "share":
                return self._reaches(value["share"], needed)
            case _:
                return all(self._reaches(value[part], needed[part]) for part in ("trained", "university"))

    def _recognised_within(self, target: Json, needed: Json, level: str) -> bool | None:
        counts, stop = self.event["inputs"].get("counts"), target["not_computable"]
        if (stop and self.day >= stop["since"]) or not counts or counts["counted"] != target["counts"]:
            return None
        reached = sum(each >= int(level[1]) for each in counts["recognised"].values())
        return self._reaches({"numerator": reached, "denominator": counts["total"]}, needed)

    def _elsewhere(self, series: str, name: Json) -> str | None:
        """The value by a decision of the period, else by another result."""
        inputs, period = self.event.get("inputs", {}), self.event["period"]
        for one in inputs.get("standards", []):
            revoked = one["revocation"] and one["revocation"]["effective_from"] <= self.day
            if (one["period"], one["standard"]) == (period, name) and one["level"] and not revoked:
                return str(one["level"])
        found = [one for one in inputs.get("references", []) if (one["series"], one["period"]) == (series, period)]
        return next((one["outcome"][name] for one in found if name in one["outcome"]), None)

    def _reaches(self, share: Json, needed: str) -> bool:
        if share["denominator"] == 0:
            return self.empty_counts
        return Fraction(share["numerator"], share["denominator"]) >= Fraction(needed)

    def level(self) -> int | None:
        """0, 1 or 2: all targets of all criteria; level 2 also needs an earlier decision that still counts."""
        found = {
            level: [one.met[level] for one in self.targets().values() if level in one.met] for level in ("L1", "L2")
        }
        if self.event["missing"]:
            return None
        if not all(found["L1"]):
            return 0
        latest = self.event["period"] - -(-self.rule["recognised"]["months"] // 12)
        opens = any(
            one["level"] is not None
            and one["period"] <= latest
            and self.day < f"{int(one['decided_on'][:4]) + 1 + self.rule['validity']['months'] // 12}-01-01"
            and not (one["revocation"] and one["revocation"]["effective_from"] <= self.day)
            for one in self.event.get("inputs", {}).get("recognitions", [])
        )
        return 2 if all(found["L2"]) and opens else 1

    # ---------------------------------------------------------------------------------------------------- points

    def _indicators(self) -> Iterator[tuple[tuple[str, str], Joined]]:
        for criterion in self.rule["criteria"]:
            for one in criterion["indicators"]:
                rule = one["rule"] or {}
                met = {"met": self._checked(one["id"], rule)}
                threshold = rule.get("min") or rule.get("min_level") or rule.get("grade")
                wanted = {"met": threshold} if threshold else {}
                yield (criterion["id"], one["id"]), Joined(one["name"], one["citation"], wanted, met)

    def _checked(self, id: str, rule: Json) -> bool | None:
        match rule.get("type"):
            case "share":
                value = self.event["content"]["indicators"].get(id, {})
                return self._reaches(value["share"], rule["min"]) if "share" in value else None
            case "level":
                level = self._elsewhere(rule["reference"]["series"], rule["reference"]["standard"])
                return None if level is None else int(level) >= rule["min_level"]
            case "grade":
                found = self.event.get("inputs", {}).get("references", [])
                same = [
                    one for one in found if (one["series"], one["period"]) == (rule["series"], self.event["period"])
                ]
                grades = [one["outcome"]["grade"] for one in same if "grade" in one["outcome"]]
                return any(one == rule["grade"] for one in grades) if grades else None
            case _:
                return None

    def points(self) -> dict[str, Fraction | None]:
        """By criterion: what was awarded, nothing without evidence, no more than unmet indicators leave."""
        table, checked, found = self.rule["point_table"], self.targets(), {}
        for criterion in self.rule["criteria"]:
            id, indicators = criterion["id"], [one["id"] for one in criterion["indicators"]]
            most, awarded = Fraction(table["maxima"][id]), self.event["content"]["points"].get(id)
            for each in indicators:
                if checked[id, each].met["met"] is False:
                    own = table["indicators"].get(each)
                    most -= Fraction(own) if own else Fraction(table["maxima"][id]) / len(indicators)
            found[id] = None if awarded is None else min(Fraction(awarded["points"]), most) * bool(awarded["evidence"])
        return found

    def grade(self) -> str | None:
        """Of the total, or that of the minimum of each criterion."""
        points, least = list(self.points().values()), self.rule["minimum_rule"]
        given = [each for each in points if each is not None]
        if len(given) < len(points):
            return None
        if least and least["more_than"] is not None and min(given) <= Fraction(least["more_than"]):
            return str(least["grade"])
        if least and least["at_least"] is not None and min(given) < Fraction(least["at_least"]):
            return str(least["grade"])
        total = sum(given)
        return str([one["id"] for one in self.rule["grades"] if total >= Fraction(one["min"])][-1])

    # --------------------------------------------------------------------------------------- standards and models

    def _standards(self) -> Iterator[tuple[tuple[str, str], Joined]]:
        measures = {one["id"]: one for one in self.rule["measures"]}
        for standard in self.rule["standards"]:
            asked: dict[str, dict[str, str]] = {}
            for number, level in enumerate(standard["levels"], start=1):
                for condition in level["conditions"]:
                    if (condition["effective_from"] or "") <= self.day:
                        one = condition["special"] if self.special and condition["special"] else condition
                        asked.setdefault(one["share"], {})[f"L{number}"] = one["min"]
            for id, needed in asked.items():
                met = {level: self._sent_reaches(id, least) for level, least in needed.items()}
                yield (standard["id"], id), Joined(measures[id]["name"], measures[id]["citation"], needed, met)

    def _models(self) -> Iterator[tuple[tuple[str, str], Joined]]:
        for model in self.rule["models"]:
            goals = {one["id"]: one for one in self.rules["goals"]["goals"]}
            needed = {
                id: goals[id][
                    "value_difficult_area" if self.difficult and goals[id]["value_difficult_area"] else "value"
                ]
                for id in self.event["criteria"][model["id"]].get("met", {})
            }
            met = {id: self._sent_reaches(model["id"], least) for id, least in needed.items()}
            yield (model["id"], model["id"]), Joined(model["name"], model["citation"], needed, met)

    def _sent_reaches(self, id: str, needed: str) -> bool | None:
        value = self.sent.get(id)
        return None if value is None else bool(value["evidence"]) and self._reaches(value["share"], needed)


def _parts(share: str) -> Json:
    numerator, _, denominator = share.partition("/")
    return {"numerator": int(numerator), "denominator": int(denominator or 1)}
