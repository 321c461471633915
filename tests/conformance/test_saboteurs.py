"""The saboteurs themselves: what the setting says, the same way for the same seed, and nothing when not asked."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from shared.messaging.faults import NO_FAULTS, FaultPlan, Injected, Saboteur, Step, saboteurs
from shared.messaging.settings import ServiceSettings

WHOLE = (
    "duplicate=0.05, fail_before_commit=0.02, fail_after_commit=0.03, delay=0.05:200ms, drop_ack=0.04, garble=0.01, "
    "skew=-600s, seed=7"
)


def service(monkeypatch: pytest.MonkeyPatch, faults: str | None) -> ServiceSettings:
    """Settings of a service whose environment says this."""
    monkeypatch.delenv("LANGHOC_FAULTS", raising=False)
    if faults is not None:
        monkeypatch.setenv("LANGHOC_FAULTS", faults)
    return ServiceSettings(kafka="-", mongo="-", jwks="-")


async def strikes(saboteur: Saboteur, times: int = 200) -> list[Step]:
    """Where it strikes, going through all steps so many times."""
    struck: list[Step] = []
    for _ in range(times):
        for step in Step:
            try:
                await saboteur.reach(step)
            except Injected:
                struck.append(step)
    return struck


def test_the_setting_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert service(monkeypatch, WHOLE).faults == FaultPlan(
        duplicate=0.05,
        fail_before_commit=0.02,
        fail_after_commit=0.03,
        drop_ack=0.04,
        garble=0.01,
        delay=0.05,
        delay_seconds=0.2,
        skew_seconds=-600.0,
        seed=7,
    )


@pytest.mark.parametrize("nothing", [None, "", "seed=3"])
async def test_nothing_goes_wrong_unless_it_was_ordered(monkeypatch: pytest.MonkeyPatch, nothing: str | None) -> None:
    with capture_logs() as logs:
        faults = saboteurs(service(monkeypatch, nothing).faults, process="intake-0")
    assert faults is NO_FAULTS
    assert logs == []
    assert faults.delivered([1, 2]) == [1, 2]
    assert faults.arrived(b"batch") == b"batch"
    for step in Step:
        await faults.reach(step)


def test_whoever_switches_them_on_is_told_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    with capture_logs() as logs:
        saboteurs(service(monkeypatch, WHOLE).faults, process="intake-0")
    (said,) = logs
    assert (said["log_level"], said["setting"]) == ("critical", "LANGHOC_FAULTS")
    assert "duplicate=0.05" in said["plan"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("duplicat=0.1", "there is no such fault; there are duplicate, fail_before_commit"),
        ("duplicate", "could not convert"),
        ("duplicate=1.5", "between 0 and 1"),
        ("drop_ack=nan", "between 0 and 1"),
        ("delay=0.1", "written like 0.05:200ms"),
        ("delay=0.1:2s", "written like 0.05:200ms"),
        ("delay=0.1:90000ms", "between 0 and 60000ms"),
        ("skew=600", "written like 600s or -600s"),
        ("skew=infs", "between -86400s and 86400s"),
        ("skew=nans", "between -86400s and 86400s"),
        ("seed=soon", "invalid literal"),
        ("delay_seconds=1", "no such fault"),
    ],
)
def test_a_mistake_in_the_setting_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, setting: str, said: str
) -> None:
    with pytest.raises(ValidationError) as error:
        service(monkeypatch, f"seed=1,{setting}")
    assert setting in str(error.value)
    assert said in str(error.value)


async def test_the_same_seed_strikes_at_the_same_steps_and_copies_of_a_service_at_others() -> None:
    plan = FaultPlan.parse("fail_before_commit=0.1,fail_after_commit=0.1,drop_ack=0.1,seed=7")
    first = await strikes(Saboteur(plan, process="intake-0"))
    assert set(first) == set(Step)
    assert first == await strikes(Saboteur(plan, process="intake-0"))
    assert first != await strikes(Saboteur(plan, process="intake-1"))


@pytest.mark.parametrize(
    ("setting", "steps"),
    [
        ("fail_before_commit=1", [Step.COMMITTING]),
        ("fail_after_commit=1", [Step.COMMITTED]),
        ("drop_ack=1", [Step.ACKNOWLEDGING, Step.CONFIRMED]),
        ("delay=1:0ms,duplicate=1", []),
    ],
)
async def test_each_saboteur_strikes_at_its_own_steps(setting: str, steps: list[Step]) -> None:
    assert await strikes(Saboteur(FaultPlan.parse(setting), process="intake-0"), times=1) == steps


def test_a_duplicate_comes_right_behind_its_record() -> None:
    """Within a partition a batch never goes backwards: an acknowledgement would."""
    doubled = Saboteur(FaultPlan(duplicate=0.5), process="intake-0").delivered(range(100))
    assert doubled == sorted(doubled)
    assert set(doubled) == set(range(100))
    assert 120 < len(doubled) < 180


def test_a_garbled_batch_arrives_in_order_when_it_is_asked_for_again() -> None:
    saboteur = Saboteur(FaultPlan(garble=1.0), process="intake-0")
    for _ in range(3):
        assert saboteur.arrived(b"batch") != b"batch"
        assert saboteur.arrived(b"batch") == b"batch"
