"""The agent: the loop on one machine that makes what is into what should be."""

import contextlib
from collections.abc import Callable, Mapping, Sequence

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pop.catalogue import Catalogue
from pop.cluster import Cluster
from pop.contact import Contact, Grounds
from pop.daytime import iso_time
from pop.history import History
from pop.instance import Instance
from pop.instances import Instances
from pop.journal import Entry
from pop.life import Phase
from pop.model import Service as Wish
from pop.plan import Want, plan
from pop.preparations import Preparations
from pop.reasons import Reasons
from pop.registration import Registration
from pop.reports import Reports
from pop.resolution import Resolution
from pop.rounds import Rounds
from pop.session import SessionNote
from pop.slots import service_of
from pop.snapshot import Snapshot
from pop.summary import summary
from pop.turns import Turns
from pop.wants import Wants
from txzookeeper.errors import ClosingException

SLICE = 0.005
"""Seconds for which steps are taken on end: what else happens waits no longer than that."""


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
        self._turns = turns(self.look_again)
        self._session = session
        self._registration = registration
        self._reports = reports
        self._clock = clock
        self._wall = wall
        self._failed = failed
        self._keeps_services = keeps_services
        self._working: Deferred[None] | None = None
        self._joined = False
        self._swept = False
        self._rounds = Rounds(clock, lambda: self.converge())
        self._reasons = Reasons()
        self._resolution = Resolution(
            machine, catalogue, self._preparations, self.instances, self._publish
        )
        self._wants = Wants(
            machine,
            cluster,
            self._contact,
            snapshot,
            self._reasons,
            self._resolution,
            self.instances,
            clock,
            self.look_again,
        )
        self._history = History(journal, self.when, recent)

    def startService(self) -> None:
        """Go on with what a predecessor left; join the cluster, and converge from then on."""
        super().startService()
        self._rounds.begin()
        self.instances.adopt()
        self._wants.begin()
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
        if self._working:
            self._working.cancel()
        self._rounds.stop()
        self._wants.stop()
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
        return await self._wants.of(service)

    def look_again(self) -> None:
        """Converge soon: many calls in one turn of the reactor are one round."""
        self._rounds.ask()

    async def converge(self) -> None:
        """Bring this machine one round closer to what is wanted."""
        grounds = self._contact.grounds
        wants = self._in_turn(await self._wants.now(grounds), grounds)
        begun = self._clock.seconds()
        for step in plan(wants, self.instances.observed(), self._reasons.because):
            if self._contact.grounds is not grounds:
                return  # what was planned is old knowledge by now
            step.run(self.instances)
            if self._clock.seconds() - begun > SLICE:
                await deferLater(self._clock, 0)
                begun = self._clock.seconds()
        for service in self._turns.tried:
            self._turns.judge(service, self.instances.of(service))
        if grounds is Grounds.CURRENT:
            self._swept = self._swept or await self._reports.sweep()
            if self._wants.complete:
                self._preparations.tidy(self.instances.all())

    def _in_turn(self, wants: Mapping[str, Want], grounds: Grounds) -> Mapping[str, Want]:
        """The same, but what must wait for this machine's turn stays as it is until then."""
        current = grounds is Grounds.CURRENT
        services = self._reasons.services
        return self._turns.admit(wants, self.instances.observed(), services, current=current)

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
            problem = self._resolution.complaint(name)
            found = summary(self.instances.of(name), problem, self.when, self._history.short(name))
            self._reports.publish(name, found)

    def when(self, seconds: float) -> str:
        """A time of the agent's clock as people read it."""
        return iso_time(self._wall() - (self._clock.seconds() - seconds))
