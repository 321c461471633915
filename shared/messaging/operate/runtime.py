"""One service process: broker, consumer, relay, recalculation worker, and what its health is judged by."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from typing import Any, NoReturn

import structlog
from aiokafka.errors import KafkaError

from shared.messaging import seals
from shared.messaging.clock import BusinessClock, offset_in
from shared.messaging.collections import OUTBOX, RECALCULATIONS
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.broker import KafkaPublisher, make_broker
from shared.messaging.consume.consuming import Consuming
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.consume.topic_lives import TopicLives
from shared.messaging.consume.topics_seen import Looking
from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.migrating import seal_former
from shared.messaging.decide.recalculation import Recalculator, due_now
from shared.messaging.decide.sets import Sets
from shared.messaging.ending import end
from shared.messaging.faults import saboteurs
from shared.messaging.operate.dead_letters import DeadLetters
from shared.messaging.operate.instance import Instance, InstanceTaken
from shared.messaging.operate.keeping import Keeper, Kept
from shared.messaging.operate.preparing import prepare
from shared.messaging.operate.topics import RightsMissing, check_topics, lacking, needs_of
from shared.messaging.send.outbox import Relay
from shared.messaging.settings import ServiceSettings
from shared.messaging.stage import require_supported
from shared.mongo import Mongo, Unavailable, answers
from shared.mongo.port import CommitUnknown, MongoError, Transient
from shared.telemetry import metrics

log = structlog.get_logger()
STOP_SECONDS = 20.0
RELEASE_SECONDS = 2.0
WATCH_SECONDS = 10.0
TOPICS_SECONDS = 5.0
READ_AGAIN_SECONDS = 60.0
PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between two tries to reach a server at start; the last one repeats."""
ANSWER_SECONDS = 5.0
STUCK = 70
"""Exit code of a process that ended itself because it made no progress."""
TAKEN = 71
"""Exit code of a process whose instance number another one has."""
REFUSED = 72
"""Exit code of a process that ended itself because the database lets it in no more."""


class BrokerAway(KafkaError):  # type: ignore[misc]  # aiokafka ships no types
    """The broker does not answer in time."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and whether it does."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Flow:
    """What is still on its way in this process's service."""

    lag: int
    outbox: int
    requests: int
    busy: bool

    @property
    def settled(self) -> bool:
        """Nothing is on its way."""
        return not (self.lag or self.outbox or self.requests or self.busy)


class Runtime:
    """Starts and stops everything that moves events. Build, then `start`, then `stop` within `STOP_SECONDS`."""

    def __init__(
        self,
        service: str,
        settings: ServiceSettings,
        mongo: Mongo,
        consumer: Consumer,
        *,
        migrate: Callable[[Mongo], Awaitable[None]],
        sets: Sets | None = None,
        kept: Sequence[Kept[Any]] = (),
        opening: Callable[[Commands], Awaitable[None]] | None = None,
    ) -> None:
        self.service = service
        self.settings = settings
        self.mongo = mongo
        offset = offset_in(settings.clock_file) if settings.clock_file else settings.clock_offset
        self.clock = BusinessClock(offset, skew_seconds=settings.faults.skew_seconds)
        self._migrate = migrate
        self._opening = opening
        faults = saboteurs(settings.faults, process=f"{service}-{settings.instance}")
        kafka = settings.kafka_access
        self._broker = make_broker(kafka, client_id=f"langhoc-{service}-{settings.instance}", faults=faults)
        self._needs = needs_of(service, consumer.topics)
        self._looking = Looking(kafka)
        self.relay = Relay(
            mongo,
            KafkaPublisher(self._broker),
            publish_deadline=settings.publish_deadline,
            clock=self.clock,
            lease_seconds=settings.lease_seconds,
            faults=faults,
        )
        brake = Brake(settings.brake_after)
        pipeline = Pipeline(
            service,
            consumer,
            mongo,
            clock=self.clock,
            brake=brake,
            sets=sets,
            transaction_deadline=settings.transaction_deadline,
            faults=faults,
            before=self._surely_ours,
        )
        self.consuming = Consuming(self._broker, consumer, pipeline, self.relay, brake, settings, faults=faults)
        self._lives = TopicLives(mongo, self.consuming.group, self._look)
        self._forbidden: list[str] = []
        self.letters = DeadLetters(mongo, pipeline, self.relay, clock=self.clock, attempts=settings.replay_attempts)
        self.commands = Commands(service, mongo, self.relay, clock=self.clock, sets=sets, faults=faults)
        self._recalculator = (
            Recalculator(
                service,
                mongo,
                self.relay,
                clock=self.clock,
                sets=sets,
                quiet_seconds=settings.burst_quiet,
                limit_seconds=settings.burst_limit,
                lease_seconds=settings.lease_seconds,
                faults=faults,
            )
            if sets and sets.by_name
            else None
        )
        self.keeper = Keeper(service, mongo, kept, clock=self.clock)
        self._instance = Instance(service, settings.instance, mongo, lease_seconds=settings.lease_seconds)
        self._keeper: asyncio.Task[None] | None = None
        self._login: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self._started = False
        self._away = float("-inf")
        self.waiting_for: str | None = None
        """The server that a start in progress waits for."""

    async def start(self) -> None:
        """Claim the instance, check database and topics, prepare the database, start to consume; wait for who is away.

        Raises `InstanceTaken`, `TopicMismatch` and `Unsupported`, which no waiting mends.
        """
        self._login = asyncio.create_task(self._watch_login(), name="login")
        await self._answered("MongoDB", self._instance.claim)
        self._keeper = asyncio.create_task(self._keep_instance(), name="instance")
        await self._answered("MongoDB", partial(self.clock.measure, self.mongo))
        await self._answered("MongoDB", self._supported)
        await self._answered("Kafka", self._admitted)
        await self._answered("MongoDB", self._prepare)
        if self._opening is not None:
            await self._answered("MongoDB", partial(self._opening, self.commands))
        await self._answered("MongoDB", self.letters.read_again)  # before later records of the same keys are read
        await self._answered("Kafka", self._connect)
        self.waiting_for = None
        self._tasks = [
            asyncio.create_task(self.clock.follow(self.mongo), name="clock"),
            asyncio.create_task(self.relay.run(), name="relay"),
            asyncio.create_task(self._resume(), name="resume"),
            asyncio.create_task(self._watch(), name="watch"),
            asyncio.create_task(self._watch_topics(), name="topics"),
            asyncio.create_task(self._read_again(), name="waiting letters"),
            asyncio.create_task(self.keeper.run(), name="retention"),
        ]
        if self._recalculator:
            self._tasks.append(asyncio.create_task(self._recalculator.run(), name="recalculator"))
        if self.settings.clock_file:
            obeying = self.clock.obey(self.settings.clock_file, self.consuming.between)
            self._tasks.append(asyncio.create_task(obeying, name="simulated clock"))
        self._started = True
        log.info("service.started", clock_offset=self.clock.offset_seconds)

    async def _answered(self, server: str, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step of the start, again and again while its server does not answer."""
        self.waiting_for = server
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                await step()
                return
            except (KafkaError, Unavailable, Transient, CommitUnknown, TimeoutError) as error:
                log.warning("service.waiting", waiting_for=server, error=repr(error)[:300], next_try_seconds=pause)
            await asyncio.sleep(pause)

    async def _admitted(self) -> None:
        """Topics are the contracts', and nothing that this process is for is forbidden: else it would hear nothing."""
        await check_topics(self.settings.kafka_access, self._needs)
        if not await self._looking.may_join(self.consuming.group):
            raise RightsMissing(self._no_group)

    @property
    def _no_group(self) -> str:
        return f"group {self.consuming.group}: no right to read"

    async def _look(self, names: Iterable[str]) -> dict[str, str]:
        """The ids of these topics; on the way, whether anything is forbidden now."""
        seen = await self._looking.topics({*names, *self._needs})
        joins = await self._looking.may_join(self.consuming.group)
        self._forbidden = lacking(self._needs, seen) + ([] if joins else [self._no_group])
        return {name: id for name in names if name in seen and (id := seen[name].id)}

    async def _supported(self) -> None:
        require_supported(self.settings, await self.mongo.version(), self.clock.real().date())

    async def _prepare(self) -> None:
        await prepare(self.mongo, inbox_days=self.settings.inbox_days)
        await seal_former(self.mongo)
        await self._migrate(self.mongo)

    async def _connect(self) -> None:
        try:
            await self._broker.start()
        except KafkaError:
            await self._broker.stop()  # what was begun; the next try begins anew
            raise

    async def stop(self) -> None:
        """Finish the batch in flight, commit it, give leases back; bounded, because a frozen broker never answers."""
        started, self._started = self._started, False
        in_order = True
        self.consuming.stop_fetching()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.consuming.idle()
                await end(self._tasks)
                await self._looking.close()
                if started:
                    with suppress(MongoError):
                        await self.relay.release()
                await self._broker.stop()
                log.info("service.stopped")
        except TimeoutError:
            log.error("service.stop_timed_out")
            in_order = False
        await self._give_back(in_order=in_order)

    async def _give_back(self, *, in_order: bool) -> None:
        """Last of all the instance: until then nobody else may join the group in its place.

        What did not end in order may still be at work until the process is gone; then the lease runs out by itself.
        """
        await end([task for task in (self._login, self._keeper) if task])
        if self._keeper and in_order:
            with suppress(MongoError, TimeoutError):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._instance.release()
        await self.mongo.close()

    async def _keep_instance(self) -> None:
        try:
            await self._instance.keep()
        except InstanceTaken as error:
            _give_way(error)

    async def _watch_login(self) -> None:
        """End the process when its login is refused for long: a new one reads its secrets anew, and logs in anew.

        A connection whose user was removed stays logged out though the user is given back, and no library notices.
        """
        while self.mongo.refused_seconds < self.settings.refused_after:  # noqa: ASYNC110  whoever uses the database tells
            await asyncio.sleep(1.0)
        log.critical("service.refused_by_database", seconds=round(self.mongo.refused_seconds))
        os._exit(REFUSED)

    async def _surely_ours(self) -> None:
        """Before each batch: a process that was frozen while another one took its place must handle nothing more."""
        try:
            await self._instance.sure()
        except InstanceTaken as error:
            _give_way(error)

    async def _resume(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            with suppress(AssertionError):  # the client is gone while the broker stops
                self.consuming.resume_due()

    async def _watch_topics(self) -> None:
        """Notice topics that were made anew; a broker or database that is away is asked again."""
        while True:
            try:
                await self.consuming.read_anew(self._lives)
            except (KafkaError, MongoError, TimeoutError, AssertionError) as error:  # or the client is gone: a stop
                log.warning("topics.not_asked", error=repr(error))
            await asyncio.sleep(TOPICS_SECONDS)

    async def _read_again(self) -> None:
        """What a copy of an older release has set aside since this one started."""
        while True:
            await asyncio.sleep(READ_AGAIN_SECONDS)
            with suppress(MongoError, TimeoutError):
                await self.letters.read_again()

    async def _watch(self) -> None:
        """End the process when it is not alive by its own judgement: whoever supervises it starts a new one."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            metrics.ALTERED.set(len(seals.found_altered()))
            await self._measure()
            failed = [check for check in await self.live() if not check.ok]
            if failed:
                log.critical("service.stuck", checks={check.name: check.detail for check in failed})
                os._exit(STUCK)

    async def _measure(self) -> None:
        """Keep the gauges of the flow true; they stay as they are while broker or database do not answer."""
        with suppress(KafkaError, MongoError, TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS / 2):
                await self.flow()
                await self.dead_letters()

    # ------------------------------------------------------------------ health

    async def flow(self) -> Flow:
        """What is still on its way; raises `BrokerAway` and `MongoError` when broker or database do not answer."""
        # Asked in the order in which work flows on, so that nothing slips by between two questions.
        lag = await self._lag()
        busy = self.consuming.busy or self.consuming.assigned is None
        requests = await self.mongo.count(RECALCULATIONS, due_now(self.clock))
        flow = Flow(lag, await self.mongo.count(OUTBOX, {}), requests, busy)
        metrics.OUTBOX_ROWS.set(flow.outbox)
        metrics.RECALCULATIONS_OPEN.set(flow.requests)
        return flow

    async def _lag(self) -> int:
        if not self._started:
            raise BrokerAway("not connected: the service is starting or stopping")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self.consuming.lag()
        except (KafkaError, TimeoutError) as error:
            raise BrokerAway(f"Kafka does not answer: {error!r}") from error

    async def live(self) -> list[Check]:
        """By progress, not by existence: a process that waits for nothing and does nothing must be restarted."""
        if self.waiting_for:
            return [Check("start", True, f"waiting for {self.waiting_for}")]
        now = time.monotonic()
        limit = self.settings.stuck_after
        broken = [task.get_name() for task in self._tasks if task.done()]
        checks = [
            Check("tasks", not broken, f"ended: {', '.join(broken)}" if broken else "running"),
            Check(
                "relay",
                now - self.relay.last_round < limit,
                f"last round {now - self.relay.last_round:.0f} s ago",
            ),
        ]
        checks += await self._events_leave(now)
        idle = now - self.consuming.last_progress
        if idle > limit:
            try:
                lag = await self._lag()
                away = lag > 0 and not await answers(self.mongo)
                said = "the database does not answer" if away else f"none finished for {idle:.0f} s"
                checks.append(Check("progress", lag == 0 or away, f"{lag} records wait, {said}"))
            except BrokerAway as error:
                # A broker that is down is no reason to restart us.
                checks.append(Check("progress", True, f"unknown: {error!r}"))
        return checks

    async def _events_leave(self, now: float) -> list[Check]:
        """By rows that leave, not by rounds. A server that is down is no reason to restart us."""
        unsent = now - max(self.relay.last_left, self._away)
        if unsent <= self.settings.stuck_after:
            return []
        if not (await self._broker.ping(5) and await answers(self.mongo)):
            self._away = now
            return [Check("events", True, "unknown: broker or database does not answer")]
        return [Check("events", False, f"events wait, the broker answers, and none left for {unsent:.0f} s")]

    async def ready(self) -> list[Check]:
        """Whether this process does its work now."""
        not_yet = f"waiting for {self.waiting_for}" if self.waiting_for else "starting or stopping"
        checks = [Check("started", self._started, "yes" if self._started else not_yet)]
        assigned = self.consuming.assigned
        checks.append(
            Check(
                "assignment",
                assigned is not None,
                "none yet" if assigned is None else f"{len(assigned)} partitions",
            )
        )
        checks.append(Check("rights", not self._forbidden, "; ".join(self._forbidden) or "all that are needed"))
        try:
            async with asyncio.timeout(3):
                await self.mongo.ping()
            checks.append(Check("database", True, "answers"))
        except (MongoError, TimeoutError) as error:
            checks.append(Check("database", False, repr(error)[:200]))
        troubles = self.consuming.troubles
        checks.append(Check("consumption", not troubles, f"{troubles} batches in a row were put off"))
        waiting = self.consuming.waiting()
        # Shown here, and alerted on; who waits alone is no reason to take the service away from the others.
        checks.append(Check("partitions", True, f"wait alone: {', '.join(waiting)}" if waiting else "all go on"))
        altered = seals.found_altered()
        checks.append(Check("documents", True, f"altered: {', '.join(altered[:20])}" if altered else "none altered"))
        if self._recalculator:
            parked = [f"{scope}/{period}: {why.error}" for (scope, period), why in self._recalculator.parked.items()]
            checks.append(Check("sets", True, f"parked: {'; '.join(sorted(parked)[:20])}" if parked else "none parked"))
        braked = self.consuming.braked
        checks.append(Check("brake", not braked, f"stopped: {', '.join(sorted(braked))}" if braked else "open"))
        age = self.relay.oldest_seconds
        checks.append(Check("outbox", age < 60, f"oldest unsent event {age:.0f} s old"))
        refused = [f"{hold.id} for {topic}: {hold.error}" for (topic, _), hold in self.relay.refused.items()]
        detail = f"{len(refused)} refused: {'; '.join(sorted(refused)[:5])}" if refused else "all taken by the broker"
        checks.append(Check("events", not refused, detail))
        return checks

    async def dead_letters(self) -> dict[str, int]:
        """How many dead letters wait for a person, and how many for a newer release."""
        found = {"dead_letters": await self.letters.open(), "dead_letters_waiting": await self.letters.waiting()}
        metrics.DEAD_OPEN.labels(self.consuming.name).set(found["dead_letters"])
        metrics.DEAD_WAITING.labels(self.consuming.name).set(found["dead_letters_waiting"])
        return found


def _give_way(error: InstanceTaken) -> NoReturn:
    """End at once, without an ordered stop: everything that it would touch is another process's now."""
    log.critical("instance.lost", error=str(error))
    os._exit(TAKEN)
