"""What closing binds, for every kind, arrival and set of orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.intake.decisions import reopening
from services.intake.domain import is_covered
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import PeriodReopened, ReopeningEnded
from shared.contracts.orders import PeriodReopening, ReopeningEnd
from shared.messaging.decide.asking import Order
from shared.rulebook import closing
from tests.unit.intake_samples import Intake, recognition

CLOSED = closing("commune", 2025).at
HOUR = timedelta(hours=1)
hours = st.integers(-48, 480).map(lambda number: CLOSED + number * HOUR)
spans = st.tuples(st.integers(0, 300), st.integers(1, 200), st.none() | st.integers(0, 200))
"""When an order is given, for how long, and after how many hours it is ended; all within its time."""
scopes = st.fixed_dictionaries({}, optional={"province": st.sampled_from(["01", "04"])})


@given(at=hours, years=st.integers(0, 60))
def test_no_closing_binds_a_decision_of_an_authority(at: datetime, years: int) -> None:
    arrived = at + years * timedelta(days=365)
    receipt, _ = Intake().receive(EventType.RECOGNITION_SUBMITTED, recognition(), at=arrived)
    assert receipt.status is Status.ACCEPTED


@given(arrival=hours, orders=st.lists(st.tuples(spans, scopes), max_size=4))
def test_the_arrival_and_the_orders_in_force_then_decide(arrival: datetime, orders: list[Any]) -> None:
    """Also of orders that were given, or ended, long before the record is read."""
    intake = Intake()
    given_orders: list[PeriodReopened] = []
    for number, ((begin, length, ended), scope) in enumerate(orders):
        at = CLOSED + begin * HOUR
        wanted = PeriodReopening(
            order_id=f"MO-{number}", what="commune", period=2025, reason="lũ", until=at + length * HOUR, **scope
        )
        order = reopening.Reopening(wanted, "an")
        intake.states.run(reopening.reopen, Order(order.id, order, at), at)
        fact = PeriodReopened(version=1, **wanted.model_dump(), ordered_by="an", ordered_at=at)
        if ended is not None and ended < length:
            moment = at + ended * HOUR
            end = reopening.Ending(wanted.order_id, ReopeningEnd(reason="đủ"), "an")
            intake.states.run(reopening.end, Order(end.id, end, moment), moment)
            fact = fact.model_copy(update={"ended": ReopeningEnded(reason="đủ", ended_by="an", ended_at=moment)})
        given_orders.append(fact)

    receipt = intake.commune(at=arrival)

    covering = [one.order_id for one in given_orders if is_covered(one, "01", "00004", arrival)]
    expected = [
        one.order_id
        for one in given_orders
        if one.province != "04" and one.ordered_at <= arrival < (one.ended.ended_at if one.ended else one.until)
    ]
    assert covering == expected
    assert (receipt.status is Status.REJECTED) is (arrival >= CLOSED and not expected)
    assert (receipt.under.id if receipt.under else None) == (expected[0] if expected and arrival >= CLOSED else None)


@given(arrivals=st.lists(hours, min_size=2, max_size=6, unique=True), seed=st.randoms(use_true_random=False))
def test_other_submissions_and_the_order_of_reading_change_nothing(arrivals: list[datetime], seed: Any) -> None:
    """Communes of one province, each read in another order: each is taken or refused by its own arrival."""
    codes = ["00004", "00008", "00025", "00070", "00082", "00091"]

    def taken(order: list[tuple[str, datetime]]) -> dict[str, bool]:
        intake = Intake()
        return {
            code: intake.commune(at=at, submission_id=code, unit_code=code).status is Status.ACCEPTED_LATE
            for code, at in order
        }

    one = list(zip(codes, arrivals, strict=False))
    other = list(one)
    seed.shuffle(other)
    assert taken(one) == taken(other) == {code: at < CLOSED for code, at in one}
