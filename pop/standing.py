"""How a roll stands, for people; and waiting until it is over."""

import contextlib
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.task import deferLater

from pop.cluster import Cluster
from pop.errors import NoAnswer, RollHeldUp, RollStopped
from pop.frozen import frozen
from pop.model import Service, Stop
from pop.overview import InstanceView, ServiceView, services
from txzookeeper.errors import ConnectionLossException

LOOK_AGAIN = 0.25
"""Seconds between two looks at a roll."""


@frozen
class Standing:
    """How the present roll of a service stands.

    @ivar going: machines whose turn it is.
    @ivar waiting: those whose turn is yet to come.
    @ivar out: those that are out of service, each with its phase, and whose turn it is not.
    @ivar stop: why it goes no further.
    """

    going: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    out: tuple[tuple[str, str], ...] = ()
    stop: Stop | None = None

    @property
    def blocking(self) -> str:
        """What holds it up, other than those whose turn it is; empty if nothing does."""
        if self.stop or self.going or not self.waiting:
            return ""
        return ", ".join(f"{machine} ({phase})" for machine, phase in self.out)

    def __str__(self) -> str:
        if self.stop:
            waits = f", {_wait(self.waiting)} in vain" if self.waiting else ""
            return f"stopped on {self.stop.machine}: {self.stop.why}{waits}"
        goes = f"it is the turn of {', '.join(self.going)}" if self.going else ""
        waits = _wait(self.waiting) if self.waiting else ""
        blocked = f"for {self.blocking}" if self.blocking else ""
        return ", ".join(filter(None, (goes, f"{waits} {blocked}".strip())))


def _wait(machines: tuple[str, ...]) -> str:
    return f"{', '.join(machines)} {'wait' if len(machines) > 1 else 'waits'}"


def standing(view: ServiceView) -> Standing:
    """How it stands, by what was read of a service."""
    service, progress = view.service, view.progress
    if service is None or progress is None:
        return Standing()
    going = tuple(m for m in service.machines if m in progress.going)
    stop = progress.stop if progress.stop and progress.stop.version == service.version else None
    out = tuple(
        (each.machine, _phase(each))
        for each in view.instances
        if each.wanted and not _serves(each) and each.machine not in going
    )
    return Standing(going, view.waiting, out, stop)


def _phase(instance: InstanceView) -> str:
    """Why it is out of service, in short."""
    doubtful = instance.phase == "ready" and instance.status and instance.status.doubtful
    return "ready, but it ended lately" if doubtful else instance.phase


def _serves(instance: InstanceView) -> bool:
    return instance.status is not None and instance.status.serves


async def until_rolled(
    cluster: Cluster, wanted: Service, patience: float, tell: Callable[[str], None]
) -> bool:
    """Wait until a restart that rolls is over.

    @param wanted: the service, as it was when that was asked.
    @param patience: seconds in which nothing happens.
    @param tell: told of each thing that happens.
    @return: whether that is so; not, if something else is asked.
    @raise RollStopped: it failed somewhere.
    @raise RollHeldUp: for so long others were out of service.
    """
    told: set[str] = set()
    idle = 0.0

    def tell_new(sentences: Iterable[str]) -> None:
        for sentence in sentences:
            if sentence not in told:
                told.add(sentence)
                tell(sentence)

    while True:
        view = await _look(cluster, wanted.name, patience)
        if view.service is None or view.service.target != wanted.target:
            tell(f'Something else is asked of {wanted.name} by now: see "pop status".')
            return False
        now, done = standing(view), _done(view, wanted.target.generation)
        before = len(told)
        tell_new(_sentences(now, done, len(view.instances)))
        if now.stop:
            left = ", ".join(now.waiting) or "nowhere else"
            raise RollStopped(
                service=wanted.name, machine=now.stop.machine, reason=now.stop.why, left=left
            )
        if len(done) == len(view.instances) and not now.going:
            return True
        idle = 0.0 if now.going or len(told) > before else idle + LOOK_AGAIN
        if idle > patience:
            others = now.blocking or ", ".join(f"{m} ({phase})" for m, phase in now.out)
            raise RollHeldUp(service=wanted.name, machines=others, seconds=patience)
        await deferLater(cluster.clock, LOOK_AGAIN)


async def _look(cluster: Cluster, service: str, patience: float) -> ServiceView:
    looking = Deferred.fromCoroutine(_read(cluster, service))
    try:
        return await looking.addTimeout(patience, cluster.clock)
    except TimeoutError as error:
        raise NoAnswer(seconds=patience) from error


async def _read(cluster: Cluster, service: str) -> ServiceView:
    """A roll takes its time, in which connections may break."""
    while True:
        with contextlib.suppress(ConnectionLossException):
            return (await services(cluster, [service]))[0]


def _done(view: ServiceView, generation: int) -> list[str]:
    """Where that restart has been, and all is well."""
    return [
        each.machine
        for each in view.instances
        if each.status and _serves(each) and each.status.generation >= generation
    ]


def _sentences(now: Standing, done: list[str], count: int) -> Iterable[str]:
    failed = now.stop.machine if now.stop else ""
    over = (machine for machine in done if machine not in now.going and machine != failed)
    yield from (f"{machine} is ready." for machine in over)
    yield from (f"{machine} restarts." for machine in now.going)
    if now.blocking and count:
        yield f"The next waits for {now.blocking}."
