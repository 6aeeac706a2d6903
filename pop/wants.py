"""Wants: what each slot of a machine should do, by what there is to go by."""

import contextlib
from collections.abc import Callable, Container, Mapping

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pop.cluster import Cluster
from pop.contact import Contact, Grounds
from pop.instances import Instances
from pop.model import Service
from pop.plan import Want
from pop.reasons import Reasons
from pop.resolution import Resolution
from pop.slots import service_of
from pop.snapshot import Snapshot
from pop.watch import Wanted
from txzookeeper.errors import ConnectionException

LOOK_AGAIN = 1.0
"""Seconds between two looks at how long ZooKeeper has been away, if a service minds: the clock that
wakes us stands still while the machine sleeps, and the one that counts does not."""


class Wants:
    """What is known to be wanted of a machine, or else remembered.

    @param changed: called when time alone makes a difference to it.
    @ivar complete: whether it was all known when ZooKeeper was last asked.
    """

    def __init__(
        self,
        machine: str,
        cluster: Cluster,
        contact: Contact,
        snapshot: Snapshot,
        reasons: Reasons,
        resolution: Resolution,
        instances: Instances,
        clock: IReactorTime,
        changed: Callable[[], None],
    ) -> None:
        self.complete = False
        self._machine = machine
        self._cluster = cluster
        self._contact = contact
        self._snapshot = snapshot
        self._reasons = reasons
        self._resolution = resolution
        self._instances = instances
        self._clock = clock
        self._changed = changed
        self._wake: IDelayedCall | None = None

    def begin(self) -> None:
        """Take note of what a predecessor knew, so that it is seen what has changed since."""
        self._reasons.learn(Wanted(self._snapshot.read()))

    def stop(self) -> None:
        """Look again no more."""
        if self._wake and self._wake.active():
            self._wake.cancel()

    async def of(self, service: str) -> Service | None:
        """What is wanted of a service, if it should be here at all.

        As of now, so that nobody acts on settings that he himself has just changed; or as it was
        last known, while ZooKeeper is away.
        """
        if self._contact.grounds is Grounds.CURRENT:
            with contextlib.suppress(ConnectionException):
                await self._cluster.read_anew(self._machine)
                return (await self._cluster.wanted(self._machine)).services.get(service)
        return self._resolution.service(service)

    async def now(self, grounds: Grounds) -> Mapping[str, Want]:
        """What each slot should do, as far as that is known."""
        match grounds:
            case Grounds.CURRENT:
                wanted = await self._cluster.wanted(self._machine)
                self.complete = wanted.listed and not wanted.unread
                if wanted.listed:
                    self._snapshot.keep(wanted.services)
                    return self._unless_unread(wanted)
            case Grounds.AWAY:
                return self._judged(await self._remembered())
        return self._running_on()

    async def _remembered(self) -> Mapping[str, Want]:
        """What was last known to be wanted; what else a predecessor left goes on with it."""
        if self._contact.known:
            return self._unless_unread(await self._cluster.wanted(self._machine))
        return self._running_on() | self._resolve(Wanted(self._snapshot.read()))

    def _judged(self, wants: Mapping[str, Want]) -> Mapping[str, Want]:
        """The same, given that ZooKeeper is away."""
        absence = self._contact.absence
        if absence.over:
            self._instances.hurry()
        self.stop()
        soon = absence.look_again(wants)
        if soon is not None:
            self._wake = self._clock.callLater(min(soon, LOOK_AGAIN), self._changed)
        return absence.judge(wants)

    def _unless_unread(self, wanted: Wanted) -> Mapping[str, Want]:
        """What is wanted; what is not known just now stays as it is."""
        wants = self._resolve(wanted)
        if not wanted.unread:
            return wants
        known = {slot: w for slot, w in wants.items() if service_of(slot) not in wanted.unread}
        return known | self._running_on(wanted.unread)

    def _resolve(self, wanted: Wanted) -> dict[str, Want]:
        self._reasons.learn(wanted)
        return self._resolution.resolve(wanted)

    def _running_on(self, services: Container[str] | None = None) -> dict[str, Want]:
        """What slots were last told, all or those of some services."""
        return {
            slot: want
            for slot, want in self._instances.observed().items()
            if want and (services is None or service_of(slot) in services)
        }
