"""The agent: the loop on one machine that makes what is into what should be."""

import contextlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.catalogue import Catalogue
from pop.causes import HELD
from pop.cluster import Cluster
from pop.contact import Contact, Grounds
from pop.errors import PopError
from pop.history import History
from pop.instance import Instance
from pop.instances import Instances
from pop.journal import Entry
from pop.life import Phase
from pop.model import Service as Wish
from pop.plan import Held, Unrunnable, Want, plan
from pop.preparations import Preparations
from pop.program import Launch
from pop.reasons import Reasons
from pop.registration import Registration
from pop.reports import Reports
from pop.session import SessionNote
from pop.slots import service_of, slots
from pop.snapshot import Snapshot
from pop.summary import summary
from pop.turns import Turns
from pop.watch import Wanted
from txzookeeper.errors import ClosingException, ConnectionException

LOOK_AGAIN = 1.0
"""Seconds between two looks at how long ZooKeeper has been away, if a service minds: the clock that
wakes us stands still while the machine sleeps, and the one that counts does not."""


class Agent(Service):
    """One machine's part of the cluster.

    @param contact, instances, preparations, turns: make them, given what to call when something
        about them changes.
    @param session, snapshot: what it goes on by, where its predecessor left off.
    @param keeps_services: whether a stop of the agent is to leave the services running.
    @param wall: the time of day in seconds, for what people read.
    @param failed: told why, if the agent cannot do its work at all.
    @param journal: takes what becomes of the instances.
    @param recent: what a predecessor put there last, by service.
    """

    _log = Logger()

    def __init__(
        self,
        machine: str,
        cluster: Cluster,
        registration: Registration,
        reports: Reports,
        contact: Callable[[Callable[[], None]], Contact],
        instances: Callable[[Callable[[Instance], None]], Instances],
        preparations: Callable[[Callable[[], None]], Preparations],
        session: SessionNote,
        snapshot: Snapshot,
        catalogue: Catalogue,
        clock: IReactorTime,
        wall: Callable[[], float],
        failed: Callable[[Exception], None],
        keeps_services: Callable[[], bool],
        journal: Callable[[Entry], None],
        recent: Mapping[str, Sequence[Entry]],
        turns: Callable[[Callable[[], None]], Turns],
    ) -> None:
        self.machine = machine
        self.cluster = cluster
        self.instances = instances(self._report)
        self._contact = contact(self.look_again)
        self._preparations = preparations(self.look_again)
        self._session = session
        self._snapshot = snapshot
        self._registration = registration
        self._reports = reports
        self._catalogue = catalogue
        self._clock = clock
        self._wall = wall
        self._failed = failed
        self._keeps_services = keeps_services
        self._working: Deferred[None] | None = None
        self._round: Deferred[None] | None = None
        self._due = False
        self._wake: IDelayedCall | None = None
        self._joined = False
        self._swept = False
        self._all_known = False
        self._complaints: dict[str, str] = {}
        self._resolved: dict[str, tuple[Wish, Want]] = {}
        self._reasons = Reasons()
        self._turns = turns(self.look_again)
        self._history = History(journal, self.when, recent)

    def startService(self) -> None:
        """Go on with what a predecessor left; join the cluster, and converge from then on."""
        super().startService()
        self.instances.adopt()
        self._reasons.learn(Wanted(self._snapshot.read()))
        self._contact.begin()
        self._session.follow(self.cluster.client)
        self._working = Deferred.fromCoroutine(self._work())

    @property
    def current(self) -> bool:
        """Whether what ZooKeeper wants of this machine is known just now."""
        return self._contact.grounds is Grounds.CURRENT

    async def _work(self) -> None:
        try:
            await self.cluster.client.connect(client_id=self._session.read())
            await self._registration.register()
        except CancelledError:
            return
        except Exception as error:
            self._failed(error)
            return
        self._log.info("Machine {machine} is ready to run services.", machine=self.machine)
        self._joined = True
        for name in sorted({service_of(each.name) for each in self.instances.all()}):
            self._publish(name)
        self._contact.follow()

    def stopService(self) -> Deferred[None]:
        """Stop all instances at once, then leave the cluster, and with it all ephemeral nodes.

        Or, if the services are to be kept, end and leave all of it to a successor.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._leave())

    async def _leave(self) -> None:
        for going_on in (self._working, self._round):
            if going_on:
                going_on.cancel()
        self._cancel_wake()
        self._contact.stop()
        self._preparations.stop()
        self._turns.stop()
        keeps = self._keeps_services()
        count = len(self.instances.all())
        if keeps:
            self._log.info("Leaving {count} services to the next agent.", count=count)
            self.instances.let_go()
        else:
            self._log.info("Stopping {count} services.", count=count)
            await self.instances.drop_all("the agent stops")
        self._registration.stop()
        self._reports.stop()
        await self._end_session(keeps)
        self._log.info("Stopped.")

    async def _end_session(self, keeps: bool) -> None:
        if keeps:
            with contextlib.suppress(ClosingException):  # there is none to be kept
                await self.cluster.client.hand_over()
        else:
            self._session.forget()
        await self.cluster.client.close()

    async def wish(self, service: str) -> Wish | None:
        """What is wanted of a service on this machine, if it should be here at all.

        As of now, so that nobody acts on settings that he himself has just changed; or as it was
        last known, while ZooKeeper is away.
        """
        if self.current:
            with contextlib.suppress(ConnectionException):
                await self.cluster.read_anew(self.machine)
                return (await self.cluster.wanted(self.machine)).services.get(service)
        known = self._resolved.get(service)
        return known and known[0]

    def look_again(self) -> None:
        """Converge soon: many calls in one turn of the reactor are one round."""
        if not self._due:
            self._due = True
            self._clock.callLater(0, self._begin_round)

    def _begin_round(self) -> None:
        if self._round is None and self.running:
            self._due = False
            self._round = Deferred.fromCoroutine(self.converge())
            self._round.addErrback(self._round_failed)
            self._round.addBoth(self._end_round)

    def _round_failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("A round failed", failure=failure)

    def _end_round(self, _: object) -> None:
        self._round = None
        if self._due:
            self._begin_round()

    async def converge(self) -> None:
        """Bring this machine one round closer to what is wanted."""
        grounds = self._contact.grounds
        wants = self._in_turn(await self._wants(grounds), grounds)
        for step in plan(wants, self.instances.observed(), self._reasons.because):
            if self._contact.grounds is not grounds:
                return  # what was planned is old knowledge by now
            step.run(self.instances)
            await deferLater(self._clock, 0)  # what one step has to report need not wait for all
        for service in self._turns.tried:
            self._turns.judge(service, self.instances.of(service))
        if grounds is Grounds.CURRENT:
            self._swept = self._swept or await self._reports.sweep()
            if self._all_known:
                self._preparations.tidy(self.instances.all())

    def _in_turn(self, wants: Mapping[str, Want], grounds: Grounds) -> Mapping[str, Want]:
        """The same, but what must wait for this machine's turn stays as it is until then."""
        current = grounds is Grounds.CURRENT
        services = self._reasons.services
        return self._turns.admit(wants, self.instances.observed(), services, current=current)

    async def _wants(self, grounds: Grounds) -> Mapping[str, Want]:
        """What each slot should do, as far as that is known."""
        match grounds:
            case Grounds.CURRENT:
                wanted = await self.cluster.wanted(self.machine)
                self._all_known = wanted.listed and not wanted.unread
                if wanted.listed:
                    self._snapshot.keep(wanted.services)
                    return self._unless_unread(wanted)
            case Grounds.AWAY:
                return self._judged(await self._remembered())
        return self._running_on()

    async def _remembered(self) -> Mapping[str, Want]:
        """What was last known to be wanted; what else a predecessor left goes on with it."""
        if self._contact.known:
            return self._unless_unread(await self.cluster.wanted(self.machine))
        return self._running_on() | self.resolve(Wanted(self._snapshot.read()))

    def _judged(self, wants: Mapping[str, Want]) -> Mapping[str, Want]:
        """The same, given that ZooKeeper is away."""
        absence = self._contact.absence
        if absence.over:
            self.instances.hurry()
        self._cancel_wake()
        soon = absence.look_again(wants)
        if soon is not None:
            self._wake = self._clock.callLater(min(soon, LOOK_AGAIN), self.look_again)
        return absence.judge(wants)

    def _cancel_wake(self) -> None:
        if self._wake and self._wake.active():
            self._wake.cancel()

    def _unless_unread(self, wanted: Wanted) -> Mapping[str, Want]:
        """What is wanted; what is not known just now stays as it is."""
        wants = self.resolve(wanted)
        if not wanted.unread:
            return wants
        known = {slot: w for slot, w in wants.items() if service_of(slot) not in wanted.unread}
        return known | self._running_on(wanted.unread)

    def _running_on(self, services: Container[str] | None = None) -> dict[str, Want]:
        """What slots were last told, all or those of some services."""
        return {
            slot: want
            for slot, want in self.instances.observed().items()
            if want and (services is None or service_of(slot) in services)
        }

    def resolve(self, wanted: Wanted) -> dict[str, Want]:
        """What to do with each slot of the services that should be here.

        What makes no sense, or cannot be run here, is complained of once; what runs already goes
        on as it last made sense.
        """
        self._reasons.learn(wanted)
        self._resolved = {
            name: self._resolve(name, service) for name, service in wanted.services.items()
        }
        found = self._preparations.judge({name: w for name, (_, w) in self._resolved.items()})
        complaints = {name: str(problem) for name, problem in wanted.problems.items()}
        found |= {name: Unrunnable(complaints[name]) for name in wanted.undefined}
        complaints |= {name: w.why for name, w in found.items() if isinstance(w, Unrunnable)}
        self._complain(complaints)
        return {slot: w for name, want in found.items() for slot, w in self._slots(name, want)}

    def _slots(self, name: str, want: Want) -> Iterable[tuple[str, Want]]:
        """One for each process of a service; one for what does not run."""
        if isinstance(want, Launch):
            # How many there are is no difference to those that run.
            each = want if want.processes == 1 else replace(want, processes=1)
            return ((slot, each) for slot in slots(name, want.processes))
        running = self._running(name) if isinstance(want, Unrunnable) else {}
        return (running or {name: want}).items()

    def _running(self, name: str) -> dict[str, Want]:
        """What should run of a service by what it was last told."""
        every = ((each.name, each.want) for each in self.instances.of(name))
        return {slot: want for slot, want in every if isinstance(want, Launch)}

    def _complain(self, complaints: dict[str, str]) -> None:
        """Log what is new, and publish it with the instances that go on."""
        before, self._complaints = self._complaints, complaints
        for name in before.keys() | complaints.keys():
            why = complaints.get(name)
            if why == before.get(name):
                continue
            if why:
                self._log.error("{service}: {why}", service=name, why=why)
            self._publish(name)

    def _resolve(self, name: str, service: Wish) -> tuple[Wish, Want]:
        """What to do with a service, worked out once for each change of it."""
        known = self._resolved.get(name)
        return known if known and known[0] == service else (service, self._want(service))

    def _want(self, service: Wish) -> Want:
        if not service.target.run:
            return Held(HELD)
        try:
            return self._catalogue.launch(service, self.machine)
        except PopError as error:
            return Unrunnable(str(error))
        except Exception as error:  # a stranger's service type
            self._log.failure("The service type {type} failed", type=service.type)
            return Unrunnable(f"The service type failed: {type(error).__name__}: {error}")

    def _report(self, instance: Instance) -> None:
        service = service_of(instance.name)
        change = self._reasons.change(service, instance.life.why)
        self._history.note(service, instance, self._clock.seconds(), change)
        self._turns.judge(service, self.instances.of(service))
        if instance.want is None and instance.life.phase is Phase.STOPPED:
            self._preparations.gone(service)
        self._publish(service)

    def _publish(self, name: str) -> None:
        if self._joined:
            problem = self._complaints.get(name, "")
            found = summary(self.instances.of(name), problem, self.when, self._history.short(name))
            self._reports.publish(name, found)

    def when(self, seconds: float) -> str:
        """A time of the agent's clock as people read it."""
        return iso_time(self._wall() - (self._clock.seconds() - seconds))


def iso_time(seconds: float) -> str:
    """A time of day as people and programs read it: ISO 8601, UTC, to the millisecond."""
    when = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return when.replace("+00:00", "Z")
